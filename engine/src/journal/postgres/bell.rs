//! Word of what happens to runs: whoever writes rings, whoever waits listens. A ring may be lost, and behind a pooling
//! proxy all are: then those who wait look for themselves, more often.
//!
//! A ring is a transaction of its own, after the one that it tells of: within it, PostgreSQL would let all writers of
//! the cluster wait for each other's disk.

#![expect(
    clippy::disallowed_methods,
    reason = "how long to wait for word is no matter of a run's clock"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::mpsc::Receiver;
use tokio::time::{sleep, timeout};
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::link::{Link, Params, Patience};
use super::statements as sql;
use crate::id::RunId;
use crate::journal::locked;

/// How often those who hear look all the same.
const GLANCE: Duration = Duration::from_secs(5);

/// How close to each other rings may be.
const SHORTEST: Duration = Duration::from_millis(20);

/// How long our own ring may take to come back, by which it is known that we hear.
const PROOF: Duration = Duration::from_secs(2);

/// How often it is tried out again.
const AGAIN: Duration = Duration::from_secs(30);

/// See the module's documentation.
pub(super) struct Bell {
    link: Arc<Link>,
    rung: Mutex<BTreeSet<RunId>>,
    ringing: Notify,
    rings: AtomicBool,
    wanted: Mutex<BTreeMap<RunId, Arc<Notify>>>,
    any: Notify,
    listens: AtomicBool,
    hears: AtomicBool,
}

impl Bell {
    pub(super) fn new(link: Arc<Link>) -> Arc<Self> {
        Arc::new(Self {
            link,
            rung: Mutex::default(),
            ringing: Notify::new(),
            rings: AtomicBool::new(false),
            wanted: Mutex::default(),
            any: Notify::new(),
            listens: AtomicBool::new(false),
            hears: AtomicBool::new(false),
        })
    }

    /// Something has happened to a run.
    pub(super) fn ring(self: &Arc<Self>, run: RunId) {
        locked(&self.rung).insert(run);
        if !self.rings.swap(true, Ordering::SeqCst) {
            tokio::spawn(ring_always(Arc::downgrade(self)));
        }
        self.ringing.notify_one();
    }

    /// Returns when something may have happened to a run since this returned last; where nothing can be heard, after
    /// `longest`.
    pub(super) async fn wait(self: &Arc<Self>, run: RunId, longest: Duration) {
        if !self.listens.swap(true, Ordering::SeqCst) {
            tokio::spawn(listen_always(Arc::downgrade(self)));
        }
        // A ring from before is kept here.
        let rung = Arc::clone(locked(&self.wanted).entry(run).or_default());
        let longest = if self.hears.load(Ordering::SeqCst) {
            longest.max(GLANCE)
        } else {
            longest
        };
        let _either = timeout(longest, rung.notified()).await;
    }

    /// The same of any run.
    pub(super) async fn wait_for_any(self: &Arc<Self>, longest: Duration) {
        if !self.listens.swap(true, Ordering::SeqCst) {
            tokio::spawn(listen_always(Arc::downgrade(self)));
        }
        let _either = timeout(longest, self.any.notified()).await;
    }

    /// Whether rings are heard here.
    #[cfg(test)]
    pub(super) fn hears(&self) -> bool {
        self.hears.load(Ordering::SeqCst)
    }

    async fn send(&self, texts: Vec<String>) {
        let params: Params<'_> = &[(&texts, Type::TEXT_ARRAY)];
        let sent = self.link.ask(sql::NOTIFY, params, 0, Patience::Short);
        if let Err(error) = sent.await {
            tracing::debug!(%error, "nobody was told of what happened");
        }
    }

    /// Hears what comes by one connection, for as long as it lasts. Gives whether it was of any use.
    async fn hear(&self, mut told: Receiver<String>) -> bool {
        let proof = Uuid::new_v4().to_string();
        let mut proven = false;
        loop {
            self.send(vec![proof.clone()]).await;
            let known = tokio::time::Instant::now();
            let mut answered = false;
            while known.elapsed() < if answered { AGAIN } else { PROOF } {
                let longest = if answered { AGAIN } else { PROOF };
                match timeout(longest.saturating_sub(known.elapsed()), told.recv()).await {
                    Ok(None) => return proven,
                    Ok(Some(text)) if text == proof => {
                        (proven, answered) = (true, true);
                        self.hears.store(true, Ordering::SeqCst);
                    }
                    Ok(Some(text)) => self.pass_on(&text),
                    Err(_) => break,
                }
            }
            if !answered {
                return proven;
            }
        }
    }

    fn pass_on(&self, text: &str) {
        let waits = text
            .parse()
            .ok()
            .and_then(|run: RunId| locked(&self.wanted).get(&run).cloned());
        if let Some(waits) = waits {
            waits.notify_one();
        }
        self.any.notify_one();
    }
}

async fn ring_always(bell: Weak<Bell>) {
    loop {
        let Some(bell) = bell.upgrade() else { return };
        // Nobody wakes this up once the journal is gone.
        if timeout(AGAIN, bell.ringing.notified()).await.is_err() {
            continue;
        }
        let runs = std::mem::take(&mut *locked(&bell.rung));
        if !runs.is_empty() {
            bell.send(runs.iter().map(ToString::to_string).collect()).await;
            sleep(SHORTEST).await;
        }
    }
}

async fn listen_always(bell: Weak<Bell>) {
    loop {
        let Some(strong) = bell.upgrade() else { return };
        let useful = match strong.link.listen(sql::LISTEN).await {
            Ok((_client, told)) => strong.hear(told).await,
            // It is away: it may be heard again.
            Err(_) => true,
        };
        strong.hears.store(false, Ordering::SeqCst);
        if !useful {
            tracing::debug!("word of what happens does not come through: it is looked for instead");
            return;
        }
        sleep(GLANCE).await;
    }
}
