//! What is to be approved, as people read it.

use runbook_engine::core::Approval;
use runbook_engine::id::InstanceId;
use serde_json::Value;

use super::layout::Width;
use super::plain;
use super::style::{BOLD, DIM, paint};
use super::time::local;

/// What would be carried out, and by what it is known.
pub(crate) fn shown(instance: &InstanceId, approval: &Approval, width: Width) -> String {
    let text = |name: &str| approval.what[name].as_str().map(plain).unwrap_or_default();
    let head = format!(
        "`{}` ({}) would be carried out on {}:",
        plain(&instance.to_string()),
        text("title"),
        text("host")
    );
    let what = said(&approval.what);
    let body = serde_yaml::to_string(&what).unwrap_or_else(|_| what.to_string());
    let body = plain(&body);
    let body: Vec<String> = body.lines().map(|line| indented(line, width)).collect();
    let known = format!(
        "asked at {}, known by sha256 {}",
        local(approval.asked),
        plain(&approval.subject)
    );
    format!(
        "{}\n{}\n{}\n",
        paint(BOLD, width.wrap("", 2, &head)),
        body.join("\n"),
        paint(DIM, width.wrap("", 2, &known))
    )
}

/// A line of YAML below the head, its further lines deeper than it begins.
fn indented(line: &str, width: Width) -> String {
    let depth = 4 + line.len() - line.trim_start().len();
    width.wrap(&" ".repeat(depth), depth + 4, line.trim_start())
}

/// What people are asked to approve: without what stands elsewhere, and without hashes that say nothing to them.
pub(crate) fn said(what: &Value) -> Value {
    let mut said = what.clone();
    for name in ["title", "host", "step", "files", "reads"] {
        let _elsewhere = said.as_object_mut().and_then(|fields| fields.remove(name));
    }
    said
}
