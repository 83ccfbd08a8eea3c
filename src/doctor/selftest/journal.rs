//! A run whose engine is killed in the middle of a step: what its journal says afterwards, and how it goes on.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use super::child::{PATIENCE, arguments, asked, carried_out, command, one_line, program, text};
use super::{Seen, failed, judged};
use crate::doctor::Finding;
use crate::exit::Exit;

/// The run's name.
const RUN: &str = "selftest";

/// How much of what a command says is told, in columns.
const MOST: usize = 300;

/// A run is killed in the middle of a step, looked at, decided on, and carried to its end.
pub(super) async fn killed_in_the_middle(folder: &Path) -> Finding {
    const HELP: &str = "do not carry runs out here before that is understood: send this report";
    let folder = folder.to_owned();
    let seen = tokio::task::spawn_blocking(move || killed(&folder)).await;
    let seen = seen.unwrap_or_else(|error| Err(error.to_string()));
    judged("journal", seen, HELP)
}

fn killed(folder: &Path) -> Seen {
    let step = |part: &str| -> Result<Value, String> {
        let mut argv = vec![program()?];
        argv.extend(arguments(part));
        Ok(json!({ "uses": "command", "with": { "run": argv } }))
    };
    let mut second = step("wait")?;
    second["needs"] = "first".into();
    let runbook = json!({ "runbook": RUN, "steps": { "first": step("nothing")?, "second": second } });
    let file = folder.join("selftest.yaml");
    // JSON is YAML.
    std::fs::write(&file, runbook.to_string()).map_err(failed("a runbook cannot be written"))?;
    let state = folder.join("state");
    let decide = ["decide", RUN, "second", "done", "--why", "it was to be killed"];
    begin_and_kill(&state, &file)?;
    told(&state, &["resume", RUN], Exit::InDoubt)?;
    told(&state, &["journal", "verify", RUN], Exit::Done)?;
    told(&state, &decide, Exit::Done)?;
    told(&state, &["resume", RUN], Exit::Done)?;
    told(&state, &["journal", "verify", RUN], Exit::Done)?;
    Ok("a run was killed in the middle of a step: its journal is whole, the step was in doubt, and the run went on".to_owned())
}

/// Starts the run, and kills it once its second step is being carried out.
fn begin_and_kill(state: &Path, file: &Path) -> Result<(), String> {
    let mut engine = command(&asked(state, &["--json", "exec", text(file)?])?)?
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed("this program cannot be started again"))?;
    let out = engine.stdout.take();
    // What reads it ends with the program, or with what may have outlived that.
    let (tell, hear) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let lines = out.map(BufReader::new).into_iter().flat_map(BufReader::lines);
        let begun = |line: &String| {
            let entry: Value = serde_json::from_str(line).unwrap_or_default();
            entry["event"] == "attempt_started" && entry["step"] == "second"
        };
        let found = lines.map_while(Result::ok).any(|line| begun(&line));
        tell.send(found).ok();
    });
    let begun = hear.recv_timeout(PATIENCE);
    engine.kill().map_err(failed("it cannot be ended"))?;
    engine.wait().map_err(failed("its end is not told"))?;
    if begun == Ok(true) {
        Ok(())
    } else {
        Err("a run that was begun does not come to its second step".to_owned())
    }
}

/// Carries a command out, which has to end so.
fn told(state: &Path, words: &[&str], exit: Exit) -> Result<(), String> {
    let output = carried_out(state, words)?;
    if output.status.code() == Some(i32::from(exit as u8)) {
        return Ok(());
    }
    let (what, said) = (words.join(" "), one_line(&output.stderr, MOST));
    Err(format!("`runbook {what}` ended with {}: {said}", output.status))
}
