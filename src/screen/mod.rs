//! The last rows of the terminal: a block of lines that is rewritten in place, below all that is told.
//!
//! Whoever wants to draw there reserves them. They appear after a moment only, give way to what is told and to the
//! shell (Ctrl-Z), and leave nothing behind.

use std::ffi::OsStr;
use std::io::{IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use runbook_engine::platform::terminal::{self, Mute};

use self::block::Block;
use crate::hush;
use crate::prompt;
use crate::render::layout::Size;
use crate::render::style::Ink;

mod block;

/// What takes less time is not worth a block.
const DELAY: Duration = Duration::from_millis(250);

/// The terminal's last rows.
#[derive(Debug)]
pub(crate) struct Screen {
    ink: Ink,
    rows: Mutex<Rows>,
}

#[derive(Debug)]
struct Rows {
    block: Block,
    reserved: Option<Instant>,
    /// A question stands there.
    paused: bool,
    /// From the first time that something is drawn.
    mute: Option<Mute>,
}

/// The last rows are somebody's, until this is dropped.
#[derive(Debug)]
pub(crate) struct Reserved(Arc<Screen>);

impl Screen {
    /// The rows of the terminal that standard error is, if it is one in which lines can be rewritten.
    pub(crate) fn of_talk() -> Option<Arc<Self>> {
        let (stderr, named) = (std::io::stderr(), std::env::var_os("TERM"));
        let heeds = || terminal::heeds_sequences(&stderr);
        is_rewritable(stderr.is_terminal(), named.as_deref(), heeds).then(|| {
            Arc::new(Self {
                ink: Ink::of_talk(),
                rows: Mutex::new(Rows {
                    block: Block::new(reflows()),
                    reserved: None,
                    paused: false,
                    mute: None,
                }),
            })
        })
    }

    /// Reserves the rows; what is drawn there appears after a moment.
    pub(crate) fn reserve(self: &Arc<Self>) -> Reserved {
        self.lock().reserved = Some(Instant::now());
        Reserved(Arc::clone(self))
    }

    /// Draws these lines, if the rows are reserved and it is time.
    pub(crate) fn draw(&self, lines: impl FnOnce(Size) -> Vec<String>) {
        let mut rows = self.lock();
        let due = rows.reserved.is_some_and(|since| since.elapsed() >= DELAY);
        if !due || rows.paused || !terminal::is_ours() {
            return;
        }
        rows.mute.get_or_insert_with(Mute::new);
        let size = Size::of_talk();
        let lines = lines(size).into_iter();
        let lines = lines.map(|line| self.ink.put(&hush::hushed(&line))).collect();
        write(&rows.block.repaint(lines, size));
    }

    /// Tells something, above the rows.
    pub(crate) fn tell(&self, text: &str) {
        let mut rows = self.lock();
        if rows.block.is_empty() {
            // A terminal that has gone away is nobody's error.
            prompt::aside(text).ok();
        } else {
            let text = self.ink.put(&hush::hushed(text));
            write(&rows.block.above(&text, Size::of_talk()));
        }
    }

    /// Clears the rows for as long as the guard lives: something else stands there.
    pub(crate) fn pause(self: &Arc<Self>) -> Paused {
        let mut rows = self.lock();
        rows.clear();
        rows.paused = true;
        drop(rows);
        Paused(Arc::clone(self))
    }

    /// Does something with the terminal as it was before; what is drawn next stands there again.
    pub(crate) fn leave_while(&self, act: impl FnOnce()) {
        let mut rows = self.lock();
        rows.clear();
        act();
    }

    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows {
    fn clear(&mut self) {
        write(&self.block.erase(Size::of_talk()));
        self.mute = None;
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut rows = self.0.lock();
        rows.clear();
        rows.reserved = None;
    }
}

/// Whether lines can be rewritten. A console that does not heed the sequences for it is as good as a dumb terminal: what is
/// told is plain there, a line after the other.
fn is_rewritable(is_terminal: bool, named: Option<&OsStr>, heeds: impl FnOnce() -> bool) -> bool {
    // A console is not touched where nothing is drawn.
    is_terminal && named.is_none_or(|name| name != "dumb") && heeds()
}

/// Nothing is drawn on the rows until this is dropped.
#[derive(Debug)]
pub(crate) struct Paused(Arc<Screen>);

impl Drop for Paused {
    fn drop(&mut self) {
        self.0.lock().paused = false;
    }
}

fn write(frame: &str) {
    if !frame.is_empty() {
        let mut stderr = std::io::stderr();
        // A terminal that has gone away is nobody's error.
        stderr
            .write_all(frame.as_bytes())
            .and_then(|()| stderr.flush())
            .ok();
    }
}

/// Whether the terminal breaks its lines anew when it becomes narrower, as nearly all do; where it does not, what
/// stands above the block must not be taken for a part of it.
fn reflows() -> bool {
    let set = |name| std::env::var_os(name).is_some();
    let term = std::env::var("TERM").unwrap_or_default();
    let old = ["linux", "rxvt", "vt", "screen"];
    let old = old.iter().any(|name| term.starts_with(name)) || set("XTERM_VERSION");
    !old || set("TMUX")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_rewritten_only_where_the_console_heeds_that() {
        let named = |name: &'static str| Some(OsStr::new(name));
        assert!(is_rewritable(true, None, || true));
        assert!(is_rewritable(true, named("xterm"), || true));
        assert!(!is_rewritable(true, None, || false), "as on Server 2012 R2");
        assert!(!is_rewritable(true, named("dumb"), || true));
        assert!(!is_rewritable(false, None, || true));
    }

    #[test]
    fn a_console_is_left_as_it_is_where_nothing_is_drawn() {
        let touched = || panic!("it was told to heed sequences");
        assert!(!is_rewritable(false, None, touched));
        assert!(!is_rewritable(true, Some(OsStr::new("dumb")), touched));
    }
}
