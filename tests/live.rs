//! The live view of a run in a terminal: it shows where the run stands, gives way, and leaves nothing behind.

use std::time::{Duration, Instant};

use crate::support::Project;
use crate::support::terminal::{Kind, Terminal};

const RUNBOOK: &str = env!("CARGO_BIN_EXE_runbook");

/// What begins every frame that is drawn.
const FRAME: &str = "\x1b[?2026h";

pub(crate) const STEPS: &str = "
  first: { title: Look around, uses: command, with: { run: [HELPER, append, DIR/log, first] } }
  slow:
    title: Copy the databases
    needs: first
    uses: command
    with:
      run: [HELPER, say, 'copying database 7', then, append, DIR/log, begun, then, until, DIR/go]
  last: { title: Look again, needs: slow, uses: command, with: { run: [HELPER, append, DIR/log, last] } }
";

impl Terminal {
    fn all_written(&self) -> String {
        String::from_utf8_lossy(&self.written).into_owned()
    }

    /// The lines that begin so.
    fn lines_with(&self, text: &str) -> usize {
        self.screen().lines().filter(|line| line.contains(text)).count()
    }
}

#[test]
fn a_run_is_seen_while_it_is_carried_out_and_only_its_record_stays() {
    let project = Project::new();
    project.steps(STEPS);
    let start = Instant::now();
    let mut terminal = project.at_terminal(80, &["exec", "steps.yaml"]);
    terminal.shows("1 of 3 settled, 1 under way");
    assert!(
        start.elapsed() >= Duration::from_millis(250),
        "what is quick is not shown"
    );
    terminal.shows("│ copying database 7");
    let screen = terminal.screen();
    let row = |id: &str| {
        let mut rows = screen.lines().rev();
        rows.find(|line| line.contains(id))
            .unwrap_or_else(|| panic!("{screen}"))
            .to_owned()
    };
    assert!(row(" first ").contains("succeeded"), "{screen}");
    assert!(row(" slow ").contains("running"), "{screen}");
    assert!(
        row(" last ").contains("pending") && row(" last ").contains("Look again"),
        "{screen}"
    );
    terminal.until("a second has passed", |screen| {
        let slow = screen
            .lines()
            .rev()
            .find(|line| line.contains(" slow "))
            .unwrap_or_default();
        slow.contains("1 s") || slow.contains("2 s") || slow.contains("3 s")
    });
    project.write("go", "");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 0, "{screen}");
    for gone in ["under way", "pending", "│", "copying"] {
        assert!(!screen.contains(gone), "`{gone}` was left behind:\n{screen}");
    }
    for kept in [
        "▸ slow   Copy the databases",
        "✓ last   done",
        "is completed: 3 of 3 settled",
    ] {
        assert!(screen.contains(kept), "`{kept}` is missing:\n{screen}");
    }
}

#[test]
fn a_picture_is_rewritten_only_where_it_changed() {
    let project = Project::new();
    project.steps(STEPS);
    let mut terminal = project.at_terminal(80, &["exec", "steps.yaml"]);
    terminal.shows("1 of 3 settled, 1 under way");
    terminal.shows("│ copying database 7");
    terminal.until("time passes", |screen| screen.contains(" 2 s "));
    let written = terminal.all_written();
    let last = written.rsplit(FRAME).next().unwrap().to_owned();
    assert!(
        last.contains("running") && !last.contains("settled") && !last.contains("pending"),
        "{last:?}"
    );
    assert!(last.trim_end().ends_with("\x1b[?2026l"), "{last:?}");
    project.write("go", "");
    terminal.ends();
}

const PERSON: &str = "
  slow:
    uses: command
    with: { run: [HELPER, until, DIR/go] }
  look:
    title: Look at the trust
    uses: manual
    with: { instructions: Look at it. }
  after:
    needs: [look, slow]
    uses: command
    with: { run: [HELPER, append, DIR/log, begun, then, until, DIR/end] }
";

#[test]
fn it_says_what_a_person_must_do_gives_way_to_the_question_and_comes_back() {
    let project = Project::new();
    project.steps(PERSON);
    let mut terminal = project.at_terminal(80, &["exec", "steps.yaml"]);
    terminal.shows("next: `look` waits for a person: Look at the trust");
    terminal.shows("runbook confirm steps-");
    terminal.shows("0 of 3 settled, 1 waiting, 1 under way");
    // Keys that are pressed while nothing is asked are not seen, move nothing, and answer nothing.
    terminal.types("\r\ry\r\r");
    terminal.until("time passes", |screen| screen.contains(" 2 s "));
    assert_eq!(terminal.lines_with("under way"), 2, "{}", terminal.screen());
    project.write("go", "");
    terminal.answers("Note", "");
    terminal.shows("Is it done? (y/n)");
    assert_eq!(terminal.lines_with("settled"), 0, "{}", terminal.screen());
    assert!(project.lines("log").is_empty());
    terminal.types("y\r");
    terminal.shows("2 of 3 settled, 1 under way");
    project.write("end", "");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 0, "{screen}");
    assert_eq!(screen.matches("settled").count(), 1, "{screen}");
}

