//! What a case expects.

use indexmap::IndexMap;
use serde_json::Value;

use super::super::check::{Field, Fields, Report, entries};
use super::read::{instance, values};
use super::{Expect, ExpectStep, Located};
use crate::core::{InstanceStatus, RunStatus};
use crate::diagnostic::Code;
use crate::id::InstanceId;

/// The keys of `expect:`.
pub(super) const KEYS: &[&str] = &["run", "steps", "order", "undone", "waits_for", "says"];
/// The keys of what is expected of a step.
pub(super) const STEP_KEYS: &[&str] = &["status", "attempts", "reason", "outputs", "files"];

/// How a run can end in a test.
pub(super) const RUN_STATUSES: &[RunStatus] = &[
    RunStatus::Completed,
    RunStatus::Failed,
    RunStatus::Waiting,
    RunStatus::RolledBack,
    RunStatus::Stuck,
];
/// Where a step can come to rest.
pub(super) const STEP_STATUSES: &[InstanceStatus] = &[
    InstanceStatus::Pending,
    InstanceStatus::Ready,
    InstanceStatus::InDoubt,
    InstanceStatus::Waiting,
    InstanceStatus::Satisfied,
    InstanceStatus::Succeeded,
    InstanceStatus::Skipped,
    InstanceStatus::Failed,
    InstanceStatus::Blocked,
    InstanceStatus::RolledBack,
    InstanceStatus::RollbackFailed,
];

pub(super) fn read(field: Field<'_>, report: &mut Report) -> Option<Expect> {
    let fields = Fields::read(field, KEYS, report)?;
    if fields.is_empty() {
        let message = "the case expects nothing, so that it cannot fail";
        let problem = report.error(Code::InvalidValue, field.key.span, message);
        report.push(problem.help("say how the run ends: `expect: { run: completed }`"));
    }
    let run = fields.get("run").and_then(|field| {
        let choices: Vec<_> = RUN_STATUSES
            .iter()
            .map(|status| (status.as_str(), *status))
            .collect();
        let value = fields.choice("run", &choices, report)?;
        Some(Located {
            value,
            span: field.node.span(),
        })
    });
    let mut steps = IndexMap::new();
    for entry in entries(fields.get("steps"), report) {
        let named = super::super::check::Named {
            name: entry.key.name,
            span: entry.key.span,
        };
        let id = instance(named, report);
        let expected = step(entry, report);
        if let (Some(id), Some(value)) = (id, expected) {
            let span = entry.key.span;
            steps.insert(id.value, Located { value, span });
        }
    }
    let mut says = Vec::new();
    for named in fields.names("says", report) {
        says.push(Located {
            value: named.name.to_owned(),
            span: named.span,
        });
    }
    Some(Expect {
        run,
        steps,
        order: instances("order", &fields, report),
        undone: instances("undone", &fields, report),
        waits_for: instances("waits_for", &fields, report),
        says,
    })
}

type Instances = Located<Vec<Located<InstanceId>>>;

fn instances(name: &str, fields: &Fields<'_>, report: &mut Report) -> Option<Instances> {
    let field = fields.get(name)?;
    let names = fields.names(name, report);
    let value = names.into_iter().filter_map(|named| instance(named, report));
    Some(Located {
        value: value.collect(),
        span: field.key.span,
    })
}

/// A status, or a map.
fn step(field: Field<'_>, report: &mut Report) -> Option<ExpectStep> {
    if matches!(field.node.value(), Value::String(_)) {
        let status = status(field, report)?;
        return Some(ExpectStep {
            status: Some(status),
            ..ExpectStep::default()
        });
    }
    if !field.node.value().is_object() {
        report.wrong_type(
            field,
            "a status, or a map with `status`, `attempts`, `reason`, `outputs`, `files`",
        );
        return None;
    }
    let fields = Fields::read(field, STEP_KEYS, report)?;
    let attempts = fields.get("attempts").and_then(|field| {
        let number = field
            .node
            .value()
            .as_u64()
            .and_then(|number| u32::try_from(number).ok());
        if number.is_none() {
            report.wrong_type(field, "a number of attempts");
        }
        let span = field.node.span();
        number.map(|value| Located { value, span })
    });
    let reason = fields.get("reason").and_then(|field| {
        let named = field.named(report)?;
        Some(Located {
            value: named.name.to_owned(),
            span: named.span,
        })
    });
    let files = entries(fields.get("files"), report)
        .into_iter()
        .filter_map(|entry| {
            let value = match entry.node.value() {
                Value::Null => None,
                _ => Some(entry.text(report)?.to_owned()),
            };
            let span = entry.node.span();
            Some((entry.key.name.to_owned(), Located { value, span }))
        });
    let files = files.collect();
    Some(ExpectStep {
        status: fields.get("status").and_then(|field| status(field, report)),
        attempts,
        reason,
        outputs: values(fields.get("outputs"), report),
        files,
    })
}

fn status(field: Field<'_>, report: &mut Report) -> Option<Located<InstanceStatus>> {
    let named = field.named(report)?;
    let names = || STEP_STATUSES.iter().map(|status| status.as_str());
    let found = STEP_STATUSES.iter().find(|status| status.as_str() == named.name);
    if found.is_none() {
        let list: Vec<String> = names().map(|name| format!("`{name}`")).collect();
        let message = format!("a step does not come to rest as `{}`", named.name);
        let problem = report.error(Code::InvalidValue, named.span, message);
        let problem = problem.did_you_mean(named.name, names());
        report.push(problem.help(format!("it is one of {}", list.join(", "))));
    }
    found.map(|value| Located {
        value: *value,
        span: named.span,
    })
}
