//! `powershell` steps, from outside: carried out, killed and resumed, undone, checked.

use crate::support::entries::of_step;
use crate::support::pwsh::{pwsh, with_pwsh};
use crate::support::{Outcome, Project, until};

const BOOK: &str = r#"
runbook: banner
params:
  text: { type: string, example: closed }
  secret: { type: secret, optional: true }
sessions:
  shared:
    uses: powershell
    with:
      setup: |
        Add-Content setups.txt 'opened'
        function Get-Banner { if (Test-Path banner.txt) { [IO.File]::ReadAllText('banner.txt') } }
steps:
  first:
    uses: powershell
    session: shared
    with: { run: "Set-Outputs @{ pid = $PID }" }
  banner:
    needs: first
    uses: powershell
    session: shared
    with:
      validate: |
        $old = Get-Banner
        if ($old -ceq $Run.params.text) {
            Set-Satisfied -Observed @{ text = $old } -Outputs @{ length = $old.Length; pid = $PID }
        } else {
            Set-Unsatisfied -Reason 'it is not up' -Observed @{ text = $old }
        }
      run: |
        Write-Warning "putting it up: $($Run.params.text)"
        "the secret is $($Run.params.secret)"
        [IO.File]::WriteAllText('banner.txt', $Run.params.text)
        if (Test-Path slow.txt) { Add-Content under-way.txt 'x'; & 'HELPER' hang }
      rollback: |
        if ($null -eq $Before.text) { Remove-Item banner.txt -Confirm:$false } else { [IO.File]::WriteAllText('banner.txt', $Before.text) }
"#;

/// A text that would do harm if it were ever taken for code.
const HOSTILE: &str = "it’s; Remove-Item * -Force ’; New-Item harm.txt #\" $(New-Item harm.txt) `";

struct Bench {
    project: Project,
    pwsh: std::path::PathBuf,
}

impl Bench {
    fn new() -> Option<Self> {
        let pwsh = pwsh()?;
        let project = Project::new();
        project.runbook("banner.yaml", BOOK);
        Some(Self { project, pwsh })
    }

    fn run(&self, args: &[&str]) -> Outcome {
        with_pwsh(&self.project, &self.pwsh, args)
            .output()
            .unwrap()
            .into()
    }

    fn exec(&self) -> Outcome {
        let set = format!("text={HOSTILE}");
        let mut command = with_pwsh(&self.project, &self.pwsh, ["exec", "banner.yaml", "--set", &set]);
        command.env("RUNBOOK_SECRET_SECRET", "Hush-4711-nobody");
        command.output().unwrap().into()
    }
}

#[test]
fn a_runbook_is_carried_out_and_undone() {
    let Some(bench) = Bench::new() else { return };
    bench.exec().code(0).keeps_quiet_of("Hush-4711");
    let (project, name) = (&bench.project, bench.project.run_name());
    assert_eq!(project.read("banner.txt").as_deref(), Some(HOSTILE));
    assert!(project.read("harm.txt").is_none());
    assert_eq!(project.statuses(&name), ["first: succeeded", "banner: succeeded"]);
    let shown = project.show(&name);
    assert_eq!(
        shown["steps"][0]["outputs"]["pid"], shown["steps"][1]["outputs"]["pid"],
        "one process"
    );
    assert_eq!(project.read("setups.txt").unwrap().lines().count(), 1);

    let log = bench.run(&["log", &name, "--step", "banner"]).code(0);
    log.prints("putting it up: it’s")
        .prints("warning")
        .keeps_quiet_of("Hush-4711");

    bench.run(&["rollback", &name, "--yes"]).code(0);
    assert!(project.read("banner.txt").is_none());
    assert_eq!(
        project.read("setups.txt").unwrap().lines().count(),
        2,
        "opened again"
    );
}

#[test]
fn a_killed_run_opens_its_session_again_and_asks_first() {
    let Some(bench) = Bench::new() else { return };
    let project = &bench.project;
    project.write("slow.txt", "");
    let mut command = with_pwsh(project, &bench.pwsh, ["exec", "banner.yaml", "--set", "text=up"]);
    command.env("RUNBOOK_SECRET_SECRET", "Hush-4711-nobody");
    let running = crate::support::Running::of(command);
    until("the banner is being put up", || {
        project.read("under-way.txt").is_some()
    });
    let name = project.run_name();
    running.kill();
    std::fs::remove_file(project.path().join("slow.txt")).unwrap();

    let mut command = with_pwsh(project, &bench.pwsh, ["resume", &name, "--await-left", "1s"]);
    command.env("RUNBOOK_SECRET_SECRET", "Hush-4711-nobody");
    let outcome: Outcome = command.output().unwrap().into();
    // The outcome was there: nothing is done a second time.
    outcome.code(0);
    assert_eq!(project.read("under-way.txt").unwrap().lines().count(), 1);
    assert_eq!(project.read("setups.txt").unwrap().lines().count(), 2);
    let events = project.events(&name);
    assert_eq!(
        of_step(&events, "banner")
            .iter()
            .filter(|event| *event == "attempt_started")
            .count(),
        1
    );
}

