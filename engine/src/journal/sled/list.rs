//! What stands in the state folder: lists of runs, and the removal of what crashes left behind.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::copy;
use super::folder::{Folder, REMOVED};
use crate::id::RunId;
use crate::journal::{JournalError, Listed, Summary};
use crate::platform::files;

/// How old something unfinished must be to be taken for left behind.
const LEFT_BEHIND: Duration = Duration::from_secs(600);

/// The ids of all runs, also of those that are only being made; nothing of them is read.
pub(super) fn runs(runs: &Path) -> Result<Vec<RunId>, JournalError> {
    let found = fs::read_dir(runs).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let found = found.map_err(|source| JournalError::Storage {
        doing: "read",
        source,
    })?;
    Ok(found.iter().filter_map(run_of).collect())
}

/// All runs, the newest first; of each no more than its summary is read.
pub(super) fn list(runs: &Path) -> Result<Vec<Listed>, JournalError> {
    let mut rows = Vec::new();
    for run in self::runs(runs)? {
        let folder = Folder::new(runs, run);
        if folder.is_complete() {
            rows.push(row(run, &folder));
        }
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.run));
    Ok(rows)
}

/// The summaries of the newest runs, the newest first, as they were written last. Only reads, and asks nobody: makes,
/// locks and changes nothing, and where nothing can be read there is nothing.
#[must_use]
pub fn peek(root: &Path, most: usize) -> Vec<Summary> {
    if !matches!(super::root::trusted(root), Ok(Some(_))) {
        return Vec::new();
    }
    let runs = root.join("runs");
    let found = fs::read_dir(&runs).into_iter().flatten().flatten();
    let mut ids: Vec<RunId> = found.filter_map(|found| run_of(&found)).collect();
    ids.sort_unstable_by_key(|&id| std::cmp::Reverse(id));
    ids.truncate(most);
    let summary = |id: &RunId| Folder::new(&runs, *id).read_summary().ok();
    ids.iter().filter_map(summary).collect()
}

/// The sockets of processes that are gone, which others find in vain. Changes nothing.
#[must_use]
pub fn sockets_left(root: &Path) -> Vec<RunId> {
    let runs = root.join("runs");
    let found = fs::read_dir(&runs).into_iter().flatten().flatten();
    let left = |run: &RunId| {
        let folder = Folder::new(&runs, *run);
        folder.path().join("door.sock").symlink_metadata().is_ok() && folder.holder().is_none()
    };
    found.filter_map(|found| run_of(&found)).filter(left).collect()
}

fn run_of(found: &fs::DirEntry) -> Option<RunId> {
    let name = found.file_name();
    let name = name.to_str()?;
    name.parse().ok().filter(|run: &RunId| run.to_string() == name)
}

fn row(run: RunId, folder: &Folder) -> Listed {
    let summary = folder.read_summary().map_err(|error| {
        let what = if error.kind() == io::ErrorKind::NotFound {
            "is missing"
        } else {
            "cannot be read"
        };
        JournalError::Damaged(format!(
            "`summary.json` {what}; `runbook resume {run}` writes it anew"
        ))
    });
    let summary = summary.and_then(|summary| {
        let wrong = || JournalError::Damaged(format!("`summary.json` is that of run {}", summary.run));
        if summary.run == run {
            Ok(summary)
        } else {
            Err(wrong())
        }
    });
    Listed {
        run,
        summary,
        holder: folder.holder(),
        at_work: Vec::new(),
        copy: folder.is_copy(),
    }
}

/// Removes what is older than `newest`, a folder just made, by enough to have been left behind by a crash, and
/// is not in use: runs that were not made to the end, and copies.
pub(super) fn sweep(runs: &Path, newest: &Folder) -> io::Result<()> {
    let now = fs::metadata(newest.path())?.modified()?;
    for found in fs::read_dir(runs)? {
        let found = found?;
        let name = found.file_name();
        let name = name.to_string_lossy();
        let copied = name.strip_suffix(copy::SUFFIX);
        let Ok(run) = copied.unwrap_or(&name).parse::<RunId>() else {
            continue;
        };
        let folder = Folder::new(runs, run);
        let complete = folder.is_complete();
        // Most are: of those nothing more is looked at.
        if complete && copied.is_none() {
            continue;
        }
        let modified = found.metadata().and_then(|data| data.modified());
        let Ok(age) = modified.map(|then| now.duration_since(then).unwrap_or_default()) else {
            continue;
        };
        if age < LEFT_BEHIND {
            continue;
        }
        let left_behind = match (copied.is_some(), complete) {
            (false, true) => false,
            // Only complete runs are copied.
            (true, false) => true,
            (true, true) => folder.try_lock()?.is_some(),
            (false, false) => is_unfinished(&found.path())? && folder.try_lock()?.is_some(),
        };
        if left_behind {
            files::remove_folder(&found.path())?;
        }
    }
    Ok(())
}

/// Whether a folder is what is left of a removed run, or holds nothing but what stands in that of a run before it is
/// complete.
fn is_unfinished(run: &Path) -> io::Result<bool> {
    if run.join(REMOVED).exists() {
        return Ok(true);
    }
    for found in fs::read_dir(run)? {
        let name = found?.file_name();
        if !["lock", "db", "head.new", "copy", "copy.new"]
            .iter()
            .any(|ours| name == *ours)
        {
            return Ok(false);
        }
    }
    Ok(true)
}
