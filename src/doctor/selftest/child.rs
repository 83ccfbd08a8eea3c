//! The programs that a trial starts: this program again, in a part.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use runbook_engine::platform::process::{Group, Launch, TOKEN};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::render::layout::cut;

/// How long anything in a trial may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// How long a part that waits does so, if nobody ends it.
const LONGEST: Duration = Duration::from_secs(600);

/// What a program that a trial starts does.
#[derive(Debug, Clone, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// It ends at once.
    Nothing,
    /// It waits to be ended.
    Wait,
    /// It starts one that waits, says so, and waits itself.
    Parent,
    /// It carries a parent out as a step is carried out, says so, and waits.
    Engine,
}

/// This program.
pub(super) fn program() -> Result<String, String> {
    let path = std::env::current_exe().map_err(super::failed("this program does not find itself"))?;
    let path = path.into_os_string().into_string();
    path.map_err(|_| "the path of this program is not Unicode".to_owned())
}

/// Its arguments for a part.
pub(super) fn arguments(part: &str) -> Vec<String> {
    ["doctor", "--windows-selftest", "--part", part]
        .map(str::to_owned)
        .to_vec()
}

/// This program, without what the environment says to it.
pub(super) fn command(arguments: &[String]) -> Result<Command, String> {
    let mut command = Command::new(program()?);
    command.args(arguments).stdin(Stdio::null());
    for name in settings() {
        command.env_remove(name);
    }
    Ok(command)
}

/// Its arguments for a command, with a state folder of the trial's own.
pub(super) fn asked(state: &Path, words: &[&str]) -> Result<Vec<String>, String> {
    let place = [
        "--state-dir",
        text(state)?,
        "--operator",
        "selftest",
        "--non-interactive",
    ];
    Ok(place.iter().chain(words).map(|&word| word.to_owned()).collect())
}

/// Carries a command out to its end.
pub(super) fn carried_out(state: &Path, words: &[&str]) -> Result<Output, String> {
    let output = command(&asked(state, words)?)?.output();
    output.map_err(super::failed("this program cannot be started again"))
}

/// What was said as one line, as much of it as fits into so many columns.
pub(super) fn one_line(said: &[u8], columns: usize) -> String {
    let said = String::from_utf8_lossy(said);
    cut(&said.split_whitespace().collect::<Vec<_>>().join(" "), columns)
}

/// The variables that say something to this program, but for those that name a PowerShell.
fn settings() -> impl Iterator<Item = OsString> {
    let names = std::env::vars_os().map(|(name, _)| name);
    names.filter(|name| {
        let name = name.to_string_lossy().to_ascii_uppercase();
        name.starts_with("RUNBOOK_") && !name.starts_with("RUNBOOK_POWERSHELL_")
    })
}

/// A parent as a step's program: in a group, and marked with this token. It has said that its child is there.
pub(super) async fn parent(token: &str) -> Result<Group, String> {
    let launch = Launch {
        program: program()?,
        args: arguments("parent"),
        env: [(TOKEN.to_owned(), token.to_owned())].into(),
        cwd: None,
    };
    let (group, pipes) = Group::spawn(launch)
        .await
        .map_err(super::failed("it cannot be started"))?;
    let mut said = String::new();
    let mut reader = BufReader::new(pipes.stdout);
    let heard = tokio::time::timeout(PATIENCE, reader.read_line(&mut said)).await;
    heard
        .map_err(|_| "a program that was started says nothing".to_owned())?
        .map_err(super::failed("a program that was started cannot be heard"))?;
    if said.trim() == "here" {
        Ok(group)
    } else {
        Err("a program that was started ended at once".to_owned())
    }
}

/// Plays a part; the folder's name is the token of what is started.
pub(crate) async fn play(part: &Part, token: Option<&str>) -> Result<(), String> {
    match part {
        Part::Nothing => {}
        Part::Wait => wait(),
        Part::Parent => {
            let mut child = command(&arguments("wait"))?;
            let child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
            let _child = child.map_err(super::failed("it cannot be started"))?;
            say_so();
            wait();
        }
        Part::Engine => {
            let _group = parent(token.unwrap_or_default()).await?;
            say_so();
            wait();
        }
    }
    Ok(())
}

fn say_so() {
    let mut out = std::io::stdout();
    // Whoever does not listen any more ends it.
    writeln!(out, "here").and_then(|()| out.flush()).ok();
}

fn wait() {
    std::thread::park_timeout(LONGEST);
}

/// Whether this file or folder can be named in a runbook.
pub(super) fn text(path: &Path) -> Result<&str, String> {
    path.to_str()
        .ok_or_else(|| format!("{} is not Unicode", path.display()))
}
