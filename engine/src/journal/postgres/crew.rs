//! Several workers on one run, each with claims on what it has under way.

#![expect(
    clippy::disallowed_methods,
    reason = "claims end by the database's clock, and no matter of a run's"
)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::time::sleep;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::bell::Bell;
use super::held::{milliseconds, number, seq_of};
use super::joined::Joined;
use super::link::{Link, Params, Patience};
use super::statements::workers as sql;
use super::{PostgresJournal, contents, written};
use crate::core::event::Entry;
use crate::id::{InstanceId, RunId, Seq};
use crate::identity::Signer;
use crate::journal::{
    AtWork, Claim, Crew, Durable, Holder, Journal as _, JournalError, Outlook, Stake, Stand, locked,
};

/// What this process is as a worker: the runs that it has come to, and how it keeps its claims.
pub(super) struct Workplace {
    link: Arc<Link>,
    bell: Arc<Bell>,
    /// What tells its claims from those of others.
    worker: Uuid,
    runs: Mutex<BTreeMap<RunId, Arc<Joined>>>,
    renews: AtomicBool,
}

impl Workplace {
    pub(super) fn new(link: Arc<Link>, bell: Arc<Bell>) -> Arc<Self> {
        Arc::new(Self {
            link,
            bell,
            worker: Uuid::new_v4(),
            runs: Mutex::default(),
            renews: AtomicBool::new(false),
        })
    }

    /// The run that this process came to by this claim, if it did.
    pub(super) fn joined(&self, claim: &Claim) -> Option<Arc<Joined>> {
        let found = self.of(claim.run);
        found.filter(|joined| joined.holder == claim.holder)
    }

    pub(super) fn of(&self, run: RunId) -> Option<Arc<Joined>> {
        locked(&self.runs).get(&run).cloned()
    }

    /// Whether it is at work anywhere.
    pub(super) fn is_empty(&self) -> bool {
        locked(&self.runs).is_empty()
    }

    /// Leaves a run.
    pub(super) fn leave(&self, run: RunId) {
        drop(locked(&self.runs).remove(&run));
    }

    fn come(self: &Arc<Self>, run: RunId, holder: &Holder, lasts: Duration) {
        let joined = Joined::new(
            Arc::clone(&self.link),
            Arc::clone(&self.bell),
            self.worker,
            run,
            holder.clone(),
            lasts,
        );
        drop(locked(&self.runs).insert(run, joined));
        if !self.renews.swap(true, Ordering::SeqCst) {
            tokio::spawn(renew_always(Arc::downgrade(self), lasts));
        }
    }

    /// Keeps all claims of this worker with one statement, where there are any.
    async fn renew(&self, lasts: Duration) -> Result<(), JournalError> {
        let has_claims = locked(&self.runs).values().any(|joined| joined.has_claims());
        if !has_claims {
            return Ok(());
        }
        let milliseconds = milliseconds(lasts);
        let params: Params<'_> = &[(&self.worker, Type::UUID), (&milliseconds, Type::INT8)];
        self.link.ask(sql::RENEW, params, 0, Patience::Long).await?;
        Ok(())
    }
}

/// Renews the claims of a worker for as long as it is there.
async fn renew_always(workplace: Weak<Workplace>, lasts: Duration) {
    loop {
        sleep(lasts / 3).await;
        let Some(workplace) = workplace.upgrade() else {
            return;
        };
        if let Err(error) = workplace.renew(lasts).await {
            tracing::warn!(%error, "the claims of this worker were not renewed");
        }
    }
}

#[async_trait]
impl Crew for PostgresJournal {
    async fn join(&self, run: RunId, holder: Holder) -> Result<Claim, JournalError> {
        self.reader().head(run).await?;
        if self.is_copy(run).await? {
            return Err(JournalError::Copy);
        }
        self.workplace.come(run, &holder, self.claims_last);
        self.make_folder(run);
        Ok(Claim { run, holder })
    }

