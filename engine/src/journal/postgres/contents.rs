//! Reading what the database holds of a run, page by page, and checking that it is all there.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::held::{number, seq_of};
use super::link::{Link, Params, Patience, Problem};
use super::statements as sql;
use crate::id::{RunId, Seq};
use crate::journal::chain::{Digest, Head, Record};
use crate::journal::verify::{Anchor, Verifier};
use crate::journal::{Chunk, JournalError, Kept, LARGEST_ATTACHMENT, MOST_AT_ONCE, Summary, Verification};

/// How many entries are read at once.
const ENTRIES: i64 = 100;

/// How many chunks or pieces are read at once: a few mebibytes.
const PIECES: i64 = 128;

/// How many bytes a page may have: what is waited for on a slow line.
const PAGE: usize = 16 * 1024 * 1024;

/// By which statements are asked.
pub(super) enum Reader<'a> {
    /// The connection that all share: each statement by itself.
    Shared(&'a Link, Patience),
    /// One of our own, in which a transaction shows one moment.
    Alone(&'a Link, &'a Client),
}

impl Reader<'_> {
    async fn rows(&self, statement: &str, params: Params<'_>) -> Result<Vec<Row>, JournalError> {
        match self {
            Self::Shared(link, patience) => {
                let answer = link.ask(statement, params, PAGE, *patience).await?;
                Ok(answer.rows)
            }
            Self::Alone(link, client) => {
                let rows = client.query_typed(statement, params).await;
                rows.map_err(|error| link.failed(Problem::from(error)))
            }
        }
    }

    /// The newest entry, as the run's own row has it.
    pub(super) async fn head(&self, run: RunId) -> Result<Head, JournalError> {
        let rows = self.rows(sql::STANDS, &[(run.as_uuid(), Type::UUID)]).await?;
        let row = rows.first().ok_or(JournalError::NotFound(run))?;
        head_of(row.get(0), row.get(1))
    }

    /// The entries from `from` on, each checked against the chain, and which is the newest.
    pub(super) async fn entries(&self, run: RunId, from: Seq) -> Result<(Vec<Kept>, Head), JournalError> {
        let head = self.head(run).await?;
        if from > head.seq {
            return Ok((Vec::new(), head));
        }
        let gap = |at: Seq| JournalError::Damaged(format!("dropped: entry {at} is missing"));
        let mut next = Seq(from.0.saturating_sub(1));
        let (mut prev, mut entries) = (Digest::ZERO, Vec::new());
        while next <= head.seq {
            let page = self.records(run, next).await?;
            if page.is_empty() {
                return Err(gap(next));
            }
            for (at, bytes) in page.into_iter().filter(|(at, _)| *at <= head.seq) {
                let record = Record::from_bytes(&bytes).filter(|_| at == next);
                let record = record.ok_or_else(|| gap(next))?;
                if at >= from {
                    entries.push(record.open(at, prev)?);
                }
                (prev, next) = (record.hash, next.next());
            }
        }
        if prev == head.hash {
            Ok((entries, head))
        } else {
            Err(JournalError::Damaged(format!(
                "changed: entry {} is not the one that was written",
                head.seq
            )))
        }
    }

    /// What is kept of the entries from `from` on.
    pub(super) async fn all_records(&self, run: RunId, from: Seq) -> Result<Vec<Vec<u8>>, JournalError> {
        let head = self.head(run).await?;
        let (mut all, mut next) = (Vec::new(), from);
        loop {
            let page = self.records(run, next).await?;
            let Some((last, _)) = page.last() else {
                return Ok(all);
            };
            next = last.next();
            let known = page.into_iter().filter(|(at, _)| *at <= head.seq);
            all.extend(known.map(|(_, bytes)| bytes));
        }
    }

    /// A page of records.
    async fn records(&self, run: RunId, from: Seq) -> Result<Vec<(Seq, Vec<u8>)>, JournalError> {
        let params: Params<'_> = &[
            (run.as_uuid(), Type::UUID),
            (&number(from), Type::INT8),
            (&ENTRIES, Type::INT8),
        ];
        let rows = self.rows(sql::ENTRIES, params).await?;
        rows.iter()
            .map(|row| Ok((seq_of(row.get(0))?, row.get(1))))
            .collect()
    }

    /// The transcript of the activity that entry `of` started.
    pub(super) async fn transcript(&self, run: RunId, of: Seq) -> Result<Vec<Chunk>, JournalError> {
        let (mut chunks, mut next) = (Vec::new(), 0_i32);
        loop {
            let params: Params<'_> = &[
                (run.as_uuid(), Type::UUID),
                (&number(of), Type::INT8),
                (&next, Type::INT4),
                (&PIECES, Type::INT8),
            ];
            let rows = self.rows(sql::CHUNKS, params).await?;
            let Some(last) = rows.last() else {
                return Ok(chunks);
            };
            next = last.get::<_, i32>(0).saturating_add(1);
            for row in &rows {
                chunks.push(Chunk::from_bytes(row.get(1))?);
            }
        }
    }

    /// The transcripts of the first of these activities.
    pub(super) async fn transcripts(
        &self,
        run: RunId,
        of: &[Seq],
    ) -> Result<Vec<(Seq, Vec<Chunk>)>, JournalError> {
        let (mut found, mut size) = (Vec::new(), 0);
        for &of in of {
            let chunks = self.transcript(run, of).await?;
            size += chunks.iter().map(|chunk| chunk.bytes.len()).sum::<usize>();
            found.push((of, chunks));
            if size >= MOST_AT_ONCE {
                break;
            }
        }
        Ok(found)
    }

    /// The attachment of this hash.
    pub(super) async fn attachment(&self, run: RunId, sha256: &str) -> Result<Vec<u8>, JournalError> {
        let missing = || JournalError::Damaged(format!("there is no attachment {sha256}"));
        let hash: Digest = sha256.parse().map_err(|_| missing())?;
        let params: Params<'_> = &[
            (run.as_uuid(), Type::UUID),
            (&hash.as_bytes().as_slice(), Type::BYTEA),
        ];
        if self.rows(sql::ATTACHMENT, params).await?.is_empty() {
            self.head(run).await?;
            return Err(missing());
        }
        let content = self.content(run, &hash).await?;
        if Digest::of(&content) == hash {
            Ok(content)
        } else {
            Err(JournalError::Damaged(format!(
                "changed: the attachment {sha256} does not match its hash"
            )))
        }
    }

    /// The pieces of an attachment, put together; no more than one may have.
    async fn content(&self, run: RunId, hash: &Digest) -> Result<Vec<u8>, JournalError> {
        let (mut content, mut next) = (Vec::new(), 0_i32);
        while content.len() <= LARGEST_ATTACHMENT {
            let params: Params<'_> = &[
                (run.as_uuid(), Type::UUID),
                (&hash.as_bytes().as_slice(), Type::BYTEA),
                (&next, Type::INT4),
                (&(PIECES / 8), Type::INT8),
            ];
            let rows = self.rows(sql::PIECES, params).await?;
            let Some(last) = rows.last() else { break };
            next = last.get::<_, i32>(0).saturating_add(1);
            for row in &rows {
                content.extend_from_slice(row.get(1));
            }
        }
        Ok(content)
    }

    /// What lists show, if there is anything.
    async fn summary(&self, run: RunId) -> Result<Option<Summary>, JournalError> {
        let rows = self.rows(sql::SUMMARY, &[(run.as_uuid(), Type::UUID)]).await?;
        Ok(rows.first().and_then(|row| summary(row.get(0)).ok()))
    }

    /// That the newest entry is the one that the run's row and its summary know of: a run must never go on from
    /// anything else.
    pub(super) async fn check_head(&self, run: RunId, head: Head) -> Result<(), JournalError> {
        let damaged = |message: String| Err(JournalError::Damaged(message));
        let found = self.records(run, head.seq).await?;
        if found.len() > 1 {
            let (from, last) = (head.seq.next(), found.len() as u64 - 1 + head.seq.0);
            return damaged(format!("changed: nobody wrote the entries {from} to {last}"));
        }
        let hash = found.first().and_then(|(_, bytes)| Record::from_bytes(bytes));
        match hash.map(|record| record.hash == head.hash) {
            None => return damaged(format!("truncated: entry {} is missing", head.seq)),
            Some(false) => {
                return damaged(format!(
                    "changed: entry {} is not the one that was written",
                    head.seq
                ));
            }
            Some(true) => {}
        }
        let known = self.summary(run).await?.map(|summary| summary.head);
        match known.filter(|known| *known > head.seq) {
            Some(known) => damaged(format!(
                "truncated: it ends with entry {}, but entry {known} was written",
                head.seq
            )),
            None => Ok(()),
        }
    }

    /// Looks at everything.
    pub(super) async fn verify(&self, run: RunId) -> Result<Verification, JournalError> {
        let head = self.head(run).await?;
        let mut anchors = vec![Anchor {
            name: "the run's row",
            head,
        }];
        if let Some(summary) = self.summary(run).await?
            && let Ok(hash) = summary.head_hash.parse()
        {
            let (name, seq) = ("the summary", summary.head);
            let head = Head { seq, hash };
            anchors.push(Anchor { name, head });
        }
        let mut verifier = Verifier::new(anchors);
        let mut next = Seq(0);
        loop {
            let page = self.records(run, next).await?;
            let Some((last, _)) = page.last() else { break };
            next = last.next();
            page.iter().for_each(|(at, bytes)| verifier.entry(*at, bytes));
        }
        verifier.entries_end();
        self.verify_chunks(run, &mut verifier).await?;
        let attachments = self
            .rows(sql::ATTACHMENTS, &[(run.as_uuid(), Type::UUID)])
            .await?;
        for row in attachments {
            match <[u8; Digest::LEN]>::try_from(row.get::<_, &[u8]>(0)) {
                Ok(hash) => {
                    let hash = Digest::from(hash);
                    verifier.attachment(&hash.to_string(), &self.content(run, &hash).await?);
                }
                Err(_) => verifier.unreadable("an attachment", "its key is none"),
            }
        }
        Ok(verifier.finish())
    }

    async fn verify_chunks(&self, run: RunId, verifier: &mut Verifier) -> Result<(), JournalError> {
        let (mut activity, mut after) = (-1_i64, -1_i32);
        loop {
            let params: Params<'_> = &[
                (run.as_uuid(), Type::UUID),
                (&activity, Type::INT8),
                (&after, Type::INT4),
                (&PIECES, Type::INT8),
            ];
            let rows = self.rows(sql::ALL_CHUNKS, params).await?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            (activity, after) = (last.get(0), last.get(1));
            for row in &rows {
                match (seq_of(row.get(0)), u32::try_from(row.get::<_, i32>(1))) {
                    (Ok(of), Ok(number)) => verifier.chunk(of, number, row.get(2)),
                    _ => verifier.unreadable("a chunk of a transcript", "its key is none"),
                }
            }
        }
    }
}

/// The newest entry, of what a run's row says.
pub(super) fn head_of(next: i64, hash: &[u8]) -> Result<Head, JournalError> {
    let seq = next.checked_sub(1).map(seq_of);
    let hash: Option<[u8; Digest::LEN]> = hash.try_into().ok();
    match (seq, hash) {
        (Some(Ok(seq)), Some(hash)) => Ok(Head {
            seq,
            hash: Digest::from(hash),
        }),
        _ => Err(JournalError::Damaged(
            "changed: the run's row says nothing".to_owned(),
        )),
    }
}

/// The summary that is kept as this text.
pub(super) fn summary(text: &str) -> Result<Summary, JournalError> {
    serde_json::from_str(text)
        .map_err(|error| JournalError::Damaged(format!("its summary cannot be read: {error}")))
}

/// Who holds a run, of what is kept.
pub(super) fn holder(text: Option<&str>) -> Option<crate::journal::Holder> {
    serde_json::from_str(text?).ok()
}
