//! A compiled script: what it defines, and how it is called.

use std::collections::BTreeSet;
use std::sync::Arc;

use rhai::{AST, CallFnOptions, Dynamic, EvalAltResult, FuncArgs, Position, Scope};
use runbook_engine::step::{Abilities, Context, Failure, FailureKind, Place};
use serde_json::Value;

use super::gives;
use super::host::{self, Grant};
use super::mistakes::{self, Problem};
use super::reads::Reads;
use super::{Allow, lower_first, named};

/// The longest script, in bytes.
pub(crate) const LONGEST_SCRIPT: usize = 256 * 1024;

/// A script that compiles and defines what it must.
#[derive(Debug)]
pub(crate) struct Compiled {
    ast: AST,
    /// The grants without which a function that it calls refuses.
    needs: BTreeSet<Grant>,
    /// The file that it was read from, relative to the runbook.
    file: Option<Arc<str>>,
}

impl Compiled {
    /// Compiles a script whose functions take these arguments.
    pub(crate) fn new(text: &str, arguments: &[&str]) -> Result<Self, Vec<Problem>> {
        let read = |parts: &[AST], _is_whole| gives::check(parts, None);
        Self::declared(text, arguments, read).map(|(script, ())| script)
    }

    /// As [`new`](Self::new), for a script that says something of itself. `read` gets its parts that compile, and
    /// whether that is all of them; what it finds wrong is told with the rest.
    pub(crate) fn declared<T>(
        text: &str,
        arguments: &[&str],
        read: impl FnOnce(&[AST], bool) -> Result<T, Vec<Problem>>,
    ) -> Result<(Self, T), Vec<Problem>> {
        if text.len() > LONGEST_SCRIPT {
            let message = format!("it is longer than {LONGEST_SCRIPT} bytes");
            return Err(vec![Problem::new(message, Position::NONE)]);
        }
        let found = mistakes::find(text, arguments);
        let mut problems = found.problems;
        let declared = match read(&found.parts, found.whole.is_some()) {
            Ok(declared) => Some(declared),
            Err(more) => {
                problems.extend(more);
                None
            }
        };
        match (found.whole, declared) {
            (Some(ast), Some(declared)) if problems.is_empty() => {
                let (needs, file) = (mistakes::needs(&ast), None);
                Ok((Self { ast, needs, file }, declared))
            }
            _ => Err(problems),
        }
    }

    /// Compiles a script that was checked when its run began; its mistakes are not looked for again.
    pub(super) fn of_checked(text: &str) -> Result<Self, Problem> {
        let compiled = host::sandbox().compile(text);
        let ast = compiled.map_err(|error| mistakes::syntax(error.err_type(), error.position()))?;
        Ok(Self {
            ast,
            needs: BTreeSet::new(),
            file: None,
        })
    }

    /// The same script, as the text of this file.
    pub(crate) fn of_file(self, file: &str) -> Self {
        Self {
            file: Some(file.into()),
            ..self
        }
    }

    /// The grants without which a function that it calls refuses.
    pub(crate) fn needs(&self) -> impl Iterator<Item = Grant> {
        self.needs.iter().copied()
    }

    /// What it names itself, in the text of its calls, of that which it must be granted.
    pub(crate) fn named(&self, grant: Grant) -> Vec<String> {
        named::named(&self.ast, grant)
    }

    pub(crate) fn has(&self, function: &str) -> bool {
        self.ast.iter_functions().any(|defined| defined.name == function)
    }

    /// The document of a step, as far as the functions may look at it, whose last argument it is.
    pub(crate) fn document(&self, cx: &Context) -> Value {
        let functions = self.ast.iter_functions();
        let functions = functions.filter(|defined| mistakes::CALLED.contains(&defined.name));
        let parameters = functions.filter_map(|defined| defined.params.last().copied());
        Reads::of(&self.ast, &parameters.collect()).document(cx)
    }

    pub(crate) fn abilities(&self) -> Abilities {
        Abilities {
            validates: self.has("validate"),
            undoes: self.has("rollback"),
            by_person: false,
            needs_evidence: false,
            read_only: !self.has("run"),
        }
    }

    /// Calls a function, on the thread that it is called from. Other threads of the runtime must be free to carry
    /// out what it waits for.
    pub(super) fn call(
        &self,
        function: &str,
        arguments: impl FuncArgs,
        allow: &Allow,
        cx: &Context,
    ) -> Result<Dynamic, Failure> {
        let engine = host::engine(allow, cx);
        let result = engine.call_fn_with_options::<Dynamic>(
            CallFnOptions::new().eval_ast(true),
            &mut Scope::new(),
            &self.ast,
            function,
            arguments,
        );
        result.map_err(|error| self.failure(*error))
    }

    /// What a script's error means to people.
    fn failure(&self, mut error: EvalAltResult) -> Failure {
        while let EvalAltResult::ErrorInFunctionCall(_, _, inner, _) = error {
            error = *inner;
        }
        let at = error.take_position();
        let message = match &error {
            EvalAltResult::ErrorTerminated(_, _) => {
                return Failure::new(FailureKind::Failed, "the script was stopped");
            }
            EvalAltResult::ErrorTooManyOperations(_) => {
                format!("it did not end within {} operations", host::MOST_OPERATIONS)
            }
            EvalAltResult::ErrorRuntime(thrown, _) if thrown.is_string() => thrown.to_string(),
            EvalAltResult::ErrorRuntime(thrown, _) => format!("it threw {thrown}"),
            // Rhai quotes the text that is no number, and that may be a secret.
            EvalAltResult::ErrorArithmetic(text, _) if text.to_lowercase().contains("pars") => {
                "a text that should be a number is not one".to_owned()
            }
            other => lower_first(&other.to_string()),
        };
        let kind = kind_of(&error);
        let failed = |place: &str| Failure::new(kind, format!("the script failed: {place}{message}"));
        match (&self.file, at.line(), at.position()) {
            (Some(file), Some(line), column) => {
                let column = column.unwrap_or(1);
                let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
                failed(&format!("{file}:{line}:{column}: ")).at(Place {
                    file: file.to_string(),
                    line: number(line),
                    column: number(column),
                })
            }
            (Some(_) | None, _, _) => failed(&mistakes::place(at)),
        }
    }
}

/// What the script says itself, and what it met outside, is no mistake in it.
fn kind_of(error: &EvalAltResult) -> FailureKind {
    match error {
        EvalAltResult::ErrorParsing(..)
        | EvalAltResult::ErrorVariableExists(..)
        | EvalAltResult::ErrorForbiddenVariable(..)
        | EvalAltResult::ErrorVariableNotFound(..)
        | EvalAltResult::ErrorPropertyNotFound(..)
        | EvalAltResult::ErrorFunctionNotFound(..)
        | EvalAltResult::ErrorUnboundThis(..)
        | EvalAltResult::ErrorMismatchDataType(..)
        | EvalAltResult::ErrorMismatchOutputType(..)
        | EvalAltResult::ErrorIndexingType(..)
        | EvalAltResult::ErrorFor(..)
        | EvalAltResult::ErrorAssignmentToConstant(..)
        | EvalAltResult::ErrorDotExpr(..) => FailureKind::Mistake,
        _ => FailureKind::Failed,
    }
}

#[cfg(test)]
mod tests;
