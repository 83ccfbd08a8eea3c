//! What becomes of processes: ended as a whole tree, found again, never mistaken for others.

use std::sync::Arc;
use std::time::Duration;

use runbook_engine::platform::process::{GRACE, await_end, end_orphan, is_alive, orphans};
use runbook_engine::step::{Context, Failure, Outputs, ProcessMark};
use runbook_engine::testing::doubles::{Recorder, context};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::platform;
use crate::support::{helper, plugin};

/// A `command` step under way.
struct Running {
    cx: Context,
    recorder: Arc<Recorder>,
    step: JoinHandle<Result<Outputs, Failure>>,
}

impl Running {
    /// Starts the step, and waits until it has printed a line and its process is known.
    async fn start(words: &[&str]) -> Self {
        let recorder = Recorder::new();
        let cx = context(&recorder);
        let with = json!({ "run": helper(words) });
        let step = tokio::spawn({
            let cx = cx.clone();
            async move { plugin("command").run(&with, &cx).await }
        });
        recorder
            .until(|recorder| recorder.text("stdout").contains('\n') && !recorder.processes().is_empty())
            .await;
        Self { cx, recorder, step }
    }

    fn mark(&self) -> ProcessMark {
        self.recorder.processes().remove(0)
    }

    async fn cancel(self) -> String {
        self.cx.cancel.cancel();
        self.step.await.unwrap().unwrap_err().message
    }
}

#[tokio::test]
async fn a_cancelled_step_ends_its_whole_tree() {
    let running = Running::start(&["tree", "hang"]).await;
    let (mark, token) = (running.mark(), running.cx.token.clone());
    assert_eq!(orphans(&token).len(), 2, "the child and its own child");
    assert!(orphans(&token).contains(&mark));
    let message = tokio::time::timeout(GRACE, running.cancel()).await;
    assert!(
        message
            .expect("who ends when asked is not waited for longer")
            .ends_with("was stopped")
    );
    assert!(!is_alive(&mark));
    assert_eq!(orphans(&token), []);
}

#[tokio::test]
async fn who_does_not_end_when_asked_is_killed() {
    let running = Running::start(&["stubborn"]).await;
    let (mark, recorder) = (running.mark(), Arc::clone(&running.recorder));
    running.cancel().await;
    assert!(!is_alive(&mark));
    if platform::ASKS_FIRST {
        assert!(recorder.text("stdout").contains("no"), "it was asked first");
    }
}

#[tokio::test]
async fn what_a_program_leaves_behind_is_ended_with_it() {
    let recorder = Recorder::new();
    let cx = context(&recorder);
    let with = json!({ "run": helper(&["leave", "hang"]) });
    plugin("command").run(&with, &cx).await.unwrap();
    assert_eq!(orphans(&cx.token), []);
    assert!(
        recorder.text("log").contains("left 1 process(es) behind"),
        "{}",
        recorder.text("log")
    );
}

#[tokio::test]
async fn a_step_that_is_dropped_takes_its_processes_along() {
    let running = Running::start(&["tree", "hang"]).await;
    running.step.abort();
    running.step.await.unwrap_err();
    until_gone(&running.cx.token).await;
}

#[tokio::test]
async fn an_orphan_is_found_by_its_token_and_ended_with_its_group() {
    let running = Running::start(&["tree", "stubborn"]).await;
    let found = orphans(&running.cx.token);
    // The oldest comes first, but of two in the same second nobody knows on Windows which that is.
    assert!(found.contains(&running.mark()) && found.len() == 2, "{found:?}");
    assert!(end_orphan(&running.mark()).await);
    assert_eq!(orphans(&running.cx.token), []);
    running.step.await.unwrap().unwrap_err();
}

#[tokio::test]
async fn the_end_of_an_orphan_can_be_awaited() {
    let running = Running::start(&["hang"]).await;
    let mark = running.mark();
    let waiting = tokio::spawn({
        let mark = mark.clone();
        async move { await_end(&mark, &CancellationToken::new()).await }
    });
    running.cancel().await;
    assert!(waiting.await.unwrap());
}

#[tokio::test]
async fn another_process_of_the_same_number_is_left_alone() {
    let running = Running::start(&["hang"]).await;
    let mark = running.mark();
    let earlier = ProcessMark {
        started: mark.started - 1000,
        ..mark.clone()
    };
    assert!(!is_alive(&earlier));
    assert!(end_orphan(&earlier).await, "the process that is meant is gone");
    assert!(is_alive(&mark), "and the one that has its number now goes on");
    running.cancel().await;
}

/// The token of the step of the engine that is killed; only set for that engine.
const ENGINE: &str = "RUNBOOK_TEST_KILLED_ENGINE";

/// That engine: carries out a step until it is killed.
#[tokio::test]
async fn engine_that_is_killed() {
    let Ok(token) = std::env::var(ENGINE) else { return };
    let cx = Context {
        token,
        ..context(&Recorder::new())
    };
    let with = json!({ "run": helper(&["tree", "stubborn"]) });
    plugin("command").run(&with, &cx).await.unwrap();
}

#[expect(clippy::disallowed_methods, reason = "the engine is a program of its own")]
#[tokio::test]
async fn what_a_killed_engine_had_started_ends_with_it_or_is_found() {
    let token = format!("killed-engine-{}", std::process::id());
    let mut engine = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::engine_that_is_killed", "--nocapture"])
        .env(ENGINE, &token)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let under_way = async {
        while orphans(&token).len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), under_way)
        .await
        .unwrap();
    engine.kill().unwrap();
    engine.wait().unwrap();
    // On Windows their job has ended with the engine. Elsewhere they go on, and are found.
    if platform::OUTLIVES {
        let found = orphans(&token);
        assert_eq!(found.len(), 2, "the child and its own child");
        assert!(end_orphan(&found[0]).await);
    }
    until_gone(&token).await;
}

/// Waits for the kernel to have carried a kill out.
async fn until_gone(token: &str) {
    let gone = async {
        while !orphans(token).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.unwrap();
}

#[tokio::test]
async fn validate_and_rollback_are_stopped_as_well() {
    for function in ["validate", "rollback"] {
        let recorder = Recorder::new();
        let cx = context(&recorder);
        let with: Value = json!({ "run": helper(&["hang"]), function: helper(&["hang"]) });
        let cancel = async {
            recorder
                .until(|recorder| recorder.text("stdout").contains("here"))
                .await;
            cx.cancel.cancel();
        };
        let command = plugin("command");
        let call = async {
            match function {
                "validate" => command.validate(&with, &cx).await.map(drop),
                _ => command.rollback(&with, &cx).await,
            }
        };
        let (result, ()) = tokio::join!(call, cancel);
        assert!(result.unwrap_err().message.ends_with("was stopped"), "{function}");
        assert_eq!(orphans(&cx.token), []);
    }
}
