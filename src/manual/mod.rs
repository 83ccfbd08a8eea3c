//! Manual work: showing what is to be done, and taking the evidence that it was.

use std::path::{Path, PathBuf};
use std::time::Duration;

use runbook_engine::core::WaitingFor;
use runbook_engine::core::event::{Attachment, Need, Outputs};
use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::id::InstanceId;
use runbook_engine::runtime::Seat;
use runbook_steps::manual::{Attach, Collect, CollectKind, ManualInputs, check_value};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::commands::read_bytes;
use crate::error::Failed;
use crate::prompt::{self, Asker, CallOff, Unanswered};
use crate::render::layout::{Width, hanging, unfilled};
use crate::render::plain;
use crate::render::style::{BOLD, CARE, DIM, Look, paint};
use crate::setting::Setting;

/// The largest file that can be attached, in bytes.
const LARGEST: u64 = 32 * 1024 * 1024;

/// How long a question that was called off may take to give the terminal back.
const LONGEST_GOODBYE: Duration = Duration::from_secs(1);

/// What a person says about manual work.
pub(crate) enum Answer {
    /// It is done, with this evidence.
    Done {
        values: Outputs,
        attachments: Vec<Attachment>,
        note: Option<String>,
    },
    /// It is not done yet.
    NotNow,
    /// They want to stop.
    Interrupted,
}

/// The evidence that the command line gives.
#[derive(Default)]
pub(crate) struct Evidence<'a> {
    pub(crate) values: &'a [String],
    pub(crate) files: &'a [PathBuf],
    pub(crate) note: Option<String>,
}

/// Evidence that is being gathered.
struct Gathered {
    values: Outputs,
    files: Vec<PathBuf>,
    note: Option<String>,
}

/// Questions that are being asked. They have a thread of their own, so that the run need not wait for the answers.
pub(crate) struct Asking {
    pub(crate) waiting: WaitingFor,
    inputs: ManualInputs,
    questions: JoinHandle<Result<Gathered, Unanswered>>,
    off: CallOff,
}

impl Asking {
    /// Shows the work to the person at the terminal and begins to ask for the evidence.
    pub(crate) fn begin(seat: &dyn Seat, waiting: WaitingFor, setting: &Setting) -> Result<Self, Failed> {
        let inputs = inputs(seat, &waiting.id)?;
        let gathered = Gathered {
            values: Outputs::new(),
            files: Vec::new(),
            note: None,
        };
        Ok(Self::of(seat, waiting, inputs, gathered, &setting.look))
    }

    fn of(
        seat: &dyn Seat,
        waiting: WaitingFor,
        inputs: ManualInputs,
        gathered: Gathered,
        look: &Look,
    ) -> Self {
        show(seat, &waiting, &inputs, look);
        let off = CallOff::default();
        let asker = Asker::until(off.clone());
        let (asked, undoing) = (inputs.clone(), waiting.undoing);
        let questions = tokio::task::spawn_blocking(move || {
            if undoing {
                undone(&asker, gathered)
            } else {
                question(&asker, &asked, gathered)
            }
        });
        Self {
            waiting,
            inputs,
            questions,
            off,
        }
    }

    /// Waits for the last answer. May be called again when it was not awaited to the end.
    pub(crate) async fn answers(&mut self) -> Answers {
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
            Ok(gathered) => {
                done(
                    seat,
                    &self.waiting.id,
                    &self.inputs,
                    gathered,
                    self.waiting.undoing,
                )
                .await
            }
            Err(Unanswered::NotNow | Unanswered::CalledOff) => Ok(Answer::NotNow),
            Err(Unanswered::Stop) => Ok(Answer::Interrupted),
            Err(Unanswered::Failed(failed)) => Err(failed),
        }
    }

    /// Takes the questions back.
    pub(crate) async fn call_off(self) {
        self.off.call_off();
        // However it ends, nobody waits for it any more.
        let _ended = tokio::time::timeout(LONGEST_GOODBYE, self.questions).await;
        prompt::abandon();
    }
}

/// What was answered; to be [settled](Asking::settle).
pub(crate) struct Answers(Result<Gathered, Unanswered>);

