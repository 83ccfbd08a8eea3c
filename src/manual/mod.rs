//! Manual work: showing what is to be done, and taking the evidence that it was.

use std::collections::BTreeMap;
use std::path::PathBuf;

use runbook_engine::core::event::{Attachment, Failure, Need, Outputs};
use runbook_engine::core::{Act, Instance, RunState, Tick, WaitingFor};
use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::id::InstanceId;
use runbook_engine::runbook::Runbook;
use runbook_engine::runbook::expr::Put;
use runbook_engine::runtime::Seat;
use runbook_steps::manual::ManualInputs;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;

use self::evidence::{Gathered, lacks};
use crate::commands::act_on;
use crate::error::Failed;
use crate::prompt::{self, Asker, CallOff, Unanswered};
use crate::render::layout::Width;
use crate::render::plain;
use crate::render::style::Look;
use crate::setting::Setting;

mod evidence;
mod page;
mod questions;

/// How much work is told of at length, where nobody is asked about it.
const MOST_PAGES: usize = 3;

/// What a person says about manual work.
pub(crate) enum Answer {
    /// It is done, with this evidence.
    Done(Done),
    /// It is not done yet.
    NotNow,
    /// They want to stop.
    Interrupted,
}

/// Work that is done, with its evidence.
#[derive(Default)]
pub(crate) struct Done {
    values: Outputs,
    attachments: Vec<Attachment>,
    note: Option<String>,
}

impl Done {
    /// The act that says so.
    pub(crate) fn confirms(self, instance: InstanceId) -> Act {
        Act::Confirm {
            instance,
            values: self.values,
            attachments: self.attachments,
            note: self.note,
        }
    }
}

/// What became of a question about manual work.
pub(crate) enum Asked {
    Answered(Answer),
    /// Somebody else did meanwhile what it was about, or the work ended.
    Otherwise,
    Interrupted,
}

/// The evidence that the command line gives.
#[derive(Default)]
pub(crate) struct Evidence<'a> {
    pub(crate) values: &'a [String],
    pub(crate) files: &'a [PathBuf],
    pub(crate) note: Option<String>,
    /// Every item of the checklist is so.
    pub(crate) ticked: bool,
}

/// A manual step as it is to be done now.
#[derive(Clone)]
struct Work {
    waiting: WaitingFor,
    inputs: ManualInputs,
    /// The same, with the values in its texts marked: they are data, and no Markdown.
    marked: ManualInputs,
    /// Why it is asked for again, where the run was sent back.
    again: Option<String>,
    /// The items of its checklist that are ticked off already, counted from 1.
    ticks: BTreeMap<u32, Tick>,
}

