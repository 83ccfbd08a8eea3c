//! The people of a team, from `operators.yaml` beside a runbook.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use super::check::{Field, Fields, Named, Report, first_line};
use super::model::Runbook;
use super::yaml::{Document, Key};
use crate::core::operators::{Member, OPERATORS_FILE, Operators};
use crate::diagnostic::{Code, Diagnostic, SourceFile, Sources, Span};
use crate::id::{Operator, RoleName};
use crate::identity::PublicKey;
use crate::step::Files;

/// The keys of the file.
const KEYS: &[&str] = &["operators"];
/// The keys of a line.
const MEMBER_KEYS: &[&str] = &["name", "roles", "key", "from", "until"];
/// The longest name of a person, in bytes.
const LONGEST_NAME: usize = 200;
/// The most lines.
const MOST: usize = 10_000;

/// Reads the file's text.
///
/// # Errors
/// With everything that is wrong.
pub fn read_operators(file: &Arc<SourceFile>) -> Result<Operators, Vec<Diagnostic>> {
    let (document, problems) = Document::parse(file);
    let mut report = Report::new(Sources::one(file), problems);
    report.about("a file of operators");
    let members = document.and_then(|document| members(Field::root(document.root()), &mut report));
    match members {
        Some(members) if !report.has_errors() => Ok(Operators::new(members)),
        Some(_) | None => Err(report.finish()),
    }
}

/// The runbook, carried out by the people of the file beside it, if there is one; what is wrong is told.
pub(super) fn staffed(
    runbook: Runbook,
    files: &dyn Files,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Runbook> {
    let text = match files.read(OPERATORS_FILE) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Some(runbook),
        Err(error) => {
            let message = format!("`{OPERATORS_FILE}` beside the runbook cannot be read");
            let problem = Diagnostic::error(Code::UnreadableFile, message).caused_by(&error);
            diagnostics
                .push(problem.help("it says who may carry the runbook out; nobody may before it is read"));
            return None;
        }
    };
    let file = SourceFile::new(OPERATORS_FILE, text.as_str());
    match read_operators(&file) {
        Ok(operators) => {
            diagnostics.extend(roles_of_nobody(&runbook, &operators, &file));
            Some(runbook.carried_out_by(operators, text))
        }
        Err(problems) => {
            diagnostics.extend(problems);
            None
        }
    }
}

/// A warning for each role that a step asks for and nobody has.
fn roles_of_nobody<'a>(
    runbook: &'a Runbook,
    operators: &'a Operators,
    file: &'a Arc<SourceFile>,
) -> impl Iterator<Item = Diagnostic> + 'a {
    let asked = |role: &RoleName| {
        let mut steps = runbook.workflow().steps();
        steps.any(|(_, step)| step.roles.contains(role))
    };
    let has = |role: &RoleName| {
        operators
            .members()
            .iter()
            .any(|member| member.roles.contains(role))
    };
    let roles = runbook.roles().keys();
    roles.filter(move |role| asked(role) && !has(role)).map(|role| {
        let message = format!("nobody has the role `{role}`, which a step of the runbook asks for");
        let problem = Diagnostic::warning(Code::RoleOfNobody, message).at(file, Span::default(), "");
        problem.help(format!("add `{role}` to the `roles:` of somebody"))
    })
}

fn members(root: Field<'_>, report: &mut Report) -> Option<Vec<Member>> {
    let fields = Fields::read(root, KEYS, report)?;
    let help = "list the people: `operators:`, then lines that begin with `- name: NAME`";
    let list = fields.required("operators", help, report)?;
    if !list.node.value().is_array() {
        report.wrong_type(list, "a list of people");
        return None;
    }
    let mut owners = BTreeMap::new();
    let mut members = Vec::new();
    for node in list.node.items() {
        if members.len() >= MOST {
            let problem = report.error(
                Code::TooBig,
                node.span(),
                format!("there are more than {MOST} lines"),
            );
            report.push(problem);
            break;
        }
        // A line has no key of its own: the list's stands for it in messages, at the line's place.
        let key = Key {
            span: first_line(report.file(), node.span()),
            ..list.key
        };
        let entry = Field { key, node };
        members.extend(member(entry, &mut owners, report));
    }
    if members.is_empty() && !report.has_errors() {
        let problem = report.error(Code::InvalidValue, list.key.span, "the file names nobody");
        report
            .push(problem.help("name at least one person, or remove the file: then everyone has every role"));
    }
    Some(members)
}