/// Takes the evidence from the command line, asking for what is missing where somebody is there.
pub(crate) async fn gather(
    seat: &dyn Seat,
    id: &InstanceId,
    evidence: &Evidence<'_>,
    setting: &Setting,
) -> Result<Answer, Failed> {
    let mut waiting = seat.state().waiting_for().into_iter();
    let waiting = waiting.find(|one| one.id == *id && one.need == Need::ManualWork);
    let Some(waiting) = waiting else {
        // The core says best why it cannot be confirmed.
        return Ok(Answer::Done {
            values: Outputs::new(),
            attachments: Vec::new(),
            note: None,
        });
    };
    let inputs = inputs(seat, id)?;
    let gathered = Gathered {
        values: named_values(evidence.values)?,
        files: evidence.files.to_vec(),
        note: evidence.note.clone(),
    };
    let lacks = !waiting.undoing
        && (inputs.check_values(&gathered.values).is_err() || gathered.files.len() < required(&inputs));
    if setting.interactive() && lacks {
        let mut asking = Asking::of(seat, waiting, inputs, gathered, &setting.look);
        let answers = asking.answers().await;
        asking.settle(answers, seat).await
    } else {
        done(seat, id, &inputs, gathered, waiting.undoing).await
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

fn inputs(seat: &dyn Seat, id: &InstanceId) -> Result<ManualInputs, Failed> {
    let wrong = |why: String| {
        let message = format!("what `{id}` asks for could not be worked out: {why}");
        Failed::from(Diagnostic::error(Code::ExpressionFailed, message))
    };
    let with = seat.inputs(id).map_err(|failure| wrong(failure.message))?;
    serde_json::from_value(with).map_err(|error| wrong(error.to_string()))
}

/// What is to be done, and by whom.
fn show(seat: &dyn Seat, waiting: &WaitingFor, inputs: &ManualInputs, look: &Look) {
    let width = Width::of_talk();
    let step = seat.runbook().step(waiting.id.step());
    let title = step.map_or_else(String::new, |step| plain(&step.title));
    let role = step
        .and_then(|step| step.role.as_ref())
        .map_or_else(String::new, |role| format!("  for {role}"));
    let head = format!("\n{}  ", paint(BOLD, plain(&waiting.id.to_string())));
    look.tell(&width.wrap(&head, 2, &format!("{title}{}", paint(DIM, role))));
    if let Some(warning) = step.and_then(|step| step.warning.as_deref()) {
        let head = format!("  {} ", paint(CARE, "note:"));
        look.tell(&width.wrap(&head, 8, &unfilled(&plain(warning))));
    }
    let text = if waiting.undoing {
        inputs.rollback.as_deref().unwrap_or_default()
    } else {
        inputs.instructions.as_str()
    };
    look.tell("");
    for line in unfilled(&plain(text)).lines() {
        look.tell(&width.wrap("  ", 2 + hanging(line), line));
    }
    look.tell(&format!(
        "\n  {}\n",
        paint(DIM, "Esc: not now; Ctrl-C: stop. The run keeps waiting.")
    ));
}

fn undone(asker: &Asker, gathered: Gathered) -> Result<Gathered, Unanswered> {
    if asker.yes("Is it undone?", false)? {
        Ok(gathered)
    } else {
        Err(Unanswered::NotNow)
    }
}

/// Asks for everything that is still missing, then whether it is done.
fn question(asker: &Asker, inputs: &ManualInputs, mut gathered: Gathered) -> Result<Gathered, Unanswered> {
    for item in &inputs.checklist {
        if !asker.yes(&plain(item), false)? {
            return Err(Unanswered::NotNow);
        }
    }
    for (name, collect) in &inputs.collect {
        let given = gathered.values.get(name);
        if given.is_some_and(|value| check_value(collect, value).is_ok()) {
            continue;
        }
        let text = value(asker, name, collect)?;
        if !text.is_empty() {
            gathered.values.insert(name.clone(), Value::String(text));
        }
    }
    for wanted in inputs.attach.iter().skip(gathered.files.len()) {
        let path = file(asker, wanted)?;
        if !path.is_empty() {
            gathered.files.push(path.into());
        }
    }
    if gathered.note.is_none() {
        let note = asker.text("Note", Some("may be empty"), |_| Ok(()))?;
        gathered.note = (!note.trim().is_empty()).then_some(note);
    }
    if asker.yes("Is it done?", true)? {
        Ok(gathered)
    } else {
        Err(Unanswered::NotNow)
    }
}

fn value(asker: &Asker, name: &str, collect: &Collect) -> Result<String, Unanswered> {
    let mut help = match collect.kind {
        CollectKind::Enum => vec![format!("one of {}", collect.values.join(", "))],
        _ => Vec::new(),
    };
    help.extend(collect.example.as_ref().map(|example| match example {
        Value::String(text) => format!("for example {text}"),
        other => format!("for example {other}"),
    }));
    help.extend(collect.optional.then(|| "may be empty".to_owned()));
    let check = |text: &str| {
        if text.is_empty() && collect.optional {
            return Ok(());
        }
        check_value(collect, &Value::String(text.to_owned())).map(drop)
    };
    let help = help.join("; ");
    let help = Some(help.as_str()).filter(|help| !help.is_empty());
    asker.text(collect.prompt.as_deref().unwrap_or(name), help, check)
}

/// The path of a file, or nothing where it may be left out.
fn file(asker: &Asker, wanted: &Attach) -> Result<String, Unanswered> {
    let about = wanted.description.as_deref().unwrap_or(wanted.name.as_str());
    let check = |text: &str| match text.trim() {
        "" if wanted.optional => Ok(()),
        path if Path::new(path).is_file() => Ok(()),
        _ => Err("there is no such file".to_owned()),
    };
    let help = if wanted.optional {
        "the path of a file; may be empty"
    } else {
        "the path of a file; its content is kept with the run"
    };
    let path = asker.text(&format!("File: {}", plain(about)), Some(help), check)?;
    Ok(path.trim().to_owned())
}

fn required(inputs: &ManualInputs) -> usize {
    inputs.attach.iter().filter(|attach| !attach.optional).count()
}

/// Checks the evidence, and stores the files.
async fn done(
    seat: &dyn Seat,
    id: &InstanceId,
    inputs: &ManualInputs,
    gathered: Gathered,
    undoing: bool,
) -> Result<Answer, Failed> {
    let Gathered { values, files, note } = gathered;
    let (values, wanted) = if undoing {
        (Ok(values), 0)
    } else {
        (inputs.check_values(&values), required(inputs))
    };
    let mut wrong = values.as_ref().err().cloned().unwrap_or_default();
    if files.len() < wanted {
        let names: Vec<String> = inputs
            .attach
            .iter()
            .filter(|one| !one.optional)
            .map(|one| format!("`{}`", one.name))
            .collect();
        wrong.push(format!("files to attach: {}", names.join(", ")));
    }
    let values = match values {
        Ok(values) if wrong.is_empty() => values,
        _ => {
            let message = format!("`{id}` lacks what it asks for: {}", wrong.join("; "));
            let diagnostic = Diagnostic::error(Code::EvidenceMissing, message);
            return Err(diagnostic
                .help("give it with `--value NAME=VALUE` and `--attach FILE`")
                .into());
        }
    };
    let mut attachments = Vec::new();
    for path in &files {
        attachments.push(attach(seat, path).await?);
    }
    Ok(Answer::Done {
        values,
        attachments,
        note,
    })
}

async fn attach(seat: &dyn Seat, path: &Path) -> Result<Attachment, Failed> {
    let content = read_bytes(path, LARGEST).map_err(|error| {
        let message = format!("the file `{}` cannot be attached", path.display());
        Diagnostic::error(Code::UnreadableFile, message).caused_by(&error)
    })?;
    let sha256 = seat
        .attach(&content)
        .await
        .map_err(|error| Failed::runtime(&seat.state().started().name(), error))?;
    let name = path.file_name().map_or_else(
        || "attachment".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    );
    Ok(Attachment {
        name: plain(&name),
        bytes: content.len() as u64,
        sha256,
    })
}
