//! What a step is told, and the only ways in which it may speak.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::world::World;
use super::{Earlier, Outputs, ProcessMark, Registry, Session};
use crate::id::{AttemptNo, Host, InstanceId, Operator, RunId};
use crate::secret::Mask;

/// Why `validate` is asked, or that something is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `runbook plan` asks; no run exists.
    Plan,
    /// `validate` before an attempt.
    Before,
    /// `run`.
    Run,
    /// `validate` after an attempt.
    After,
    /// `validate` after an interruption of an attempt.
    Doubt,
    /// `validate` after an interruption of a rollback.
    RollbackDoubt,
    /// `rollback`.
    Rollback,
    /// `validate` after a rollback.
    AfterRollback,
}

/// The run that a step belongs to.
#[derive(Debug, Clone, Serialize)]
pub struct RunFacts {
    /// The run's identity; none while planning.
    pub id: Option<RunId>,
    /// The short name that people type; empty while planning.
    pub name: String,
    /// Whether it is a rehearsal.
    pub rehearsal: bool,
    /// Who acts.
    pub operator: Operator,
    /// On which machine.
    pub host: Host,
}

/// Where a step's printed output goes; it becomes part of the run's journal.
pub trait Transcriber: Send + Sync {
    /// Takes what was printed, as it comes. `stream` is `stdout`, `stderr`, `log` (what the program itself remarks), or
    /// one that the plugin has beside these.
    fn write(&self, stream: &'static str, bytes: &[u8]);

    /// Shows something to whoever is there at this moment, and keeps it nowhere: a code to sign in with.
    fn show(&self, text: &str);

    /// Keeps something for whoever goes on with this rollback, should it be interrupted: [`Context::kept`]. The answer comes
    /// once it is durable, and never where it cannot be; a rollback changes nothing before. In other calls it is of no use.
    fn keep(&self, what: Value) -> oneshot::Receiver<()>;

    /// Notes a process that was started for the step, so that it can be found if the engine dies.
    fn process_started(&self, process: ProcessMark);
}

/// The files that a runbook refers to.
pub trait Files: Send + Sync {
    /// The text of a file, by its name relative to the runbook.
    ///
    /// # Errors
    /// When there is no such file, it is too big or not text, or the name leads outside.
    fn read(&self, name: &str) -> Result<String, std::io::Error>;

    /// The names of the files in a folder, relative to it; none where there is no such folder, or nobody can say.
    fn names(&self, folder: &str) -> Vec<String> {
        let _ = folder;
        Vec::new()
    }
}

/// All that one call of a step may use.
#[derive(Clone)]
pub struct Context {
    /// The run.
    pub run: RunFacts,
    /// The instance.
    pub instance: InstanceId,
    /// Which attempt this is, or would be.
    pub attempt: AttemptNo,
    /// Why it is called.
    pub purpose: Purpose,
    /// All parameters, secrets included.
    pub params: Arc<Value>,
    /// The steps that this one needs, directly or not.
    pub steps: Arc<dyn Earlier>,
    /// The item, where the step fans out.
    pub item: Option<Value>,
    /// What `validate` observed before the first attempt, once there was one.
    pub before: Option<Value>,
    /// What an earlier try at this rollback has kept.
    pub kept: Option<Value>,
    /// What the attempt gave, when it is rolled back.
    pub outputs: Option<Outputs>,
    /// Triggered when the call should stop: its time is up, or the run stops.
    pub cancel: CancellationToken,
    /// Where printed output goes.
    pub transcript: Arc<dyn Transcriber>,
    /// The kept texts of the files that the step refers to.
    pub files: Arc<dyn Files>,
    /// What the step shares with others, if it names a session.
    pub session: Option<Session>,
    /// The plugins, for a step that contains another.
    pub registry: Registry,
    /// Finds the secrets that this process knows.
    pub mask: Mask,
    /// The world that a test describes; none in a run.
    pub world: Option<Arc<World>>,
    /// Unique to this call within all runs: marks the processes that it starts.
    pub token: String,
}

impl Context {
    /// Everything the step may know, as the one JSON document that scripts read:
    /// `run`, `params`, `steps`, `item`, `before`, `outputs`, `attempt`.
    #[must_use]
    pub fn document(&self) -> Value {
        let steps = self.steps.all();
        self.document_with(steps.map(|(id, facts)| (id.to_string(), json!(facts))).collect())
    }

    /// The document with these for the steps that come before.
    #[must_use]
    pub fn document_with(&self, steps: Map<String, Value>) -> Value {
        json!({
            "run": self.run,
            "params": self.params,
            "step": self.instance,
            "attempt": self.attempt,
            "item": self.item,
            "before": self.before,
            "outputs": self.outputs,
            "steps": steps,
        })
    }

    /// The text of the document, piece by piece, the steps that come before at its end. They may be many thousands,
    /// and what nobody reads is never put together.
    pub fn document_text(&self) -> impl Iterator<Item = String> + Send {
        const END: &str = "}}";
        let mut beginning = self.document_with(Map::new()).to_string();
        // Of the steps, which stand last, it keeps the brace that opens them.
        beginning.truncate(beginning.len().saturating_sub(END.len()));
        let steps = self.steps.all().enumerate().map(|(at, (id, facts))| {
            let comma = if at == 0 { "" } else { "," };
            format!("{comma}{}:{}", json!(id), json!(facts))
        });
        std::iter::once(beginning)
            .chain(steps)
            .chain(std::iter::once(END.to_owned()))
    }

    /// The kept text of a file that the step refers to.
    ///
    /// # Errors
    /// When the runbook did not refer to it when the run started.
    pub fn file(&self, name: &str) -> Result<String, std::io::Error> {
        self.files.read(name)
    }
}
