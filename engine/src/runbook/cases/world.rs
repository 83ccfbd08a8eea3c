//! The world in which a case carries a step's script out.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::check::{Field, Fields, Report, entries};
use super::Located;
use crate::diagnostic::Code;
use crate::step::world::{Described, Exchange, ProgramAnswer, WebAnswer, WebCall};

/// The keys of `world:`.
pub(super) const KEYS: &[&str] = &["time", "files", "commands", "http"];
/// The keys of what a program answers.
pub(super) const COMMAND_KEYS: &[&str] = &["call", "with", "code", "stdout", "stderr", "fails"];
/// The keys of what a host answers.
pub(super) const HTTP_KEYS: &[&str] = &["call", "with", "status", "headers", "body", "json", "fails"];

pub(super) fn read(field: Field<'_>, report: &mut Report) -> Option<Located<Described>> {
    let fields = Fields::read(field, KEYS, report)?;
    let time = fields.get("time").and_then(|field| {
        let time = field.text(report)?.parse();
        if time.is_err() {
            report.wrong_type(field, "a time such as `2026-01-31T08:00:00Z`");
        }
        time.ok()
    });
    let files = entries(fields.get("files"), report).into_iter();
    let files = files.filter_map(|entry| Some((entry.key.name.to_owned(), entry.text(report)?.to_owned())));
    let value = Described {
        time: time.unwrap_or_default(),
        files: files.collect(),
        commands: list(fields.get("commands"), report, command),
        http: list(fields.get("http"), report, http),
    };
    Some(Located {
        value,
        span: field.key.span,
    })
}

fn list<T>(
    field: Option<Field<'_>>,
    report: &mut Report,
    read: impl Fn(Field<'_>, &mut Report) -> Option<T>,
) -> Vec<T> {
    let Some(field) = field else {
        return Vec::new();
    };
    if !field.node.value().is_array() {
        report.wrong_type(field, "a list of calls, each with its answer");
    }
    let items = field.node.items().map(|node| Field { node, ..field });
    items.filter_map(|item| read(item, report)).collect()
}

fn command(field: Field<'_>, report: &mut Report) -> Option<Exchange<Vec<String>, ProgramAnswer>> {
    let fields = Fields::read(field, COMMAND_KEYS, report)?;
    let help = "write the program and its arguments: `call: [systemctl, stop, app]`";
    let call = fields.required("call", help, report)?;
    let texts = call.node.value().as_array().and_then(|argv| {
        let texts: Option<Vec<String>> = argv.iter().map(argument).collect();
        texts.filter(|argv| !argv.is_empty())
    });
    if texts.is_none() {
        report.wrong_type(call, "a list: the program and its arguments");
    }
    let code = fields.get("code").map_or(Some(0), |field| {
        let code = field
            .node
            .value()
            .as_i64()
            .and_then(|code| i32::try_from(code).ok());
        if code.is_none() {
            report.wrong_type(field, "an exit code");
        }
        code
    });
    let answer = ProgramAnswer {
        code: code?,
        stdout: fields.owned("stdout", report).unwrap_or_default(),
        stderr: fields.owned("stderr", report).unwrap_or_default(),
    };
    Some(exchange(texts?, answer, field, &fields, report))
}

/// An argument as a script may give it: a text or a number.
fn argument(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn http(field: Field<'_>, report: &mut Report) -> Option<Exchange<WebCall, WebAnswer>> {
    let fields = Fields::read(field, HTTP_KEYS, report)?;
    let help = "write the method and the URL: `call: GET https://intranet.contoso.com/status`";
    let call = fields.required("call", help, report)?;
    let Some((method, url)) = call.text(report)?.split_once(' ') else {
        let message = "`call` lacks the method or the URL";
        let problem = report.error(Code::InvalidValue, call.node.span(), message);
        report.push(problem.help(help));
        return None;
    };
    let call = WebCall {
        method: method.to_owned(),
        url: url.trim().to_owned(),
    };
    let status = fields.get("status").map_or(Some(200), |field| {
        let status = field
            .node
            .value()
            .as_u64()
            .and_then(|status| u16::try_from(status).ok());
        if status.is_none() {
            report.wrong_type(field, "a status such as 404");
        }
        status
    });
    let headers = entries(fields.get("headers"), report).into_iter();
    let headers = headers.filter_map(|entry| {
        Some((
            entry.key.name.to_ascii_lowercase(),
            entry.text(report)?.to_owned(),
        ))
    });
    let headers: BTreeMap<String, String> = headers.collect();
    let body = match fields.get("json") {
        Some(json) => {
            if let Some(body) = fields.get("body") {
                let message = "an answer has a `body` or a `json`, not both";
                let problem = report.error(Code::InvalidValue, body.key.span, message);
                report.push(problem.help("leave out one of them"));
            }
            json.node.value().to_string()
        }
        None => fields.owned("body", report).unwrap_or_default(),
    };
    let answer = WebAnswer {
        status: status?,
        headers,
        body,
    };
    Some(exchange(call, answer, field, &fields, report))
}

fn exchange<Call, Answer>(
    call: Call,
    answer: Answer,
    field: Field<'_>,
    fields: &Fields<'_>,
    report: &mut Report,
) -> Exchange<Call, Answer> {
    Exchange {
        call,
        with: fields.get("with").map(|field| field.node.value().clone()),
        answer: fields.owned("fails", report).map_or(Ok(answer), Err),
        span: field.node.span(),
    }
}
