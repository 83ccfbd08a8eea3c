//! What differs on Windows: code pages, batch files, where programs are looked for.

use runbook_engine::testing::doubles::{Recorder, context};
use serde_json::json;

use crate::support::{HELPER, helper, plugin, run};

/// Whether a program is asked to end before it is ended.
pub(crate) const ASKS_FIRST: bool = false;

/// Whether what a step has started goes on when the engine is killed.
pub(crate) const OUTLIVES: bool = false;

/// The PowerShell for this system, where there are those for several.
pub(crate) const PWSH: &str = "win-x64/pwsh.exe";

/// Where programs of Windows are carried out on another system, its programs are no servers for them.
pub(crate) const SSHD: Option<&str> = None;

#[tokio::test]
async fn what_is_not_utf_8_is_read_in_the_code_page_of_consoles() {
    let recorder = Recorder::new();
    let cx = context(&recorder);
    let words = "bytes 103 114 129 110 13 10 101 110 100 13 10";
    let with = json!({ "run": helper(&words.split(' ').collect::<Vec<_>>()) });
    let outputs = plugin("command").run(&with, &cx).await.unwrap();
    assert_eq!(outputs["stdout"], "grün\nend");
    assert_eq!(recorder.text("stdout"), "grün\nend\n");
}

#[tokio::test]
async fn a_batch_file_gets_no_argument_that_could_be_a_command() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deploy.cmd");
    std::fs::write(&file, "@echo deployed %1\r\n").unwrap();
    let file = file.to_str().unwrap();
    let outputs = run("command", json!({ "run": [file, "web1"] })).await.unwrap();
    assert_eq!(outputs["stdout"], "deployed web1");
    for bad in ["a&echo b", "%PATH%", "\"", "a\nb"] {
        let failure = run("command", json!({ "run": [file, bad] })).await.unwrap_err();
        assert!(
            failure.message.contains("it is a batch file"),
            "{}",
            failure.message
        );
        assert!(failure.message.contains("argument 1"), "{}", failure.message);
    }
}

#[tokio::test]
async fn a_program_in_the_current_folder_is_not_taken_for_one_of_path() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(HELPER, folder.path().join("planted.exe")).unwrap();
    let with = |program: &str| json!({ "run": [program, "print", "it runs"], "cwd": folder.path() });
    let failure = run("command", with("planted")).await.unwrap_err();
    assert!(
        failure
            .message
            .contains("was not found in any folder that PATH names"),
        "{}",
        failure.message
    );
    let outputs = run("command", with(r".\planted")).await.unwrap();
    assert_eq!(outputs["stdout"], "it runs");
    let outputs = run("command", json!({ "run": ["cmd", "/c", "echo found"] }))
        .await
        .unwrap();
    assert_eq!(outputs["stdout"], "found");
}
