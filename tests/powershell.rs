//! `powershell` steps, from outside: carried out, killed and resumed, undone, checked.

use crate::platform;
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
    let pid = bench.project.read("setups.txt").unwrap().trim().to_owned();
    until("its PowerShell has ended", || {
        platform::arguments().iter().all(|(process, _)| *process != pid)
    });
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
