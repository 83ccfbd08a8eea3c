//! Carrying a program out for a step: its document, its transcript, its end.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use runbook_engine::platform::printed;
use runbook_engine::platform::process::{Exit, Group, Launch, Pipes, TOKEN};
use runbook_engine::step::{Context, Failure, FailureKind};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::ChildStdin;
use tokio::task::JoinSet;

use crate::decode::Reading;

/// The most of its standard output that is kept for outputs.
pub const MOST_STDOUT: usize = 1024 * 1024;

/// The end of its standard error that is kept for messages.
const MOST_STDERR: usize = 4 * 1024;

/// How long a program's streams may stay open after it and its group have ended: a service that it started
/// may have inherited them.
const DRAIN: Duration = Duration::from_secs(2);

/// How long a program may run before what finds it again is asked for. Most end sooner; until then it is found by its
/// token alone.
const SOON: Duration = Duration::from_millis(20);

const CHUNK: usize = 8 * 1024;

/// A program to carry out.
#[derive(Debug, Clone)]
pub struct Program<'a> {
    /// The program and its arguments; at least one item.
    pub argv: Vec<&'a str>,
    /// Variables added to the engine's own environment.
    pub env: BTreeMap<&'a str, &'a str>,
    /// The folder in which it works.
    pub cwd: Option<&'a Path>,
    /// What it may read from its standard input.
    pub input: Input,
}

/// What a program may read from its standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// This.
    Text(Vec<u8>),
    /// The [document](Context::document) of all that the step may know, on one line.
    Document,
}

/// A program that has ended.
#[derive(Debug)]
pub struct Finished {
    /// How.
    pub exit: Exit,
    /// The first [`MOST_STDOUT`] bytes of what it printed.
    pub stdout: Vec<u8>,
    /// Whether there was more.
    pub truncated: bool,
    /// The end of what it printed as errors.
    pub stderr: String,
}

/// As [`carry_out_exposed`], for a program in whose arguments no secret may stand: others can read them.
///
/// # Errors
/// As there, and when a secret stands in its arguments.
pub async fn carry_out(program: &Program<'_>, cx: &Context) -> Result<Finished, Failure> {
    if program.argv.iter().any(|item| cx.mask.text(item) != *item) {
        let name = cx.mask.text(program.argv.first().copied().unwrap_or_default());
        let message = format!(
            "`{name}` was not started: a secret stands in its arguments, where every account of the machine could read it"
        );
        return Err(Failure::new(FailureKind::Inputs, message));
    }
    carry_out_exposed(program, cx).await
}

/// Carries a program out and waits for its end. What it printed goes to the transcript as it comes. When the
/// step is cancelled, it and all that it started are ended first.
///
/// # Errors
/// When it cannot be started, or was stopped. Its exit code is no error here.
pub async fn carry_out_exposed(program: &Program<'_>, cx: &Context) -> Result<Finished, Failure> {
    let Some((name, args)) = program.argv.split_first() else {
        return Err(Failure::new(
            FailureKind::Inputs,
            "there is no program to carry out",
        ));
    };
    let stopped = || Failure::new(FailureKind::Failed, format!("`{name}` was stopped"));
    if cx.cancel.is_cancelled() {
        return Err(stopped());
    }
    let owned = |(name, value): (&&str, &&str)| ((*name).to_owned(), (*value).to_owned());
    let mut env: BTreeMap<String, String> = program.env.iter().map(owned).collect();
    env.extend(marks(cx));
    let launch = Launch {
        program: (*name).to_owned(),
        args: args.iter().copied().map(str::to_owned).collect(),
        env,
        cwd: program.cwd.map(Path::to_owned),
    };
    let (mut group, pipes) = Group::spawn(launch)
        .await
        .map_err(|error| cannot_start(name, program.cwd, &error))?;
    let streams = Streams::follow(pipes, program.input.clone(), cx);
    let soon = tokio::time::timeout(SOON, end_of(&mut group, cx)).await;
    cx.transcript.process_started(group.mark());
    let exit = match soon {
        Ok(exit) => exit,
        Err(_) => end_of(&mut group, cx).await,
    };
    let Some(exit) = exit else {
        group.end().await;
        streams.end().await;
        return Err(stopped());
    };
    let exit = exit.map_err(|error| {
        Failure::new(
            FailureKind::Fault,
            format!("how `{name}` ended cannot be told: {error}"),
        )
    })?;
    match group.end_rest().await {
        0 => {}
        left => note(
            cx,
            &format!("`{name}` left {left} process(es) behind; they were ended"),
        ),
    }
    let (stdout, stderr) = streams.end().await;
    let stderr = String::from_utf8_lossy(&stderr.bytes).into_owned();
    Ok(Finished {
        exit,
        stdout: stdout.bytes,
        truncated: stdout.dropped,
        stderr,
    })
}

/// Waits until a child has ended; none when it is to be stopped.
async fn end_of(group: &mut Group, cx: &Context) -> Option<io::Result<Exit>> {
    tokio::select! {
        biased;
        exit = group.wait() => Some(exit),
        () = cx.cancel.cancelled() => None,
    }
}

/// Adds a line of our own to the step's transcript.
pub fn note(cx: &Context, line: &str) {
    cx.transcript.write("log", format!("{line}\n").as_bytes());
}

