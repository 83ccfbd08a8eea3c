//! Colours by meaning, and whether there are any.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anstyle::{AnsiColor, Style};
use clap::ColorChoice;
use runbook_engine::core::{InstanceStatus, RunStatus};

use super::charset;
use super::plain;
use crate::cli::Global;
use crate::prompt;
use crate::screen::Screen;

/// How much is told, and how.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    /// Only results and diagnostics: somebody reads JSON.
    quiet: bool,
    /// What steps print is shown.
    pub(crate) output: bool,
    /// Where somebody looks at a terminal whose lines can be rewritten.
    screen: Option<Arc<Screen>>,
    /// Whether the last line that was told is empty.
    at_gap: Arc<AtomicBool>,
}

impl Look {
    pub(crate) fn new(global: &Global) -> Self {
        let choice = match global.color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
        Self {
            quiet: global.json,
            output: global.verbose > 0 && !global.json,
            screen: Screen::of_talk().filter(|_| !global.json),
            at_gap: Arc::default(),
        }
    }

    /// Tells the person something, on standard error.
    pub(crate) fn tell(&self, text: &str) {
        if !self.quiet {
            self.tell_always(text);
        }
    }

    /// Tells what even a program must not miss, on standard error. A reader that has gone away is nobody's error.
    pub(crate) fn tell_always(&self, text: &str) {
        let ends_empty = text.is_empty() || text.ends_with('\n');
        let was_at_gap = self.at_gap.swap(ends_empty, Ordering::Relaxed);
        // One empty line parts two things; whoever tells the second does not know how the first ended.
        let text = match text.strip_prefix('\n') {
            Some(rest) if was_at_gap => rest,
            Some(_) | None if was_at_gap && text.is_empty() => return,
            Some(_) | None => text,
        };
        match &self.screen {
            Some(screen) => screen.tell(text),
            None => drop(prompt::aside(text)),
        }
    }

    /// The last rows of the terminal, where they can be drawn upon.
    pub(crate) fn screen(&self) -> Option<&Arc<Screen>> {
        self.screen.as_ref()
    }
}

/// How text is put on the terminal: with colours or without, in all characters or some.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ink {
    colours: bool,
}

impl Ink {
    /// That of standard error.
    pub(crate) fn of_talk() -> Self {
        let choice = anstream::AutoStream::choice(&std::io::stderr());
        Self {
            colours: choice != anstream::ColorChoice::Never,
        }
    }

    /// The text as it is written.
    pub(crate) fn put(self, text: &str) -> String {
        let text = charset::fit(text);
        if self.colours {
            text.into_owned()
        } else {
            anstream::adapter::strip_str(&text).to_string()
        }
    }
}

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const CARE: Style = AnsiColor::Yellow.on_default();
pub(crate) const BUSY: Style = AnsiColor::Cyan.on_default();

/// The text in this style.
pub(crate) fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// The sign and the style of an instance's status.
pub(crate) fn of_instance(status: InstanceStatus) -> (char, Style) {
    match status {
        InstanceStatus::Succeeded => ('✓', GOOD),
        InstanceStatus::Satisfied => ('=', GOOD),
        InstanceStatus::Skipped => ('-', DIM),
        InstanceStatus::Pending => ('·', DIM),
        InstanceStatus::Ready => ('·', Style::new()),
        InstanceStatus::Observing | InstanceStatus::Running | InstanceStatus::Verifying => ('▸', BUSY),
        InstanceStatus::RollingBack => ('◂', BUSY),
        InstanceStatus::InDoubt => ('?', CARE),
        InstanceStatus::Waiting => ('!', CARE),
        InstanceStatus::Failed | InstanceStatus::RollbackFailed => ('✗', BAD),
        InstanceStatus::Blocked => ('×', DIM),
        InstanceStatus::RolledBack => ('↺', GOOD),
    }
}

/// The style of a run's status.
pub(crate) fn of_run(status: RunStatus) -> Style {
    match status {
        RunStatus::Completed | RunStatus::RolledBack => GOOD,
        RunStatus::Running | RunStatus::RollingBack => BUSY,
        RunStatus::Waiting => CARE,
        RunStatus::Failed | RunStatus::Stuck => BAD,
        RunStatus::Cancelled => DIM,
    }
}

/// A status as people read it: `in_doubt` becomes `in doubt`.
pub(crate) fn words(status: &str) -> String {
    status.replace('_', " ")
}

/// `1 step`, `2 steps`.
pub(crate) fn count(number: usize, what: &str) -> String {
    if number == 1 {
        format!("1 {what}")
    } else {
        format!("{number} {what}s")
    }
}

/// `1 entry`, `2 entries`.
pub(crate) fn entries(number: impl Into<u64>) -> String {
    match number.into() {
        1 => "1 entry".to_owned(),
        number => format!("{number} entries"),
    }
}

/// Ids in backticks, one after the other; of very many only the first.
pub(crate) fn names<T: std::fmt::Display>(ids: &[T]) -> String {
    const MOST: usize = 12;
    let shown = ids.iter().take(MOST);
    let shown: Vec<String> = shown.map(|id| format!("`{}`", plain(&id.to_string()))).collect();
    match ids.len().saturating_sub(MOST) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
