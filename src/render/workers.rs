//! Who works on a run, on what, and where.

use runbook_engine::journal::AtWork;

use super::layout::Width;
use super::plain;
use super::style::{BUSY, paint};

/// A line for each call that workers have under way.
pub(crate) fn lines(at_work: &[AtWork], indent: &str, width: Width) -> Vec<String> {
    let line = |call: &AtWork| {
        let words = format!("{} works on `{}`", call.by, call.instance);
        paint(BUSY, width.wrap(indent, indent.len() + 2, &plain(&words)))
    };
    at_work.iter().map(line).collect()
}
