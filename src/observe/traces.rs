//! Traces: one span for the run as it is carried out here, one for each step, one for each attempt. All processes that
//! ever carry a run out share its trace, whose id is the run's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanId, Status, TraceContextExt as _, TraceId, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, IdGenerator, RandomIdGenerator, SdkTracer, SdkTracerProvider,
    Span, SpanData,
};
use runbook_engine::core::event::{Entry, Event, Failure};
use runbook_engine::core::{InstanceStatus, RunState};
use runbook_engine::id::InstanceId;
use url::Url;

use crate::render::story::subject;

/// How long one sending may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long the last sending may take in all.
const LAST_PATIENCE: Duration = Duration::from_secs(3);

/// How often what has ended is sent.
const PACE: Duration = Duration::from_secs(1);

/// How many spans wait to be sent; what comes while so many wait is lost.
const MOST_WAITING: usize = 8192;

/// The longest reason that is sent, in bytes.
const LONGEST_REASON: usize = 500;

/// The spans of a run that this process carries out.
pub(super) struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    lost: Lost,
    run: Span,
    steps: BTreeMap<InstanceId, Span>,
    attempts: BTreeMap<InstanceId, Span>,
}

impl Traces {
    /// Opens the span of a run, to be sent to this address.
    pub(super) fn begin(url: &Url, state: &RunState) -> Result<Self, ExporterBuildError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(url.as_str())
            .with_timeout(PATIENCE)
            .build()?;
        let lost = Lost::default();
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(MOST_WAITING)
            .with_scheduled_delay(PACE)
            .build();
        let processor = BatchSpanProcessor::builder(Counted {
            exporter,
            lost: lost.clone(),
        });
        let started = state.started();
        let trace = TraceId::from(started.run.as_u128());
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor.with_batch_config(batches).build())
            .with_id_generator(OfRun(trace, RandomIdGenerator::default()))
            .with_resource(
                Resource::builder_empty()
                    .with_service_name("runbook")
                    .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
                    .build(),
            )
            .build();
        let tracer = provider.tracer("runbook");
        let run = SpanBuilder::from_name(format!("run {}", started.runbook))
            .with_start_time(SystemTime::now())
            .with_attributes([
                KeyValue::new("runbook.run", started.name()),
                KeyValue::new("runbook.run.id", started.run.to_string()),
                KeyValue::new("runbook.name", started.runbook.to_string()),
                KeyValue::new("runbook.rehearsal", started.rehearsal.is_some()),
            ])
            .start_with_context(&tracer, &Context::new());
        Ok(Self {
            provider,
            tracer,
            lost,
            run,
            steps: BTreeMap::new(),
            attempts: BTreeMap::new(),
        })
    }

    /// These entries have become durable, and led to this state.
    pub(super) fn recorded(&mut self, entries: &[Entry], state: &RunState) {
        for entry in entries {
            match &entry.event {
                Event::ObservationStarted { instance } | Event::PersonNeeded { instance, .. } => {
                    self.step(instance, entry);
                }
                Event::AttemptStarted { instance, attempt } => {
                    self.attempt(instance, format!("attempt {attempt}"), entry);
                }
                Event::RollbackAttemptStarted { instance, attempt } => {
                    self.attempt(instance, format!("rollback {attempt}"), entry);
                }
                Event::AttemptReturned { instance, .. } | Event::RollbackReturned { instance, .. } => {
                    self.attempt_ended(instance, entry.time, Status::Ok);
                }
                Event::AttemptFailed { instance, error, .. }
                | Event::RollbackFailed { instance, error, .. } => {
                    self.attempt_ended(instance, entry.time, Status::error(reason(error)));
                }
                Event::Interrupted { instance, .. } => {
                    self.attempt_ended(instance, entry.time, Status::error("it was interrupted"));
                }
                _ => {}
            }
        }
        entries
            .iter()
            .filter_map(|entry| subject(&entry.event))
            .for_each(|id| self.end_step(&id, state));
    }

    /// The span of a step, opened with this entry if it is not open.
    fn step(&mut self, id: &InstanceId, entry: &Entry) -> &Span {
        let (tracer, run) = (&self.tracer, &self.run);
        self.steps.entry(id.clone()).or_insert_with(|| {
            let attributes = [
                KeyValue::new("runbook.step", id.step().to_string()),
                KeyValue::new("runbook.instance", id.to_string()),
                KeyValue::new("runbook.operator", entry.operator.to_string()),
                KeyValue::new("host.name", entry.host.to_string()),
            ];
            SpanBuilder::from_name(format!("step {}", id.step()))
                .with_start_time(system_time(entry.time))
                .with_attributes(attributes)
                .start_with_context(tracer, &below(run))
        })
    }

    fn attempt(&mut self, id: &InstanceId, name: String, entry: &Entry) {
        let parent = below(self.step(id, entry));
        let span = SpanBuilder::from_name(name)
            .with_start_time(system_time(entry.time))
            .with_attributes([KeyValue::new("runbook.instance", id.to_string())])
            .start_with_context(&self.tracer, &parent);
        self.attempts.insert(id.clone(), span);
    }

    fn attempt_ended(&mut self, id: &InstanceId, time: Timestamp, status: Status) {
        if let Some(mut span) = self.attempts.remove(id) {
            span.set_status(status);
            span.end_with_timestamp(system_time(time));
        }
    }

    /// Ends the span of a step that has come to rest.
    fn end_step(&mut self, id: &InstanceId, state: &RunState) {
        let rests = state
            .find(id)
            .is_some_and(|ix| at_rest(state.instance(ix).phase.status()));
        if rests && let Some(span) = self.steps.remove(id) {
            close(span, id, state);
        }
    }

    /// Ends all spans, and has them sent.
    pub(super) fn end(&mut self, state: &RunState) -> Ending {
        self.attempts.clear();
        for (id, span) in std::mem::take(&mut self.steps) {
            close(span, &id, state);
        }
        self.run
            .set_attribute(KeyValue::new("runbook.status", state.status().as_str()));
        self.run.end();
        Ending {
            provider: self.provider.clone(),
            lost: self.lost.clone(),
        }
    }
}