fn member(
    entry: Field<'_>,
    owners: &mut BTreeMap<PublicKey, Operator>,
    report: &mut Report,
) -> Option<Member> {
    let fields = Fields::read(entry, MEMBER_KEYS, report)?;
    let name = fields
        .required(
            "name",
            "name the person as `--operator` and the system do",
            report,
        )
        .and_then(|field| field.named(report))
        .and_then(|named| person(named, report));
    let roles = fields.names("roles", report);
    let roles = roles
        .into_iter()
        .filter_map(|role| role.parse::<RoleName>(report));
    let roles = roles.collect();
    let key = fields.get("key").and_then(|field| {
        let named = field.named(report)?;
        public_key(named, report)
    });
    let from = moment(fields.get("from"), Bound::From, report);
    let until = moment(fields.get("until"), Bound::Until, report);
    if let (Some(from), Some(until), Some(field)) = (from, until, fields.get("until"))
        && until <= from
    {
        let problem = report.error(Code::InvalidValue, field.node.span(), "it ends before it begins");
        report.push(problem.help("`until` is the last day, `from` the first"));
    }
    let name = name?;
    if let (Some(key), Some(field)) = (key, fields.get("key")) {
        let owner = owners.entry(key).or_insert_with(|| name.clone());
        if *owner != name {
            let message = format!("this is the key of `{owner}`: a key proves one person");
            let problem = report.error(Code::InvalidValue, field.node.span(), message);
            report.push(problem.help("each makes a key of their own: `runbook identity new`"));
        }
    }
    Some(Member {
        name,
        roles,
        key,
        from,
        until,
    })
}

fn person(named: Named<'_>, report: &mut Report) -> Option<Operator> {
    let name = Operator::new(named.name);
    if name.as_str() == named.name && !named.name.is_empty() && named.name.len() <= LONGEST_NAME {
        return Some(name);
    }
    let message = "this cannot be the name of a person";
    let problem = report.error(Code::InvalidName, named.span, message);
    report.push(problem.help("write it on one line, without spaces around it, in at most 200 bytes"));
    None
}

fn public_key(named: Named<'_>, report: &mut Report) -> Option<PublicKey> {
    match named.name.parse() {
        Ok(key) => Some(key),
        Err(error) => {
            let message = format!("this is not the key of a person: {error}");
            let problem = report.error(Code::InvalidValue, named.span, message);
            report.push(problem.help("`runbook identity export` prints the line to put here"));
            None
        }
    }
}

/// Which end of a time is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    From,
    Until,
}

/// A day, which is meant as a whole and in UTC, or a moment.
fn moment(field: Option<Field<'_>>, bound: Bound, report: &mut Report) -> Option<Timestamp> {
    let named = field?.named(report)?;
    let day = || -> Option<Timestamp> {
        let day: Date = named
            .name
            .parse()
            .ok()
            .filter(|_| named.name.len() == "2026-01-31".len())?;
        let day = match bound {
            Bound::From => day,
            Bound::Until => day.checked_add(1.day()).ok()?,
        };
        TimeZone::UTC.to_timestamp(day.to_datetime(Time::midnight())).ok()
    };
    let found = day().or_else(|| named.name.parse().ok());
    if found.is_none() {
        let problem = report.error(
            Code::InvalidValue,
            named.span,
            "this is neither a day nor a moment",
        );
        let help = "write a day, as `2026-01-31`, or a moment with its zone, as `2026-01-31T18:00:00Z`";
        report.push(problem.help(help));
    }
    found
}

/// The JSON Schema (draft 2020-12) of the file.
#[must_use]
pub fn operators_schema() -> Value {
    let text = |about: &str| json!({ "description": about, "type": "string" });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Operators",
        "description": "The people who may carry out the runbooks of a folder.",
        "type": "object",
        "additionalProperties": false,
        "required": ["operators"],
        "properties": {
            "operators": {
                "description": "One line for each person, or several: a new key after an old one, a role for some days.",
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["name"],
                    "properties": {
                        "name": text("The person, as the system or `--operator` names them."),
                        "roles": {
                            "description": "What they are.",
                            "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
                        },
                        "key": {
                            "description": "Their public key, as `runbook identity export` prints it.",
                            "type": "string",
                            "pattern": "^ed25519:[A-Za-z0-9+/]{43}=$",
                        },
                        "from": text("The first day (UTC), or a moment."),
                        "until": text("The last day (UTC), or a moment."),
                    },
                },
            },
        },
    })
}
