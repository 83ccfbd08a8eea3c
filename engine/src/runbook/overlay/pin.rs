//! Whether an overlay was written for the runbook that it is applied to, and for this text of it.

use super::super::check::Report;
use super::fingerprint;
use super::read::Overlay;
use crate::diagnostic::{Code, Diagnostic};

/// Tells where the runbook is another, or has changed since.
pub(super) fn check(overlay: &Overlay<'_>, runbook: &str, report: &mut Report) {
    if let Some(wanted) = overlay.runbook
        && wanted.name != runbook
    {
        let message = format!(
            "the overlay `{}` is for the runbook `{}`, not for `{runbook}`",
            overlay.name, wanted.name
        );
        let problem = report.error(Code::OverlayForOther, wanted.span, message);
        report.push(problem.help("use it with that runbook, or say here that it is for this one"));
        return;
    }
    let Some(wanted) = overlay.sha256 else {
        return;
    };
    let found = fingerprint(&report.sources().first().text);
    if !found.starts_with(wanted.name) {
        let message = format!(
            "the runbook `{runbook}` has changed since the overlay `{}` was written",
            overlay.name
        );
        let warning = Diagnostic::warning(Code::OverlayForOther, message)
            .at(report.file(), wanted.span, "it was written for this text")
            .help(format!(
                "look whether it still fits, then write `sha256: \"{found}\"`"
            ));
        report.push(warning);
    }
}
