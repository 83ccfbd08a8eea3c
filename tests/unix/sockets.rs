//! The socket by which others come in to whoever holds a run, as Unix has it: a file.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::second_terminal::{folder, held};
use crate::support::{Project, until};

#[test]
fn a_socket_that_was_deleted_is_made_anew() {
    let project = Project::new();
    let running = held(&project);
    let socket = folder(&project).join("door.sock");
    for gone in [socket.clone(), socket.with_file_name("door")] {
        std::fs::remove_file(&gone).unwrap();
        project.run(["list"]).code(0).prints("held by alice");
        until("others can come in again", || {
            project.run(["show", "steps"]).code == 0
        });
    }
    assert_eq!(
        std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777,
        0o600
    );
    project.run_as("bob", &["confirm", "steps", "beside"]).code(0);
    project.write("go", "");
    running.wait().code(3);
    assert!(!socket.exists(), "nothing is left behind");
    project.sound_entries("steps");
}

#[test]
fn a_socket_that_a_dead_holder_left_is_in_nobodys_way() {
    let project = Project::new();
    let running = held(&project);
    let socket = folder(&project).join("door.sock");
    running.kill();
    assert!(socket.exists() && socket.with_file_name("door").exists());
    project.run(["show", "steps"]).code(0).prints("interrupted");
    project.run_as("bob", &["confirm", "steps", "beside"]).code(0);
    project.write("go", "");
    project.run_as("bob", &["decide", "steps", "slow", "again", "--why", "x"]);
    project.run_as("carol", &["resume", "steps"]);
    assert!(!socket.exists(), "nothing is left behind");
    project.sound_entries("steps");
}

#[test]
fn a_holder_that_is_stopped_is_named_and_goes_on_later() {
    let project = Project::new();
    let running = held(&project);
    let holder = Pid::from_raw(running.pid().cast_signed());
    kill(holder, Signal::SIGSTOP).unwrap();
    project
        .run_as("bob", &["confirm", "steps", "beside"])
        .code(5)
        .tells("RB0403")
        .tells(&format!("(process {holder})"));
    kill(holder, Signal::SIGCONT).unwrap();
    project.run(["show", "steps"]).code(0);
    project.run_as("bob", &["confirm", "steps", "beside"]).code(0);
    project.write("go", "");
    running.wait().code(3);
    let events = project.events("steps");
    let confirmed = events.iter().filter(|one| one["event"] == "confirmed");
    assert_eq!(confirmed.count(), 1, "what nobody answered is not done later");
}

#[test]
fn nobody_else_can_come_in() {
    let project = Project::new();
    let running = held(&project);
    let socket = folder(&project).join("door.sock");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&socket), 0o600);
    assert_eq!(mode(socket.parent().unwrap()), 0o700);
    project.write("go", "");
    running.wait();
    assert!(!socket.exists(), "nothing is left behind");
}
