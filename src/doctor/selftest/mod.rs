//! What can only be known on the machine itself: each thing that the program asks of Windows, tried for real in a
//! folder of its own, which is gone afterwards.

use std::path::Path;

use super::{Finding, ON_WINDOWS};

mod child;
mod files;
mod jobs;
mod journal;
mod powershell;
pub(crate) mod report;
mod system;

pub(crate) use self::child::{Part, play};

/// Whether it can be tried on this system.
pub(crate) const POSSIBLE: bool = ON_WINDOWS;

/// What a trial saw, or why it could not be done.
type Seen = Result<String, String>;

/// Tries everything. The folder is empty, and private to its owner.
pub(crate) async fn all(folder: &Path) -> Vec<Finding> {
    let mut findings = vec![system::version(), system::code_pages(), system::console()];
    findings.extend(files::all(folder));
    findings.push(files::pipe().await);
    findings.extend(jobs::all().await);
    findings.push(journal::killed_in_the_middle(folder).await);
    findings.extend(powershell::all(folder).await);
    findings.extend([system::key_store(), system::time()]);
    findings
}

/// Good, with what was seen; or bad, with what to do.
fn judged(check: &'static str, seen: Seen, to_do: &str) -> Finding {
    match seen {
        Ok(seen) => Finding::good(check, seen),
        Err(why) => Finding::bad(check, why, to_do),
    }
}

/// What failed, and why.
fn failed(what: &str) -> impl Fn(std::io::Error) -> String {
    let what = what.to_owned();
    move |error| format!("{what}: {error}")
}
