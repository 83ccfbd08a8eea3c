//! Secrets: known to the steps, and to nothing that is kept or shown.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::support::{Outcome, Project};

pub(crate) const CANARY: &str = "Can\u{e4}ry/7+\"quoted\"&zzz-1234567890";

/// Everything in which a secret could hide: the bytes that must not be found, and how they are written.
fn forms() -> Vec<(&'static str, Vec<u8>)> {
    let utf16: Vec<u8> = CANARY.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let json = serde_json::to_string(CANARY).unwrap();
    let unpadded = |text: String| text.trim_end_matches('=').to_owned();
    vec![
        ("plain", CANARY.into()),
        ("JSON", json[1..json.len() - 1].into()),
        ("UTF-16", utf16.clone()),
        ("base64", unpadded(STANDARD.encode(CANARY)).into()),
        ("base64 for URLs", URL_SAFE_NO_PAD.encode(CANARY).into()),
        ("base64 of UTF-16", STANDARD_NO_PAD.encode(utf16).into()),
        // Its end alone is plain ASCII, and stands in whatever was missed.
        ("its end", b"zzz-1234567890".to_vec()),
    ]
}

#[track_caller]
pub(crate) fn absent(bytes: &[u8], place: &str) {
    for (form, needle) in forms() {
        let found = bytes.windows(needle.len()).position(|window| window == needle);
        if let Some(at) = found {
            let around = &bytes[at.saturating_sub(120)..(at + 60).min(bytes.len())];
            panic!("{form} in {place}: {}", String::from_utf8_lossy(around));
        }
    }
}

