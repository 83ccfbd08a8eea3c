//! How a step answers in a case.

use serde_json::Value;

use super::super::check::{Field, Fields, Report};
use super::{Fails, Interruption, Script, world};
use crate::diagnostic::Code;

/// The keys of a step's answers.
pub(super) const KEYS: &[&str] = &[
    "satisfied",
    "observed",
    "outputs",
    "takes",
    "fails",
    "takes_effect",
    "interrupted",
    "undo_fails",
    "world",
];
/// The keys of `fails:`.
pub(super) const FAILS_KEYS: &[&str] = &["first", "message"];

/// What a step says that fails and was given no words.
const FAILURE: &str = "the test plays a failure here";

pub(super) fn read(field: Field<'_>, report: &mut Report) -> Option<Script> {
    let fields = Fields::read(field, KEYS, report)?;
    let outputs = fields.get("outputs").and_then(|field| {
        let outputs = field.node.value().as_object().cloned();
        if outputs.is_none() {
            report.wrong_type(field, "a map of outputs");
        }
        outputs
    });
    let world = fields.get("world").and_then(|field| world::read(field, report));
    if world.is_some() {
        leave_to_script(&fields, report);
    }
    Some(Script {
        satisfied: fields.flag("satisfied", report),
        observed: fields.get("observed").map(|field| field.node.value().clone()),
        outputs,
        takes: fields.duration("takes", report),
        fails: fields.get("fails").and_then(|field| fails(field, report)),
        takes_effect: fields.flag("takes_effect", report),
        interrupted: fields
            .get("interrupted")
            .and_then(|field| interrupted(field, &fields, report)),
        undo_fails: fields
            .get("undo_fails")
            .and_then(|field| undo_fails(field, report)),
        world,
    })
}

/// What a script that is carried out says itself, the case must not.
fn leave_to_script(fields: &Fields<'_>, report: &mut Report) {
    let own = [
        "satisfied",
        "observed",
        "outputs",
        "fails",
        "takes_effect",
        "undo_fails",
    ];
    for field in own.iter().filter_map(|name| fields.get(name)) {
        let message = format!(
            "with `world` the step's script is carried out, and `{}` is up to it",
            field.key.name
        );
        let problem = report.error(Code::InvalidValue, field.key.span, message);
        report.push(problem.help("leave out this, or `world`"));
    }
    if let Some(field) = fields.get("interrupted")
        && !field.node.value().is_boolean()
    {
        let message = "with `world` the step's script is carried out, and says itself what it finds after an interruption";
        let problem = report.error(Code::InvalidValue, field.node.span(), message);
        report.push(problem.help("write `interrupted: true`"));
    }
}

/// `true`, the number of attempts that fail, or both with the words.
fn fails(field: Field<'_>, report: &mut Report) -> Option<Fails> {
    let message = FAILURE.to_owned();
    match field.node.value() {
        Value::Bool(true) => Some(Fails { first: None, message }),
        Value::Bool(false) => None,
        Value::String(text) => {
            let message = text.clone();
            Some(Fails { first: None, message })
        }
        Value::Number(_) => {
            let first = Some(attempts(field, report)?);
            Some(Fails { first, message })
        }
        Value::Object(_) => {
            let fields = Fields::read(field, FAILS_KEYS, report)?;
            let first = fields.get("first").and_then(|field| attempts(field, report));
            let message = fields.owned("message", report).unwrap_or(message);
            Some(Fails { first, message })
        }
        Value::Null | Value::Array(_) => {
            report.wrong_type(field, "`true`, how many attempts fail, or what the step says");
            None
        }
    }
}

fn attempts(field: Field<'_>, report: &mut Report) -> Option<u32> {
    let number = field.node.value().as_u64();
    let attempts = number
        .and_then(|number| u32::try_from(number).ok())
        .filter(|number| *number > 0);
    if attempts.is_none() {
        let message = format!("`{}` counts attempts from 1", field.key.name);
        let problem = report.error(Code::InvalidValue, field.node.span(), message);
        report.push(problem.help("write `true` if every attempt fails"));
    }
    attempts
}

fn interrupted(field: Field<'_>, fields: &Fields<'_>, report: &mut Report) -> Option<Interruption> {
    match field.node.value() {
        Value::Bool(true) => Some(Interruption::AsRehearsed),
        Value::Bool(false) => None,
        Value::String(_) => {
            let found = [
                ("satisfied", Interruption::Satisfied),
                ("unsatisfied", Interruption::Unsatisfied),
                ("unknown", Interruption::Unknown),
            ];
            fields.choice("interrupted", &found, report)
        }
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            report.wrong_type(field, "`true`, `satisfied`, `unsatisfied` or `unknown`");
            None
        }
    }
}

fn undo_fails(field: Field<'_>, report: &mut Report) -> Option<String> {
    match field.node.value() {
        Value::Bool(true) => Some(FAILURE.to_owned()),
        Value::Bool(false) => None,
        Value::String(text) => Some(text.clone()),
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            report.wrong_type(field, "`true`, or what the step says");
            None
        }
    }
}
