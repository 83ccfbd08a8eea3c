//! Scripts on another machine: over a real SSH server on this one, started by the test.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use runbook_engine::step::{Check, Context, Failure, Kept, Session};
use runbook_engine::testing::doubles::MemoryFiles;
use serde_json::{Value, json};

use super::server::Server;
use super::values::hostile;
use super::{Bench, program};
use crate::support::{check, plugin};

/// The ways over SSH.
const WAYS: [&str; 2] = ["ssh", "ssh-remoting"];

/// A server, and the PowerShell that it offers.
struct There {
    server: Server,
    pwsh: String,
}

impl There {
    fn new() -> Option<Self> {
        let pwsh = program()?;
        let server = Server::start(&pwsh)?;
        Some(Self { server, pwsh })
    }

    fn through(&self, way: &str) -> Value {
        let mut through = json!({
            "by": way,
            "port": self.server.port,
            "key": self.server.file("user"),
            "known_hosts": self.server.file("known"),
        });
        if way == "ssh" {
            through["program"] = json!(self.pwsh);
        }
        through
    }

    fn with(&self, way: &str, script: &str) -> Value {
        json!({ "run": script, "on": "127.0.0.1", "through": self.through(way) })
    }
}

/// Waits until a script has printed the ids of processes after `under way`, and gives them.
async fn under_way(bench: &Bench) -> Vec<String> {
    bench
        .recorder
        .until(|recorder| recorder.text("stdout").contains(" here\n"))
        .await;
    let printed = bench.recorder.text("stdout");
    let (_, rest) = printed.split_once("under way ").unwrap();
    let (pids, _) = rest.split_once(" here").unwrap();
    pids.split_whitespace().map(str::to_owned).collect()
}