#[track_caller]
pub(crate) fn unheard(outcome: &Outcome, what: &str) {
    absent(outcome.stdout.as_bytes(), &format!("standard output of {what}"));
    absent(outcome.stderr.as_bytes(), &format!("standard error of {what}"));
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

#[track_caller]
pub(crate) fn unkept(project: &Project) {
    let files = files(&project.state_dir());
    assert!(files.len() >= 4, "{files:?}");
    // The socket of a process that was killed holds nothing.
    for file in files.iter().filter(|file| file.is_file()) {
        absent(&std::fs::read(file).unwrap(), &file.display().to_string());
    }
}

/// Carries a runbook with the secret `token` out, loudly; nothing of the secret is kept or shown.
#[track_caller]
fn carried(project: &Project, steps: &str, code: i32) {
    let head = "runbook: steps\nparams: { token: { type: secret } }\nsteps:\n";
    project.runbook("steps.yaml", &format!("{head}{steps}"));
    let with_secret = |args: &[&str]| -> Outcome {
        let mut command = project.command(args);
        command
            .env("RUNBOOK_SECRET_TOKEN", CANARY)
            .output()
            .unwrap()
            .into()
    };
    for args in [
        &["plan", "steps.yaml"][..],
        &["exec", "steps.yaml", "-vvv"],
        &["exec", "steps.yaml", "--json"],
    ] {
        let outcome = with_secret(args);
        unheard(&outcome, &args.join(" "));
        assert_eq!(
            outcome.code,
            if args[0] == "plan" { 0 } else { code },
            "{}",
            outcome.stderr
        );
    }
    let runs = project.run(["list", "--json"]).code(0).json();
    for run in runs.as_array().unwrap() {
        let id = run["run"].as_str().unwrap();
        for args in [
            &["show", id][..],
            &["show", id, "--json"],
            &["log", id],
            &["log", id, "--json"],
            &["journal", "verify", id],
            &["resume", id, "-v"],
            &["rollback", id, "-v", "--yes"],
            &["log", id],
        ] {
            unheard(&with_secret(args), &args.join(" "));
        }
    }
    unkept(project);
}

#[test]
fn what_a_program_prints_is_kept_without_the_secret() {
    let project = Project::new();
    let steps = "
  leak:
    secrets: token
    uses: command
    with: { run: [HELPER, leak, token], validate: [HELPER, leak, token, then, exists, DIR/never], rollback: [HELPER, leak, token] }
";
    carried(&project, steps, 1);
    let log = project.run(["list", "--json"]).json()[0]["run"]
        .as_str()
        .unwrap()
        .to_owned();
    let log = project.run(["log", &log]).code(0);
    assert!(
        log.stdout.contains("plain ******"),
        "the rest is kept:\n{}",
        log.stdout
    );
}

#[test]
fn outputs_and_arguments_are_kept_without_the_secret() {
    let project = Project::new();
    let steps = "
  says: { uses: command, with: { expose: arguments, run: [HELPER, say, '${{ params.token }}'] } }
  again: { needs: says, uses: command, with: { run: [HELPER, say, 'x ${{ steps.says.outputs.stdout }}'], env: { SECRET: '${{ params.token }}' } } }
  knows:
    needs: again
    uses: command
    with: { run: [HELPER, variable, SECRET, then, save-input, DIR/input.json], env: { SECRET: '${{ params.token }}' } }
";
    carried(&project, steps, 0);
    let input: serde_json::Value = serde_json::from_str(&project.read("input.json").unwrap()).unwrap();
    assert_eq!(input["params"]["token"], CANARY, "the step itself is told");
}

#[test]
fn errors_do_not_tell_the_secret() {
    let project = Project::new();
    let steps = "
  argument: { on_failure: continue, uses: command, with: { expose: arguments, run: [HELPER, complain, '${{ params.token }}', then, end, '3'] } }
  program: { on_failure: continue, uses: command, with: { expose: arguments, run: ['DIR/${{ params.token }}'] } }
  folder: { on_failure: continue, uses: command, with: { run: [HELPER, end, '0'], cwd: '/${{ params.token }}' } }
  script: { on_failure: continue, uses: rhai, with: { script: 'fn run(cx) { log(cx.params.token); throw cx.params.token }' } }
  output: { on_failure: continue, uses: rhai, with: { script: 'fn run(cx) { let m = #{}; m[cx.params.token] = [cx.params.token]; m }' } }
  no-number: { on_failure: continue, uses: command, with: { run: [HELPER, end, '0'] }, when: params.token }
  inputs: { on_failure: continue, uses: command, with: { expose: arguments, run: [HELPER, say, '${{ parse_int(params.token) }}'] } }
";
    carried(&project, steps, 1);
}

#[test]
fn expressions_do_not_carry_the_secret_into_the_journal() {
    let project = Project::new();
    let steps = "
  items: { on_failure: continue, for_each: '[params.token]', uses: command, with: { run: [HELPER, end, '0'] } }
  condition: { on_failure: continue, when: parse_int(params.token) > 1, uses: command, with: { run: [HELPER, end, '0'] } }
";
    carried(&project, steps, 1);
}

#[test]
fn a_killed_run_holds_no_secret_either_and_asks_for_it_again() {
    let project = Project::new();
    project.runbook(
        "steps.yaml",
        "
runbook: steps
params: { token: { type: secret } }
steps:
  leak: { secrets: token, idempotent: true, uses: command, with: { run: [HELPER, leak, token, then, write, DIR/leaked, x, then, until, DIR/go] } }
",
    );
    let mut command = project.command(["exec", "steps.yaml"]);
    let mut running = command.env("RUNBOOK_SECRET_TOKEN", CANARY).spawn().unwrap();
    crate::support::until("it is printed", || project.has("leaked"));
    running.kill().unwrap();
    running.wait().unwrap();
    unkept(&project);
    project.write("go", "");
    project
        .run(["resume", "steps"])
        .code(3)
        .tells("RB0108")
        .tells("RUNBOOK_SECRET_TOKEN");
    let resumed: Outcome = project
        .command(["resume", "steps"])
        .env("RUNBOOK_SECRET_TOKEN", CANARY)
        .output()
        .unwrap()
        .into();
    unheard(&resumed.code(0), "resume");
    unkept(&project);
}
