//! Expressions: Rhai for `when`, `for_each` and `${{ … }}`, sandboxed, checked before anything runs.

use std::fmt;
use std::sync::Arc;

use rhai::{AST, Engine};
use serde_json::Value;

pub use self::error::ExpressionError;
pub use self::items::{MOST_ITEMS, items, truth};
pub(crate) use self::names::MOST_CANDIDATES;
pub use self::names::{Known, Names, Site};
pub use self::sandbox::{LONGEST_EVALUATION, LONGEST_STRING, MOST_OPERATIONS, engine};
pub use self::scope::Scope;
pub use self::template::{InputPath, MARK_END, MARK_START, Put, fill};
pub(crate) use self::template::{Part, Unclosed, is_template, parts};
pub use self::value::{NotData, to_dynamic, to_value};
use super::yaml::align::Alignment;
use crate::core::event::Item;
use crate::diagnostic::{Code, Diagnostic, SourceFile, Span};

mod error;
mod functions;
mod items;
mod names;
mod sandbox;
mod scope;
mod template;
mod value;

/// The longest expression, in bytes.
pub const LONGEST_EXPRESSION: usize = 20_000;

static COMPILER: std::sync::LazyLock<Engine> = std::sync::LazyLock::new(engine);

/// An expression that compiles and names only what there is.
#[derive(Clone)]
pub struct Expression {
    source: Arc<str>,
    place: Option<(Arc<SourceFile>, Span)>,
    names: Arc<Names>,
    ast: Arc<AST>,
}

impl Expression {
    /// The text of the expression.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What the expression names.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Where the expression stands, if it was compiled from a file.
    #[must_use]
    pub fn place(&self) -> Option<(&Arc<SourceFile>, Span)> {
        self.place.as_ref().map(|(file, span)| (file, *span))
    }

    /// The value of the expression. It sees nothing but the scope, and changes nothing.
    ///
    /// # Errors
    /// When it cannot be evaluated, takes too long, or gives something that is no data.
    pub fn evaluate(&self, scope: &Scope) -> Result<Value, ExpressionError> {
        let variables = scope.variables(&self.names);
        let result = sandbox::evaluate(&self.ast, variables);
        let value = result.map_err(|error| ExpressionError::of_rhai(&self.source, *error));
        let value = value.and_then(|value| {
            to_value(value).map_err(|error| ExpressionError::new(&self.source, error.to_string()))
        });
        value.map_err(|error| self.placed(error))
    }

    /// The value of a condition.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate), and when the value is not a boolean.
    pub fn truth(&self, scope: &Scope) -> Result<bool, ExpressionError> {
        truth(self.evaluate(scope)?).map_err(|error| self.placed(error.of(&self.source)))
    }

    /// The items of a fan-out.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate), and when the value is not a list that can be fanned out over.
    pub fn items(&self, scope: &Scope) -> Result<Vec<Item>, ExpressionError> {
        items(self.evaluate(scope)?).map_err(|error| self.placed(error.of(&self.source)))
    }

    fn placed(&self, error: ExpressionError) -> ExpressionError {
        match &self.place {
            Some((file, span)) => error.at(file, *span),
            None => error,
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.source).finish()
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

/// Compiles an expression that stands in `file` at `span`, as a whole YAML value or a part of one.
///
/// # Errors
/// With every name that it should not have, or the one place where it is no expression at all.
pub fn compile(
    source: &str,
    file: &Arc<SourceFile>,
    span: Span,
    known: &Known,
) -> Result<Expression, Vec<Diagnostic>> {
    compile_part(source, 0, file, &Alignment::new(&file.text, span, source), known)
}

/// Compiles the expression that starts at byte `offset` of a YAML string with this alignment.
pub(crate) fn compile_part(
    source: &str,
    offset: usize,
    file: &Arc<SourceFile>,
    alignment: &Alignment,
    known: &Known,
) -> Result<Expression, Vec<Diagnostic>> {
    let place = |from: usize, to: usize| alignment.span(offset + from, offset + to);
    let ast = parse(source).map_err(|wrong| {
        let problem = Diagnostic::error(Code::ExpressionSyntax, wrong.message);
        let problem = problem.at(file, place(wrong.start, wrong.end), "");
        vec![wrong.help.into_iter().fold(problem, Diagnostic::help)]
    })?;
    let (mut names, unknown) = names::check(&ast, source, Some(known), known.site().names());
    if !unknown.is_empty() {
        let problems = unknown.into_iter().map(|wrong| {
            let problem = Diagnostic::error(Code::ExpressionUnknownName, wrong.message);
            let problem = problem.at(file, place(wrong.start, wrong.end), "");
            wrong.help.into_iter().fold(problem, Diagnostic::help)
        });
        return Err(problems.collect());
    }
    names.places = names
        .places
        .into_iter()
        .map(|(step, at)| (step, place(at.start, at.end)))
        .collect();
    let whole = place(source.len() - source.trim_start().len(), source.trim_end().len());
    let place = Some((Arc::clone(file), whole));
    Ok(Expression {
        source: source.into(),
        place,
        names: Arc::new(names),
        ast: Arc::new(ast),
    })
}

/// Compiles an expression of which only the syntax and the outermost names can be checked: `params`, `steps`,
/// `item`, `before`, `outputs`, `run` and `extra_names`.
///
/// # Errors
/// With what is wrong, for people.
pub fn compile_loose(source: &str, extra_names: &[&str]) -> Result<Expression, String> {
    let ast = parse(source).map_err(|wrong| wrong.message)?;
    let top = [Site::Step { fans_out: true }.names(), extra_names].concat();
    let (names, unknown) = names::check(&ast, source, None, &top);
    match unknown.into_iter().next() {
        Some(wrong) => Err([vec![wrong.message], wrong.help].concat().join("; ")),
        None => Ok(Expression {
            source: source.into(),
            place: None,
            names: Arc::new(names),
            ast: Arc::new(ast),
        }),
    }
}

/// Something wrong with a range of an expression's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wrong {
    start: usize,
    end: usize,
    message: String,
    help: Vec<String>,
}

fn parse(source: &str) -> Result<AST, Wrong> {
    let wrong = |start, end, message: String| Wrong {
        start,
        end,
        message,
        help: Vec::new(),
    };
    if source.len() > LONGEST_EXPRESSION {
        let message = format!("the expression is longer than {LONGEST_EXPRESSION} bytes");
        return Err(wrong(0, source.len(), message));
    }
    if source.trim().is_empty() {
        return Err(wrong(0, source.len(), "the expression is empty".to_owned()));
    }
    if source.trim_start().starts_with("${{") {
        let start = source.find("${{").unwrap_or_default();
        let mut wrong = wrong(start, start + 3, "this is an expression already".to_owned());
        wrong.help.push("leave out `${{` and `}}`".to_owned());
        return Err(wrong);
    }
    COMPILER.compile_expression(source).map_err(|error| {
        let start = names::offset(source, error.position()).unwrap_or(source.len());
        let end = start + source[start..].chars().next().map_or(0, char::len_utf8);
        let (message, help) = error::of_syntax(error.err_type());
        Wrong {
            help,
            ..wrong(start, end, message)
        }
    })
}

#[cfg(test)]
mod tests;
