//! A holder that dies when an act is durable, and before its visitor has heard of it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use crate::support::{Outcome, Project, Running, until};

const STEPS: &str = "
  slow:
    uses: command
    with: { run: [HELPER, append, DIR/log, begun, then, until, DIR/go] }
    timeout: 5m
  beside:
    uses: manual
    with: { instructions: Look., collect: { seen: { type: integer } } }
";

/// Has bob do this at the door of a run that alice carries out. The holder makes it durable and answers; it is killed
/// then, and bob never hears the answer. Gives it, and what bob was told.
fn act_and_lose_the_answer(project: &Project, act: &[&str]) -> (String, Outcome) {
    project.steps(STEPS);
    let holder = project.start(["exec", "steps.yaml"]);
    until("the step is under way", || !project.lines("log").is_empty());
    let run = project.only_run()["run"].as_str().unwrap().to_owned();
    let folder = project.state_dir().join("runs").join(run);
    let between = project.path().join("between.sock");
    let listener = UnixListener::bind(&between).unwrap();
    std::fs::write(folder.join("door"), between.to_str().unwrap()).unwrap();
    let answer = std::thread::spawn(move || stand_between(&listener, &folder.join("door.sock"), holder));
    let outcome = project.run_as("bob", act);
    (answer.join().unwrap(), outcome)
}

/// Passes on what visitors and the holder say to each other, up to the answer to an act.
fn stand_between(listener: &UnixListener, door: &Path, holder: Running) -> String {
    loop {
        let (mut visitor, _) = listener.accept().unwrap();
        let (mut request, mut answer) = (String::new(), String::new());
        BufReader::new(&visitor).read_line(&mut request).unwrap();
        let mut stream = UnixStream::connect(door).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream.read_to_string(&mut answer).unwrap();
        if request.contains("\"act\"") {
            holder.kill();
            return answer;
        }
        visitor.write_all(answer.as_bytes()).unwrap();
    }
}

/// How often the journal holds this event.
fn count(project: &Project, event: &str) -> usize {
    let events = project.events("steps");
    events.iter().filter(|one| one["event"] == event).count()
}

#[test]
fn a_confirmation_that_was_recorded_is_told_as_recorded_and_not_done_twice() {
    let project = Project::new();
    let act = [
        "confirm", "steps", "beside", "--value", "seen=3", "--note", "by phone",
    ];
    let (answer, told) = act_and_lose_the_answer(&project, &act);
    assert!(answer.contains("recorded"), "{answer}");
    told.code(0).tells("confirmed by bob");
    assert_eq!(count(&project, "confirmed"), 1);
    project
        .run_as("bob", &act)
        .code(2)
        .tells("so it cannot be confirmed");
    assert_eq!(count(&project, "confirmed"), 1);
    project.sound_entries("steps");
}

#[test]
fn a_run_that_was_cancelled_is_told_as_cancelled_and_not_cancelled_twice() {
    let project = Project::new();
    let act = ["cancel", "steps", "--why", "the window is over"];
    let (answer, told) = act_and_lose_the_answer(&project, &act);
    assert!(answer.contains("recorded"), "{answer}");
    told.code(0).tells("the window is over");
    project.run_as("bob", &act);
    assert_eq!(count(&project, "cancel_requested"), 1);
    project.sound_entries("steps");
}
