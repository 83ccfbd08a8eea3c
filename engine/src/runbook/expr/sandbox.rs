//! The one Rhai engine: without files, clocks, modules or `eval`, and bounded in every direction.
#![expect(
    clippy::disallowed_methods,
    reason = "a time limit on expressions needs a clock; no result depends on it"
)]

use std::sync::{Arc, LazyLock, OnceLock};
use std::time::{Duration, Instant};

use rhai::packages::{
    BasicArrayPackage, BasicMapPackage, BasicMathPackage, BitFieldPackage, CorePackage, LogicPackage,
    MoreStringPackage, Package as _,
};
use rhai::{AST, Dynamic, Engine, EvalAltResult, Map, Module, OptimizationLevel, Scope, Token};

use super::functions;

/// How long one evaluation may take.
pub const LONGEST_EVALUATION: Duration = Duration::from_secs(2);
/// How many operations one evaluation may take.
pub const MOST_OPERATIONS: u64 = 1_000_000;
/// The longest text that an expression may build, in bytes, all strings of a value counted together.
pub const LONGEST_STRING: usize = 8 * 1024 * 1024;
/// The most items of a list, or keys of a map, that an expression may build.
pub(super) const MOST_ITEMS: usize = 100_000;

/// How many operations pass between two looks at the clock.
const OPERATIONS_PER_LOOK: u64 = 256;

rhai::def_package! {
    /// Rhai's own functions, without those that wait or read the clock, and those of [`functions`].
    SandboxPackage(library): CorePackage, BitFieldPackage, LogicPackage, BasicMathPackage, BasicArrayPackage,
        BasicMapPackage, MoreStringPackage
    {
        functions::register(library);
    }
}

static LIBRARY: LazyLock<Arc<Module>> = LazyLock::new(|| SandboxPackage::new().as_shared_module());

/// A sandboxed engine, for one evaluation: its time limit runs from the first operation.
///
/// Scripts can reach nothing but what they are given: there are no modules, no `eval`, no files, no clock,
/// no output. Operations, time, call depth and the sizes of strings, lists and maps are bounded. What
/// builds on it may add functions, and replace limits by stricter or wider ones.
#[must_use]
pub fn engine() -> Engine {
    let mut engine = Engine::new_raw();
    engine.register_global_module(Arc::clone(&LIBRARY));
    for keyword in ["eval", "import", "export"] {
        engine.disable_symbol(keyword);
    }
    engine.set_optimization_level(OptimizationLevel::None);
    engine.set_fail_on_invalid_map_property(true);
    engine.set_max_operations(MOST_OPERATIONS);
    engine.set_max_call_levels(32);
    engine.set_max_expr_depths(64, 32);
    engine.set_max_variables(1_000);
    engine.set_max_functions(200);
    engine.set_max_modules(0);
    engine.set_max_string_size(LONGEST_STRING);
    engine.set_max_array_size(MOST_ITEMS);
    engine.set_max_map_size(MOST_ITEMS);
    #[expect(
        deprecated,
        reason = "Rhai marks the function as volatile; there is no other way to free a word"
    )]
    engine.on_parse_token(|token, _, _| match token {
        // Rhai reserves the word without using it.
        Token::Reserved(word) if word.as_str() == "default" => Token::Identifier(word),
        other => other,
    });
    let started = OnceLock::new();
    engine.on_progress(move |operations| {
        let look = operations % OPERATIONS_PER_LOOK == 0;
        let late = look && started.get_or_init(Instant::now).elapsed() > LONGEST_EVALUATION;
        late.then_some(Dynamic::UNIT)
    });
    engine
}

/// Evaluates an expression that sees these variables.
pub(super) fn evaluate(ast: &AST, variables: Map) -> Result<Dynamic, Box<EvalAltResult>> {
    let mut engine = engine();
    if !ast.has_functions() {
        let mut scope = Scope::new();
        for (name, value) in variables {
            scope.push_dynamic(name.as_str(), value);
        }
        return engine.eval_ast_with_scope(&mut scope, ast);
    }
    // What a closure captures from a scope is locked while a method of it calls the closure:
    // `params.a.filter(|x| x > params.b)` would fail. Variables that are handed out as copies are not.
    #[expect(
        deprecated,
        reason = "Rhai marks the function as volatile; there is no other way to hand out copies"
    )]
    engine.on_var(move |name, index, _| match index {
        0 => Ok(variables.get(name).cloned()),
        // A parameter of a closure, which hides a variable of its name.
        _ => Ok(None),
    });
    engine.eval_ast(ast)
}

/// The names of all functions that an expression can call.
pub(super) static FUNCTIONS: LazyLock<std::collections::BTreeSet<String>> = LazyLock::new(|| {
    let names = engine().collect_fn_metadata(None, |function| Some(function.metadata.name.to_string()), true);
    let built_in = [
        "call",
        "curry",
        "type_of",
        "is_def_var",
        "is_def_fn",
        "is_shared",
        "Fn",
    ];
    names.into_iter().chain(built_in.map(str::to_owned)).collect()
});
