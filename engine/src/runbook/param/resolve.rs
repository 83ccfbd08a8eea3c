//! From what was given to the values that a run starts with.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::{Param, ParamError, Place, path};
use crate::diagnostic::{Code, Diagnostic};
use crate::id::ParamName;
use crate::runbook::Runbook;

/// A value as it was given.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// As text, on the command line or at a prompt.
    Text(String),
    /// As a value.
    Value(Value),
    /// As a value, in a file.
    Written(Value, Place),
}

impl Given {
    fn place(&self) -> Option<&Place> {
        match self {
            Self::Written(_, place) => Some(place),
            Self::Text(_) | Self::Value(_) => None,
        }
    }
}

/// What the parameters of a run are.
#[derive(Clone, PartialEq, Default)]
pub struct Resolved {
    /// The values; a secret's is never here.
    pub values: BTreeMap<ParamName, Value>,
    /// The secrets that were given.
    pub secrets: BTreeMap<ParamName, String>,
    /// The parameters that still need a value.
    pub missing: Vec<ParamName>,
    /// The parameters that take their example, in a rehearsal.
    pub examples_used: Vec<ParamName>,
}

impl std::fmt::Debug for Resolved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resolved")
            .field("values", &self.values)
            .field("secrets", &self.secrets.keys())
            .field("missing", &self.missing)
            .field("examples_used", &self.examples_used)
            .finish()
    }
}

/// Works out the parameters' values.
///
/// What is not given takes its default, an optional parameter `null`, and in a rehearsal any other its example.
/// A rehearsal asks for no secrets: it uses none.
///
/// # Errors
/// With every value that does not fit and every name that the runbook does not have. Of a relative path it is told
/// what it is in full, where the folder `here` is known in which somebody typed it.
pub fn resolve_params(
    runbook: &Runbook,
    given: BTreeMap<String, Given>,
    rehearsal: bool,
    here: Option<&Path>,
) -> Result<Resolved, Vec<Diagnostic>> {
    let mut problems = unknown_names(runbook, &given);
    let mut resolved = Resolved::default();
    let mut given = given;
    for (name, param) in runbook.params() {
        match given.remove(name.as_str()) {
            Some(value) => match check(param, &value) {
                Ok(Value::String(text)) if param.is_secret() => {
                    resolved.secrets.insert(name.clone(), text);
                }
                // An optional secret may be given as nothing.
                Ok(_) if param.is_secret() => {}
                Ok(value) => {
                    resolved.values.insert(name.clone(), value);
                }
                Err(error) => {
                    let error = match (&value, here) {
                        (Given::Text(text), Some(here)) => path::in_full(error, text, here),
                        _ => error,
                    };
                    problems.push(invalid(runbook, param, error, value.place()));
                }
            },
            None => fall_back(param, rehearsal, &mut resolved),
        }
    }
    if problems.is_empty() {
        Ok(resolved)
    } else {
        Err(problems)
    }
}

fn check(param: &Param, given: &Given) -> Result<Value, ParamError> {
    match given {
        Given::Value(Value::Null) | Given::Written(Value::Null, _) if param.optional => Ok(Value::Null),
        Given::Value(value) | Given::Written(value, _) => param.check(value.clone()),
        Given::Text(text) => param.parse(text),
    }
}

fn fall_back(param: &Param, rehearsal: bool, resolved: &mut Resolved) {
    let name = param.name.clone();
    if param.is_secret() {
        if !param.optional && !rehearsal {
            resolved.missing.push(name);
        }
    } else if let Some(default) = &param.default {
        resolved.values.insert(name, default.clone());
    } else if let Some(example) = param.example.as_ref().filter(|_| rehearsal && !param.optional) {
        resolved.examples_used.push(name.clone());
        resolved.values.insert(name, example.clone());
    } else if param.optional {
        resolved.values.insert(name, Value::Null);
    } else {
        resolved.missing.push(name);
    }
}

fn unknown_names(runbook: &Runbook, given: &BTreeMap<String, Given>) -> Vec<Diagnostic> {
    let known: Vec<&str> = runbook.params().keys().map(ParamName::as_str).collect();
    let unknown = given.iter().filter(|(name, _)| !known.contains(&name.as_str()));
    let problems = unknown.map(|(name, given)| {
        let message = format!("the runbook `{}` has no parameter `{name}`", runbook.name());
        let problem = Diagnostic::error(Code::ParameterUnknown, message);
        let problem = match given.place() {
            Some(place) => place.mark(problem, ""),
            None => problem,
        };
        let list = known
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ");
        let problem = problem.did_you_mean(name, known.iter().copied());
        if known.is_empty() {
            problem.help("it has none")
        } else {
            problem.help(format!("it has {list}"))
        }
    });
    problems.collect()
}

fn invalid(runbook: &Runbook, param: &Param, error: ParamError, place: Option<&Place>) -> Diagnostic {
    let message = format!(
        "the value of the parameter `{}` does not fit: {}",
        param.name, error.message
    );
    let problem = Diagnostic::error(Code::ParameterInvalid, message);
    let problem = match place {
        Some(place) => place.mark(problem, "its value is given here"),
        None => problem,
    };
    let (file, span) = runbook.place(param.span);
    let problem = problem.at(&file, span, format!("its type is `{}`", param.kind));
    error.help.into_iter().fold(problem, Diagnostic::help)
}
