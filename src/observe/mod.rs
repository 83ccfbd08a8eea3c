//! A run watched from outside: a log beside its journal, traces for a collector, numbers for a monitor. None of them
//! can slow a run down or make it fail.

mod log;
mod metrics;
mod traces;

pub(crate) use self::log::{RunLog, start_tracing};

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use runbook_engine::core::RunState;
use runbook_engine::core::event::Entry;
use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::runtime::Run;
use url::Url;

use self::metrics::Metrics;
use self::traces::Traces;
use crate::error::Failed;
use crate::render;
use crate::setting::Setting;

/// Where a run can be watched from outside.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Watching from outside")]
pub(crate) struct Options {
    /// Send traces to this OpenTelemetry collector (OTLP over HTTP), as http://localhost:4318
    #[arg(long, value_name = "URL", env = "RUNBOOK_OTLP")]
    otlp: Option<String>,
    /// Keep a file of numbers about the run in this folder, for Prometheus
    #[arg(long, value_name = "FOLDER", env = "RUNBOOK_METRICS")]
    metrics: Option<OsString>,
}

impl Options {
    /// The same, once it is known that it can be used: before anything is begun.
    pub(crate) fn checked(&self) -> Result<Watched, Failed> {
        let otlp = self.otlp.as_deref().filter(|url| !url.is_empty());
        let metrics = self
            .metrics
            .as_ref()
            .filter(|folder| !folder.is_empty())
            .map(PathBuf::from);
        if let Some(folder) = metrics.as_ref().filter(|folder| !folder.is_dir()) {
            let message = format!("`{}` is no folder in which to keep metrics", folder.display());
            let diagnostic = Diagnostic::error(Code::CannotBeWatched, message);
            return Err(diagnostic
                .help("make the folder, or leave `--metrics` out")
                .into());
        }
        Ok(Watched {
            otlp: otlp.map(traces_url).transpose()?,
            metrics,
        })
    }
}

/// What is asked for, and can be used.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    otlp: Option<Url>,
    metrics: Option<PathBuf>,
}

/// The address to which a collector takes traces.
fn traces_url(text: &str) -> Result<Url, Failed> {
    // The text may hold a password: it is not repeated.
    let refuse = |why: &str| {
        let message = format!("the address that `--otlp` gives cannot be used: {why}");
        let help = "give the collector's address, as http://localhost:4318; headers go into OTEL_EXPORTER_OTLP_HEADERS";
        Failed::from(Diagnostic::error(Code::CannotBeWatched, message).help(help))
    };
    let mut url = Url::parse(text).map_err(|error| refuse(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refuse("it does not begin with `http://` or `https://`"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("it holds a name or a password"));
    }
    if !url.path().ends_with("/v1/traces") {
        let path = format!("{}/v1/traces", url.path().trim_end_matches('/'));
        url.set_path(&path);
    }
    Ok(url)
}

/// All who watch a run from outside.
pub(crate) struct Observer {
    traces: Option<Mutex<Traces>>,
    metrics: Option<Metrics>,
}

impl Observer {
    /// Lets a run be watched that this process carries on.
    pub(crate) fn begin(run: &Run, watched: Watched, setting: &Setting) -> Arc<Self> {
        if let Some(folder) = run.folder()
            && let Err(error) = setting.log.open(&folder)
        {
            warn("this run has no log beside its journal", &error, setting);
        }
        let state = run.state();
        tracing::info!(
            run = state.started().name(),
            program = env!("CARGO_PKG_VERSION"),
            "carried on"
        );
        let traces = watched.otlp.and_then(|url| {
            Traces::begin(&url, state)
                .inspect_err(|error| warn("no traces are sent", error, setting))
                .ok()
        });
        Arc::new(Self {
            traces: traces.map(Mutex::new),
            metrics: watched.metrics.map(|folder| Metrics::begin(folder, state)),
        })
    }

    /// These entries have become durable, and led to this state.
    pub(crate) fn recorded(&self, entries: &[Entry], state: &RunState) {
        entries.iter().for_each(log::entry);
        if let Some(traces) = &self.traces {
            let mut traces = traces.lock().unwrap_or_else(PoisonError::into_inner);
            traces.recorded(entries, state);
        }
        if let Some(metrics) = &self.metrics {
            metrics.recorded(state);
        }
    }

    /// How often it must glance at the state; never, if it does not say.
    pub(crate) fn pace(&self) -> Option<Duration> {
        self.metrics.as_ref().map(|_| metrics::PACE)
    }

    /// Time has passed: what happened just after the numbers were written is written now, unless they are younger
    /// than `age`.
    pub(crate) fn glance(&self, state: &RunState, age: Duration) {
        if let Some(metrics) = &self.metrics {
            metrics.refresh(state, age);
        }
    }

    /// The run is given back: what was not sent yet is sent, or given up after a short time.
    pub(crate) async fn end(&self, state: &RunState, setting: &Setting) {
        if let Some(traces) = &self.traces {
            let lost = {
                let mut traces = traces.lock().unwrap_or_else(PoisonError::into_inner);
                traces.end(state)
            };
            if let Err(error) = lost.settled().await {
                warn(
                    "not all traces of this run reached the collector",
                    &error,
                    setting,
                );
            }
        }
        if let Some(metrics) = &self.metrics
            && let Err(error) = metrics.end(state).await
        {
            warn("the metrics of this run could not be written", &error, setting);
        }
        tracing::info!(status = state.status().as_str(), "given back");
        setting.log.close();
    }
}

/// Says that something is missing for those who watch; the run goes on all the same.
fn warn(what: &str, error: &(dyn std::error::Error + 'static), setting: &Setting) {
    let warning = Diagnostic::warning(Code::NotWatched, what).caused_by(error);
    let warning = warning.help("the run itself is not touched by that, and its journal is whole");
    render::diagnostic::print_all(&[warning], setting);
}
