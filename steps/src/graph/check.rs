//! What is wrong with the inputs of `graph` steps and sessions, before anything is carried out.

use runbook_engine::step::{Check, typed};
use serde_json::Value;

use super::change::BEFORE;
use super::inputs::{GraphInputs, GraphRequest, SignIn};
use crate::web::request::{self, Method, Requests};

/// Whether a step changes collections.
pub(super) fn has_merges(inputs: &GraphInputs) -> bool {
    merges(&inputs.run).next().is_some()
}

/// Whether a step takes changes of collections back.
pub(super) fn undoes_merges(inputs: &GraphInputs) -> bool {
    merges(&inputs.rollback).next().is_some()
}

fn merges(requests: &Requests<GraphRequest>) -> impl Iterator<Item = &GraphRequest> {
    request::all(requests).filter(|request| request.merge.is_some())
}

/// Reports what is wrong with a step.
pub(super) fn step(inputs: &GraphInputs, check: &mut Check<'_>) {
    request::check(&inputs.validate, &inputs.run, &inputs.rollback, check);
    for (name, requests) in inputs.parts() {
        request::each(name, requests, |path, request| one(path, request, check));
    }
    way_back(inputs, check);
    if check.session().is_some() {
        for name in inputs.of_session() {
            let message = format!("`{name}` belongs to the step's session: give it there, below `with:`");
            check.problem(&[name], message);
        }
        return;
    }
    settings(inputs, check);
    if inputs.sign_in.as_ref().is_none_or(SignIn::is_person) {
        let message = "a person would have to sign in for every question anew: declare a session, and name it with `session:`";
        check.problem(&[], message);
    }
}

/// Reports what is wrong with a session.
pub(super) fn session(with: &Value, check: &mut Check<'_>) {
    match typed::<GraphInputs>(with) {
        Ok(inputs) => {
            for (name, requests) in inputs.parts() {
                if requests.is_some() {
                    check.problem(&[name], "requests belong to steps, not to a session");
                }
            }
            settings(&inputs, check);
        }
        Err(problem) => check.report(problem),
    }
}

/// Who signs in where.
fn settings(inputs: &GraphInputs, check: &mut Check<'_>) {
    if inputs.tenant.is_none() {
        let message = "`tenant` is missing: without it, nobody would notice a sign-in to the wrong one";
        check.problem(&[], message);
    }
    let is_person = inputs.sign_in.as_ref().is_none_or(SignIn::is_person);
    if is_person && inputs.scopes.is_empty() {
        let message = "`scopes` is missing: the permissions that a person is asked to allow, and no more than are needed";
        check.problem(&[], message);
    }
    let Some(sign_in) = &inputs.sign_in else { return };
    if sign_in.client_secret.is_some() && sign_in.certificate.is_some() {
        check.problem(
            &["sign_in"],
            "an application has either `client_secret` or `certificate`",
        );
    }
    if !is_person && sign_in.client_id.is_none() {
        check.problem(
            &["sign_in"],
            "`client_id` is missing: the id of the application that signs in",
        );
    }
    for (name, secret) in [
        ("client_secret", &sign_in.client_secret),
        ("password", &sign_in.password),
    ] {
        if secret.as_ref().is_some_and(|text| !text.contains("${{")) {
            let message = "a secret does not stand in a runbook: declare a parameter of the type `secret`";
            check.problem(&["sign_in", name], message);
        }
    }
}

/// One request.
fn one(path: &[&str], request: &GraphRequest, check: &mut Check<'_>) {
    if !request.path.starts_with('/') {
        let message = format!(
            "the path `{}` must start with `/`, such as `/organization`",
            request.path
        );
        check.problem(path, message);
    }
    if path.first() == Some(&"validate") && request.observed.contains_key(BEFORE) {
        let message =
            format!("`{BEFORE}` is the name under which it is kept what a `merge` found: choose another");
        check.problem(path, message);
    }
    let Some(merge) = &request.merge else { return };
    if merge.add.is_none() == merge.remove.is_none() {
        check.problem(path, "`merge` needs either `add` or `remove`");
    }
    if request.body.is_some() || !request.query.is_empty() {
        let message = "`merge` makes the query and the body itself: leave `query` and `body` out";
        check.problem(path, message);
    }
    if !request.expect.status.is_empty() {
        check.problem(path, "`merge` knows which answers are right: leave `expect` out");
    }
    if request.method.is_some_and(|method| method != Method::Patch) {
        check.problem(path, "`merge` writes with `PATCH`: leave `method` out");
    }
}

/// What a `merge` may take back is known only if the same collection was looked at before.
fn way_back(inputs: &GraphInputs, check: &mut Check<'_>) {
    if undoes_merges(inputs) && inputs.validate.is_none() {
        let message = "a `merge` is undone only where `validate` looked before: without it, nobody knows what the run added";
        check.problem(&["rollback"], message);
    }
    let collection = |request: &GraphRequest| {
        let property = request.merge.as_ref().map(|merge| merge.property.clone());
        (request.path.clone(), property)
    };
    for undone in merges(&inputs.rollback) {
        if !merges(&inputs.run).any(|done| collection(done) == collection(undone)) {
            let message =
                "`run` has no `merge` of this `path` and `property`: there is nothing of the run to undo";
            check.problem(&["rollback"], message);
        }
    }
}