/// How the inputs of an instance are worked out.
type Filled<'a> = &'a dyn Fn(&InstanceId, Put<'_>) -> Result<Value, Failure>;

/// What waits to be done by hand, for whoever is not asked about it here: of much, what has waited longest.
pub(crate) fn pages(state: &RunState, runbook: &Runbook, filled: Filled<'_>, width: Width) -> Vec<String> {
    let waiting = state.waiting_for().into_iter();
    let waiting = waiting
        .filter(|one| one.need == Need::ManualWork)
        .take(MOST_PAGES);
    // What cannot be worked out is told by whatever asks for it.
    let works = waiting.filter_map(|one| Work::filled(filled, state, one).ok());
    works.map(|work| page::page(runbook, &work, width)).collect()
}

impl Work {
    fn of(seat: &dyn Seat, waiting: WaitingFor) -> Result<Self, Failed> {
        Self::filled(&|id, put| seat.inputs(id, put), seat.state(), waiting)
    }

    fn filled(filled: Filled<'_>, state: &RunState, waiting: WaitingFor) -> Result<Self, Failed> {
        let instance = state.find(&waiting.id).map(|ix| state.instance(ix));
        let plain = inputs(filled, &waiting.id, Put::Plain)?;
        let marked = inputs(filled, &waiting.id, Put::Marked)?;
        Ok(Self {
            waiting,
            inputs: plain,
            marked,
            again: instance.and_then(Instance::sent_words),
            ticks: instance
                .map(|instance| instance.ticks.clone())
                .unwrap_or_default(),
        })
    }

    /// How many items of its checklist nobody has ticked off.
    fn unticked(&self) -> usize {
        let items = (1..).zip(&self.inputs.checklist);
        items
            .filter(|(number, _)| !self.ticks.contains_key(number))
            .count()
    }
}

/// Questions that are being asked. They have a thread of their own, so that the run need not wait for the answers.
pub(crate) struct Asking {
    work: Work,
    questions: JoinHandle<Result<Gathered, Unanswered>>,
    /// The items of the checklist, as they are ticked off.
    ticked: UnboundedReceiver<u32>,
    off: CallOff,
}

impl Asking {
    /// Shows the work to the person at the terminal and begins to ask for the evidence.
    pub(crate) fn begin(seat: &dyn Seat, waiting: WaitingFor, setting: &Setting) -> Result<Self, Failed> {
        let work = Work::of(seat, waiting)?;
        Ok(Self::of(seat, work, Gathered::default(), &setting.look))
    }

    fn of(seat: &dyn Seat, work: Work, gathered: Gathered, look: &Look) -> Self {
        page::show(seat, &work, look);
        let off = CallOff::default();
        let asker = Asker::until(off.clone());
        let asked = work.clone();
        let (tell, ticked) = unbounded_channel();
        let questions = tokio::task::spawn_blocking(move || questions::ask(&asker, &asked, gathered, &tell));
        Self {
            work,
            questions,
            ticked,
            off,
        }
    }

    /// Waits for what is heard next: what is ticked off comes before all that is answered after it. May be called again
    /// when it was not awaited to the end.
    pub(crate) async fn next(&mut self) -> Heard {
        match self.ticked().await {
            Some(tick) => Heard::Ticked(tick),
            None => Heard::Answered(self.answers().await),
        }
    }

    /// The next item of the checklist that is ticked off; none when no more will be.
    async fn ticked(&mut self) -> Option<Act> {
        let number = self.ticked.recv().await?;
        let at = usize::try_from(number).ok()?.checked_sub(1)?;
        let item = self.work.inputs.checklist.get(at)?;
        Some(Act::Tick {
            instance: self.work.waiting.id.clone(),
            number,
            item: plain(item),
        })
    }

    /// What is asked about.
    pub(crate) fn waiting(&self) -> &WaitingFor {
        &self.work.waiting
    }

    /// Waits for the last answer.
    async fn answers(&mut self) -> Answers {
        let result = (&mut self.questions).await;
        Answers(result.unwrap_or_else(|error| {
            Err(Unanswered::Failed(Failed::fault(
                "the questions broke off",
                &error,
            )))
        }))
    }

    /// Checks the answers and stores the files.
    pub(crate) async fn settle(self, answers: Answers, seat: &dyn Seat) -> Result<Answer, Failed> {
        match answers.0 {
            Ok(gathered) => gathered.settle(&self.work, seat).await,
            Err(Unanswered::NotNow | Unanswered::CalledOff) => Ok(Answer::NotNow),
            Err(Unanswered::Stop) => Ok(Answer::Interrupted),
            Err(Unanswered::Failed(failed)) => Err(failed),
        }
    }

    /// Takes the questions back.
    pub(crate) async fn call_off(self) {
        // However it ends, its answer does not matter any more.
        let _ended = prompt::take_back(&self.off, self.questions).await;
    }
}

/// What the person said.
pub(crate) enum Heard {
    /// An item of the checklist is so: to be recorded at once, since a checklist may take days.
    Ticked(Act),
    /// All questions are answered.
    Answered(Answers),
}

/// What was answered; to be [settled](Asking::settle).
pub(crate) struct Answers(Result<Gathered, Unanswered>);

/// Takes the evidence from the command line, asking for what is missing where somebody is there.
pub(crate) async fn gather(
    seat: &mut dyn Seat,
    id: &InstanceId,
    evidence: &Evidence<'_>,
    setting: &Setting,
) -> Result<Answer, Failed> {
    let mut waiting = seat.state().waiting_for().into_iter();
    let waiting = waiting.find(|one| one.id == *id && one.need == Need::ManualWork);
    let Some(waiting) = waiting else {
        // The core says best why it cannot be confirmed.
        return Ok(Answer::Done(Done::default()));
    };
    let work = Work::of(seat, waiting)?;
    let gathered = Gathered {
        values: named_values(evidence.values)?,
        files: evidence.files.to_vec(),
        note: evidence.note.clone(),
        ticked: evidence.ticked,
    };
    if setting.interactive() && !lacks(&work, &gathered).is_empty() {
        let mut asking = Asking::of(seat, work, gathered, &setting.look);
        loop {
            match asking.next().await {
                Heard::Answered(answers) => return asking.settle(answers, seat).await,
                Heard::Ticked(tick) => {
                    if let Err(failed) = act_on(seat, tick, setting).await {
                        asking.call_off().await;
                        return Err(failed);
                    }
                }
            }
        }
    } else {
        gathered.settle(&work, seat).await
    }
}

/// The values of `--value NAME=VALUE`.
fn named_values(texts: &[String]) -> Result<Outputs, Failed> {
    let mut values = Outputs::new();
    for text in texts {
        let Some((name, value)) = text.split_once('=') else {
            let diagnostic = Diagnostic::error(Code::Usage, format!("`--value {text}` gives no value"));
            return Err(diagnostic.help("write it as `--value NAME=VALUE`").into());
        };
        values.insert(name.trim().to_owned(), Value::String(value.to_owned()));
    }
    Ok(values)
}

fn inputs(filled: Filled<'_>, id: &InstanceId, put: Put<'_>) -> Result<ManualInputs, Failed> {
    let wrong = |why: String| {
        let message = format!("what `{id}` asks for could not be worked out: {why}");
        Failed::from(Diagnostic::error(Code::ExpressionFailed, message))
    };
    let with = filled(id, put).map_err(|failure| wrong(failure.message))?;
    serde_json::from_value(with).map_err(|error| wrong(error.to_string()))
}
