//! A constant of a script as plain data, read from the syntax tree: nothing is evaluated.

use rhai::{Expr, Position};
use serde_json::{Map, Number, Value};

use crate::script::mistakes::Problem;

/// A value that is written down, with its place.
#[derive(Debug, Clone)]
pub(super) struct Literal {
    pub(super) at: Position,
    pub(super) data: Data,
}

/// What is written.
#[derive(Debug, Clone)]
pub(super) enum Data {
    /// A text, a number, `true`, `false` or `()`.
    Plain(Value),
    /// `[ … ]`
    List(Vec<Literal>),
    /// `#{ … }`, in the order of the text.
    Map(Vec<Entry>),
}

/// An entry of a map.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) at: Position,
    pub(super) value: Literal,
}

impl Literal {
    /// Reads an expression that must be plain data.
    pub(super) fn read(expr: &Expr) -> Result<Self, Problem> {
        let at = expr.start_position();
        let data = match expr {
            Expr::Unit(_) => Data::Plain(Value::Null),
            Expr::BoolConstant(flag, _) => Data::Plain((*flag).into()),
            Expr::IntegerConstant(number, _) => Data::Plain((*number).into()),
            Expr::FloatConstant(number, _) => {
                Data::Plain(Number::from_f64(**number).map_or(Value::Null, Value::Number))
            }
            Expr::CharConstant(letter, _) => Data::Plain(letter.to_string().into()),
            Expr::StringConstant(text, _) => Data::Plain(text.as_str().into()),
            Expr::Array(items, _) => Data::List(items.iter().map(Self::read).collect::<Result<_, _>>()?),
            Expr::Map(map, _) => {
                let entries = map.0.iter().map(|(name, value)| {
                    Ok(Entry {
                        name: name.name.to_string(),
                        at: name.pos,
                        value: Self::read(value)?,
                    })
                });
                Data::Map(entries.collect::<Result<_, Problem>>()?)
            }
            _ => {
                let problem = Problem::new(
                    "a plain value expected: `STEP` is read without carrying anything out",
                    at,
                );
                return Err(problem.help("write a text, a number, `true`, `false`, a list or a map"));
            }
        };
        Ok(Self { at, data })
    }

    /// The value.
    pub(super) fn value(&self) -> Value {
        match &self.data {
            Data::Plain(value) => value.clone(),
            Data::List(items) => items.iter().map(Self::value).collect(),
            Data::Map(entries) => {
                let entries = entries
                    .iter()
                    .map(|entry| (entry.name.clone(), entry.value.value()));
                Value::Object(entries.collect::<Map<_, _>>())
            }
        }
    }

    pub(super) fn entries(&self) -> Option<&[Entry]> {
        match &self.data {
            Data::Map(entries) => Some(entries),
            Data::Plain(_) | Data::List(_) => None,
        }
    }
}
