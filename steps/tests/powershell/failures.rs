//! What goes wrong is told with what to do.

use std::time::Duration;

use runbook_engine::platform::process::is_alive;
use runbook_engine::step::{FailureKind, Verdict};
use runbook_steps::powershell::Programs;
use serde_json::json;

use super::{Bench, helper, no_powershell, program, programs};
use crate::support::HELPER;

#[tokio::test]
async fn errors_say_where_and_what() {
    let Some(bench) = Bench::new() else { return };
    for (script, parts) in [
        (
            "'x'\nthrow 'broken'",
            &["`run` failed in line 2 (`throw 'broken'`): broken"][..],
        ),
        (
            "Get-Item no-such-path",
            &["line 1", "Cannot find path '", "no-such-path'"],
        ),
        ("Write-Error 'not terminating'", &["not terminating"]),
        ("[int] 'x'", &["line 1", "Cannot convert value \"x\""]),
        (
            "[IO.File]::ReadAllText('no-such-file')",
            &["Could not find file '", "no-such-file'"],
        ),
        ("Get-SPFarm", &["Get-SPFarm", "`modules`?", "(RB0306)"]),
        ("Import-Module NoSuchModule", &["NoSuchModule", "(RB0306)"]),
        (
            "Read-Host 'Name'",
            &["`Read-Host` asks", "nobody sees", "(RB0305)"],
        ),
        ("Get-Credential", &["`Get-Credential` asks", "(RB0305)"]),
        ("Get-Item", &["missing mandatory parameters: Path", "(RB0305)"]),
        (
            "New-Item no-such-path -Confirm",
            &["NonInteractive", "`-Confirm:$false`", "(RB0305)"],
        ),
        (
            "throw 'The local farm is not accessible. Cmdlets with FeatureDependencyId are not registered.'",
            &["(RB0308)"],
        ),
        (
            "throw [UnauthorizedAccessException]::new('Access is denied')",
            &["`elevated: true`", "(RB0304)"],
        ),
        (
            "throw [Management.Automation.PSSecurityException]::new('running scripts is disabled')",
            &["group policy", "(RB0307)"],
        ),
        ("throw \"`e[31mred`a`e]0;title`aend\"", &["line 1", ": red end"]),
        ("[Environment]::Exit(4)", &["exit code 4"]),
        ("Stop-Process -Id $PID", &["ended"]),
    ] {
        let told = bench.failure(script).await;
        for part in parts {
            assert!(told.contains(part), "{script}: {told}");
        }
        assert!(!told.contains(char::is_control), "{told}");
    }
}

#[tokio::test]
async fn errors_that_are_caught_or_allowed_do_not_fail() {
    let Some(bench) = Bench::new() else { return };
    let complains = helper("end 3 '' 'on standard error'");
    for script in [
        "try { Get-Item /no } catch { 'caught' }",
        "Get-Item /no -ErrorAction SilentlyContinue",
        "Get-Item /no -ErrorAction Continue",
        &format!("{complains}; if ($LASTEXITCODE -ne 3) {{ throw 'no exit code' }}"),
    ] {
        bench.script(script).await.unwrap();
    }
    assert!(bench.recorder.text("stderr").contains("on standard error"));
    assert!(bench.recorder.text("error").contains("no"));
}

#[tokio::test]
async fn a_script_that_cannot_be_read_keeps_the_others_from_being_carried_out() {
    let Some(bench) = Bench::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let marker = folder.path().join("done");
    let run = format!("New-Item '{}'", marker.display());
    let with = json!({ "run": run, "rollback": "'x'\nif (1 { }" });
    let told = bench.run(with).await.unwrap_err().message;
    assert!(
        told.contains("PowerShell cannot read `rollback`, line 2"),
        "{told}"
    );
    assert!(
        told.contains("nothing was carried out") && told.contains("RB0300"),
        "{told}"
    );
    assert!(!marker.exists());
}

#[tokio::test]
async fn a_program_that_is_missing_or_another_is_named() {
    let missing = Programs {
        core: Some("/no/such/pwsh".to_owned()),
        ..Programs::default()
    };
    let told = Bench::with(missing).failure("1").await;
    assert!(
        told.contains("/no/such/pwsh") && told.contains("RUNBOOK_POWERSHELL_CORE") && told.contains("RB0302"),
        "{told}"
    );

    let bench = Bench::with(Programs::default());
    let told = bench
        .run(json!({ "run": "1", "edition": "desktop" }))
        .await
        .unwrap_err()
        .message;
    assert!(
        told.contains("Windows PowerShell 5.1") && told.contains("RUNBOOK_POWERSHELL_DESKTOP"),
        "{told}"
    );

    let folder = tempfile::tempdir().unwrap();
    let other = no_powershell(folder.path(), "ends");
    let told = Bench::with(programs(&other)).failure("1").await;
    assert!(
        told.contains("ended with exit code 0 before it could be used") && told.contains("RB0302"),
        "{told}"
    );
}