#[test]
fn a_plan_asks_and_leaves_no_process() {
    let Some(bench) = Bench::new() else { return };
    bench.project.write("banner.txt", "up");
    bench
        .run(&["plan", "banner.yaml", "--set", "text=up"])
        .code(0)
        .prints("in place");
    #[cfg(target_os = "linux")]
    {
        let pid = bench.project.read("setups.txt").unwrap().trim().to_owned();
        let process = std::path::Path::new("/proc").join(&pid);
        until("its PowerShell has ended", || !process.exists());
    }
}

#[test]
fn mistakes_in_scripts_are_told_where_they_stand() {
    let project = Project::new();
    let text = "runbook: a\nsessions:\n  s: { uses: powershell, with: { seup: x } }\nsteps:\n  one:\n    uses: powershell\n    with:\n      run: |\n        Get-Date\n        Connect-MgGraph -Scopes ’User.Read’\n      rollback: \"if ($x) { 'a }\"\n  two: { uses: powershell, session: s, with: { run: Get-Date, edition: core } }\n";
    let path = project.write("a.yaml", text);
    project
        .command(["check"])
        .arg(&path)
        .output()
        .map(Outcome::from)
        .unwrap()
        .code(2)
        .tells("RB0301")
        .tells("a.yaml:10:33")
        .tells("RB0300")
        .tells("`seup`")
        .tells("belongs to the step's session");
}

/// What the grammar does not know but PowerShell does, and what neither does; each would leave a file, were it carried out.
const ODD: &str = r#"
runbook: odd
steps:
  newer: { uses: powershell, with: { run: "[IO.File]::WriteAllText('ran', ''); $a = $true ? 1 : 2" } }
  wrong:
    uses: powershell
    with:
      run: |
        [IO.File]::WriteAllText('ran', '')
        $é = '😀'; foreach ($x of 1..3) { $x }
      rollback: "$b = $null ?? 3"
"#;

#[test]
#[cfg(unix)]
fn what_the_grammar_does_not_understand_powershells_own_parser_decides() {
    use std::os::unix::fs::PermissionsExt as _;

    let Some(pwsh) = pwsh() else { return };
    let project = Project::new();
    project.write("odd.yaml", ODD);
    let script = format!(
        "#!/bin/sh\necho started >> starts.txt\nexec '{}' \"$@\"\n",
        pwsh.display()
    );
    let counted = project.write("counted", &script);
    std::fs::set_permissions(&counted, std::fs::Permissions::from_mode(0o755)).unwrap();
    let check = |program: &std::path::Path| -> Outcome {
        let mut command = with_pwsh(&project, program, ["check", "odd.yaml", "--json"]);
        command.output().unwrap().into()
    };
    let told = check(&counted).code(2).json();
    let found = told["diagnostics"].as_array().unwrap();
    assert_eq!(found.len(), 2, "of one script alone: {found:#?}");
    let is_error = |one: &serde_json::Value| one["code"] == "RB0300" && one["severity"] == "error";
    assert!(found.iter().all(is_error), "{found:#?}");
    let message = found[0]["message"].as_str().unwrap();
    assert!(
        message.contains("PowerShell does not understand it: Missing 'in'"),
        "{message}"
    );
    let place = &found[0]["places"][0];
    assert_eq!(
        (&place["line"], &place["column"]),
        (&10.into(), &30.into()),
        "{found:#?}"
    );
    assert_eq!(
        project.lines("starts.txt"),
        ["started"],
        "one process for all scripts"
    );
    assert!(!project.has("ran"), "a script was carried out");

    // Without a PowerShell nobody knows.
    let told = check(&project.path().join("nothing")).code(0).json();
    let found = told["diagnostics"].as_array().unwrap();
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(found.iter().all(|one| one["severity"] == "warning"), "{found:#?}");
}