#[test]
fn it_survives_other_sizes_of_the_terminal() {
    let project = Project::new();
    project.steps(STEPS);
    let mut terminal = project.at_terminal(200, &["exec", "steps.yaml"]);
    terminal.shows("│ copying database 7");
    for (columns, rows) in [(40, 300), (30, 12), (120, 50)] {
        terminal.resize(columns, rows);
        let mut seconds = 0;
        // Twice, so that what was drawn for this size was drawn over once.
        for _ in 0..2 {
            let now = |screen: &str| screen.lines().rev().find_map(seconds_of).unwrap_or(0);
            terminal.until("time passes", |screen| now(screen) > seconds);
            seconds = now(&terminal.screen());
        }
        let screen = terminal.screen();
        assert_eq!(
            screen.matches("1 of 3 settled").count(),
            1,
            "{columns}:\n{screen}"
        );
        assert_eq!(screen.matches("│ copying").count(), 1, "{columns}:\n{screen}");
    }
    project.write("go", "");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 0);
    assert!(!screen.contains("under way"), "{screen}");
}

/// How long the step that is under way has taken, where the line tells it.
fn seconds_of(line: &str) -> Option<u32> {
    let (_, rest) = line.split_once("running")?;
    rest.trim().split(' ').next()?.parse().ok()
}

#[test]
fn a_low_terminal_folds_what_is_done_and_to_come() {
    let project = Project::new();
    let mut steps = String::new();
    for at in 0..40 {
        steps += &format!("  quick-{at}: {{ uses: command, with: {{ run: [HELPER, say, '{at}'] }} }}\n");
        steps += &format!(
            "  later-{at}: {{ needs: slow, uses: command, with: {{ run: [HELPER, say, '{at}'] }} }}\n"
        );
    }
    steps += "  slow: { uses: command, with: { run: [HELPER, until, DIR/go] } }\n";
    project.steps(&format!("\n{steps}"));
    let kind = Kind {
        rows: 20,
        ..Kind::default()
    };
    let mut terminal = project.at(&kind).starts(RUNBOOK, &["exec", "steps.yaml"]);
    terminal.shows("40 of 81 settled, 1 under way");
    terminal.shows("✓ 40 done");
    terminal.shows("▸ slow  running");
    terminal.shows("· 40 to come");
    project.write("go", "");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 0, "{screen}");
}

#[test]
fn colours_are_those_that_were_asked_for() {
    let project = Project::new();
    project.steps(STEPS);
    project.write("go", "");
    let run = |args: &[&str]| project.at_terminal(80, args).ends_with_all();
    let coloured = |text: &str| regex::Regex::new(r"\x1b\[[1-9][0-9;]*m").unwrap().is_match(text);
    let slow = ["exec", "steps.yaml"];
    let plain = run(&slow);
    assert!(!coloured(&plain) && plain.contains('✓'), "{plain:?}");
    assert!(coloured(&run(&["exec", "steps.yaml", "--color", "always"])));
}

#[test]
fn nothing_is_drawn_for_programs_and_dumb_terminals() {
    let dumb: &[(&str, &str)] = &[("TERM", "dumb")];
    for (env, args) in [
        (dumb, &["exec", "steps.yaml"][..]),
        (&[], &["exec", "steps.yaml", "--json"]),
    ] {
        let project = Project::new();
        project.steps(STEPS);
        let kind = Kind {
            env,
            ..Kind::default()
        };
        let mut terminal = project.at(&kind).starts(RUNBOOK, args);
        terminal.shows("slow");
        crate::support::until("the step is under way", || {
            project.lines("log") == ["first", "begun"]
        });
        // Longer than what is quick.
        let start = Instant::now();
        terminal.until("time passes", |_| start.elapsed() > Duration::from_millis(600));
        project.write("go", "");
        let all = terminal.ends_with_all();
        assert!(
            !all.contains(FRAME) && !all.contains("settled, 1 under way"),
            "{all}"
        );
    }
}

#[test]
fn without_a_terminal_there_are_plain_lines() {
    let project = Project::new();
    project.steps(STEPS);
    let running = project.start(["exec", "steps.yaml"]);
    running.is_told_of("Copy the databases");
    let start = Instant::now();
    crate::support::until("time passes", || start.elapsed() > Duration::from_millis(600));
    project.write("go", "");
    let outcome = running.wait().code(0);
    assert!(
        !outcome.stderr.contains('\x1b') && !outcome.stderr.contains('\r'),
        "{:?}",
        outcome.stderr
    );
    assert!(!outcome.stderr.contains("under way"), "{}", outcome.stderr);
}
