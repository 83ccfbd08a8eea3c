//! A compiled script: what it defines, and how it is called.

use std::fmt;

use rhai::{AST, ASTFlags, CallFnOptions, Dynamic, EvalAltResult, Position, Scope, Stmt};
use runbook_engine::step::{Abilities, Context, Failure, FailureKind};

use super::{Allow, host};

/// The functions that the engine calls.
const FUNCTIONS: [&str; 3] = ["validate", "run", "rollback"];

/// The longest script, in bytes.
const LONGEST_SCRIPT: usize = 256 * 1024;

/// A script that compiles and defines what it must.
#[derive(Debug)]
pub(super) struct Compiled {
    ast: AST,
}

/// What is wrong with a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) message: String,
    at: Position,
}

impl Problem {
    fn new(message: impl Into<String>, at: Position) -> Self {
        Self {
            message: message.into(),
            at,
        }
    }

    /// Where in the text, as a range of bytes.
    pub(super) fn inside(&self, text: &str) -> Option<(usize, usize)> {
        let (line, column) = (self.at.line()?, self.at.position().unwrap_or(1));
        let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
        let rest = text.get(start..)?;
        let (at, found) = rest
            .char_indices()
            .nth(column.saturating_sub(1))
            .unwrap_or((rest.len(), ' '));
        let length = if found == '\n' { 0 } else { found.len_utf8() };
        let start = start + at;
        Some((start, (start + length).min(text.len())))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&place(self.at))?;
        f.write_str(&self.message)
    }
}

/// `line 3, column 5: `, as far as it is known.
fn place(at: Position) -> String {
    match (at.line(), at.position()) {
        (Some(line), Some(column)) => format!("line {line}, column {column}: "),
        (Some(line), None) => format!("line {line}: "),
        (None, _) => String::new(),
    }
}

impl Compiled {
    pub(super) fn new(text: &str) -> Result<Self, Problem> {
        if text.len() > LONGEST_SCRIPT {
            return Err(Problem::new(
                format!("it is longer than {LONGEST_SCRIPT} bytes"),
                Position::NONE,
            ));
        }
        let compiled = host::sandbox().compile(text);
        let ast = compiled
            .map_err(|error| Problem::new(lower_first(&error.err_type().to_string()), error.position()))?;
        let script = Self { ast };
        script.holds_only_definitions()?;
        script.defines_what_it_must()?;
        Ok(script)
    }

    /// What stands outside of functions would be carried out with each of them, `validate` too.
    fn holds_only_definitions(&self) -> Result<(), Problem> {
        let is_definition = |statement: &&Stmt| match statement {
            Stmt::Noop(_) => true,
            Stmt::Var(_, flags, _) => flags.contains(ASTFlags::CONSTANT),
            _ => false,
        };
        match self
            .ast
            .statements()
            .iter()
            .find(|statement| !is_definition(statement))
        {
            None => Ok(()),
            Some(other) => {
                let message = "outside of functions a script holds only constants: `const NAME = value;`";
                Err(Problem::new(message, other.position()))
            }
        }
    }

    fn defines_what_it_must(&self) -> Result<(), Problem> {
        let problem = |message: String| Err(Problem::new(message, Position::NONE));
        for name in FUNCTIONS {
            let mut arities = self
                .ast
                .iter_functions()
                .filter(|f| f.name == name)
                .map(|f| f.params.len());
            if arities.any(|arity| arity != 1) {
                return problem(format!("`{name}` takes one argument: `fn {name}(cx)`"));
            }
        }
        if !self.has("run") && !self.has("validate") {
            return problem(
                "it defines neither `fn run(cx)` nor `fn validate(cx)`: the step would do nothing".to_owned(),
            );
        }
        if self.has("rollback") && !self.has("run") {
            return problem("it defines `rollback` but no `run`: there is nothing to undo".to_owned());
        }
        Ok(())
    }

    pub(super) fn has(&self, function: &str) -> bool {
        self.ast.iter_functions().any(|defined| defined.name == function)
    }

    pub(super) fn abilities(&self) -> Abilities {
        Abilities {
            validates: self.has("validate"),
            undoes: self.has("rollback"),
            by_person: false,
            read_only: !self.has("run"),
        }
    }

    /// Calls a function with the step's document, on the thread that it is called from. Other threads of the
    /// runtime must be free to carry out what it waits for.
    pub(super) fn call(&self, function: &str, allow: &Allow, cx: &Context) -> Result<Dynamic, Failure> {
        let engine = host::engine(allow, cx);
        let document = rhai::serde::to_dynamic(cx.document());
        let document = document.map_err(|error| Failure::new(FailureKind::Fault, error.to_string()))?;
        let result = engine.call_fn_with_options::<Dynamic>(
            CallFnOptions::new().eval_ast(true),
            &mut Scope::new(),
            &self.ast,
            function,
            (document,),
        );
        result.map_err(|error| failure(*error))
    }
}

/// What a script's error means to people.
fn failure(mut error: EvalAltResult) -> Failure {
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
    Failure::new(
        FailureKind::Failed,
        format!("the script failed: {}{message}", place(at)),
    )
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
