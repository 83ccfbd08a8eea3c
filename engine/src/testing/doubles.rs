//! Stand-ins for what the runtime gives to a plugin: a transcript that can be read, files in memory, contexts.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rpds::RedBlackTreeMapSync;
use serde_json::{Value, json};
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;

use crate::id::{AttemptNo, Host, InstanceId, Operator, RunId, StepId};
use crate::secret::Mask;
use crate::step::{Context, Files, ProcessMark, Purpose, Registry, RunFacts, StepFacts, Transcriber};

/// A transcript in memory.
#[derive(Debug, Default)]
pub struct Recorder {
    chunks: Mutex<Vec<(&'static str, Vec<u8>)>>,
    shown: Mutex<Vec<String>>,
    processes: Mutex<Vec<ProcessMark>>,
    kept: Mutex<Vec<Value>>,
    changed: Notify,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recorder {
    /// A transcript in which nothing stands yet.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// All that was printed on a stream.
    #[must_use]
    pub fn bytes(&self, stream: &str) -> Vec<u8> {
        let chunks = locked(&self.chunks);
        chunks
            .iter()
            .filter(|(of, _)| *of == stream)
            .flat_map(|(_, bytes)| bytes.clone())
            .collect()
    }

    /// All that was printed on a stream, as text.
    #[must_use]
    pub fn text(&self, stream: &str) -> String {
        String::from_utf8_lossy(&self.bytes(stream)).into_owned()
    }

    /// All that was printed on any stream, as text.
    #[must_use]
    pub fn all(&self) -> String {
        let streams: BTreeSet<_> = self.order().into_iter().map(|(stream, _)| stream).collect();
        let texts: Vec<String> = streams.into_iter().map(|stream| self.text(stream)).collect();
        texts.join("\n")
    }

    /// All that was printed, in the order in which it came: the streams, and what each printed.
    #[must_use]
    pub fn order(&self) -> Vec<(&'static str, String)> {
        let chunks = locked(&self.chunks);
        let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
        chunks
            .iter()
            .map(|(stream, bytes)| (*stream, text(bytes)))
            .collect()
    }

    /// How many bytes the largest chunk has.
    #[must_use]
    pub fn largest_chunk(&self) -> usize {
        locked(&self.chunks)
            .iter()
            .map(|(_, bytes)| bytes.len())
            .max()
            .unwrap_or(0)
    }

    /// What was shown, and not kept.
    #[must_use]
    pub fn shown(&self) -> Vec<String> {
        locked(&self.shown).clone()
    }

    /// The processes that were noted.
    #[must_use]
    pub fn processes(&self) -> Vec<ProcessMark> {
        locked(&self.processes).clone()
    }

    /// What a rollback has kept, in order.
    #[must_use]
    pub fn kept(&self) -> Vec<Value> {
        locked(&self.kept).clone()
    }

    /// Waits until something holds of what is recorded.
    pub async fn until(&self, holds: impl Fn(&Self) -> bool) {
        loop {
            let changed = self.changed.notified();
            if holds(self) {
                return;
            }
            changed.await;
        }
    }
}

impl Transcriber for Recorder {
    fn write(&self, stream: &'static str, bytes: &[u8]) {
        locked(&self.chunks).push((stream, bytes.to_vec()));
        self.changed.notify_waiters();
    }

    fn show(&self, text: &str) {
        locked(&self.shown).push(text.to_owned());
        self.changed.notify_waiters();
    }

    fn keep(&self, what: Value) -> oneshot::Receiver<()> {
        locked(&self.kept).push(what);
        self.changed.notify_waiters();
        let (durable, answer) = oneshot::channel();
        let _unasked = durable.send(());
        answer
    }

    fn process_started(&self, process: ProcessMark) {
        locked(&self.processes).push(process);
        self.changed.notify_waiters();
    }
}

/// Files by name, in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryFiles(pub BTreeMap<String, String>);

impl MemoryFiles {
    /// These files.
    #[must_use]
    pub fn of<const N: usize>(files: [(&str, &str); N]) -> Self {
        Self(
            files
                .map(|(name, text)| (name.to_owned(), text.to_owned()))
                .into(),
        )
    }
}

impl Files for MemoryFiles {
    fn read(&self, name: &str) -> Result<String, io::Error> {
        self.0
            .get(name)
            .cloned()
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let within = |name: &String| Some(name.strip_prefix(folder)?.strip_prefix('/')?.to_owned());
        self.0.keys().filter_map(within).collect()
    }
}

static CONTEXTS: AtomicU64 = AtomicU64::new(0);

/// A context for the step `step`, attempt 1, that prints to `recorder`. All fields can be replaced:
/// `Context { item: Some(item), ..context(&recorder) }`.
#[must_use]
pub fn context(recorder: &Arc<Recorder>) -> Context {
    let number = CONTEXTS.fetch_add(1, Ordering::Relaxed);
    let run = "0190163d-8694-739b-aea5-966c26f8ad91".parse::<RunId>().ok();
    Context {
        run: RunFacts {
            id: run,
            name: "example-ad91".to_owned(),
            rehearsal: false,
            operator: Operator::new("alex"),
            host: Host::new("srv1"),
        },
        instance: instance("step"),
        attempt: AttemptNo(1),
        purpose: Purpose::Run,
        params: Arc::new(json!({})),
        steps: Arc::new(RedBlackTreeMapSync::<StepId, StepFacts>::new_sync()),
        item: None,
        before: None,
        kept: None,
        outputs: None,
        cancel: CancellationToken::new(),
        transcript: Arc::clone(recorder) as Arc<dyn Transcriber>,
        files: Arc::new(MemoryFiles::default()),
        session: None,
        registry: Registry::default(),
        world: None,
        mask: Mask::default(),
        token: format!("test-{}-{number}", std::process::id()),
    }
}

/// The instance of a step's name, `step` or `step[item]`.
///
/// # Panics
/// When that is not one.
#[must_use]
#[expect(
    clippy::expect_used,
    reason = "a wrong name is a mistake in the test that gives it"
)]
pub fn instance(name: &str) -> InstanceId {
    name.parse().expect("a step's id, or `id[item]`")
}
