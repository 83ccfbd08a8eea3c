//! What a PowerShell process prints: marked lines of the host script, and everything else.

use runbook_engine::platform::process::Pipes;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::ChildStdin;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;

use super::wire::{Told, told};

/// The longest line of the host script: an answer of twice 1 MiB, in base64.
const LONGEST_LINE: usize = 4 * 1024 * 1024;

/// The most of a line that is no answer that is handed on in one piece.
const PIECE: usize = 16 * 1024;

/// How many lines may wait to be heard.
const WAITING: usize = 64;

/// What was heard of a process.
#[derive(Debug)]
pub(super) enum Heard {
    /// A marked line of the host script.
    Told(Told),
    /// A line, or a piece of one, that a program or a script printed past it.
    Printed(&'static str, Vec<u8>),
}

/// The streams of a process.
pub(super) struct Streams {
    /// What it reads; none once it has been told all.
    pub(super) stdin: Option<ChildStdin>,
    heard: Receiver<Heard>,
    /// Dropped, they stop.
    _readers: JoinSet<()>,
}

impl Streams {
    /// Listens to a process.
    pub(super) fn of(pipes: Pipes) -> Self {
        let (tell, heard) = channel(WAITING);
        let mut readers = JoinSet::new();
        readers.spawn(listen(pipes.stdout, "stdout", tell.clone()));
        readers.spawn(listen(pipes.stderr, "stderr", tell));
        Self {
            stdin: Some(pipes.stdin),
            heard,
            _readers: readers,
        }
    }

    /// The next that is heard; none once nobody can print any more.
    pub(super) async fn next(&mut self) -> Option<Heard> {
        self.heard.recv().await
    }
}

async fn listen(from: impl AsyncRead + Unpin, stream: &'static str, tell: Sender<Heard>) {
    let mut from = BufReader::with_capacity(PIECE, from);
    let mut line = Vec::new();
    // A pipe that breaks is at its end.
    while let Ok(bytes) = from.fill_buf().await {
        if bytes.is_empty() {
            break;
        }
        let end = bytes.iter().position(|&byte| byte == b'\n').map(|at| at + 1);
        let taken = end.unwrap_or(bytes.len());
        line.extend_from_slice(&bytes[..taken]);
        from.consume(taken);
        let whole = end.is_some();
        let may_be_answer = stream == "stdout" && line.len() < LONGEST_LINE;
        if (whole || !may_be_answer && line.len() >= PIECE) && !hand_on(&tell, stream, &mut line).await {
            return;
        }
    }
    hand_on(&tell, stream, &mut line).await;
}

/// Hands a line on; false once nobody listens.
async fn hand_on(tell: &Sender<Heard>, stream: &'static str, line: &mut Vec<u8>) -> bool {
    if line.is_empty() {
        return true;
    }
    let line = std::mem::take(line);
    let found = if stream == "stdout" { told(&line) } else { None };
    let Some((before, told)) = found else {
        return tell.send(Heard::Printed(stream, line)).await.is_ok();
    };
    if !before.is_empty() && tell.send(Heard::Printed(stream, before.to_vec())).await.is_err() {
        return false;
    }
    tell.send(Heard::Told(told)).await.is_ok()
}
