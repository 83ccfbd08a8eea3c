//! How many steps this process can have under way at once, whatever it was asked for.

use runbook_engine::platform::limit;

use crate::render::style::count;
use crate::setting::Setting;

/// What the program itself keeps open: the journal, the terminal, its threads' own.
const OWN: u64 = 64;

/// What a step under way keeps open: the three ends of a program's streams, the program, and room for starting it.
const EACH: u64 = 6;

/// How many steps can be under way at once where so many files may be open.
pub(crate) fn most_with(files: u64) -> u64 {
    files.saturating_sub(OWN) / EACH
}

/// The number of steps that was asked for, or as many as the limit of open files allows: a step that cannot be
/// started for want of them would fail, though nothing is wrong with it.
pub(crate) fn possible(wanted: u32, setting: &Setting) -> u32 {
    let needed = OWN + EACH * u64::from(wanted);
    let allowed = limit::open_files(needed);
    if allowed >= needed {
        return wanted;
    }
    let possible = u32::try_from(most_with(allowed)).unwrap_or(wanted);
    let possible = possible.clamp(1, wanted);
    setting.look.tell_always(&format!(
        "no more than {} at once, not {wanted}: this process may open {allowed} files only (see `ulimit -n`)",
        count(possible as usize, "step"),
    ));
    possible
}
