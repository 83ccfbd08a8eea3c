//! What must hold of the entries of every run, however it was interrupted.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Project;

/// The events that say why an instance may be attempted once more.
fn allows_another(entry: &Value) -> bool {
    match entry["event"].as_str().unwrap() {
        "attempt_failed" => entry["retry_at"].is_string(),
        "doubt_settled" => entry["ruling"] == "again" || entry["ruling"] == "repeat",
        "decided" => entry["ruling"] == "again",
        _ => false,
    }
}

/// Numbers without gaps, times that do not run back, and no attempt that is repeated without a reason.
#[track_caller]
pub(crate) fn sound(entries: &[Value]) {
    let mut open: BTreeMap<String, Option<bool>> = BTreeMap::new();
    let mut sent_back: BTreeSet<&str> = BTreeSet::new();
    for (at, entry) in entries.iter().enumerate() {
        assert_eq!(entry["seq"], at, "a gap in the numbers: {entry}");
        for field in ["time", "operator", "host", "event"] {
            assert!(entry[field].is_string(), "no `{field}`: {entry}");
        }
        let Some(step) = entry["step"].as_str() else {
            continue;
        };
        match entry["event"].as_str().unwrap() {
            event @ ("attempt_started" | "rollback_attempt_started") => {
                let allowed = open.insert(format!("{event} {step}"), Some(false));
                assert_ne!(allowed, Some(Some(false)), "attempted again silently: {entry}");
            }
            // The one that was named is done again by order; what stands on it, where it is seen not to hold.
            "sent_back" => {
                let to = entry["to"].as_str().unwrap();
                open.insert(format!("attempt_started {to}"), None);
                sent_back.extend(
                    entry["again"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|id| id.as_str().unwrap()),
                );
            }
            "observed" if entry["verdict"] == "unsatisfied" && sent_back.remove(step) => {
                open.insert(format!("attempt_started {step}"), None);
            }
            _ if allows_another(entry) => {
                for event in ["attempt_started", "rollback_attempt_started"] {
                    open.insert(format!("{event} {step}"), None);
                }
            }
            _ => {}
        }
    }
}

/// Everything that a program had said before it was killed is in the journal, word for word.
#[track_caller]
pub(crate) fn kept(said: &[Value], entries: &[Value]) {
    for line in said {
        let at = usize::try_from(line["seq"].as_u64().unwrap()).unwrap();
        assert_eq!(Some(line), entries.get(at), "said, but not kept");
    }
}

/// The names of the events of one step, in order.
pub(crate) fn of_step(entries: &[Value], step: &str) -> Vec<String> {
    entries
        .iter()
        .filter(|entry| entry["step"] == step)
        .map(|entry| entry["event"].as_str().unwrap().to_owned())
        .collect()
}

/// The first entry of this event of this step.
#[track_caller]
pub(crate) fn find<'a>(entries: &'a [Value], event: &str, step: &str) -> &'a Value {
    let found = entries
        .iter()
        .find(|entry| entry["event"] == event && entry["step"] == step);
    found.unwrap_or_else(|| panic!("no `{event}` of `{step}`: {entries:#?}"))
}

impl Project {
    /// The entries of a run, after looking at everything that must hold of them.
    #[track_caller]
    pub(crate) fn sound_entries(&self, run: &str) -> Vec<Value> {
        self.run(["journal", "verify", run])
            .code(0)
            .prints("the journal holds");
        let entries = self.events(run);
        sound(&entries);
        entries
    }
}
