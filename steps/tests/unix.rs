//! What differs on Unix: signals, links, streams that a shell closes.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::Arc;

use runbook_engine::platform::process::is_alive;
use runbook_engine::step::Context;
use runbook_engine::testing::doubles::{Recorder, context};
use serde_json::json;

use crate::powershell::{Bench, programs};
use crate::support::{helper, plugin, run};

/// Whether a program is asked to end before it is ended.
pub(crate) const ASKS_FIRST: bool = true;

/// Whether what a step has started goes on when the engine is killed.
pub(crate) const OUTLIVES: bool = true;

/// The PowerShell for this system, where there are those for several.
pub(crate) const PWSH: &str = "linux-x64/pwsh";

/// What serves SSH, where it can be installed.
pub(crate) const SSHD: Option<&str> = Some("/usr/sbin/sshd");

#[tokio::test]
async fn a_closed_input_is_no_failure() {
    let cx = Context {
        params: Arc::new(json!("x".repeat(4_000_000))),
        ..context(&Recorder::new())
    };
    let with = json!({ "run": ["sh", "-c", "exec <&-; echo closed"] });
    let outputs = plugin("command").run(&with, &cx).await.unwrap();
    assert_eq!(outputs["stdout"], "closed");
}

#[tokio::test]
async fn what_a_signal_ended_is_told_by_its_name() {
    let failure = run("command", json!({ "run": helper(&["abort"]) }))
        .await
        .unwrap_err();
    let message = failure.message;
    assert!(message.contains("was ended by the signal SIGABRT"), "{message}");
}

#[tokio::test]
async fn no_link_leads_a_script_out_of_the_allowed_folders() {
    let around = tempfile::tempdir().unwrap();
    let inside = around.path().join("inside");
    std::fs::create_dir(&inside).unwrap();
    let secret = around.path().join("secret");
    std::fs::write(&secret, "hunter2").unwrap();
    symlink(around.path(), inside.join("up")).unwrap();
    symlink(&secret, inside.join("link")).unwrap();
    symlink(around.path().join("later"), inside.join("dangling")).unwrap();
    for way in ["up/secret", "up/new", "link", "dangling"] {
        let path = json!(inside.join(way));
        for call in [
            format!("read_file({path})"),
            format!("write_file({path}, \"x\")"),
            format!("exists({path})"),
        ] {
            let script = format!("fn run(cx) {{ #{{ value: {call} }} }}");
            let with = json!({ "script": script, "allow": { "folders": [inside] } });
            run("rhai", with).await.expect_err(&call);
        }
    }
    assert_eq!(std::fs::read_to_string(secret).unwrap(), "hunter2");
    assert!(!around.path().join("later").exists());
    assert!(!around.path().join("new").exists());
}

#[tokio::test]
async fn one_that_closes_its_streams_and_lives_on_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let silent = folder.path().join("pwsh");
    std::fs::write(&silent, "#!/bin/sh\nexec >&- 2>&-\nexec sleep 3000\n").unwrap();
    std::fs::set_permissions(&silent, std::fs::Permissions::from_mode(0o755)).unwrap();
    let bench = Bench::with(programs(silent.to_str().unwrap()));
    let told = bench.failure("'x'").await;
    assert!(!told.is_empty());
    assert!(
        bench
            .recorder
            .processes()
            .iter()
            .all(|process| !is_alive(process))
    );
}