#[tokio::test]
async fn another_edition_is_refused_unless_it_stands_in() {
    let Some(program) = program() else { return };
    let with = || json!({ "run": "Set-Outputs @{ a = 1 }", "edition": "desktop", "elevated": true });
    let mut programs = Programs {
        desktop: Some(program),
        ..Programs::default()
    };
    let told = Bench::with(programs.clone())
        .run(with())
        .await
        .unwrap_err()
        .message;
    assert!(
        told.contains("Windows PowerShell 5.1 is needed") && told.contains("RB0303"),
        "{told}"
    );
    programs.stand_in = true;
    assert!(Bench::with(programs).run(with()).await.is_ok());
}

#[tokio::test]
async fn modules_are_loaded_first_and_missed_by_name() {
    let Some(bench) = Bench::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let module = folder.path().join("Greeting.psm1");
    std::fs::write(&module, "function Get-Greeting { 'hello' }").unwrap();
    let with = |name: &str| json!({ "modules": [name], "run": "Set-Outputs @{ said = Get-Greeting }" });
    let outputs = bench.run(with(module.to_str().unwrap())).await.unwrap();
    assert_eq!(outputs["said"], "hello");
    let told = bench.run(with("NoSuchModule")).await.unwrap_err().message;
    assert!(
        told.contains("could not load a module") && told.contains("NoSuchModule"),
        "{told}"
    );
}

#[tokio::test]
async fn a_step_whose_time_is_up_leaves_no_process() {
    let Some(bench) = Bench::new() else { return };
    let cancel = bench.cx.cancel.clone();
    let recorder = std::sync::Arc::clone(&bench.recorder);
    let stop = async {
        recorder
            .until(|recorder| recorder.text("stdout").contains("under way"))
            .await;
        cancel.cancel();
    };
    let script = format!("'under way'; {}", helper("tree hang"));
    let run = bench.script(&script);
    let (ended, ()) = tokio::time::timeout(Duration::from_secs(60), async { tokio::join!(run, stop) })
        .await
        .unwrap();
    let failure = ended.unwrap_err();
    assert_eq!(
        (failure.kind, failure.message.as_str()),
        (FailureKind::Failed, "it was stopped")
    );
    assert!(bench.recorder.processes().iter().all(|mark| !is_alive(mark)));
    assert!(runbook_engine::platform::process::orphans(&bench.cx.token).is_empty());
}

#[tokio::test]
async fn what_a_script_leaves_behind_is_ended() {
    let Some(bench) = Bench::new() else { return };
    bench
        .script(&format!(
            "$null = Start-Process '{HELPER}' -ArgumentList hang -PassThru; 'started'"
        ))
        .await
        .unwrap();
    assert!(runbook_engine::platform::process::orphans(&bench.cx.token).is_empty());
    assert!(
        bench.recorder.text("log").contains("left 1 process(es) behind"),
        "{}",
        bench.recorder.all()
    );
}

#[tokio::test]
async fn a_wrong_program_is_not_waited_for() {
    let Some(_) = program() else { return };
    // It knows none of the options that it is given.
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::with(programs(&no_powershell(folder.path(), "fails")));
    let told = bench.failure("1").await;
    assert!(told.contains("RB0302"), "{told}");
}

#[tokio::test]
async fn what_is_said_at_length_is_cut_and_not_lost() {
    let Some(bench) = Bench::new() else { return };
    let told = bench.failure("throw ('x' * 2MB)").await;
    assert!(
        told.contains("`run` failed in line 1") && told.contains(" more)"),
        "{}",
        told.len()
    );
    let found = bench
        .validate("Set-Unsatisfied -Reason ('x' * 5MB)")
        .await
        .unwrap();
    let Verdict::Unsatisfied(reason) = found.verdict else {
        panic!("it is not unsatisfied");
    };
    assert!(
        reason.starts_with("xxx") && reason.ends_with(" more)"),
        "{}",
        reason.len()
    );
}

#[tokio::test]
async fn a_script_that_ends_does_not_wait_for_what_keeps_printing() {
    let Some(bench) = Bench::new() else { return };
    let script = format!("Start-Process -NoNewWindow '{HELPER}' -ArgumentList keeps-printing\nexit 0");
    bench.script(&script).await.unwrap();
    assert!(
        bench.recorder.text("log").contains("process(es) behind"),
        "{}",
        bench.recorder.text("log")
    );
}
