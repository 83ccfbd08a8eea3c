//! The questions about manual work, one after the other.

use std::path::{Path, PathBuf};

use runbook_steps::manual::{Attach, Collect, CollectKind, check_value};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;

use super::Work;
use super::evidence::{Gathered, LARGEST};
use crate::prompt::{Asker, Unanswered, aside};
use crate::render::layout::Width;
use crate::render::style::{CARE, paint};
use crate::render::{markdown, plain};

/// Asks for everything that is still missing, then whether it is done.
pub(super) fn ask(
    asker: &Asker,
    work: &Work,
    mut gathered: Gathered,
    ticked: &UnboundedSender<u32>,
) -> Result<Gathered, Unanswered> {
    if work.waiting.undoing {
        return finish(asker, "Is it undone?", gathered);
    }
    let inputs = &work.inputs;
    if !gathered.ticked {
        tick(asker, work, ticked)?;
        gathered.ticked = true;
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
        gathered.files.extend(file(asker, wanted)?);
    }
    if gathered.note.is_none() {
        let note = asker.text("Note", Some("may be empty"), |_| Ok(()))?;
        gathered.note = (!note.trim().is_empty()).then_some(note);
    }
    finish(asker, "Is it done?", gathered)
}

/// The last question. What was answered before counts only after it.
fn finish(asker: &Asker, question: &str, gathered: Gathered) -> Result<Gathered, Unanswered> {
    if asker.yes_or_no(question)? {
        Ok(gathered)
    } else {
        Err(Unanswered::NotNow)
    }
}

/// Has every item ticked off that was not before, and tells of each at once. An answer must be typed: one that a key
/// pressed too often could give proves nothing.
fn tick(asker: &Asker, work: &Work, ticked: &UnboundedSender<u32>) -> Result<(), Unanswered> {
    let checklist = &work.marked.checklist;
    for (number, item) in (1..).zip(checklist) {
        if work.ticks.contains_key(&number) {
            continue;
        }
        let place = match checklist.len() {
            1 => String::new(),
            all => format!("{number} of {all}: "),
        };
        let item = markdown::render(item, &place, 0, Width::endless());
        if !asker.yes_or_no(&item)? {
            let unticked = "not ticked off, so that the step still waits; what was ticked off before is kept";
            aside(&paint(CARE, Width::of_talk().wrap("  ", 2, unticked)))?;
            return Err(Unanswered::NotNow);
        }
        // Nobody listens any more only where the answers do not matter.
        let _gone = ticked.send(number);
    }
    Ok(())
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
        let checked = check_value(collect, &Value::String(text.to_owned()));
        checked.map(drop).map_err(|why| plain(&why).replace('\n', " "))
    };
    let help = plain(&help.join("; "));
    let help = Some(help.as_str()).filter(|help| !help.is_empty());
    asker.text(&plain(collect.prompt.as_deref().unwrap_or(name)), help, check)
}

/// A file, or nothing where it may be left out.
fn file(asker: &Asker, wanted: &Attach) -> Result<Option<PathBuf>, Unanswered> {
    let about = wanted.description.as_deref().unwrap_or(wanted.name.as_str());
    let check = |text: &str| match path(text) {
        None if wanted.optional => Ok(()),
        None => Err("it is empty".to_owned()),
        Some(path) => attachable(&path),
    };
    let help = if wanted.optional {
        "the path of a file; may be empty"
    } else {
        "the path of a file; its content is kept with the run"
    };
    let text = asker.text(&format!("File: {}", plain(about)), Some(help), check)?;
    Ok(path(&text))
}

/// The path that somebody typed, or dragged into the terminal, which then stands in quotes.
fn path(text: &str) -> Option<PathBuf> {
    let text = text.trim();
    let unquoted = ['"', '\'']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote));
    let text = unquoted.unwrap_or(text);
    let home = text.strip_prefix("~/").or_else(|| text.strip_prefix("~\\"));
    match (home, dirs::home_dir()) {
        _ if text.is_empty() => None,
        (Some(below), Some(home)) => Some(home.join(below)),
        _ => Some(PathBuf::from(text)),
    }
}

fn attachable(path: &Path) -> Result<(), String> {
    match std::fs::metadata(path) {
        Err(_) => Err("there is no such file".to_owned()),
        Ok(about) if !about.is_file() => Err("that is no file".to_owned()),
        Ok(about) if about.len() > LARGEST => Err(format!(
            "it is larger than the {} MiB that a run keeps of a file",
            LARGEST / 1024 / 1024
        )),
        Ok(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::path;

    #[test]
    fn a_path_may_stand_in_quotes_and_below_the_home_folder() {
        assert_eq!(path("  "), None);
        assert_eq!(path(" /tmp/a b.png "), Some(PathBuf::from("/tmp/a b.png")));
        assert_eq!(
            path(r#""C:\Temp\a b.png""#),
            Some(PathBuf::from(r"C:\Temp\a b.png"))
        );
        assert_eq!(path("'/tmp/a b.png'"), Some(PathBuf::from("/tmp/a b.png")));
        assert_eq!(path("\"/tmp/half"), Some(PathBuf::from("\"/tmp/half")));
        let home = dirs::home_dir().unwrap();
        assert_eq!(path("~/trust.png"), Some(home.join("trust.png")));
    }
}
