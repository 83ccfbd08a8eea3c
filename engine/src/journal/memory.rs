//! A journal in memory, for tests and simulations: the same stored form and chain as on disk, faults on
//! demand, and what a crash at this moment would leave.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::chain::{Digest, Head, Record, follows, seal_all};
use super::verify::{Anchor, Verifier};
use super::{
    Chunk, Claim, Durable, Fill, Holder, Intake, Journal, JournalError, Kept, Listed, Standing, Summary,
    Verification, attachable,
};
use crate::core::event::Entry;
use crate::id::{RunId, Seq};
use crate::identity::Signer;

/// How an append fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing was stored.
    Before,
    /// It was stored, and the writer is not told so.
    After,
}

/// Runs in memory.
#[derive(Debug, Default)]
pub struct MemoryJournal {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    runs: BTreeMap<RunId, Run>,
    /// How many appends are still to succeed before one fails.
    fault: Option<(u64, Fault)>,
}

#[derive(Debug, Clone, Default)]
struct Run {
    holder: Option<Holder>,
    poisoned: bool,
    records: Vec<Record>,
    chunks: BTreeMap<(Seq, u32), Vec<u8>>,
    /// Chunks that no append has made durable yet.
    printed: Vec<(Seq, u32)>,
    attachments: BTreeMap<String, Vec<u8>>,
    summary: Option<Summary>,
    copy: bool,
}

impl MemoryJournal {
    /// A journal without runs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes an append fail after `appends` more of them (0: the next one); those after it find the run
    /// poisoned until it is claimed again.
    pub fn fail_append(&self, appends: u64, fault: Fault) {
        self.lock().fault = Some((appends, fault));
    }

