//! What the inputs of requests have in common, and their check.

use std::collections::BTreeMap;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use runbook_engine::step::{Abilities, Check, Failure, FailureKind};
use schemars::JsonSchema;
use serde::Deserialize;

use super::answer;
use crate::text::{OneOrMany, Text};

/// What is done to the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads it.
    #[default]
    Get,
    /// Reads its headers.
    Head,
    /// Adds to it.
    Post,
    /// Replaces it.
    Put,
    /// Changes parts of it.
    Patch,
    /// Removes it.
    Delete,
}

impl Method {
    /// Whether it changes nothing.
    #[must_use]
    pub fn is_safe(self) -> bool {
        match self {
            Self::Get | Self::Head => true,
            Self::Post | Self::Put | Self::Patch | Self::Delete => false,
        }
    }

    /// Whether it may be done twice with the same end.
    #[must_use]
    pub fn is_repeatable(self) -> bool {
        match self {
            Self::Get | Self::Head | Self::Put | Self::Delete => true,
            Self::Post | Self::Patch => false,
        }
    }

    /// The word in the request.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// Which answers are right.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The status codes that are right; without it, 200 to 299. With `validate`, an answer whose status is
    /// none of these is an error, not "unsatisfied": to ask whether a thing exists, expect 200 and 404.
    #[serde(default)]
    pub status: Vec<u16>,
}

/// Names, and the Rhai expressions over `response` that give their values.
pub type Expressions = BTreeMap<String, String>;

/// What is read out of the answer.
pub struct Answers<'a> {
    /// How the answer is found right.
    pub expect: &'a Expect,
    /// Whether the outcome is there.
    pub satisfied: Option<&'a str>,
    /// Why it is not, in words.
    pub reason: Option<&'a str>,
    /// What the step gives.
    pub outputs: &'a Expressions,
    /// What is remembered for the way back.
    pub observed: &'a Expressions,
}

/// One request, of either kind.
pub trait Request {
    /// What is done.
    fn method(&self) -> Method;
    /// What is read out of its answer.
    fn answers(&self) -> Answers<'_>;
}

/// The requests of a step: one, or a list that is sent in order.
pub type Requests<R> = Option<OneOrMany<R>>;

/// What a step of these requests can do.
pub fn abilities<R>(validate: &Requests<R>, run: &Requests<R>, rollback: &Requests<R>) -> Abilities {
    Abilities {
        validates: validate.is_some(),
        undoes: rollback.is_some(),
        by_person: false,
        needs_evidence: false,
        read_only: validate.is_some() && run.is_none(),
    }
}

/// Finds what is wrong with the requests of a step.
pub fn check<R: Request>(
    validate: &Requests<R>,
    run: &Requests<R>,
    rollback: &Requests<R>,
    check: &mut Check<'_>,
) {
    if run.is_none() && validate.is_none() {
        check.problem(&[], "`run` or `validate` is missing: the step would do nothing");
    }
    if rollback.is_some() && run.is_none() {
        check.problem(&["rollback"], "there is nothing to undo: the step has no `run`");
    }
    for (name, requests) in [("validate", validate), ("run", run), ("rollback", rollback)] {
        each(name, requests, |path, request| {
            check_request(path, request, check);
        });
        let Some(OneOrMany(requests)) = requests else {
            continue;
        };
        if requests.is_empty() {
            check.problem(&[name], "the list of requests is empty");
        }
        let decides = requests
            .iter()
            .any(|request| request.answers().satisfied.is_some());
        if name == "validate" && !requests.is_empty() && !decides {
            check.problem(
                &[name],
                "`satisfied` is missing: nothing says whether the outcome is there",
            );
        }
    }
}

/// The requests in their order.
pub fn all<R>(requests: &Requests<R>) -> impl Iterator<Item = &R> {
    requests.iter().flat_map(|OneOrMany(requests)| requests)
}

/// Every request of a part, and where it stands: one stands there itself, several in a list.
pub fn each<'r, R>(name: &str, requests: &'r Requests<R>, mut look: impl FnMut(&[&str], &'r R)) {
    let Some(OneOrMany(requests)) = requests else {
        return;
    };
    for (at, request) in requests.iter().enumerate() {
        let at = at.to_string();
        let path = [name, &at];
        look(if requests.len() == 1 { &path[..1] } else { &path }, request);
    }
}

fn check_request<R: Request>(path: &[&str], request: &R, check: &mut Check<'_>) {
    let answers = request.answers();
    let validates = path.first() == Some(&"validate");
    if validates && !request.method().is_safe() {
        let message = "`validate` may only read: its requests are `GET` or `HEAD`";
        check.problem(path, message);
    }
    if !validates && answers.satisfied.is_some() {
        check.problem(path, "`satisfied` has a meaning only within `validate`");
    }
    if answers.reason.is_some() && answers.satisfied.is_none() {
        let message = "`reason` says why `satisfied` does not hold, which is missing";
        check.problem(path, message);
    }
    if path.first() == Some(&"rollback") && !answers.outputs.is_empty() {
        check.problem(path, "`outputs` have no meaning within `rollback`");
    }
    if !validates && !answers.observed.is_empty() {
        check.problem(path, "`observed` has a meaning only within `validate`");
    }
    let statuses = &answers.expect.status;
    if let Some(status) = statuses.iter().find(|status| !(100..=599).contains(*status)) {
        check.problem(path, format!("`{status}` is not a status code of HTTP"));
    }
    answer::check(&answers, path, check);
}

/// Headers, which no value can end before its end.
///
/// # Errors
/// When a name or a value is none that a header can have.
pub fn headers(given: &BTreeMap<String, Text>) -> Result<HeaderMap, Failure> {
    let headers = given.iter().map(|(name, value)| {
        let wrong = || {
            Failure::new(FailureKind::Inputs, format!(
                "the header `{name}` cannot be sent: its name or its value has characters that no header has"
            ))
        };
        let known = name.parse::<HeaderName>().map_err(|_| wrong())?;
        let value = HeaderValue::from_str(value.as_str()).map_err(|_| wrong())?;
        Ok((known, value))
    });
    headers.collect()
}
