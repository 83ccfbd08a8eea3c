//! The evidence for manual work: whether all of it is there, and storing it.

use std::path::{Path, PathBuf};

use runbook_engine::core::event::{Attachment, Outputs};
use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::portable;
use runbook_engine::runtime::Seat;

use super::{Answer, Done, Work};
use crate::commands::read_bytes;
use crate::error::Failed;
use crate::render::plain;
use crate::render::style::count;

/// The largest file that can be attached, in bytes.
pub(super) const LARGEST: u64 = 32 * 1024 * 1024;

/// Evidence that is being gathered.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) values: Outputs,
    pub(super) files: Vec<PathBuf>,
    pub(super) note: Option<String>,
    /// Every item of the checklist is so.
    pub(super) ticked: bool,
}

/// One thing that is missing or wrong, and how it is given.
pub(super) struct Lack {
    what: String,
    how: &'static str,
}

/// All that is missing or wrong.
pub(super) fn lacks(work: &Work, gathered: &Gathered) -> Vec<Lack> {
    let inputs = &work.inputs;
    if work.waiting.undoing {
        return Vec::new();
    }
    let mut lacks = Vec::new();
    let items = inputs.checklist.len();
    let open = work.unticked();
    if !gathered.ticked && open > 0 {
        let what = if open == items {
            format!("its checklist of {} is not ticked off", count(items, "item"))
        } else {
            format!("{open} of the {items} items of its checklist are not ticked off")
        };
        lacks.push(Lack {
            what,
            how: "`--ticked`, when every item of the checklist is so",
        });
    }
    let wrong = inputs.check_values(&gathered.values).err().unwrap_or_default();
    lacks.extend(wrong.into_iter().map(|what| Lack {
        what,
        how: "`--value NAME=VALUE`",
    }));
    if gathered.files.len() < inputs.fewest_files() {
        let files = inputs.attach.iter().filter(|one| !one.optional);
        let names: Vec<String> = files.map(|one| format!("`{}`", one.name)).collect();
        lacks.push(Lack {
            what: if names.is_empty() {
                "a file that proves it".to_owned()
            } else {
                format!("files to attach: {}", names.join(", "))
            },
            how: "`--attach FILE`",
        });
    }
    lacks
}

impl Gathered {
    /// Checks the evidence, and stores the files.
    pub(super) async fn settle(self, work: &Work, seat: &dyn Seat) -> Result<Answer, Failed> {
        let lacks = lacks(work, &self);
        if !lacks.is_empty() {
            let whats: Vec<&str> = lacks.iter().map(|lack| lack.what.as_str()).collect();
            let mut hows: Vec<&str> = lacks.iter().map(|lack| lack.how).collect();
            hows.dedup();
            let message = format!(
                "`{}` lacks what it asks for: {}",
                work.waiting.id,
                whats.join("; ")
            );
            let diagnostic = Diagnostic::error(Code::EvidenceMissing, message);
            return Err(diagnostic.help(format!("give {}", hows.join(", and "))).into());
        }
        let values = if work.waiting.undoing {
            self.values
        } else {
            // Nothing is wrong with them, as was just seen.
            work.inputs.check_values(&self.values).unwrap_or_default()
        };
        let mut attachments = Vec::new();
        for path in &self.files {
            attachments.push(attach(seat, path).await?);
        }
        Ok(Answer::Done(Done {
            values,
            attachments,
            note: self.note,
        }))
    }
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
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(Attachment {
        name: portable::nearest(&plain(&name)),
        bytes: content.len() as u64,
        sha256,
    })
}
