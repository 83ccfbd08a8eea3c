//! Sessions: one process for many steps, prepared again whenever it is opened.

use std::sync::Arc;

use runbook_engine::platform::process::is_alive;
use runbook_engine::step::{Context, Kept, Outputs, Session};
use serde_json::{Value, json};

use super::Bench;

/// A session of the bench, with these inputs.
struct Shared {
    bench: Bench,
    kept: Arc<Kept>,
    with: Value,
}

impl Shared {
    fn new(with: Value) -> Option<Self> {
        Some(Self {
            bench: Bench::new()?,
            kept: Arc::default(),
            with,
        })
    }

    fn cx(&self) -> Context {
        let session = Session::new("farm".parse().unwrap(), self.with.clone(), Arc::clone(&self.kept));
        Context {
            session: Some(session),
            ..self.bench.cx.clone()
        }
    }

    async fn script(&self, script: &str) -> Result<Outputs, String> {
        let outputs = self.bench.plugin.run(&json!({ "run": script }), &self.cx()).await;
        outputs.map_err(|failure| failure.message)
    }

    async fn pid(&self) -> Value {
        self.script("Set-Outputs @{ pid = $PID }").await.unwrap()["pid"].clone()
    }
}

#[tokio::test]
async fn steps_share_a_process_and_what_setup_defines() {
    let setup = "$Opened = $global:Opened + 1; function Get-Answer { \"for $($Run.params.name)\" }";
    let Some(shared) = Shared::new(json!({ "setup": setup })) else {
        return;
    };
    let first = shared.pid().await;
    shared.script("$mine = 1; $global:Signed = 'in'").await.unwrap();
    let outputs = shared
        .script(
            "Set-Outputs @{ a = Get-Answer; opened = $Opened; signed = $Signed; mine = $mine; pid = $PID }",
        )
        .await
        .unwrap();
    assert_eq!(
        json!(outputs),
        json!({ "a": "for ", "opened": 1, "signed": "in", "mine": null, "pid": first })
    );
    // A script that fails does not end it, and leaves its preferences to nobody.
    shared
        .script("$global:ErrorActionPreference = 'Ignore'; throw 'x'")
        .await
        .unwrap_err();
    shared.script("Get-Item /no").await.unwrap_err();
    assert_eq!(shared.pid().await, first);

    let marks = shared.bench.recorder.processes();
    assert!(
        marks.len() >= 5 && marks.iter().all(|mark| *mark == marks[0]),
        "noted for each call: {marks:?}"
    );
    assert!(is_alive(&marks[0]));
    shared.kept.close().await;
    assert!(!is_alive(&marks[0]));
}

#[tokio::test]
async fn one_that_died_is_told_and_opened_again() {
    let Some(shared) = Shared::new(json!({ "setup": "$Ready = $true" })) else {
        return;
    };
    let first = shared.pid().await;
    let told = shared.script("exit 5").await.unwrap_err();
    assert!(told.contains("exit code 5"), "{told}");
    assert!(
        shared
            .bench
            .recorder
            .text("log")
            .contains("the session `farm` has ended")
    );
    let outputs = shared
        .script("Set-Outputs @{ ready = $Ready; pid = $PID }")
        .await
        .unwrap();
    assert_eq!(outputs["ready"], true);
    assert_ne!(outputs["pid"], first);

    // It dies while nobody looks.
    let mark = shared.bench.recorder.processes().last().cloned().unwrap();
    assert!(runbook_engine::platform::process::end_orphan(&mark).await);
    // Its first thread ends before the others; it can be seen to have ended once all have.
    let threads = format!("/proc/{}/task", mark.pid);
    while std::fs::read_dir(&threads).is_ok_and(|all| all.count() > 1) {
        tokio::task::yield_now().await;
    }
    assert_ne!(shared.pid().await, outputs["pid"]);
    assert!(
        shared
            .bench
            .recorder
            .text("log")
            .contains("had ended by itself; it is opened again")
    );
    shared.kept.close().await;
}

#[tokio::test]
async fn calls_take_turns() {
    let Some(shared) = Shared::new(json!({ "setup": "$global:Inside = 0" })) else {
        return;
    };
    let script = "if ($global:Inside -ne 0) { throw 'two at once' }; $global:Inside++; Start-Sleep -Milliseconds 50; $global:Inside--";
    let calls = (0..4).map(|_| shared.script(script));
    for ended in futures_util::future::join_all(calls).await {
        ended.unwrap();
    }
    shared.kept.close().await;
}

#[tokio::test]
async fn each_script_may_get_a_process_of_its_own() {
    let Some(shared) = Shared::new(json!({ "setup": "$Ready = 7", "process": "fresh" })) else {
        return;
    };
    let outputs = shared
        .script("$global:Kept = 1; Set-Outputs @{ ready = $Ready; pid = $PID }")
        .await
        .unwrap();
    let second = shared
        .script("Set-Outputs @{ kept = $Kept; pid = $PID }")
        .await
        .unwrap();
    assert_eq!((&outputs["ready"], &second["kept"]), (&json!(7), &Value::Null));
    assert_ne!(outputs["pid"], second["pid"]);
}

#[tokio::test]
async fn a_setup_that_fails_opens_nothing() {
    let Some(shared) = Shared::new(json!({ "setup": "'preparing'\nthrow 'no farm'" })) else {
        return;
    };
    for _ in 0..2 {
        let told = shared.script("'never'").await.unwrap_err();
        assert!(
            told.starts_with("`setup` failed in line 2") && told.contains("no farm"),
            "{told}"
        );
    }
    assert!(!shared.bench.recorder.text("stdout").contains("never"));
    assert!(
        shared
            .bench
            .recorder
            .processes()
            .iter()
            .all(|mark| !is_alive(mark))
    );
}

#[tokio::test]
async fn what_belongs_to_the_session_is_refused_in_its_steps() {
    let Some(shared) = Shared::new(json!({})) else {
        return;
    };
    let with = json!({ "run": "1", "edition": "desktop" });
    let told = shared
        .bench
        .plugin
        .run(&with, &shared.cx())
        .await
        .unwrap_err()
        .message;
    assert!(told.contains("`edition` belongs to the session `farm`"), "{told}");
}