    /// What is left when the power fails now: what was durable, claimed by nobody.
    #[must_use]
    pub fn crash(&self) -> Self {
        let mut runs = self.lock().runs.clone();
        for run in runs.values_mut() {
            for chunk in std::mem::take(&mut run.printed) {
                run.chunks.remove(&chunk);
            }
            (run.holder, run.poisoned) = (None, false);
        }
        Self {
            inner: Mutex::new(Inner { runs, fault: None }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(
        &self,
        run: RunId,
        work: impl FnOnce(&Run) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        work(self.lock().runs.get(&run).ok_or(JournalError::NotFound(run))?)
    }
}

impl Inner {
    fn held(&mut self, claim: &Claim) -> Result<&mut Run, JournalError> {
        let run = self
            .runs
            .get_mut(&claim.run)
            .ok_or(JournalError::NotFound(claim.run))?;
        if run.holder.as_ref() == Some(&claim.holder) {
            Ok(run)
        } else {
            Err(JournalError::NotClaimed)
        }
    }

    /// Counts an append, and says whether and how it fails.
    fn next_fault(&mut self) -> Option<Fault> {
        let (left, fault) = self.fault?;
        self.fault = left.checked_sub(1).map(|left| (left, fault));
        (left == 0).then_some(fault)
    }
}

impl Run {
    fn head(&self) -> Option<Head> {
        let seq = Seq(self.records.len().checked_sub(1)? as u64);
        self.records.last().map(|record| Head {
            seq,
            hash: record.hash,
        })
    }

    fn append(
        &mut self,
        entries: &[Entry],
        signer: Option<&dyn Signer>,
        fault: Option<Fault>,
    ) -> Result<Durable<Seq>, JournalError> {
        let records = seal_all(self.head(), entries, signer)?;
        if fault != Some(Fault::Before) {
            self.records.extend(records.into_iter().map(|(_, record)| record));
            self.printed.clear();
        }
        if fault.is_some() {
            self.poisoned = true;
            let source = std::io::Error::other("a fault that a test asked for");
            return Err(JournalError::Storage {
                doing: "written",
                source,
            });
        }
        let head = self
            .head()
            .ok_or_else(|| JournalError::Unstorable("a run without entries".to_owned()))?;
        Ok(Durable::attest(head.seq))
    }

    fn kept(&self, from: Seq) -> Result<Vec<Kept>, JournalError> {
        let mut prev = Digest::ZERO;
        let mut entries = Vec::new();
        for (at, record) in (0..).map(Seq).zip(&self.records) {
            if at >= from {
                entries.push(record.open(at, prev)?);
            }
            prev = record.hash;
        }
        Ok(entries)
    }

    fn verify(&self) -> Verification {
        let anchor = |head| Anchor {
            name: "the journal",
            head,
        };
        let mut verifier = Verifier::new(self.head().map(anchor).into_iter().collect());
        for (at, record) in (0..).map(Seq).zip(&self.records) {
            verifier.entry(at, &record.to_bytes());
        }
        verifier.entries_end();
        for (&(of, number), bytes) in &self.chunks {
            verifier.chunk(of, number, bytes);
        }
        for (sha256, content) in &self.attachments {
            verifier.attachment(sha256, content);
        }
        verifier.finish()
    }
}

impl Intake for Run {
    fn record(&mut self, at: Seq, bytes: Vec<u8>) -> Result<(), JournalError> {
        let head = self.head();
        let record = follows(head, at, &bytes)?;
        self.records.push(record);
        Ok(())
    }

    fn chunk(&mut self, of: Seq, number: u32, bytes: Vec<u8>) -> Result<(), JournalError> {
        drop(self.chunks.insert((of, number), bytes));
        Ok(())
    }

    fn attachment(&mut self, content: &[u8]) -> Result<(), JournalError> {
        let sha256 = Digest::of(content).to_string();
        drop(self.attachments.insert(sha256, content.to_vec()));
        Ok(())
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn create_by(
        &self,
        run: RunId,
        holder: Holder,
        first: &[Entry],
        signer: Option<&dyn Signer>,
    ) -> Result<(Claim, Durable<Seq>), JournalError> {
        let mut inner = self.lock();
        if inner.runs.contains_key(&run) {
            let source = std::io::Error::new(std::io::ErrorKind::AlreadyExists, "the run exists");
            return Err(JournalError::Storage {
                doing: "written",
                source,
            });
        }
        let fault = inner.next_fault();
        let mut made = Run {
            holder: Some(holder.clone()),
            ..Run::default()
        };
        let durable = made.append(first, signer, fault);
        made.summary = made.head().and_then(|head| Summary::of_first(first, &head.hash));
        if durable.is_ok() || fault == Some(Fault::After) {
            inner.runs.insert(run, made);
        }
        Ok((Claim { run, holder }, durable?))
    }

    async fn claim(&self, run: RunId, holder: Holder) -> Result<Claim, JournalError> {
        let mut inner = self.lock();
        let found = inner.runs.get_mut(&run).ok_or(JournalError::NotFound(run))?;
        if let Some(other) = &found.holder {
            return Err(JournalError::Held(Some(other.clone())));
        }
        if found.copy {
            return Err(JournalError::Copy);
        }
        (found.holder, found.poisoned) = (Some(holder.clone()), false);
        Ok(Claim { run, holder })
    }

    async fn release(&self, claim: Claim, summary: Option<Summary>) -> Result<(), JournalError> {
        let mut inner = self.lock();
        let run = inner.held(&claim)?;
        run.holder = None;
        run.printed.clear();
        run.summary = summary.or_else(|| run.summary.take());
        Ok(())
    }

    async fn append_by(
        &self,
        claim: &Claim,
        expected: Seq,
        entries: &[Entry],
        signer: Option<&dyn Signer>,
    ) -> Result<Durable<Seq>, JournalError> {
        let mut inner = self.lock();
        let run = inner.held(claim)?;
        if run.poisoned {
            return Err(JournalError::Poisoned);
        }
        let found = run.head().map_or(Seq(0), |head| head.seq.next());
        if expected != found {
            return Err(JournalError::Conflict { expected, found });
        }
        let fault = inner.next_fault();
        inner.held(claim)?.append(entries, signer, fault)
    }

    async fn kept(&self, run: RunId, from: Seq) -> Result<Vec<Kept>, JournalError> {
        self.with(run, |run| run.kept(from))
    }

    async fn records(&self, run: RunId, from: Seq) -> Result<Vec<Vec<u8>>, JournalError> {
        let skipped = usize::try_from(from.0).unwrap_or(usize::MAX);
        self.with(run, |run| {
            Ok(run.records.iter().skip(skipped).map(Record::to_bytes).collect())
        })
    }

    async fn restore(
        &self,
        run: RunId,
        holder: Holder,
        standing: Standing,
        fill: Fill<'_>,
    ) -> Result<Claim, JournalError> {
        let mut inner = self.lock();
        let mut restored = inner.runs.get(&run).cloned().unwrap_or_default();
        if let Some(other) = restored.holder {
            return Err(JournalError::Held(Some(other)));
        }
        fill(&mut restored)?;
        (restored.holder, restored.copy) = (Some(holder.clone()), standing == Standing::Copy);
        let _before = inner.runs.insert(run, restored);
        Ok(Claim { run, holder })
    }

    async fn is_copy(&self, run: RunId) -> Result<bool, JournalError> {
        self.with(run, |run| Ok(run.copy))
    }

    async fn remove(&self, run: RunId) -> Result<(), JournalError> {
        let holder = self.with(run, |run| Ok(run.holder.clone()))?;
        match holder {
            Some(holder) => Err(JournalError::Held(Some(holder))),
            None => {
                drop(self.lock().runs.remove(&run));
                Ok(())
            }
        }
    }

    fn print(&self, claim: &Claim, of: Seq, number: u32, chunk: &Chunk) -> Result<(), JournalError> {
        let mut inner = self.lock();
        let run = inner.held(claim)?;
        if run.poisoned {
            return Err(JournalError::Poisoned);
        }
        run.chunks.insert((of, number), chunk.to_bytes()?);
        run.printed.push((of, number));
        Ok(())
    }

    async fn transcript(&self, run: RunId, of: Seq) -> Result<Vec<Chunk>, JournalError> {
        self.with(run, |run| {
            run.chunks
                .range((of, 0)..=(of, u32::MAX))
                .map(|(_, bytes)| Chunk::from_bytes(bytes))
                .collect()
        })
    }

    async fn attach(&self, claim: &Claim, content: &[u8]) -> Result<String, JournalError> {
        let mut inner = self.lock();
        let run = inner.held(claim)?;
        if run.poisoned {
            return Err(JournalError::Poisoned);
        }
        attachable(content)?;
        let sha256 = Digest::of(content).to_string();
        run.attachments.insert(sha256.clone(), content.to_vec());
        Ok(sha256)
    }

    async fn attachment(&self, run: RunId, sha256: &str) -> Result<Vec<u8>, JournalError> {
        self.with(run, |run| {
            let missing = || JournalError::Damaged(format!("there is no attachment {sha256}"));
            run.attachments.get(sha256).cloned().ok_or_else(missing)
        })
    }

    async fn holder(&self, run: RunId) -> Result<Option<Holder>, JournalError> {
        Ok(self.lock().runs.get(&run).and_then(|run| run.holder.clone()))
    }

    async fn summarise(&self, claim: &Claim, summary: &Summary) -> Result<(), JournalError> {
        self.lock().held(claim)?.summary = Some(summary.clone());
        Ok(())
    }

    async fn head_hash(&self, run: RunId) -> Result<String, JournalError> {
        self.with(run, |run| {
            Ok(run.head().map_or(Digest::ZERO, |head| head.hash).to_string())
        })
    }

    async fn runs(&self) -> Result<Vec<RunId>, JournalError> {
        Ok(self.lock().runs.keys().copied().collect())
    }

    async fn list(&self) -> Result<Vec<Listed>, JournalError> {
        let row = |(&run, found): (&RunId, &Run)| Listed {
            run,
            summary: found
                .summary
                .clone()
                .ok_or_else(|| JournalError::Damaged("the run has no summary".to_owned())),
            holder: found.holder.clone(),
            copy: found.copy,
            at_work: Vec::new(),
        };
        Ok(self.lock().runs.iter().rev().map(row).collect())
    }

    async fn verify(&self, run: RunId) -> Result<Verification, JournalError> {
        self.with(run, |run| Ok(run.verify()))
    }
}
