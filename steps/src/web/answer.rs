//! What an answer means: whether it was expected, whether the outcome is there, and what is read out of it.

use runbook_engine::runbook::expr::{Scope, compile_loose};
use runbook_engine::step::{Check, Context, Failure, FailureKind, Outputs};
use serde_json::Value;

use super::request::{Answers, Expect, Expressions};
use super::send::Answer;
use crate::text::last_line;

/// The names that expressions over an answer may use besides those of every expression.
pub const NAMES: [&str; 1] = ["response"];

/// Refuses an answer whose status was not expected.
///
/// # Errors
/// With the status, and what the server says.
pub fn expected(
    answer: &Answer,
    expect: &Expect,
    explain: impl Fn(&Answer) -> Option<String>,
) -> Result<(), Failure> {
    let right = match expect.status.as_slice() {
        [] => (200..300).contains(&answer.status),
        wanted => wanted.contains(&answer.status),
    };
    if right {
        return Ok(());
    }
    let said = explain(answer).or_else(|| last_line(&answer.body));
    let said = said.map_or_else(String::new, |said| format!(": {said}"));
    let message = format!("the answer is {}, which is not expected{said}", answer.status);
    Err(Failure::new(FailureKind::Failed, message))
}

/// What expressions see of a step and an answer.
#[must_use]
pub fn scope(cx: &Context, answer: &Answer) -> Scope {
    let mut scope = Scope::of(cx);
    scope.extra.insert("response".to_owned(), answer.document());
    scope
}

/// Whether an answer says that the outcome is there.
///
/// # Errors
/// When the expression cannot be evaluated, or gives neither true nor false.
pub fn is_satisfied(source: &str, scope: &Scope) -> Result<bool, Failure> {
    let expression = compile_loose(source, &NAMES).map_err(|why| Failure::new(FailureKind::Inputs, why))?;
    expression.truth(scope).map_err(|error| {
        let message = format!("`satisfied` could not be evaluated: {error}");
        Failure::new(FailureKind::Failed, message)
    })
}

/// Why the outcome is not there: in the author's words, if there are any.
#[must_use]
pub fn unsatisfied(answers: &Answers<'_>, answer: &Answer, scope: &Scope) -> String {
    let source = answers.satisfied.unwrap_or_default().trim();
    let plain = format!(
        "the answer is {}, and this does not hold: `{source}`",
        answer.status
    );
    let Some(reason) = answers.reason else {
        return plain;
    };
    let text =
        compile_loose(reason, &NAMES).and_then(|text| text.evaluate(scope).map_err(|why| why.to_string()));
    match text {
        Ok(Value::String(text)) if !text.trim().is_empty() => text.trim().to_owned(),
        Ok(_) => format!("{plain}; `reason` gives no text"),
        Err(why) => format!("{plain}; `reason` could not be evaluated: {why}"),
    }
}

/// The values that expressions read out of an answer.
///
/// # Errors
/// When one cannot be evaluated.
pub fn values(expressions: &Expressions, scope: &Scope) -> Result<Outputs, Failure> {
    let values = expressions.iter().map(|(name, source)| {
        let expression =
            compile_loose(source, &NAMES).map_err(|why| Failure::new(FailureKind::Inputs, why))?;
        let value = expression.evaluate(scope).map_err(|error| {
            let message = format!("`{name}` could not be read out of the answer: {error}");
            Failure::new(FailureKind::Failed, message)
        })?;
        Ok((name.clone(), value))
    });
    values.collect()
}

/// Reports what is wrong with the expressions of a request that stands at `path`.
pub fn check(answers: &Answers<'_>, path: &[&str], check: &mut Check<'_>) {
    let mut expression = |names: &[&str], source: &str| {
        if let Err(why) = compile_loose(source, &NAMES) {
            check.problem(&[path, names].concat(), why);
        }
    };
    for (name, source) in [("satisfied", answers.satisfied), ("reason", answers.reason)] {
        if let Some(source) = source {
            expression(&[name], source);
        }
    }
    for (key, expressions) in [("outputs", answers.outputs), ("observed", answers.observed)] {
        for (name, source) in expressions {
            expression(&[key, name], source);
        }
    }
}

/// What was observed, or nothing.
#[must_use]
pub fn observed(values: Outputs) -> Value {
    if values.is_empty() {
        Value::Null
    } else {
        Value::Object(values)
    }
}
