//! An expression that could not be evaluated, told without the values that it worked on.

use std::fmt;
use std::sync::Arc;

use rhai::{EvalAltResult, ParseErrorType};

use crate::diagnostic::{Code, Diagnostic, SourceFile, Span};

/// An expression that could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionError(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    source: String,
    message: String,
    help: Option<String>,
    place: Option<(Arc<SourceFile>, Span)>,
    path: Vec<String>,
}

impl ExpressionError {
    pub(super) fn new(source: &str, message: impl Into<String>) -> Self {
        let (source, message) = (source.trim().to_owned(), message.into());
        Self(Box::new(Inner {
            source,
            message,
            help: None,
            place: None,
            path: Vec::new(),
        }))
    }

    /// An expression within text gave nothing.
    pub(super) fn empty(source: &str) -> Self {
        let error = Self::new(source, "there is no value to put into the text");
        error.help(format!(
            "say what to use instead: `default({}, \"…\")`",
            source.trim()
        ))
    }

    pub(super) fn of_rhai(source: &str, mut error: EvalAltResult) -> Self {
        while let EvalAltResult::ErrorInFunctionCall(_, _, inner, _) = error {
            error = *inner;
        }
        error.clear_position();
        match &error {
            EvalAltResult::ErrorPropertyNotFound(name, _) => {
                let help = format!("if it may be missing: `.get(\"{name}\") ?? …`");
                Self::new(source, format!("there is no `{name}`")).help(help)
            }
            EvalAltResult::ErrorDotExpr(_, _) => {
                let help = "a step that was skipped has no outputs: `steps.ID.outputs?.NAME ?? …`";
                Self::new(source, "a value without parts was asked for one of them").help(help)
            }
            EvalAltResult::ErrorTooManyOperations(_) | EvalAltResult::ErrorTerminated(_, _) => {
                Self::new(source, "it takes too long")
            }
            // The message quotes the text that is no number, and that may be a secret.
            EvalAltResult::ErrorArithmetic(text, _) if text.contains("arsing") => {
                Self::new(source, "a text that should be a number is not one")
            }
            EvalAltResult::ErrorRuntime(value, _) => Self::new(source, value.to_string()),
            EvalAltResult::ErrorFunctionNotFound(signature, _) => {
                Self::new(source, format!("there is no function `{signature}`"))
            }
            _ => {
                let text = error.to_string();
                let mut letters = text.chars();
                let first = letters
                    .next()
                    .map(|c| c.to_lowercase().to_string())
                    .unwrap_or_default();
                Self::new(source, first + letters.as_str())
            }
        }
    }

    pub(super) fn help(mut self, text: impl Into<String>) -> Self {
        self.0.help = Some(text.into());
        self
    }

    pub(super) fn at(mut self, file: &Arc<SourceFile>, span: Span) -> Self {
        self.0.place = Some((Arc::clone(file), span));
        self
    }

    pub(super) fn within(mut self, path: Vec<String>) -> Self {
        self.0.path = path;
        self
    }

    pub(super) fn of(mut self, source: &str) -> Self {
        source.trim().clone_into(&mut self.0.source);
        self
    }

    /// What went wrong, without the expression.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where in the filled value the expression stands, as keys and item numbers; empty outside [`fill`](super::fill).
    #[must_use]
    pub fn path(&self) -> &[String] {
        &self.0.path
    }

    /// The error as people are told it.
    #[must_use]
    pub fn diagnostic(&self) -> Diagnostic {
        let message = format!("`{}` could not be evaluated: {}", self.0.source, self.0.message);
        let mut problem = Diagnostic::error(Code::ExpressionFailed, message);
        if let Some((file, span)) = &self.0.place {
            problem = problem.at(file, *span, "");
        }
        self.0.help.iter().fold(problem, Diagnostic::help)
    }
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((file, span)) = &self.0.place {
            let (line, column) = file.line_column(span.start);
            write!(f, "{}:{line}:{column}: ", file.name)?;
        }
        if !self.0.path.is_empty() {
            write!(f, "`with.{}`: ", self.0.path.join("."))?;
        }
        if !self.0.source.is_empty() {
            write!(f, "`{}` could not be evaluated: ", self.0.source)?;
        }
        f.write_str(&self.0.message)?;
        self.0.help.iter().try_for_each(|help| write!(f, " ({help})"))
    }
}

impl std::error::Error for ExpressionError {}

/// What the parser says, and what to do about it.
pub(super) fn of_syntax(error: &ParseErrorType) -> (String, Vec<String>) {
    let text = error.to_string();
    let help = match &*text {
        _ if text.contains("'='") => vec!["compare with `==`".to_owned()],
        _ if text.contains("terminated") => vec!["a quote is not closed; texts stand in `\"…\"`".to_owned()],
        _ if text.contains("' and '") || text.contains("keyword: and") => vec!["write `&&`".to_owned()],
        _ => Vec::new(),
    };
    let text = if matches!(error, ParseErrorType::UnexpectedEOF) {
        "it ends too early"
    } else {
        &text
    };
    (format!("this is not an expression: {text}"), help)
}