/// The context of what belongs to a span.
fn below(span: &Span) -> Context {
    Context::new().with_remote_span_context(span.span_context().clone())
}

/// A moment as the system counts it.
fn system_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::try_from(at.as_duration()).unwrap_or_default()
}

/// Whether nothing more happens to a step for now.
fn at_rest(status: InstanceStatus) -> bool {
    match status {
        InstanceStatus::Satisfied
        | InstanceStatus::Succeeded
        | InstanceStatus::Skipped
        | InstanceStatus::Failed
        | InstanceStatus::RolledBack
        | InstanceStatus::RollbackFailed => true,
        InstanceStatus::Pending
        | InstanceStatus::Ready
        | InstanceStatus::Observing
        | InstanceStatus::Running
        | InstanceStatus::Verifying
        | InstanceStatus::InDoubt
        | InstanceStatus::Waiting
        | InstanceStatus::Blocked
        | InstanceStatus::RollingBack => false,
    }
}

/// Ends the span of a step, with where it stands.
fn close(mut span: Span, id: &InstanceId, state: &RunState) {
    let Some(ix) = state.find(id) else {
        return;
    };
    let instance = state.instance(ix);
    let status = instance.phase.status();
    span.set_attribute(KeyValue::new("runbook.status", status.as_str()));
    match (status, &instance.error) {
        (InstanceStatus::Failed, Some(error)) => span.set_status(Status::error(reason(error))),
        (InstanceStatus::Failed | InstanceStatus::RollbackFailed, _) => {
            span.set_status(Status::error("it failed"));
        }
        (_, _) => span.set_status(Status::Ok),
    }
    match instance.ended.filter(|_| at_rest(status)) {
        Some(ended) => span.end_with_timestamp(system_time(ended)),
        None => span.end(),
    }
}

/// Why something failed; secrets were taken out of that before it was written down.
fn reason(error: &Failure) -> String {
    let line = error.message.lines().next().unwrap_or_default();
    line[..line.floor_char_boundary(LONGEST_REASON)].to_owned()
}

/// The last sending.
pub(super) struct Ending {
    provider: SdkTracerProvider,
    lost: Lost,
}

/// Why spans are missing at the collector.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Missing(String);

impl Ending {
    /// Waits until all is sent, or for a short time; says whether anything was lost.
    pub(super) async fn settled(self) -> Result<(), Missing> {
        let provider = self.provider;
        let last = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(LAST_PATIENCE)).await;
        let lost = self.lost.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (lost, last) {
            (Some(why), _) => Err(Missing(why)),
            (None, Ok(Ok(()))) => Ok(()),
            (None, Ok(Err(error))) => Err(Missing(error.to_string())),
            (None, Err(error)) => Err(Missing(error.to_string())),
        }
    }
}

/// Why spans were lost, the first time.
#[derive(Debug, Clone, Default)]
struct Lost(Arc<Mutex<Option<String>>>);

/// An exporter that remembers what went wrong.
#[derive(Debug)]
struct Counted {
    exporter: SpanExporter,
    lost: Lost,
}

impl opentelemetry_sdk::trace::SpanExporter for Counted {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let result = self.exporter.export(batch).await;
        if let Err(error) = &result {
            tracing::warn!(%error, "traces could not be sent");
            let mut lost = self.lost.0.lock().unwrap_or_else(PoisonError::into_inner);
            lost.get_or_insert_with(|| told(error));
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

fn told(error: &OTelSdkError) -> String {
    match error {
        OTelSdkError::InternalFailure(why) => why.clone(),
        other => other.to_string(),
    }
}

/// Spans of one trace.
#[derive(Debug)]
struct OfRun(TraceId, RandomIdGenerator);

impl IdGenerator for OfRun {
    fn new_trace_id(&self) -> TraceId {
        self.0
    }

    fn new_span_id(&self) -> SpanId {
        self.1.new_span_id()
    }
}
