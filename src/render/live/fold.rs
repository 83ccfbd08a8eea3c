//! Which instances are shown one by one, when there are more than lines.

use std::collections::BTreeMap;

use super::{Class, Entry};

/// What stands in the view.
#[derive(Debug)]
pub(super) struct Fold<'a> {
    /// How many are done and not shown.
    pub(super) done: usize,
    /// Those that are shown, in the runbook's order.
    pub(super) shown: Vec<&'a Entry<'a>>,
    /// How many more are waited for, have failed or are under way.
    pub(super) more: BTreeMap<Class, usize>,
    /// How many are still to come and not shown.
    pub(super) to_come: usize,
    /// Whether what is said of an instance has a line of its own.
    pub(super) details: bool,
}

/// Chooses what is shown in so many lines: everything, where there is room; otherwise what a person must do, what
/// failed and what is under way, the most urgent first, and numbers for the rest.
pub(super) fn fold<'a>(entries: &'a [Entry<'a>], lines: usize, narrow: bool) -> Fold<'a> {
    let all: Vec<&Entry<'_>> = entries.iter().collect();
    for details in [narrow, false] {
        if height(&all, details) <= lines {
            return Fold {
                done: 0,
                shown: all,
                more: BTreeMap::new(),
                to_come: 0,
                details,
            };
        }
    }
    let count = |class| entries.iter().filter(|entry| entry.class == class).count();
    let (done, to_come) = (count(Class::Done), count(Class::ToCome));
    let lines = lines.saturating_sub(usize::from(done > 0) + usize::from(to_come > 0));
    let mut urgent: Vec<(usize, &Entry<'_>)> = all
        .into_iter()
        .enumerate()
        .filter(|(_, entry)| entry.class.is_urgent())
        .collect();
    // Stable: of those that are alike, the first in the runbook.
    urgent.sort_by_key(|(_, entry)| entry.class);
    let shown: Vec<&Entry<'_>> = urgent.iter().map(|(_, entry)| *entry).collect();
    let details = narrow && height(&shown, true) <= lines;
    let room = if shown.len() <= lines || details {
        shown.len()
    } else {
        lines.saturating_sub(1)
    };
    let mut more = BTreeMap::new();
    for (_, entry) in urgent.drain(room..) {
        *more.entry(entry.class).or_default() += 1;
    }
    urgent.sort_by_key(|(at, _)| *at);
    Fold {
        done,
        shown: urgent.into_iter().map(|(_, entry)| entry).collect(),
        more,
        to_come,
        details,
    }
}

/// How many lines these take.
fn height(entries: &[&Entry<'_>], details: bool) -> usize {
    let urgent = entries.iter().filter(|entry| entry.class.is_urgent()).count();
    entries.len() + if details { urgent } else { 0 }
}
