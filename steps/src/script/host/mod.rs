//! What a script can call: the sandbox, and the doors in it that the runbook opens.

use std::sync::LazyLock;

use rhai::module_resolvers::DummyModuleResolver;
use rhai::packages::{Package as _, StandardPackage};
use rhai::{
    Dynamic, Engine, EvalAltResult, ImmutableString, Map, Module, OptimizationLevel, Position, Shared, Token,
};
use runbook_engine::step::Context;

use super::Allow;
use crate::child::note;

pub use self::table::{Function, Grant, as_markdown};
pub(super) use self::web::is_host;

mod command;
mod files;
mod folders;
mod pretended;
mod table;
mod text;
mod time;
mod web;

/// The most operations of one call.
pub const MOST_OPERATIONS: u64 = 50_000_000;

/// The longest text that a script can hold, in bytes.
pub const LONGEST_TEXT: usize = 4 * 1024 * 1024;

const LONGEST_LIST: usize = 100_000;

type Answer<T> = Result<T, Box<EvalAltResult>>;

fn refused<T>(why: impl Into<String>) -> Answer<T> {
    Err(Box::new(EvalAltResult::ErrorRuntime(
        why.into().into(),
        Position::NONE,
    )))
}

/// The end of a script that was told to stop; scripts cannot catch it.
fn stopped<T>() -> Answer<T> {
    Err(Box::new(EvalAltResult::ErrorTerminated(
        Dynamic::UNIT,
        Position::NONE,
    )))
}

/// A map of Rhai.
fn map<const N: usize>(fields: [(&str, Dynamic); N]) -> Map {
    fields
        .into_iter()
        .map(|(name, value)| (name.into(), value))
        .collect()
}

const TRANSCRIPT: &[Function] = &[
    Function::pure("log(text)", "adds a line to the transcript"),
    Function::pure("print(text)", "the same"),
];

/// All functions of the host.
pub fn functions() -> impl Iterator<Item = &'static Function> {
    [
        TRANSCRIPT,
        text::FUNCTIONS,
        time::FUNCTIONS,
        command::FUNCTIONS,
        files::FUNCTIONS,
        web::FUNCTIONS,
    ]
    .into_iter()
    .flatten()
}

/// Rhai's own functions. Putting them together takes a millisecond, which no call should.
static STANDARD: LazyLock<Shared<Module>> = LazyLock::new(|| StandardPackage::new().as_shared_module());

/// An engine that can compute, within bounds, and nothing else.
pub(super) fn sandbox() -> Engine {
    let mut engine = Engine::new_raw();
    engine
        .register_global_module(Shared::clone(&STANDARD))
        .set_max_operations(MOST_OPERATIONS)
        .set_max_call_levels(64)
        .set_max_expr_depths(96, 64)
        .set_max_string_size(LONGEST_TEXT)
        .set_max_array_size(LONGEST_LIST)
        .set_max_map_size(LONGEST_LIST)
        .set_max_functions(500)
        .set_max_variables(1_000)
        .set_max_modules(0)
        .set_strict_variables(true)
        .set_fail_on_invalid_map_property(true)
        .set_optimization_level(OptimizationLevel::None)
        .set_module_resolver(DummyModuleResolver)
        .disable_symbol("eval")
        .disable_symbol("import");
    #[expect(
        deprecated,
        reason = "Rhai marks the function as volatile; there is no other way to free a word"
    )]
    engine.on_parse_token(|token, _, _| match token {
        // Rhai reserves the word without using it, and a declaration needs it.
        Token::Reserved(word) if word.as_str() == "default" => Token::Identifier(word),
        other => other,
    });
    // Rhai's own `replace` makes the new text before it looks at the limit.
    engine.register_fn("replace", replace::<ImmutableString, ImmutableString>);
    engine.register_fn("replace", replace::<ImmutableString, char>);
    engine.register_fn("replace", replace::<char, ImmutableString>);
    engine
}

fn replace<From: ToString, To: ToString>(text: &mut ImmutableString, from: From, to: To) -> Answer<()> {
    let (from, to) = (from.to_string(), to.to_string());
    let added = text.matches(&from).count().saturating_mul(to.len());
    if text.len().saturating_add(added) > LONGEST_TEXT {
        return refused("the text would become too large");
    }
    *text = text.replace(&from, &to).into();
    Ok(())
}

/// The engine for one call: it stops when the call is cancelled, prints to its transcript, and has the doors
/// that `allow` opens.
pub(super) fn engine(allow: &Allow, cx: &Context) -> Engine {
    let mut engine = sandbox();
    let cancel = cx.cancel.clone();
    engine.on_progress(move |_| cancel.is_cancelled().then_some(Dynamic::UNIT));
    let printed = cx.clone();
    engine.on_print(move |text| note(&printed, text));
    let debugged = cx.clone();
    engine.on_debug(move |text, _, _| note(&debugged, text));
    let logged = cx.clone();
    engine.register_fn("log", move |text: ImmutableString| note(&logged, &text));
    text::register(&mut engine);
    time::register(&mut engine, cx);
    command::register(&mut engine, allow, cx);
    files::register(&mut engine, allow, cx);
    web::register(&mut engine, allow, cx);
    engine
}

#[cfg(test)]
mod tests;
