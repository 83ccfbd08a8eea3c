//! Runs that go from one journal to another as bundles: everything is checked before anything is stored.

use std::io::{Read, Seek, Write};

use super::engine::{Engine, RuntimeError};
use super::run::Run;
use crate::core::event::{Entry, Handing};
use crate::core::operators::Operators;
use crate::core::{Act, Input, Lacking, RunState, turn};
use crate::id::{RunId, Seq};
use crate::journal::bundle::{self, BundleError, Checked, Maker, Manifest};
use crate::journal::{Digest, JournalError, SealedEntries, Standing};

/// Why a bundle was not taken in. Nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It cannot be read or trusted.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// What it holds is not for this operator or program, or the journal failed.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The run was continued in two places.
    #[error("the run was continued in two places")]
    Forks(Box<Fork>),
    /// Everything in it is here already.
    #[error("the bundle holds {} entries, all of which are here, where the run has {}", .bundle, .here)]
    Old {
        /// How many entries it holds.
        bundle: usize,
        /// How many there are here.
        here: usize,
    },
}

impl From<JournalError> for ImportError {
    fn from(error: JournalError) -> Self {
        Self::Runtime(error.into())
    }
}

/// Two continuations of one run.
#[derive(Debug)]
pub struct Fork {
    /// The run.
    pub name: String,
    /// How it goes on here after what both share.
    pub here: Vec<Entry>,
    /// How it goes on in the bundle.
    pub bundle: Vec<Entry>,
}

/// A run that was taken in.
pub struct Arrival {
    /// The run, claimed.
    pub run: Run,
    /// How many entries came with it.
    pub added: usize,
    /// How many were here before.
    pub before: usize,
    /// Whether it goes on here, or is a copy of one that goes on elsewhere.
    pub standing: Standing,
}

impl Engine {
    /// Writes a run as a bundle, signed if whoever makes it has a key.
    ///
    /// # Errors
    /// When the run cannot be read or trusted, or the bundle not be written.
    pub async fn export<W: Write + Send>(
        &self,
        run: RunId,
        out: W,
        program: &str,
    ) -> Result<(W, Manifest), BundleError> {
        self.clock.follow();
        let made = Maker {
            operator: self.author.operator.clone(),
            host: self.author.host.clone(),
            time: self.clock.now(),
            program: program.to_owned(),
            key: None,
        };
        let signer = self.author.signer.as_deref();
        bundle::write(self.journal.as_ref(), run, made, signer, out).await
    }

    /// Takes a bundle of so many bytes in: a run that was moved here goes on here; any other is a copy. Whoever wrote
    /// and made it is held against people who are trusted, or else its maker against the run's own.
    ///
    /// # Errors
    /// When the bundle is damaged or forged, is not for this operator, holds nothing new, or contradicts what is here.
    pub async fn import(
        &self,
        mut file: impl Read + Seek + Send,
        size: u64,
        trusted: Option<&Operators>,
    ) -> Result<Arrival, ImportError> {
        let checked = bundle::check(&mut file, size)?;
        let run = checked.sound()?.run;
        let definitions = self.definitions(&checked.entries)?;
        let runbook = definitions.latest();
        match (trusted, runbook.workflow().operators()) {
            (Some(trusted), _) if checked.verification.rehearsal => checked.by(&trusted.rehearsed())?,
            (Some(trusted), _) => checked.by(trusted)?,
            (None, Some(team)) => drop(checked.made_by(team)?),
            (None, None) => {}
        }
        let mut state = definitions.fold(&checked.entries).map_err(RuntimeError::from)?;
        let here = match self.journal.records(run, Seq(0)).await {
            Err(JournalError::NotFound(_)) => Vec::new(),
            other => other?,
        };
        let shared = checked.shared(&here);
        let moved = state.hands().away().is_some();
        if shared < here.len().min(checked.entries.len()) {
            return Err(self.fork(run, &checked, shared).await?);
        }
        if checked.entries.len() < here.len() || (checked.entries.len() == here.len() && !moved) {
            let (bundle, here) = (checked.entries.len(), here.len());
            return Err(ImportError::Old { bundle, here });
        }
        let (standing, arrived) = if moved {
            let entries = self.hand(&mut state, Handing::MovedIn)?;
            (
                Standing::Own,
                checked.sealed_behind(&entries, self.author.signer.as_deref())?,
            )
        } else {
            (Standing::Copy, SealedEntries::default())
        };
        let claim = self
            .journal
            .restore(run, self.holder(), standing, &mut |into| {
                checked.pour(&mut file, size, Seq(shared as u64), into)?;
                arrived.pour(into)
            })
            .await?;
        Ok(Arrival {
            run: self.opened(claim, state, runbook),
            added: checked.entries.len() - shared,
            before: shared,
            standing,
        })
    }

    /// Goes on here with a run of which there is only a copy.
    ///
    /// # Errors
    /// When somebody holds it, or it cannot be made durable.
    pub async fn take_over(&self, run: RunId, why: String) -> Result<(Run, Vec<Entry>), RuntimeError> {
        let story = self.read(run).await?;
        let mut state = story.state;
        let last = state.last_seq();
        let hash: Digest = self
            .journal
            .head_hash(run)
            .await?
            .parse()
            .map_err(|_| JournalError::Damaged("the last entry has no hash".to_owned()))?;
        let entries = self.hand(&mut state, Handing::TakenOver { why })?;
        let sealed = SealedEntries::after(last, hash, &entries, self.author.signer.as_deref())?;
        let claim = self
            .journal
            .restore(run, self.holder(), Standing::Own, &mut |into| sealed.pour(into))
            .await?;
        Ok((self.opened(claim, state, story.runbook), entries))
    }

    /// Records in a state, not yet in a journal, who has the run.
    fn hand(&self, state: &mut RunState, handing: Handing) -> Result<Vec<Entry>, RuntimeError> {
        self.clock.follow();
        let who = self.author.turn(self.clock.now(), true, Lacking::nothing());
        Ok(turn(state, &Input::Act(Act::Hand(handing)), &who)?)
    }

    /// How the run goes on here and in the bundle, after what both share.
    async fn fork(&self, run: RunId, checked: &Checked, shared: usize) -> Result<ImportError, ImportError> {
        let here = self.journal.read(run, Seq(shared as u64)).await?;
        let bundle = checked.entries[shared..].to_vec();
        let name = checked.sound()?.name();
        Ok(ImportError::Forks(Box::new(Fork { name, here, bundle })))
    }
}
