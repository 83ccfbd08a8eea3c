//! What steps printed, read from a run's journal in the order in which it is wanted.

use std::collections::VecDeque;
use std::time::Duration;

use runbook_engine::core::RunState;
use runbook_engine::id::{RunId, Seq};
use runbook_engine::journal::{Chunk, JournalError};
use runbook_engine::runtime::Engine;

use crate::error::Failed;
use crate::render::story::{subject, transcript_of};

/// How many transcripts are read at once, unless they are large.
const READ_AHEAD: usize = 1000;

/// How long is waited before a holder that does not answer is asked again.
const PACE: Duration = Duration::from_millis(200);

/// How often a holder that does not answer is asked again.
const TRIES: usize = 25;

/// Reads a run's transcripts.
pub(super) struct Transcripts<'a> {
    engine: &'a Engine,
    run: RunId,
    /// What the person calls the run.
    name: &'a str,
    /// Those that are still to be read, in the order in which they are asked for.
    to_read: VecDeque<Seq>,
    read: VecDeque<(Seq, Vec<Chunk>)>,
}

impl<'a> Transcripts<'a> {
    /// The transcripts of a run that is called `name`.
    pub(super) fn of(engine: &'a Engine, run: RunId, name: &'a str) -> Self {
        Self {
            engine,
            run,
            name,
            to_read: VecDeque::new(),
            read: VecDeque::new(),
        }
    }

    /// Says which are asked for next, and in which order.
    pub(super) fn look_ahead(&mut self, next: impl IntoIterator<Item = Seq>) {
        self.to_read = next.into_iter().collect();
    }

    /// A transcript, read with some of those that are asked for next: opening a run is work, and grows with it.
    pub(super) async fn chunks(&mut self, of: Seq) -> Result<Vec<Chunk>, Failed> {
        if self.read.is_empty() {
            let ahead = self.to_read.front() == Some(&of);
            let next: Vec<Seq> = if ahead {
                self.to_read.iter().copied().take(READ_AHEAD).collect()
            } else {
                vec![of]
            };
            self.read = self.some_of(&next).await?.into();
            if ahead {
                self.to_read.drain(..self.read.len());
            }
        }
        let next = self.read.pop_front();
        Ok(next
            .filter(|(found, _)| *found == of)
            .map(|(_, chunks)| chunks)
            .unwrap_or_default())
    }

    async fn some_of(&self, next: &[Seq]) -> Result<Vec<(Seq, Vec<Chunk>)>, Failed> {
        let mut tries = 0;
        loop {
            match self.engine.journal.transcripts(self.run, next).await {
                // Whoever holds it has not opened the door yet, or is just leaving.
                Err(JournalError::Held(_)) if tries < TRIES => tokio::time::sleep(PACE).await,
                other => return other.map_err(|error| Failed::journal(self.name, &error)),
            }
            tries += 1;
        }
    }
}

/// How many lines tell what a step printed last.
const LAST_LINES: usize = 10;

/// What was printed last in a run, and by which step.
pub(super) async fn last_printed(
    engine: &Engine,
    state: &RunState,
) -> Result<Option<(String, Vec<String>)>, Failed> {
    let (run, name) = (state.started().run, state.started().name());
    let failed = |error: JournalError| Failed::journal(&name, &error);
    let entries = engine.journal.read(run, Seq(0)).await.map_err(failed)?;
    let printed = entries.iter().rev().find_map(|entry| {
        let transcript = transcript_of(&entry.event).filter(|transcript| transcript.bytes > 0)?;
        Some((subject(&entry.event)?, transcript.of))
    });
    let Some((instance, of)) = printed else {
        return Ok(None);
    };
    let chunks = engine.journal.transcript(run, of).await.map_err(failed)?;
    let text: String = streams(&chunks).into_iter().map(|(_, text)| text).collect();
    let mut last: Vec<String> = text.lines().rev().take(LAST_LINES).map(str::to_owned).collect();
    last.reverse();
    Ok(Some((format!("`{instance}`"), last)))
}

/// Chunks of one stream in a row, put together, so that lines are not cut.
pub(super) fn streams(chunks: &[Chunk]) -> Vec<(&str, String)> {
    let rows = chunks.chunk_by(|one, next| one.stream == next.stream);
    rows.map(|row| {
        let bytes: Vec<u8> = row.iter().flat_map(|chunk| chunk.bytes.iter().copied()).collect();
        (
            row[0].stream.as_str(),
            String::from_utf8_lossy(&bytes).into_owned(),
        )
    })
    .collect()
}
