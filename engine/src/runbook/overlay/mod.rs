//! An overlay: what a site adds to a runbook, replaces, changes, moves and skips, without editing it.
//!
//! [`apply`] is a pure function from documents to a document. Every value of the result keeps the place at which it was
//! written, so that whatever is found wrong later is told where it stands: in the runbook or in the overlay.

use std::fmt::Write as _;
use std::sync::Arc;

use self::merge::Merge;
use self::read::Overlay;
use super::check::Report;
use super::yaml::Document;
use crate::core::event::{Overlaid, PinnedOverlay};
use crate::diagnostic::SourceFile;

mod claims;
mod merge;
mod patch;
mod pin;
mod place;
mod read;

/// A runbook with overlays on it.
pub(super) struct Merged {
    /// The whole definition.
    pub(super) document: Document,
    /// What became of it, and both sources.
    pub(super) overlaid: Overlaid,
}

/// Applies overlays, one after the other, to a runbook. All places are those of the report's files as one text.
///
/// Whatever is wrong is told, and the rest is done all the same, so that the merged runbook can be checked too.
pub(super) fn apply(base: &Document, files: &[Arc<SourceFile>], report: &mut Report) -> Option<Merged> {
    let whole = Arc::clone(report.file());
    let mut documents = Vec::new();
    for (file, number) in files.iter().zip(1..) {
        let (document, problems) = Document::parse(file);
        problems.into_iter().for_each(|problem| report.push(problem));
        documents.push(document.map(|document| document.within(&whole, report.sources().start(number))));
    }
    let mut merge = Merge::new(base.root(), report)?;
    let mut overlays = Vec::new();
    for (document, file) in documents.iter().zip(files) {
        let Some(overlay) = document
            .as_ref()
            .and_then(|document| Overlay::read(document.root(), merge.report()))
        else {
            continue;
        };
        merge.apply(&overlay);
        overlays.push(PinnedOverlay {
            name: overlay.name.to_owned(),
            file: file.name.clone(),
            text: file.text.clone(),
            changes: merge.take_changes(),
        });
    }
    let document = Document::of(&whole, merge.finish());
    let base = report.sources().first();
    let overlaid = Overlaid {
        file: base.name.clone(),
        text: base.text.clone(),
        overlays,
    };
    Some(Merged { document, overlaid })
}

/// The SHA-256 of a runbook's text, as an overlay names it to say which text it was written for.
#[must_use]
pub fn fingerprint(text: &str) -> String {
    let hash = openssl::sha::sha256(text.as_bytes());
    hash.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _done = write!(hex, "{byte:02x}");
        hex
    })
}
