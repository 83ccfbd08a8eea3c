//! The first lines about a run: its name, which people need tomorrow, its title, and whether it is in earnest.

use runbook_engine::core::RunState;
use runbook_engine::runbook::Runbook;

use super::layout::Width;
use super::style::{BOLD, CARE, DIM, paint};
use super::time::local;
use super::{overlay, plain};

/// The name and title of a run, a remark about it, and whether it is a rehearsal.
pub(crate) fn heading(state: &RunState, runbook: &Runbook, remark: &str, width: Width) -> String {
    let started = state.started();
    let name = paint(BOLD, started.name());
    let mut lines = vec![
        width.wrap(&format!("{name}  "), 2, &plain(runbook.title())),
        paint(DIM, width.wrap("", 2, remark)),
    ];
    if let Some(overlaid) = &started.overlaid {
        lines.push(width.wrap("", 2, &overlay::summary(overlaid)));
    }
    if let [.., last] = state.amendments() {
        let earlier = match state.amendments().len() {
            1 => String::new(),
            many => format!(" ({many} times in all)"),
        };
        let remark = format!(
            "amended by {} at {}{earlier}: {}",
            last.by,
            local(last.at),
            last.why
        );
        lines.push(width.wrap("", 2, &plain(&remark)));
    }
    if started.rehearsal.is_some() {
        let remark = "rehearsal: steps answer from the runbook, and nothing is touched";
        lines.push(paint(CARE, width.wrap("", 2, remark)));
    }
    lines.join("\n")
}
