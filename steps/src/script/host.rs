//! What a script can call: the sandbox, and the doors in it that the runbook opens.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use openssl::sha;
use regex::{Regex, RegexBuilder};
use rhai::module_resolvers::DummyModuleResolver;
use rhai::packages::{Package as _, StandardPackage};
use rhai::{
    Array, Dynamic, Engine, EvalAltResult, FLOAT, INT, ImmutableString, Map, Module, OptimizationLevel,
    Position, Shared,
};
use runbook_engine::platform::process::Exit;
use runbook_engine::step::Context;
use serde_json::Value;
use tokio::runtime::Handle;

use super::Allow;
use super::folders::Folders;
use crate::child::{self, Program, note};

/// The most operations of one call.
pub const MOST_OPERATIONS: u64 = 50_000_000;

/// The longest text that a script can hold, in bytes.
pub const LONGEST_TEXT: usize = 4 * 1024 * 1024;

const LONGEST_LIST: usize = 100_000;
const LARGEST_PATTERN: usize = 256 * 1024;
const LONGEST_SLEEP: Duration = Duration::from_secs(60 * 60);

type Answer<T> = Result<T, Box<EvalAltResult>>;

fn refused<T>(why: impl Into<String>) -> Answer<T> {
    Err(Box::new(EvalAltResult::ErrorRuntime(
        why.into().into(),
        Position::NONE,
    )))
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
        .set_fail_on_invalid_map_property(true)
        .set_optimization_level(OptimizationLevel::None)
        .set_module_resolver(DummyModuleResolver)
        .disable_symbol("eval")
        .disable_symbol("import");
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
    register_pure(&mut engine);
    register_time(&mut engine, cx);
    register_command(&mut engine, allow, cx);
    register_files(&mut engine, allow);
    engine
}

fn register_pure(engine: &mut Engine) {
    engine.register_fn(
        "matches",
        |text: ImmutableString, pattern: ImmutableString| -> Answer<bool> {
            Ok(compile(&pattern)?.is_match(&text))
        },
    );
    engine.register_fn(
        "find",
        |text: ImmutableString, pattern: ImmutableString| -> Answer<Dynamic> {
            let found = compile(&pattern)?
                .find(&text)
                .map(|found| found.as_str().to_owned());
            Ok(found.map_or(Dynamic::UNIT, Dynamic::from))
        },
    );
    engine.register_fn("parse_json", |text: ImmutableString| -> Answer<Dynamic> {
        match serde_json::from_str::<Value>(&text) {
            Ok(value) => rhai::serde::to_dynamic(value),
            // The text itself may be secret: only the place is told.
            Err(error) => refused(format!(
                "line {}, column {} is not JSON",
                error.line(),
                error.column()
            )),
        }
    });
    engine.register_fn("to_json", |value: Dynamic| -> Answer<String> {
        Ok(rhai::serde::from_dynamic::<Value>(&value)?.to_string())
    });
    engine.register_fn("sha256", |text: ImmutableString| -> String {
        sha::sha256(text.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    });
}

fn compile(pattern: &str) -> Answer<Regex> {
    let built = RegexBuilder::new(pattern)
        .size_limit(LARGEST_PATTERN)
        .dfa_size_limit(LARGEST_PATTERN)
        .build();
    built.or_else(|_| refused("this is not a regular expression, or too large"))
}

fn register_time(engine: &mut Engine, cx: &Context) {
    engine.register_fn("now", || -> String {
        #[expect(
            clippy::disallowed_methods,
            reason = "a script asks for the time of the world that it changes"
        )]
        jiff::Timestamp::now()
            .round(jiff::Unit::Second)
            .unwrap_or_default()
            .to_string()
    });
    let (handle, cancel) = (Handle::current(), cx.cancel.clone());
    let sleep = move |seconds: f64| -> Answer<()> {
        let Ok(duration) = Duration::try_from_secs_f64(seconds) else {
            return refused("`sleep` needs a number of seconds");
        };
        let asleep = handle
            .block_on(async { tokio::time::timeout(LONGEST_SLEEP.min(duration), cancel.cancelled()).await });
        match asleep {
            Err(_) => Ok(()),
            Ok(()) => Err(Box::new(EvalAltResult::ErrorTerminated(
                Dynamic::UNIT,
                Position::NONE,
            ))),
        }
    };
    let whole = sleep.clone();
    engine.register_fn("sleep", move |seconds: INT| {
        // More than the longest sleep is the longest sleep.
        whole(f64::from(i32::try_from(seconds.max(-1)).unwrap_or(i32::MAX)))
    });
    engine.register_fn("sleep", move |seconds: FLOAT| sleep(seconds));
}

fn register_command(engine: &mut Engine, allow: &Allow, cx: &Context) {
    let (handle, cx, commands) = (Handle::current(), cx.clone(), allow.commands.clone());
    engine.register_fn("command", move |argv: Array| -> Answer<Map> {
        let texts: Option<Vec<String>> = argv.iter().map(argument).collect();
        let Some(texts) = texts else {
            return refused("`command` takes a list of texts and numbers");
        };
        let Some(name) = texts.first() else {
            return refused("`command` needs a program");
        };
        if !commands.contains(name) {
            return refused(format!("`{name}` is not allowed: add it to `allow.commands`"));
        }
        if texts.iter().any(|text| text.contains('\0')) {
            return refused("a NUL character cannot be part of an argument");
        }
        let argv = texts.iter().map(String::as_str).collect();
        let program = Program {
            argv,
            env: BTreeMap::new(),
            cwd: None,
            input: Vec::new(),
        };
        // The script has a thread to itself, which may wait.
        let finished = match handle.block_on(child::carry_out(&program, &cx)) {
            Ok(finished) => finished,
            Err(_) if cx.cancel.is_cancelled() => {
                return Err(Box::new(EvalAltResult::ErrorTerminated(
                    Dynamic::UNIT,
                    Position::NONE,
                )));
            }
            Err(failure) => return refused(failure.message),
        };
        let code = match finished.exit {
            Exit::Code(code) => INT::from(code),
            Exit::Signal(signal) => return refused(format!("`{name}` was ended by the signal {signal}")),
        };
        let stdout = String::from_utf8_lossy(&finished.stdout).into_owned();
        let fields: [(&str, Dynamic); 3] = [
            ("code", code.into()),
            ("stdout", stdout.into()),
            ("stderr", finished.stderr.into()),
        ];
        Ok(fields
            .into_iter()
            .map(|(name, value)| (name.into(), value))
            .collect())
    });
}

fn argument(value: &Dynamic) -> Option<String> {
    (value.is_string() || value.is_int() || value.is_float()).then(|| value.to_string())
}

fn register_files(engine: &mut Engine, allow: &Allow) {
    let folders = Arc::new(Folders::new(&allow.folders));
    let told = |result: Result<_, String>| result.or_else(refused);
    let reading = Arc::clone(&folders);
    engine.register_fn("read_file", move |path: ImmutableString| -> Answer<String> {
        reading.read(&path).or_else(refused)
    });
    let writing = Arc::clone(&folders);
    engine.register_fn(
        "write_file",
        move |path: ImmutableString, text: ImmutableString| -> Answer<()> {
            told(writing.write(&path, &text))
        },
    );
    let looking = Arc::clone(&folders);
    engine.register_fn("exists", move |path: ImmutableString| -> Answer<bool> {
        looking.exists(&path).or_else(refused)
    });
    engine.register_fn("remove_file", move |path: ImmutableString| -> Answer<bool> {
        folders.remove(&path).or_else(refused)
    });
}
