//! What is to be approved, as people read it.

use runbook_engine::core::Approval;
use runbook_engine::id::InstanceId;
use serde_json::Value;

use super::plain;
use super::style::{BOLD, DIM, paint};
use super::time::local;

/// What would be carried out, and by what it is known.
pub(crate) fn shown(instance: &InstanceId, approval: &Approval) -> String {
    let mut what = approval.what.as_ref().clone();
    let mut taken = |name| what.as_object_mut().and_then(|fields| fields.remove(name));
    // What is said in the first line, and hashes that say nothing to people.
    let (title, host) = (taken("title"), taken("host"));
    let _hashes = [taken("step"), taken("files"), taken("reads")];
    let text = |value: Option<Value>| {
        value
            .and_then(|value| value.as_str().map(plain))
            .unwrap_or_default()
    };
    let head = format!(
        "`{}` ({}) would be carried out on {}:",
        plain(&instance.to_string()),
        text(title),
        text(host)
    );
    let body = serde_yaml::to_string(&what).unwrap_or_else(|_| what.to_string());
    let body: Vec<String> = plain(&body).lines().map(|line| format!("    {line}")).collect();
    let known = format!(
        "asked at {}, known by sha256 {}",
        local(approval.asked),
        plain(&approval.subject)
    );
    format!(
        "{}\n{}\n{}\n",
        paint(BOLD, &head),
        body.join("\n"),
        paint(DIM, &known)
    )
}