    async fn append_with(
        &self,
        claim: &Claim,
        expected: Seq,
        entries: &[Entry],
        signer: Option<&dyn Signer>,
        stake: &Stake,
    ) -> Result<Durable<Seq>, JournalError> {
        let joined = self.workplace.joined(claim).ok_or(JournalError::NotClaimed)?;
        joined.append(expected, entries, signer, stake).await
    }

    async fn take_over(
        &self,
        claim: &Claim,
        expected: Seq,
        calls: &[(InstanceId, Seq)],
    ) -> Result<Vec<InstanceId>, JournalError> {
        let holder = written(&claim.holder)?;
        let (instances, activities) = apart(calls);
        let params: Params<'_> = &[
            (claim.run.as_uuid(), Type::UUID),
            (&self.workplace.worker, Type::UUID),
            (&number(expected), Type::INT8),
            (&instances, Type::TEXT_ARRAY),
            (&activities, Type::INT8_ARRAY),
            (&holder, Type::TEXT),
            (&milliseconds(self.claims_last), Type::INT8),
        ];
        let rows = self
            .link
            .ask(sql::TAKE_OVER, params, 0, Patience::Long)
            .await?
            .rows;
        let taken: Vec<InstanceId> = rows
            .iter()
            .filter_map(|row| row.get::<_, &str>(0).parse().ok())
            .collect();
        if let Some(joined) = self.workplace.joined(claim).filter(|_| !taken.is_empty()) {
            joined.now_has_claims();
        }
        Ok(taken)
    }

    async fn outlook(&self, run: Option<RunId>) -> Result<Outlook, JournalError> {
        let run = run.map(|run| *run.as_uuid());
        let params: Params<'_> = &[(&run, Type::UUID), (&self.workplace.worker, Type::UUID)];
        let patience = self.patience();
        let rows = self.link.ask(sql::OUTLOOK, params, 0, patience).await?.rows;
        let now = rows.first().map(|row| row.get::<_, i64>(0));
        let now = now.and_then(|now| Timestamp::from_microsecond(now).ok());
        let now = now.ok_or_else(|| JournalError::Damaged("the database tells no time".to_owned()))?;
        let runs = rows.iter().filter_map(stand).collect::<Result<_, _>>()?;
        Ok(Outlook { now, runs })
    }

    async fn any_news(&self, longest: Duration) {
        self.bell.wait_for_any(longest).await;
    }
}

/// Instances and the entries that started their calls, each in a list of its own.
pub(super) fn apart(calls: &[(InstanceId, Seq)]) -> (Vec<String>, Vec<i64>) {
    let apart = calls
        .iter()
        .map(|(instance, of)| (instance.to_string(), number(*of)));
    apart.unzip()
}

/// A row about a run; none where the row only tells the time.
fn stand(row: &Row) -> Option<Result<Stand, JournalError>> {
    let run = RunId::new(row.get::<_, Option<Uuid>>(1)?);
    let calls: Option<&str> = row.get(5);
    Some(seq_of(row.get(2)).map(|next| Stand {
        run,
        next,
        is_shared: row.get(3),
        held: contents::holder(row.get(4)),
        calls: at_work(calls),
    }))
}

/// What is under way; what this program cannot read is somebody's all the same, and not shown.
pub(super) fn at_work(calls: Option<&str>) -> Vec<AtWork> {
    let calls: Vec<(InstanceId, u64, String, f64, bool)> = calls
        .and_then(|calls| serde_json::from_str(calls).ok())
        .unwrap_or_default();
    let read = calls.into_iter().filter_map(|(instance, of, by, left, is_ours)| {
        Some(AtWork {
            instance,
            of: Seq(of),
            by: contents::holder(Some(&by))?,
            is_ours,
            left: Duration::try_from_secs_f64(left / 1000.0).unwrap_or_default(),
        })
    });
    read.collect()
}
