//! Every built-in plugin that can be carried out keeps the contract's promises.

use std::sync::Arc;

use runbook_engine::testing::conformance::{Case, Folder, conformance};
use serde_json::json;

use crate::support::{helper, plugin};

#[tokio::test]
async fn command_keeps_its_promises() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("setting").to_str().unwrap().to_owned();
    let with = |run| {
        json!({
            "run": run,
            "validate": helper(&["has", &path, "new"]),
            "rollback": helper(&["restore", &path]),
            "stdout": "json",
        })
    };
    for start in [&[("setting", "old")][..], &[]] {
        let world = Arc::new(Folder::new(folder.path(), start, ("setting", "half")));
        let fast = with(helper(&["write-json", &path, "new"]));
        let slow = with(helper(&["write-and-hang", &path, "half"]));
        conformance(
            plugin("command"),
            Case {
                with: fast,
                slow,
                world,
            },
        )
        .await;
    }
}
