//! Ctrl-Z and `fg` in a shell: the terminal is given back as it was, and the run is seen again afterwards.

use crate::support::terminal::{Kind, Terminal};
use crate::support::{Project, until};

/// A shell that knows jobs, at a terminal of its own.
fn shell(project: &Project) -> Terminal {
    let kind = Kind {
        env: &[
            ("PS1", "shell> "),
            ("HISTFILE", ""),
            ("BASH_SILENCE_DEPRECATION_WARNING", "1"),
        ],
        ..Kind::default()
    };
    let mut shell = project.at(&kind).starts("bash", &["--norc", "--noprofile", "-i"]);
    shell.shows("shell>");
    // What it takes for the usual mode may be from before the terminal was set up.
    shell.command("stty sane; printf 'all is %s\\n' sane", "all is sane");
    shell
}

impl Terminal {
    /// Types a command, and waits until the shell has said that it ended.
    fn command(&mut self, command: &str, expected: &str) {
        self.types(&format!("{command}\r"));
        self.shows(expected);
    }

    /// Everything that a person relies on in a shell is as it was; this is looked at the so-manieth time.
    fn is_sane(&mut self, time: usize) {
        self.command(
            "stty -a | grep -ow -e '-\\?echo' -e '-\\?icanon' -e '-\\?isig' | sort | tr '\\n' ,",
            "",
        );
        self.until("the terminal's switches", |screen| {
            let switches = screen
                .lines()
                .filter(|line| line.starts_with("echo,icanon,isig,"));
            switches.count() == time
        });
    }
}

#[test]
fn ctrl_z_while_a_step_runs_gives_the_terminal_back_and_fg_goes_on() {
    let project = Project::new();
    project.steps(
        "
  slow:
    title: Copy the databases
    uses: command
    with: { run: [HELPER, append, DIR/log, begun, then, until, DIR/go] }
",
    );
    let mut shell = shell(&project);
    shell.command(
        &format!("{} exec steps.yaml", env!("CARGO_BIN_EXE_runbook")),
        "0 of 1 settled, 1 under way",
    );
    shell.types("\x1a");
    shell.shows("Stopped");
    shell.until("the view is gone", |screen| !screen.contains("under way"));
    shell.is_sane(1);
    shell.command("bg", "exec steps.yaml &");
    shell.command("sleep 0.5; printf 'still %s\\n' mine", "still mine");
    assert!(
        !shell.screen().contains("under way"),
        "nothing is drawn in the background:\n{}",
        shell.screen()
    );
    shell.command("fg", "0 of 1 settled, 1 under way");
    project.write("go", "");
    shell.shows("is completed: 1 of 1 settled");
    assert!(!shell.screen().contains("under way"), "{}", shell.screen());
    assert_eq!(project.lines("log"), ["begun"]);
    shell.is_sane(2);
    shell.types("exit\r");
    shell.ends();
}

#[test]
fn ctrl_z_at_a_question_gives_the_terminal_back_and_fg_asks_again() {
    let project = Project::new();
    project.steps(
        "
  look:
    uses: manual
    with: { instructions: Look., collect: { rows: { type: integer, prompt: How many rows are there, example: 3 } } }
",
    );
    let mut shell = shell(&project);
    shell.command(
        &format!("{} exec steps.yaml", env!("CARGO_BIN_EXE_runbook")),
        "How many rows are there",
    );
    shell.types("4");
    shell.shows("> 4");
    shell.types("\x1a");
    shell.shows("Stopped");
    shell.is_sane(1);
    shell.types("fg\r");
    shell.until("it is asked again", |screen| {
        screen.matches("? How many rows are there").count() == 2
    });
    shell.until("what was typed stands there", |screen| {
        screen.trim_end().ends_with("> 4")
    });
    shell.types("2\r");
    shell.answers("Note", "");
    shell.answers("Is it done?", "y");
    shell.shows("is completed");
    let confirmed = project.events("steps");
    let confirmed = confirmed.iter().find(|one| one["event"] == "confirmed").unwrap();
    assert_eq!(confirmed["values"]["rows"], 42);
    shell.is_sane(2);
    shell.types("exit\r");
    shell.ends();
}

#[test]
fn without_a_shell_that_could_continue_it_the_program_does_not_stop() {
    let project = Project::new();
    project.steps(
        "\n  slow: { uses: command, with: { run: [HELPER, append, DIR/log, begun, then, until, DIR/go] } }\n",
    );
    let mut terminal = project.at_terminal(80, &["exec", "steps.yaml"]);
    terminal.shows("0 of 1 settled, 1 under way");
    terminal.types("\x1a");
    until("the step is under way", || project.lines("log") == ["begun"]);
    project.write("go", "");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 0, "{screen}");
}