/// Waits until processes are gone.
async fn gone(way: &str, pids: &[String]) {
    let start = Instant::now();
    while let Some(pid) = pids.iter().find(|pid| Path::new("/proc").join(pid).exists()) {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "{way}: process {pid} goes on"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A script that waits, and so does what it started.
const WAITS: &str = "sh -c 'sleep 600 & echo under way $PPID $$ $! here; wait'";

#[tokio::test]
async fn scripts_are_carried_out_there_with_values_streams_and_errors() {
    let Some(there) = There::new() else { return };
    for way in WAYS {
        let bench = Bench::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let marker = folder.path().join("harm");
        let values: Vec<String> = hostile()
            .iter()
            .map(|value| value.replace("MARKER", marker.to_str().unwrap()))
            .collect();
        let cx = Context {
            params: Arc::new(json!({ "values": values, "list": [1, [], null] })),
            before: Some(json!({ "a": 1 })),
            ..bench.cx.clone()
        };
        let script = "'first'; ''; Write-Warning 'second'; sh -c 'echo third'
            Set-Outputs @{ values = $Run.params.values; list = $Run.params.list; over_ssh = [bool] $env:SSH_CONNECTION }";
        let mut with = there.with(way, script);
        with["setup"] = json!("function Get-Setup { 'set up' }");
        with["rollback"] = json!("if ((Get-Setup) -cne 'set up' -or $Before.a -ne 1) { throw 'not there' }");
        let outputs = bench.plugin.run(&with, &cx).await.unwrap();
        assert_eq!(
            json!(outputs),
            json!({ "values": values, "list": [1, [], null], "over_ssh": true }),
            "{way}"
        );
        assert!(!marker.exists());
        bench.plugin.rollback(&with, &cx).await.unwrap();
        let printed: String = bench.recorder.order().into_iter().map(|(_, text)| text).collect();
        let places: Vec<usize> = ["first", "second", "third"]
            .map(|text| printed.find(text).unwrap())
            .into();
        assert!(places.is_sorted(), "{way}: {printed}");
        assert!(!printed.contains("@@rb-"), "{way}: {printed}");
        assert!(
            bench
                .recorder
                .text("log")
                .contains("`127.0.0.1` answers: PowerShell"),
            "{way}"
        );
    }
}

#[tokio::test]
async fn what_goes_wrong_there_is_told_as_it_is_here() {
    let Some(there) = There::new() else { return };
    for way in WAYS {
        for (script, part) in [
            (
                "'x'\nthrow 'broken'",
                "`run` failed in line 2 (`throw 'broken'`): broken",
            ),
            ("'x", "PowerShell cannot read `run`, line 1"),
            ("Read-Host", "(RB0305)"),
            ("exit 3", if way == "ssh" { "exit code 3" } else { "`exit`" }),
            (
                "throw 'The local farm is not accessible. Cmdlets with FeatureDependencyId are not registered.'",
                "double hop",
            ),
            ("throw [UnauthorizedAccessException]::new('no')", "(RB0308)"),
            (
                "throw \"Login failed for user 'NT AUTHORITY\\ANONYMOUS LOGON'.\"",
                "double hop",
            ),
        ] {
            let bench = Bench::new().unwrap();
            let run = bench.run(there.with(way, script));
            let told = tokio::time::timeout(Duration::from_secs(60), run).await.unwrap();
            let told = told.unwrap_err().message;
            assert!(told.contains(part), "{way}: {script}: {told}");
        }
    }
}

#[tokio::test]
async fn a_step_that_is_stopped_ends_what_runs_there() {
    let Some(there) = There::new() else { return };
    for way in WAYS {
        let bench = Bench::new().unwrap();
        let cancel = bench.cx.cancel.clone();
        let stop = async {
            let pids = under_way(&bench).await;
            cancel.cancel();
            pids
        };
        let run = bench.run(there.with(way, WAITS));
        let (ended, pids) = tokio::time::timeout(Duration::from_secs(60), async { tokio::join!(run, stop) })
            .await
            .unwrap();
        assert_eq!(ended.unwrap_err().message, "it was stopped", "{way}");
        assert_eq!(pids.len(), 3, "{way}");
        gone(way, &pids).await;
    }
}

#[tokio::test]
async fn what_a_script_leaves_behind_there_is_ended() {
    let Some(there) = There::new() else { return };
    for way in WAYS {
        let bench = Bench::new().unwrap();
        let script =
            "$left = Start-Process sleep -ArgumentList 600 -PassThru; \"under way $($left.Id) here\"";
        bench.run(there.with(way, script)).await.unwrap();
        gone(way, &under_way(&bench).await).await;
    }
}

#[tokio::test]
async fn a_connection_that_is_lost_is_told_and_ends_what_runs_there() {
    let Some(there) = There::new() else { return };
    for way in WAYS {
        let bench = Bench::new().unwrap();
        let cut = async {
            let pids = under_way(&bench).await;
            there.server.break_connections();
            pids
        };
        let run = bench.run(there.with(way, WAITS));
        let (ended, pids) = tokio::time::timeout(Duration::from_secs(60), async { tokio::join!(run, cut) })
            .await
            .unwrap();
        let told = ended.unwrap_err().message;
        assert!(
            told.contains("with `127.0.0.1` was lost") && told.contains("(RB0313)"),
            "{way}: {told}"
        );
        gone(way, &pids).await;
    }
}

#[tokio::test]
async fn a_session_may_be_there_and_is_opened_again() {
    let Some(there) = There::new() else { return };
    for way in WAYS {
        let bench = Bench::new().unwrap();
        let kept = Arc::<Kept>::default();
        let with = json!({ "on": "127.0.0.1", "through": there.through(way), "setup": "$Ready = 'yes'" });
        let cx = Context {
            session: Some(Session::new("farm".parse().unwrap(), with, Arc::clone(&kept))),
            ..bench.cx.clone()
        };
        let script = json!({ "run": "$global:Calls++; Set-Outputs @{ ready = $Ready; calls = $global:Calls; pid = $PID }" });
        let first = bench.plugin.run(&script, &cx).await.unwrap();
        let second = bench.plugin.run(&script, &cx).await.unwrap();
        assert_eq!(
            (&second["ready"], &second["calls"], &second["pid"]),
            (&json!("yes"), &json!(2), &first["pid"]),
            "{way}"
        );
        bench
            .plugin
            .run(&json!({ "run": "exit 3" }), &cx)
            .await
            .unwrap_err();
        let third = bench.plugin.run(&script, &cx).await.unwrap();
        assert_eq!(
            (&third["ready"], &third["calls"]),
            (&json!("yes"), &json!(1)),
            "{way}"
        );
        kept.close().await;
    }
}

/// What a step says that goes there otherwise than it should.
async fn refused(there: &There, way: &str, input: &str, value: Value) -> Failure {
    let mut with = there.with(way, "throw 'it was carried out'");
    with["through"][input] = value;
    let bench = Bench::new().unwrap();
    tokio::time::timeout(Duration::from_secs(60), bench.run(with))
        .await
        .unwrap()
        .unwrap_err()
}

#[tokio::test]
async fn a_machine_that_cannot_be_used_is_told_with_what_to_do() {
    let Some(there) = There::new() else { return };
    for way in WAYS {
        let file = |name: &str| json!(there.server.file(name));
        for (input, value, parts) in [
            ("port", json!(1), ["Connection refused", "(RB0309)"]),
            (
                "key",
                file("stranger"),
                ["does not let the account in", "(RB0310)"],
            ),
            (
                "known_hosts",
                file("known-none"),
                ["host key is not known", "(RB0311)"],
            ),
            (
                "known_hosts",
                file("known-other"),
                ["another host key", "(RB0311)"],
            ),
        ] {
            let told = refused(&there, way, input, value).await.message;
            let whole = parts.iter().all(|part| told.contains(part));
            assert!(
                whole && told.starts_with("`127.0.0.1` cannot be used: "),
                "{way}: {told}"
            );
        }
    }
    let told = refused(&there, "ssh", "program", json!("no-such-pwsh"))
        .await
        .message;
    assert!(
        told.contains("PowerShell cannot be started there") && told.contains("(RB0312)"),
        "{told}"
    );
    let told = refused(&there, "ssh", "program", json!("/bin/true"))
        .await
        .message;
    assert!(
        told.contains("ended with exit code 0") && told.contains("(RB0312)"),
        "{told}"
    );
    let told = refused(&there, "ssh-remoting", "endpoint", json!("other"))
        .await
        .message;
    assert!(
        told.contains("add the subsystem") && told.contains("(RB0312)"),
        "{told}"
    );
}

#[tokio::test]
async fn another_edition_there_is_refused_by_the_name_of_the_machine() {
    let Some(there) = There::new() else { return };
    let bench = Bench::new().unwrap();
    let mut with = there.with("ssh", "1");
    with["edition"] = json!("desktop");
    let told = bench.run(with.clone()).await.unwrap_err().message;
    assert!(
        told.contains("what answers on `127.0.0.1`") && told.contains("(RB0303)"),
        "{told}"
    );
    with["through"] = there.through("ssh-remoting");
    let (problems, _) = check("powershell", &with);
    assert!(
        problems[0].message.contains("use `winrm` or `ssh`"),
        "{problems:?}"
    );
}

#[tokio::test]
async fn this_machine_needs_no_connection() {
    let Some(bench) = Bench::new() else { return };
    for here in ["localhost", "LOCALHOST", "srv1"] {
        let with =
            json!({ "run": "Set-Outputs @{ a = 1 }", "on": here, "through": { "by": "ssh", "port": 1 } });
        assert_eq!(bench.run(with).await.unwrap()["a"], 1);
    }
}

#[tokio::test]
async fn nothing_of_a_place_can_become_an_option_or_a_command() {
    let bench = Bench::with(runbook_steps::powershell::Programs::default());
    for (on, through, input) in [
        ("-oProxyCommand=touch x", json!({ "by": "ssh" }), "on"),
        ("a b", json!({}), "on"),
        ("a;b", json!({}), "on"),
        ("", json!({}), "on"),
        ("web1", json!({ "by": "ssh", "user": "-oProxyCommand=x" }), "user"),
        ("web1", json!({ "by": "ssh", "program": "pwsh;id" }), "program"),
        ("web1", json!({ "by": "ssh", "program": "$(id)" }), "program"),
        ("web1", json!({ "by": "ssh", "key": "relative" }), "key"),
        (
            "web1",
            json!({ "by": "ssh", "known_hosts": "/a /etc/passwd" }),
            "known_hosts",
        ),
        ("web1", json!({ "by": "ssh", "port": "22 -x" }), "port"),
        ("web1", json!({ "by": "winrm", "key": "/a" }), "key"),
        ("web1", json!({ "by": "ssh", "endpoint": "a" }), "endpoint"),
    ] {
        let with = json!({ "run": "1", "on": on, "through": through });
        let (problems, _) = check("powershell", &with);
        assert_eq!(problems.len(), 1, "{with}: {problems:?}");
        assert_eq!(problems[0].path.last().unwrap(), input, "{with}");
        let told = bench.run(with).await.unwrap_err().message;
        assert!(told.contains(&format!("`{input}` does not fit")), "{told}");
    }
    let templated =
        json!({ "run": "1", "on": "${{ item }}", "through": { "by": "ssh", "user": "${{ params.user }}" } });
    assert_eq!(check("powershell", &templated).0, []);
}

#[test]
fn steps_that_share_a_process_are_all_in_one_place() {
    let (files, registry) = (MemoryFiles::default(), runbook_steps::builtin());
    let of = |session: Value| {
        let mut check = Check::new(&files, &registry).in_session(Some(&session));
        let _ = plugin("powershell").check(&json!({ "run": "a", "on": "web1" }), &mut check);
        check.finish().0
    };
    assert!(of(json!({}))[0].message.contains("`process: fresh`"));
    assert_eq!(of(json!({ "process": "fresh" })), []);
}
