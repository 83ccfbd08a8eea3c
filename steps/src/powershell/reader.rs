//! PowerShell's own parser, asked about a script before any run: the script is data to it, and is never carried out.
//!
//! One process for each edition, started when it is first asked and ended with the reader; a thread speaks to it, since
//! checks do not wait.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use runbook_engine::platform::process::{Group, Launch, Pipes};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{ChildStdin, ChildStdout};

use super::program::{Edition, Programs};

/// What is asked: for each script on a line, in base64, a line with the places and messages of its mistakes. It is
/// constant, and nothing of a script is ever replaced in it or carried out.
const QUESTION: &str = "\
$ErrorActionPreference = 'Stop'; \
while ($null -ne ($line = [Console]::In.ReadLine())) { \
$tokens = $null; $found = $null; \
$text = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($line)); \
$null = [Management.Automation.Language.Parser]::ParseInput($text, [ref] $tokens, [ref] $found); \
$told = @($found | Select-Object -First 10 | ForEach-Object { \
'{0},{1},{2}' -f $_.Extent.StartOffset, $_.Extent.EndOffset, [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($_.Message)) }); \
[Console]::Out.WriteLine('@@READ ' + ($told -join ';')) }";

/// What an answer begins with.
const MARK: &str = "@@READ";

/// How long PowerShell may take to begin, and for one script. It is cold, or the machine is busy.
const LONGEST: Duration = Duration::from_secs(30);

/// The longest answer, in bytes: a line of ten mistakes.
const MOST_SAID: u64 = 64 * 1024;

/// A mistake that PowerShell's parser found: where it is, in bytes, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) at: (usize, usize),
    pub(super) message: String,
}

/// Asks PowerShell's parser, where this machine has the PowerShell.
#[derive(Debug)]
pub(super) struct Reader {
    programs: Programs,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// None for an edition that was asked for and does not answer.
    processes: BTreeMap<&'static str, Option<Process>>,
    /// The same script is asked about once, however often it is checked.
    known: HashMap<(&'static str, String), Option<Vec<Mistake>>>,
}

/// A thread that speaks to a process; it ends, and the process with it, once nobody asks any more.
#[derive(Debug)]
struct Process {
    scripts: Sender<String>,
    answers: Receiver<String>,
}

impl Reader {
    pub(super) fn new(programs: Programs) -> Self {
        Self {
            programs,
            state: Mutex::default(),
        }
    }

    /// What is wrong with a script, by the parser of this edition; nothing where that cannot be asked.
    pub(super) fn read(&self, edition: Edition, script: &str) -> Option<Vec<Mistake>> {
        if reaches_out(script) {
            return None;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (edition.title(), script.to_owned());
        if let Some(known) = state.known.get(&key) {
            return known.clone();
        }
        let process = state
            .processes
            .entry(edition.title())
            .or_insert_with(|| Process::of(self.programs.of(edition).ok()?));
        let answer = process.as_ref().and_then(|process| process.ask(script));
        if answer.is_none() {
            // It is not asked again: each time would take as long.
            *process = None;
        }
        let read = answer.and_then(|answer| mistakes(&answer, script));
        state.known.insert(key, read.clone());
        read
    }
}

/// Whether the parser itself would look for modules: these it loads while it reads.
fn reaches_out(script: &str) -> bool {
    let words = script.split(|c: char| !c.is_alphanumeric());
    words
        .map(str::to_ascii_lowercase)
        .any(|word| ["using", "configuration"].contains(&word.as_str()))
}

impl Process {
    /// A process of this program, if a thread for it can be started. Whether the program can, the first answer shows.
    fn of(program: &str) -> Option<Self> {
        let (scripts, asked) = channel();
        let (answered, answers) = channel();
        let launch = Launch {
            program: program.to_owned(),
            args: ["-NoLogo", "-NoProfile", "-NonInteractive", "-Command", QUESTION]
                .map(str::to_owned)
                .into(),
            env: BTreeMap::new(),
            cwd: None,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .ok()?;
        let speak = move || {
            // What goes wrong here shows as an answer that never comes.
            let _unanswered = runtime.block_on(speak(launch, &asked, &answered));
        };
        std::thread::Builder::new()
            .name("powershell-parser".to_owned())
            .spawn(speak)
            .ok()?;
        Some(Self { scripts, answers })
    }

    fn ask(&self, script: &str) -> Option<String> {
        self.scripts.send(STANDARD.encode(script)).ok()?;
        self.answers.recv_timeout(LONGEST).ok()
    }
}

/// Passes scripts and answers on, until nobody asks any more or the process does not answer.
async fn speak(launch: Launch, asked: &Receiver<String>, answered: &Sender<String>) -> io::Result<()> {
    let (mut group, pipes) = Group::spawn(launch).await?;
    let Pipes {
        mut stdin,
        stdout,
        stderr,
    } = pipes;
    drop(stderr);
    let mut lines = BufReader::new(stdout);
    while let Ok(script) = asked.recv() {
        let answer = exchange(&mut stdin, &mut lines, &script);
        let Ok(Ok(told)) = tokio::time::timeout(LONGEST, answer).await else {
            break;
        };
        if answered.send(told).is_err() {
            break;
        }
    }
    group.kill();
    group.wait().await.map(drop)
}

/// One script, and what is answered to it; what a profile or a policy says before is passed over.
async fn exchange(
    stdin: &mut ChildStdin,
    lines: &mut BufReader<ChildStdout>,
    script: &str,
) -> io::Result<String> {
    stdin.write_all(format!("{script}\n").as_bytes()).await?;
    stdin.flush().await?;
    loop {
        let mut line = Vec::new();
        if (&mut *lines).take(MOST_SAID).read_until(b'\n', &mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(told) = String::from_utf8_lossy(&line).trim_end().strip_prefix(MARK) {
            return Ok(told.trim().to_owned());
        }
    }
}

/// The mistakes of an answer; nothing where it is none. PowerShell counts UTF-16.
fn mistakes(answer: &str, script: &str) -> Option<Vec<Mistake>> {
    let place = |units: &str| {
        let units: usize = units.parse().ok()?;
        let mut seen = 0;
        let at = script.char_indices().find(|(_, c)| {
            let is_there = seen >= units;
            seen += c.len_utf16();
            is_there
        });
        Some(at.map_or(script.len(), |(at, _)| at))
    };
    let parts = answer.split(';').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let mut fields = part.splitn(3, ',');
            let at = (place(fields.next()?)?, place(fields.next()?)?);
            let message = String::from_utf8(STANDARD.decode(fields.next()?).ok()?).ok()?;
            Some(Mistake { at, message })
        })
        .collect()
}

#[cfg(test)]
mod tests;
