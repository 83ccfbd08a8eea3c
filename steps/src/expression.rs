//! Expressions over what a step knows. To be replaced by `runbook_engine::runbook::expr`, whose interface this
//! is, as soon as that is there.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rhai::{AST, Dynamic, Engine};
use runbook_engine::id::StepId;
use runbook_engine::step::{Outputs, RunFacts, StepFacts};
use serde_json::{Value, json};

/// A compiled expression.
#[derive(Debug, Clone)]
pub(crate) struct Expression(AST);

/// An expression that could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExpressionError(String);

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an expression can name.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) params: Arc<Value>,
    pub(crate) steps: Arc<BTreeMap<StepId, StepFacts>>,
    pub(crate) item: Option<Value>,
    pub(crate) before: Option<Value>,
    pub(crate) outputs: Option<Outputs>,
    pub(crate) run: RunFacts,
    pub(crate) extra: BTreeMap<String, Value>,
}

/// A bounded engine without access to anything.
pub(crate) fn engine() -> Engine {
    let mut engine = Engine::new();
    engine
        .set_max_operations(1_000_000)
        .set_max_call_levels(32)
        .set_max_expr_depths(64, 32);
    engine
        .set_max_string_size(1024 * 1024)
        .set_max_array_size(100_000)
        .set_max_map_size(100_000);
    engine
        .set_fail_on_invalid_map_property(true)
        .set_module_resolver(rhai::module_resolvers::DummyModuleResolver);
    engine.disable_symbol("eval");
    engine
}

/// Compiles an expression that may name `extra_names` besides what is always there.
pub(crate) fn compile_loose(source: &str, _extra_names: &[&str]) -> Result<Expression, String> {
    engine()
        .compile_expression(source)
        .map(Expression)
        .map_err(|error| error.err_type().to_string())
}

impl Expression {
    pub(crate) fn evaluate(&self, scope: &Scope) -> Result<Value, ExpressionError> {
        let known = json!({
            "params": scope.params,
            "steps": *scope.steps,
            "item": scope.item,
            "before": scope.before,
            "outputs": scope.outputs,
            "run": scope.run,
        });
        let mut variables = rhai::Scope::new();
        let known = known.as_object().into_iter().flatten();
        for (name, value) in known.chain(&scope.extra) {
            let value = rhai::serde::to_dynamic(value).map_err(|error| ExpressionError(error.to_string()))?;
            variables.push_dynamic(name.as_str(), value);
        }
        let result = engine().eval_ast_with_scope::<Dynamic>(&mut variables, &self.0);
        let value = result.map_err(|error| ExpressionError(error.to_string()))?;
        rhai::serde::from_dynamic(&value).map_err(|error| ExpressionError(error.to_string()))
    }
}
