//! Manual work: showing what is to be done, and taking the evidence that it was.

use std::path::{Path, PathBuf};

use runbook_engine::core::WaitingFor;
use runbook_engine::core::event::{Attachment, Need, Outputs};
use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::id::InstanceId;
use runbook_engine::runtime::Run;
use runbook_steps::manual::{Collect, ManualInputs, check_value};
use serde_json::Value;

use crate::commands::read_bytes;
use crate::error::Failed;
use crate::prompt::{self, Said};
use crate::render;
use crate::render::style::{BOLD, CARE, DIM, Look, paint};
use crate::setting::Setting;

/// The largest file that can be attached, in bytes.
const LARGEST: u64 = 32 * 1024 * 1024;

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

/// Shows the work to the person at the terminal and asks for the evidence.
pub(crate) async fn ask(run: &Run, waiting: &WaitingFor, setting: &Setting) -> Result<Answer, Failed> {
    let inputs = inputs(run, &waiting.id)?;
    show(run, waiting, &inputs, setting.look);
    let gathered = Gathered {
        values: Outputs::new(),
        files: Vec::new(),
        note: None,
    };
    let answer = match question(&inputs, gathered, waiting.undoing)? {
        Said::Answer(gathered) => gathered,
        Said::NotNow => return Ok(Answer::NotNow),
        Said::Stop => return Ok(Answer::Interrupted),
    };
    done(run, &waiting.id, &inputs, answer, waiting.undoing).await
}

/// Takes the evidence from the command line, asking for what is missing where somebody is there.
pub(crate) async fn gather(
    run: &Run,
    id: &InstanceId,
    evidence: &Evidence<'_>,
    setting: &Setting,
) -> Result<Answer, Failed> {
    let waiting = run
        .state()
        .waiting_for()
        .into_iter()
        .find(|one| one.id == *id && one.need == Need::ManualWork);
    let undoing = waiting.as_ref().is_some_and(|one| one.undoing);
    let Some(waiting) = waiting else {
        // The core says best why it cannot be confirmed.
        return Ok(Answer::Done {
            values: Outputs::new(),
            attachments: Vec::new(),
            note: None,
        });
    };
    let inputs = inputs(run, id)?;
    let mut values = Outputs::new();
    for text in evidence.values {
        let Some((name, value)) = text.split_once('=') else {
            let diagnostic = Diagnostic::error(Code::Usage, format!("`--value {text}` gives no value"));
            return Err(diagnostic.help("write it as `--value NAME=VALUE`").into());
        };
        values.insert(name.trim().to_owned(), Value::String(value.to_owned()));
    }
    let mut gathered = Gathered {
        values,
        files: evidence.files.to_vec(),
        note: evidence.note.clone(),
    };
    let lacks = !undoing
        && (inputs.check_values(&gathered.values).is_err() || gathered.files.len() < required(&inputs));
    if setting.interactive() && lacks {
        show(run, &waiting, &inputs, setting.look);
        gathered = match question(&inputs, gathered, undoing)? {
            Said::Answer(gathered) => gathered,
            Said::NotNow => return Ok(Answer::NotNow),
            Said::Stop => return Ok(Answer::Interrupted),
        };
    }
    done(run, id, &inputs, gathered, undoing).await
}

fn inputs(run: &Run, id: &InstanceId) -> Result<ManualInputs, Failed> {
    let wrong = |why: String| {
        let message = format!("what `{id}` asks for could not be worked out: {why}");
        Failed::from(Diagnostic::error(Code::ExpressionFailed, message))
    };
    let with = run.inputs(id).map_err(|failure| wrong(failure.message))?;
    serde_json::from_value(with).map_err(|error| wrong(error.to_string()))
}