/// What tells a child, and whoever looks for it later, what it belongs to.
pub(crate) fn marks(cx: &Context) -> [(String, String); 4] {
    let marks = [
        (
            "RUNBOOK_RUN",
            cx.run.id.map(|id| id.to_string()).unwrap_or_default(),
        ),
        ("RUNBOOK_STEP", cx.instance.to_string()),
        ("RUNBOOK_ATTEMPT", cx.attempt.to_string()),
        (TOKEN, cx.token.clone()),
    ];
    marks.map(|(name, value)| (name.to_owned(), value))
}

pub(crate) fn cannot_start(name: &str, cwd: Option<&Path>, error: &io::Error) -> Failure {
    let missing_folder = cwd.filter(|cwd| !cwd.is_dir());
    let message = match (error.kind(), missing_folder) {
        (_, Some(cwd)) => format!(
            "`{name}` cannot be started: there is no folder `{}`",
            cwd.display()
        ),
        (io::ErrorKind::NotFound, None) if name.contains(['/', '\\']) => {
            format!("there is no program at `{name}`, or what should interpret it is missing")
        }
        (io::ErrorKind::NotFound, None) => {
            format!("the program `{name}` was not found in any folder that PATH names")
        }
        (io::ErrorKind::PermissionDenied, None) => {
            format!("`{name}` may not be carried out: permission denied")
        }
        (_, None) => format!("`{name}` cannot be started: {error}"),
    };
    Failure::new(FailureKind::Failed, message)
}

/// The tasks that feed a child and read what it prints.
struct Streams {
    /// Dropped, it stops: a child need not read what it is given.
    _feed: JoinSet<()>,
    readers: JoinSet<()>,
    stdout: Arc<Mutex<Kept>>,
    stderr: Arc<Mutex<Kept>>,
}

impl Streams {
    fn follow(pipes: Pipes, input: Input, cx: &Context) -> Self {
        let mut feed = JoinSet::new();
        match input {
            Input::Text(text) => drop(feed.spawn(feed_text(pipes.stdin, text))),
            Input::Document => drop(feed.spawn(feed_child(pipes.stdin, cx.clone()))),
        }
        let stdout = Arc::new(Mutex::new(Kept::of(Part::First(MOST_STDOUT))));
        let stderr = Arc::new(Mutex::new(Kept::of(Part::Last(MOST_STDERR))));
        let mut readers = JoinSet::new();
        readers.spawn(read(pipes.stdout, "stdout", cx.clone(), Arc::clone(&stdout)));
        readers.spawn(read(pipes.stderr, "stderr", cx.clone(), Arc::clone(&stderr)));
        Self {
            _feed: feed,
            readers,
            stdout,
            stderr,
        }
    }

    /// Reads what is still in the pipes, and gives what was kept of each.
    async fn end(mut self) -> (Kept, Kept) {
        let rest = async { while self.readers.join_next().await.is_some() {} };
        // Past this time somebody else holds the pipes; what they print is not the step's.
        let _ = tokio::time::timeout(DRAIN, rest).await;
        self.readers.shutdown().await;
        let take = |kept: &Mutex<Kept>| {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *kept, Kept::of(Part::First(0)))
        };
        (take(&self.stdout), take(&self.stderr))
    }
}

async fn feed_text(mut stdin: ChildStdin, text: Vec<u8>) {
    // A child that closes its input, or ends without reading it, does nothing wrong.
    stdin.write_all(&text).await.ok();
    stdin.shutdown().await.ok();
}

/// Gives a child the step's document, as much of it as it reads. A child that closes its input, or ends without
/// reading it, does nothing wrong.
async fn feed_child(mut stdin: ChildStdin, cx: Context) {
    let mut buffer = Vec::with_capacity(CHUNK);
    for piece in cx.document_text().chain(["\n".to_owned()]) {
        buffer.extend_from_slice(piece.as_bytes());
        if buffer.len() >= CHUNK {
            if stdin.write_all(&buffer).await.is_err() {
                return;
            }
            buffer.clear();
        }
    }
    stdin.write_all(&buffer).await.ok();
    stdin.shutdown().await.ok();
}

async fn read(mut from: impl AsyncRead + Unpin, stream: &'static str, cx: Context, kept: Arc<Mutex<Kept>>) {
    let mut buffer = vec![0; CHUNK];
    let mut reading = Reading::of(printed::code_page(), cx.mask);
    let give_on = |bytes: &[u8]| {
        if !bytes.is_empty() {
            cx.transcript.write(stream, bytes);
            kept.lock().unwrap_or_else(PoisonError::into_inner).add(bytes);
        }
    };
    // A pipe that breaks is at its end.
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        give_on(&reading.add(&buffer[..count]));
    }
    give_on(&reading.end());
}

/// Which part of a stream is kept.
#[derive(Debug, Clone, Copy)]
enum Part {
    First(usize),
    Last(usize),
}

/// The part of a stream that is kept.
#[derive(Debug)]
struct Kept {
    part: Part,
    bytes: Vec<u8>,
    dropped: bool,
}

impl Kept {
    fn of(part: Part) -> Self {
        Self {
            part,
            bytes: Vec::new(),
            dropped: false,
        }
    }

    fn add(&mut self, new: &[u8]) {
        match self.part {
            Part::First(most) => {
                let room = most.saturating_sub(self.bytes.len()).min(new.len());
                self.bytes.extend_from_slice(&new[..room]);
                self.dropped |= room < new.len();
            }
            Part::Last(most) => {
                self.bytes.extend_from_slice(new);
                let excess = self.bytes.len().saturating_sub(most);
                self.bytes.drain(..excess);
                self.dropped |= excess > 0;
            }
        }
    }
}

#[cfg(test)]
mod tests;
