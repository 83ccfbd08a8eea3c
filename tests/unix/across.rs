//! A run goes from the program for Unix to the one for Windows and back, under wine where that is how Windows is had
//! here (`.ci/windows`): each goes on where the other stopped, and both hold the same, byte for byte.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::stopped::{STEPS, ends_with_the_step, leaves_a_doubt};
use crate::support::terminal::{Kind, Terminal};
use crate::support::{Outcome, Project, until};

/// One of the two programs, with a state folder of its own.
struct Side<'a> {
    project: &'a Project,
    operator: &'static str,
    /// What carries out the program for Windows, and that program.
    windows: Option<[PathBuf; 2]>,
}

impl Side<'_> {
    #[track_caller]
    fn run(&self, args: &[&str]) -> Outcome {
        let plain = self.project.command(args);
        let mut command = match &self.windows {
            None => plain,
            Some([wine, program]) => {
                let mut command = Command::new(wine);
                command.arg(program).args(args).current_dir(self.project.path());
                command
            }
        };
        let state = self.project.path().join(format!("state-of-{}", self.operator));
        let config = self.project.path().join("config");
        let within = |path: PathBuf| match self.windows {
            // All of Unix's folders are below that letter.
            Some(_) => format!("Z:{}", path.display()),
            None => path.display().to_string(),
        };
        command
            .env("RUNBOOK_STATE_DIR", within(state))
            .env("LOCALAPPDATA", within(config))
            .env("RUNBOOK_OPERATOR", self.operator)
            .env("TZ", "UTC")
            .stdin(std::process::Stdio::null());
        command.output().unwrap().into()
    }

    /// All that the journal says, and what proves it.
    fn all(&self, run: &str) -> String {
        self.run(&["journal", "verify", run])
            .code(0)
            .prints("the journal holds");
        self.run(&["log", run, "--json"]).code(0).stdout
    }

    #[track_caller]
    fn hands_to(&self, other: &Side<'_>, run: &str, file: &str) {
        let to = ["--handoff", "--to", other.operator];
        self.run(&[&["export", run, "-o", file], &to[..]].concat())
            .code(0);
        other.run(&["import", file]).code(0).prints("the bundle holds");
        other.run(&["accept", run]);
    }
}

/// The two of them; none where the one for Windows is not named.
fn sides(project: &Project) -> Option<[Side<'_>; 2]> {
    let Some(program) = std::env::var_os("RUNBOOK_TEST_WINDOWS").map(PathBuf::from) else {
        println!("NOT TESTED: name the program for Windows in RUNBOOK_TEST_WINDOWS");
        return None;
    };
    let wine = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/windows/run");
    let side = |operator, windows| Side {
        project,
        operator,
        windows,
    };
    Some([side("una", None), side("win", Some([wine, program]))])
}

const BOOK: &str = "runbook: book
params: { where: { type: string, default: \"the farm's own server\" } }
steps:
  begin:
    uses: rhai
    with: { script: 'fn run(cx) { log(\"läuft: €\\n\"); #{ said: \"grüß dich\" } }' }
  first: { needs: begin, uses: manual, with: { instructions: Look., attach: [{ name: proof }] } }
  again: { needs: first, uses: rhai, with: { script: 'fn run(cx) { #{ was: cx.steps.begin.outputs.said } }' } }
  second: { needs: again, uses: manual, with: { instructions: Look again., attach: [{ name: proof }] } }
  last: { needs: second, uses: rhai, with: { script: 'fn run(cx) { #{ was: cx.steps.again.outputs.was } }' } }
";

/// Begun by one, carried on by the other, finished by the first.
fn there_and_back(one: &Side<'_>, other: &Side<'_>) {
    let project = one.project;
    project.write("book.yaml", BOOK);
    std::fs::write(
        project.path().join("proof.bin"),
        [0, b'\r', b'\n', b'\n', 0xff, 26],
    )
    .unwrap();
    one.run(&["exec", "book.yaml"]).code(3);
    one.hands_to(other, "book", "there.tar.zst");
    let before = one.all("book");
    assert!(other.all("book").starts_with(&before), "what it was begun with");
    let confirm = |side: &Side<'_>, step: &str| {
        side.run(&["confirm", "book", step, "--attach", "proof.bin"])
            .code(0);
    };
    confirm(other, "first");
    other.run(&["resume", "book"]).code(3);
    other.hands_to(one, "book", "back.tar.zst");
    confirm(one, "second");
    one.run(&["resume", "book"]).code(0).tells("is completed");
    one.run(&["export", "book", "-o", "done.tar.zst"]).code(0);
    other.run(&["import", "done.tar.zst"]).code(0);
    let all = one.all("book");
    assert_eq!(other.all("book"), all);
    assert!(all.contains("läuft: €") && all.contains("grüß dich"), "{all}");
    for side in [one, other] {
        side.run(&["journal", "verify", "done.tar.zst"])
            .code(0)
            .prints("1 attachment");
    }
    let reports = [one, other].map(|side| side.run(&["report", "book", "--format", "json"]).code(0).json());
    assert_eq!(reports[0]["steps"], reports[1]["steps"]);
}

#[test]
fn a_run_that_was_begun_on_unix_is_carried_on_on_windows_and_finished_on_unix() {
    let project = Project::new();
    if let Some([unix, windows]) = sides(&project) {
        there_and_back(&unix, &windows);
    }
}

#[test]
fn a_run_that_was_begun_on_windows_is_carried_on_on_unix_and_finished_on_windows() {
    let project = Project::new();
    if let Some([unix, windows]) = sides(&project) {
        there_and_back(&windows, &unix);
    }
}

/// A run of the program for Windows at a terminal, with its first step under way.
fn begun<'a>(project: &'a Project, side: &Side<'a>) -> Option<Terminal> {
    let [wine, program] = side.windows.as_ref()?;
    let helper = program.with_file_name("examples").join("helper.exe");
    let within = |path: &Path| format!("Z:{}", path.display());
    let steps = STEPS
        .replace("HELPER", &within(&helper))
        .replace("DIR", &within(project.path()));
    project.write("steps.yaml", &format!("runbook: steps\nsteps:{steps}"));
    let state = within(&project.state_dir());
    let kind = Kind {
        env: &[("RUNBOOK_STATE_DIR", &state)],
        ..Kind::default()
    };
    let program = program.to_str()?;
    let mut terminal = project
        .at(&kind)
        .starts(wine.to_str()?, &[program, "exec", "steps.yaml"]);
    until("the step is under way", || project.lines("log") == ["begun"]);
    terminal.shows("running");
    Some(terminal)
}

#[test]
fn ctrl_c_at_the_program_for_windows_lets_what_is_under_way_end() {
    let project = Project::new();
    let Some([_, windows]) = sides(&project) else {
        return;
    };
    let mut terminal = begun(&project, &windows).unwrap();
    terminal.types("\x03");
    terminal.shows("stopping: what is under way may end; press Ctrl-C again");
    // Its journal is read on Unix as well as there.
    ends_with_the_step(&project, terminal);
}

#[test]
fn ctrl_c_twice_at_the_program_for_windows_stops_at_once_and_leaves_a_doubt() {
    let project = Project::new();
    let Some([_, windows]) = sides(&project) else {
        return;
    };
    let mut terminal = begun(&project, &windows).unwrap();
    terminal.types("\x03");
    terminal.shows("press Ctrl-C again");
    terminal.types("\x03");
    leaves_a_doubt(&project, terminal);
}