fn show(run: &Run, waiting: &WaitingFor, inputs: &ManualInputs, look: Look) {
    let step = run.runbook().step(waiting.id.step());
    let title = step.map_or("", |step| step.title.as_str());
    let role = step
        .and_then(|step| step.role.as_ref())
        .map_or_else(String::new, |role| format!("  for {role}"));
    look.tell(&format!(
        "\n{}  {title}{}",
        paint(BOLD, &waiting.id),
        paint(DIM, role)
    ));
    if let Some(warning) = step.and_then(|step| step.warning.as_deref()) {
        look.tell(&format!("{} {}", paint(CARE, "note:"), warning.trim()));
    }
    let text = if waiting.undoing {
        inputs.rollback.as_deref()
    } else {
        Some(inputs.instructions.as_str())
    };
    for line in text.unwrap_or_default().trim().lines() {
        look.tell(&format!("  {}", render::plain(line)));
    }
    look.tell("");
}

/// Asks for everything that is still missing, then whether it is done.
fn question(inputs: &ManualInputs, mut gathered: Gathered, undoing: bool) -> Result<Said<Gathered>, Failed> {
    macro_rules! answer {
        ($said:expr) => {
            match $said? {
                Said::Answer(answer) => answer,
                Said::NotNow => return Ok(Said::NotNow),
                Said::Stop => return Ok(Said::Stop),
            }
        };
    }
    if undoing {
        let undone = answer!(prompt::yes("Is it undone?", false));
        return Ok(if undone {
            Said::Answer(gathered)
        } else {
            Said::NotNow
        });
    }
    for item in &inputs.checklist {
        if !answer!(prompt::yes(item, false)) {
            return Ok(Said::NotNow);
        }
    }
    for (name, collect) in &inputs.collect {
        if gathered.values.contains_key(name) {
            continue;
        }
        let text = answer!(value(name, collect));
        if !text.is_empty() {
            gathered.values.insert(name.clone(), Value::String(text));
        }
    }
    for wanted in inputs.attach.iter().skip(gathered.files.len()) {
        let about = wanted.description.as_deref().unwrap_or(wanted.name.as_str());
        let check = |text: &str| match text {
            "" if wanted.optional => Ok(()),
            path if Path::new(path).is_file() => Ok(()),
            _ => Err("there is no such file".to_owned()),
        };
        let path = answer!(prompt::text(&format!("File: {about}"), None, None, check));
        if !path.is_empty() {
            gathered.files.push(path.into());
        }
    }
    if gathered.note.is_none() {
        let note = answer!(prompt::text("Note (may be empty)", None, None, |_| Ok(())));
        gathered.note = (!note.trim().is_empty()).then_some(note);
    }
    let done = answer!(prompt::yes("Is it done?", true));
    Ok(if done {
        Said::Answer(gathered)
    } else {
        Said::NotNow
    })
}

fn value(name: &str, collect: &Collect) -> Result<Said<String>, Failed> {
    let example = collect.example.as_ref().map(|example| match example {
        Value::String(text) => format!("for example {text}"),
        other => format!("for example {other}"),
    });
    let check = |text: &str| {
        if text.is_empty() && collect.optional {
            return Ok(());
        }
        check_value(collect, &Value::String(text.to_owned())).map(drop)
    };
    prompt::text(
        collect.prompt.as_deref().unwrap_or(name),
        example.as_deref(),
        None,
        check,
    )
}

fn required(inputs: &ManualInputs) -> usize {
    inputs.attach.iter().filter(|attach| !attach.optional).count()
}

/// Checks the evidence, and stores the files.
async fn done(
    run: &Run,
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
        attachments.push(attach(run, path).await?);
    }
    Ok(Answer::Done {
        values,
        attachments,
        note,
    })
}

async fn attach(run: &Run, path: &Path) -> Result<Attachment, Failed> {
    let content = read_bytes(path, LARGEST).map_err(|error| {
        let message = format!("the file `{}` cannot be attached", path.display());
        Diagnostic::error(Code::UnreadableFile, message).caused_by(&error)
    })?;
    let sha256 = run
        .attach(&content)
        .await
        .map_err(|error| Failed::runtime(&run.name(), error))?;
    let name = path.file_name().map_or_else(
        || "attachment".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    );
    Ok(Attachment {
        name: render::plain(&name),
        bytes: content.len() as u64,
        sha256,
    })
}
