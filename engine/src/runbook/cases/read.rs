//! The file of tests, key by key.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::super::check::{Field, Fields, Named, Report, entries};
use super::super::yaml::Node;
use super::{Case, Cases, Deed, Located, Undo, expect, script};
use crate::core::event::Ruling;
use crate::diagnostic::{Code, SourceFile};
use crate::id::{InstanceId, StepId};

/// The keys of a file of tests.
pub(super) const KEYS: &[&str] = &["tests", "overlays", "params", "steps", "people", "cases"];
/// The keys of a case.
pub(super) const CASE_KEYS: &[&str] = &[
    "title", "overlays", "params", "steps", "people", "rollback", "expect",
];
/// The keys of what a person does.
pub(super) const DEED_KEYS: &[&str] = &["confirm", "decide"];

/// What is said once for all cases.
struct Common<'a> {
    overlays: Vec<Located<String>>,
    params: BTreeMap<String, Located<Value>>,
    steps: Option<Field<'a>>,
    people: Option<Field<'a>>,
}

pub(super) fn cases(root: Node<'_>, file: &Arc<SourceFile>, report: &mut Report) -> Option<Cases> {
    let fields = Fields::read(Field::root(root), KEYS, report)?;
    let help = "name the runbook that is tested: `tests: farm.yaml`";
    let runbook = fields.required("tests", help, report);
    let runbook = runbook.and_then(|field| field.named(report)).map(located);
    let common = Common {
        overlays: overlays(&fields, report),
        params: values(fields.get("params"), report),
        steps: fields.get("steps"),
        people: fields.get("people"),
    };
    let help = "write at least one case, with what is expected of it";
    let cases = fields.required("cases", help, report);
    let entries = entries(cases, report);
    if let (Some(field), true) = (cases, entries.is_empty() && !report.has_errors()) {
        let problem = report.error(Code::InvalidValue, field.key.span, "the file has no cases");
        report.push(problem.help(help));
    }
    let cases = entries
        .into_iter()
        .filter_map(|entry| case(entry, &common, report));
    let cases = cases.collect();
    Some(Cases {
        file: Arc::clone(file),
        runbook: runbook?,
        cases,
    })
}

fn case(entry: Field<'_>, common: &Common<'_>, report: &mut Report) -> Option<Case> {
    let fields = Fields::read(entry, CASE_KEYS, report)?;
    let mut params = common.params.clone();
    params.extend(values(fields.get("params"), report));
    let mut steps = by_instance(common.steps, report, script::read);
    steps.extend(by_instance(fields.get("steps"), report, script::read));
    let people = by_instance(fields.get("people"), report, deeds);
    let overlays = match fields.get("overlays") {
        Some(_) => overlays(&fields, report),
        None => common.overlays.clone(),
    };
    let help = "say what the run comes to: `expect: { run: completed }`";
    let expected = fields.required("expect", help, report);
    Some(Case {
        name: Located {
            value: entry.key.name.to_owned(),
            span: entry.key.span,
        },
        title: fields.owned("title", report),
        overlays,
        params,
        steps,
        people,
        always: by_instance(common.people, report, deeds),
        rollback: fields.get("rollback").and_then(|field| undo(field, report)),
        expect: expected
            .and_then(|field| expect::read(field, report))
            .unwrap_or_default(),
    })
}

fn located(named: Named<'_>) -> Located<String> {
    Located {
        value: named.name.to_owned(),
        span: named.span,
    }
}

fn overlays(fields: &Fields<'_>, report: &mut Report) -> Vec<Located<String>> {
    fields
        .names("overlays", report)
        .into_iter()
        .map(located)
        .collect()
}

/// A map of values, each with its place.
pub(super) fn values(field: Option<Field<'_>>, report: &mut Report) -> BTreeMap<String, Located<Value>> {
    let entries = entries(field, report).into_iter().map(|field| {
        let value = field.node.value().clone();
        let span = field.node.span();
        (field.key.name.to_owned(), Located { value, span })
    });
    entries.collect()
}

/// The entries of a map whose keys are steps, or instances as `step[item]`.
pub(super) fn by_instance<T>(
    field: Option<Field<'_>>,
    report: &mut Report,
    read: impl Fn(Field<'_>, &mut Report) -> Option<T>,
) -> BTreeMap<InstanceId, Located<T>> {
    let mut found = BTreeMap::new();
    for entry in entries(field, report) {
        let value = read(entry, report);
        let id = instance(
            Named {
                name: entry.key.name,
                span: entry.key.span,
            },
            report,
        );
        if let (Some(id), Some(value)) = (id, value) {
            let span = entry.key.span;
            found.insert(id.value, Located { value, span });
        }
    }
    found
}

/// The id of a step or an instance.
pub(super) fn instance(named: Named<'_>, report: &mut Report) -> Option<Located<InstanceId>> {
    match named.name.parse::<InstanceId>() {
        Ok(value) => Some(Located {
            value,
            span: named.span,
        }),
        Err(invalid) => {
            let problem = report.error(Code::InvalidName, named.span, invalid.to_string());
            report.push(problem.help("name a step by its id, or an instance as `step[item]`"));
            None
        }
    }
}

fn undo(field: Field<'_>, report: &mut Report) -> Option<Located<Undo>> {
    let span = field.node.span();
    let value = match field.node.value() {
        Value::Bool(true) => Undo::All,
        Value::Bool(false) => return None,
        Value::Array(_) => {
            let items = field.node.items().map(|node| Field { node, ..field });
            let steps = items.filter_map(|item| item.named(report)?.parse::<StepId>(report));
            Undo::Steps(steps.collect())
        }
        Value::Null | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            report.wrong_type(field, "`true`, or a list of steps");
            return None;
        }
    };
    Some(Located { value, span })
}

/// What a person does: one thing, or a list of things that follow each other.
fn deeds(field: Field<'_>, report: &mut Report) -> Option<Vec<Deed>> {
    match field.node.value() {
        Value::Array(_) => {
            let items = field.node.items().map(|node| Field { node, ..field });
            Some(items.filter_map(|item| deed(item, report)).collect())
        }
        _ => Some(vec![deed(field, report)?]),
    }
}

fn deed(field: Field<'_>, report: &mut Report) -> Option<Deed> {
    match field.node.value() {
        Value::String(word) if word == "nothing" => return Some(Deed::Nothing),
        Value::Object(_) => {}
        _ => {
            let what = "`nothing`, `{ confirm: { NAME: VALUE } }` or `{ decide: done }`";
            report.wrong_type(field, what);
            return None;
        }
    }
    let fields = Fields::read(field, DEED_KEYS, report)?;
    match (fields.get("confirm"), fields.get("decide")) {
        (Some(confirm), None) => {
            let entries = values(Some(confirm), report).into_iter();
            let values = entries.map(|(name, located)| (name, located.value));
            Some(Deed::Confirm(values.collect()))
        }
        (None, Some(_)) => {
            let rulings = [
                ("done", Ruling::Done),
                ("again", Ruling::Again),
                ("fail", Ruling::Fail),
                ("skip", Ruling::Skip),
            ];
            Some(Deed::Decide(fields.choice("decide", &rulings, report)?))
        }
        (Some(_), Some(other)) => {
            let message = "a person confirms or decides, not both at once";
            let problem = report.error(Code::InvalidValue, other.key.span, message);
            report.push(problem.help("write what follows each other as a list"));
            None
        }
        (None, None) => {
            fields.required(
                "confirm",
                "say what the person does: `confirm` or `decide`",
                report,
            );
            None
        }
    }
}
