//! Numbers about a run in a file that Prometheus' node exporter, or anything that reads its text format, picks up.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use runbook_engine::core::{InstanceStatus, RunState, RunStatus};
use runbook_engine::platform::private;
use tokio::task::JoinHandle;

/// How often the file is written at most.
pub(super) const PACE: Duration = Duration::from_secs(1);

/// How long the last writing may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The file of one run.
pub(super) struct Metrics {
    file: PathBuf,
    last: Mutex<Last>,
}

/// The last writing.
struct Last {
    at: Instant,
    writing: Option<JoinHandle<io::Result<()>>>,
    /// Something happened since.
    stale: bool,
}

impl Last {
    fn now(file: &Path, state: &RunState) -> Self {
        Self {
            at: Instant::now(),
            writing: Some(write(file, state, true)),
            stale: false,
        }
    }
}

impl Metrics {
    pub(super) fn begin(folder: PathBuf, state: &RunState) -> Self {
        let file = folder.join(format!("runbook-{}.prom", state.started().name()));
        let last = Mutex::new(Last::now(&file, state));
        Self { file, last }
    }

    /// Something happened.
    pub(super) fn recorded(&self, state: &RunState) {
        self.last().stale = true;
        self.refresh(state, PACE);
    }

    /// The file is written anew if something happened since it was, and that was at least `age` ago. Nobody waits for
    /// that.
    pub(super) fn refresh(&self, state: &RunState, age: Duration) {
        let mut last = self.last();
        let idle = last.writing.as_ref().is_none_or(JoinHandle::is_finished);
        if last.stale && idle && last.at.elapsed() >= age {
            *last = Last::now(&self.file, state);
        }
    }

    /// The run is given back.
    pub(super) async fn end(&self, state: &RunState) -> io::Result<()> {
        let before = self.last().writing.take();
        let written = async {
            if let Some(before) = before {
                // It must not replace what is written last.
                let _earlier = before.await;
            }
            write(&self.file, state, false).await
        };
        match tokio::time::timeout(PATIENCE, written).await {
            Ok(Ok(written)) => written,
            Ok(Err(error)) => Err(error.into()),
            Err(error) => Err(error.into()),
        }
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write(file: &Path, state: &RunState, held: bool) -> JoinHandle<io::Result<()>> {
    let text = page(state, held, Timestamp::now());
    let file = file.to_owned();
    tokio::task::spawn_blocking(move || replace(&file, &text))
}

/// Replaces the file as a whole. Its group may read it, for monitors run as another account; it holds names and
/// numbers alone.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let mut whole = private::unfinished_file(file.parent().unwrap_or(Path::new(".")), ".tmp")?;
    whole.write_all(text.as_bytes())?;
    private::let_group_read(whole.as_file())?;
    whole.persist(file).map(drop).map_err(|error| error.error)
}

type Labels = Vec<(&'static str, String)>;
type Numbers = Family<Labels, Gauge<f64, AtomicU64>>;

/// Everything that is said of the run.
fn page(state: &RunState, held: bool, now: Timestamp) -> String {
    let mut registry = Registry::default();
    let mut about = |name: &str, help: &str, value: f64| {
        family(&mut registry, name, help)
            .get_or_create(&labels(state, &[]))
            .set(value);
    };
    let (settled, known) = state.progress();
    let rows = state.rows();
    let waiting = state.waiting_for();
    let attempts: u32 = rows.iter().map(|row| row.attempts.0).sum();
    about(
        "runbook_run_held",
        "Whether a process carries the run out",
        f64::from(u8::from(held)),
    );
    about(
        "runbook_run_steps_settled",
        "Steps and items that are settled",
        number(settled),
    );
    about(
        "runbook_run_steps_known",
        "Steps and items that are known of",
        number(known),
    );
    about(
        "runbook_run_attempts",
        "Attempts that were started",
        f64::from(attempts),
    );
    about(
        "runbook_run_waiting",
        "What a person is waited for",
        number(waiting.len()),
    );
    if let Some(since) = waiting.iter().map(|one| one.since).min() {
        about(
            "runbook_run_waiting_since_seconds",
            "Since when a person is waited for",
            seconds(since),
        );
    }
    about(
        "runbook_run_started_seconds",
        "When the run started",
        seconds(state.begun()),
    );
    about(
        "runbook_run_changed_seconds",
        "When something last happened",
        seconds(state.updated()),
    );
    about(
        "runbook_run_written_seconds",
        "When this was written",
        seconds(now),
    );
    let statuses = family(
        &mut registry,
        "runbook_run_status",
        "Where the run stands: 1 for its status",
    );
    for status in STATUSES {
        let is = f64::from(u8::from(status == state.status()));
        statuses
            .get_or_create(&labels(state, &[("status", status.as_str())]))
            .set(is);
    }
    let steps = family(
        &mut registry,
        "runbook_run_steps",
        "Steps and items by where they stand",
    );
    let mut counts: BTreeMap<InstanceStatus, usize> = BTreeMap::new();
    rows.iter()
        .for_each(|row| *counts.entry(row.status).or_default() += 1);
    for (status, many) in counts {
        steps
            .get_or_create(&labels(state, &[("status", status.as_str())]))
            .set(number(many));
    }
    let mut text = String::new();
    // Writing into a text cannot fail.
    let _written = encode(&mut text, &registry);
    text
}

const STATUSES: [RunStatus; 8] = [
    RunStatus::Running,
    RunStatus::Waiting,
    RunStatus::Failed,
    RunStatus::Completed,
    RunStatus::RollingBack,
    RunStatus::RolledBack,
    RunStatus::Stuck,
    RunStatus::Cancelled,
];

fn family(registry: &mut Registry, name: &str, help: &str) -> Numbers {
    let family = Numbers::default();
    registry.register(name, help, family.clone());
    family
}

fn labels(state: &RunState, more: &[(&'static str, &str)]) -> Labels {
    let started = state.started();
    let rehearsal = started.rehearsal.is_some().to_string();
    let mut labels = vec![
        ("run", started.name()),
        ("runbook", started.runbook.to_string()),
        ("rehearsal", rehearsal),
    ];
    labels.extend(more.iter().map(|&(name, value)| (name, value.to_owned())));
    labels
}

#[expect(
    clippy::cast_precision_loss,
    reason = "far fewer steps than a double can count"
)]
fn number(count: usize) -> f64 {
    count as f64
}

fn seconds(at: Timestamp) -> f64 {
    at.as_duration().as_secs_f64()
}
