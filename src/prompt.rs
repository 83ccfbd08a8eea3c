//! Questions to the person at the terminal, on standard error. A question can be called off while it waits: the run
//! may go on without its answer, because somebody else gave it.

use std::io::{self, StderrLock, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crossterm::cursor::{MoveToColumn, MoveUp};
use crossterm::event::{self, Event, KeyEvent, KeyEventKind};
use crossterm::queue;
use crossterm::style::Print;
use crossterm::terminal::{Clear, ClearType, disable_raw_mode, enable_raw_mode, is_raw_mode_enabled};
use runbook_engine::platform::terminal::ask_to_pause;
use textwrap::core::display_width;

use self::line::Line;
use crate::error::Failed;
use crate::hush;
use crate::render::layout::Width;
use crate::render::style::{BAD, BOLD, CARE, DIM, paint};
use crate::render::{self, charset};

mod line;

/// How soon a question notices that it was called off.
const PACE: Duration = Duration::from_millis(50);

/// How long a question that was called off may take to give the terminal back.
const LONGEST_GOODBYE: Duration = Duration::from_secs(1);

/// The most columns of a question that its answer stands beside.
const BESIDE: usize = 48;

/// Why a question has no answer.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// Not now (the escape key).
    NotNow,
    /// They want to stop (Ctrl-C).
    Stop,
    /// It was called off.
    CalledOff,
    /// They could not be asked.
    Failed(Failed),
}

impl Unanswered {
    /// The end of a command that cannot do without the answer; `what` says what that means.
    pub(crate) fn ends(self, what: &str) -> Failed {
        match self {
            Self::NotNow | Self::Stop | Self::CalledOff => Failed::interrupted(what),
            Self::Failed(failed) => failed,
        }
    }
}

impl From<io::Error> for Unanswered {
    fn from(error: io::Error) -> Self {
        Self::Failed(Failed::fault("the terminal could not be asked", &error))
    }
}

/// Calls questions off, from any thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct CallOff(Arc<AtomicBool>);

impl CallOff {
    pub(crate) fn call_off(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_called_off(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Whether what is typed is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Echo {
    Shown,
    /// It is, but an answer that is refused goes: it is typed anew, not mended.
    Brief,
    Hidden,
}

/// Whether something was said while a question stood there, so that its answer must be drawn again.
static DISTURBED: AtomicBool = AtomicBool::new(false);

/// Whether the terminal was somebody else's while a question stood there, so that it must be asked anew.
static LEFT: AtomicBool = AtomicBool::new(false);

/// Held by the question that stands there.
static TURN: Mutex<()> = Mutex::new(());

/// Says something, above the question that stands there, if one does.
pub(crate) fn aside(text: &str) -> io::Result<()> {
    let text = &hush::hushed(text);
    let _whole = whole();
    if is_asking() {
        clear()?;
        say(&format!("{text}\n"))?;
        DISTURBED.store(true, Ordering::Relaxed);
        Ok(())
    } else {
        render::to_stderr(&format!("{}\n", charset::fit(text)))
    }
}

/// Stops, with the terminal as it was before the question that stands there, if one does; then asks it anew.
pub(crate) fn leave_while(stop: impl FnOnce()) -> io::Result<()> {
    let asking = is_asking();
    if asking {
        say("\n")?;
        disable_raw_mode()?;
    }
    stop();
    if asking {
        enable_raw_mode()?;
        LEFT.store(true, Ordering::Relaxed);
    }
    Ok(())
}

/// Whether a question stands there.
pub(crate) fn is_asking() -> bool {
    is_raw_mode_enabled().unwrap_or(false)
}

/// What the next thing is that a question must heed.
enum Next {
    Key(KeyEvent),
    Disturbed,
    Left,
    CalledOff,
}

/// Who asks: one person at one terminal, one question after the other.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asker {
    off: CallOff,
}

impl Asker {
    /// An asker whose questions can be called off.
    pub(crate) fn until(off: CallOff) -> Self {
        Self { off }
    }

    /// Asks for a line of text until `check` accepts it; what it says against an answer is shown.
    pub(crate) fn text(
        &self,
        question: &str,
        help: Option<&str>,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Result<String, Unanswered> {
        self.ask(question, help, Echo::Shown, check)
    }

    /// Asks for a secret until `check` accepts it; nothing is shown of it.
    pub(crate) fn secret(
        &self,
        question: &str,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Result<String, Unanswered> {
        let help = Some("nothing is shown of what you type");
        self.ask(question, help, Echo::Hidden, check)
    }

    /// Asks for yes or no. There is no answer that Enter alone gives: a key pressed once too often proves nothing.
    pub(crate) fn yes_or_no(&self, question: &str) -> Result<bool, Unanswered> {
        let means = |text: &str| match text.trim().to_lowercase().as_str() {
            "y" | "yes" => Some(true),
            "n" | "no" => Some(false),
            _ => None,
        };
        let check = |text: &str| means(text).map(drop).ok_or_else(|| "answer y or n".to_owned());
        let text = self.ask(&format!("{question} (y/n)"), None, Echo::Brief, check)?;
        Ok(means(&text) == Some(true))
    }

    fn ask(
        &self,
        question: &str,
        help: Option<&str>,
        echo: Echo,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Result<String, Unanswered> {
        // One question after the other, whoever asks.
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let width = Width::of_talk();
        let posed = whole();
        let raw = Raw::new()?;
        let prefix = pose(question, help, width)?;
        drop(posed);
        let screen = Answer { prefix, echo };
        let mut line = Line::default();
        let mut wrong = None;
        let answer = loop {
            screen.draw(&line, wrong.as_deref())?;
            let key = match self.next()? {
                Next::Key(key) => key,
                Next::Disturbed => continue,
                Next::Left => {
                    let _whole = whole();
                    pose(question, help, width)?;
                    continue;
                }
                Next::CalledOff => break Err(Unanswered::CalledOff),
            };
            match line.press(key) {
                line::Pressed::Edited => wrong = None,
                line::Pressed::Enter => match check(line.text()) {
                    Ok(()) => break Ok(line.text().to_owned()),
                    Err(why) => {
                        wrong = Some(why);
                        match echo {
                            Echo::Shown => {}
                            // What nobody sees nobody can mend either.
                            Echo::Brief | Echo::Hidden => line = Line::default(),
                        }
                    }
                },
                line::Pressed::Escape => break Err(Unanswered::NotNow),
                line::Pressed::Interrupt => break Err(Unanswered::Stop),
                line::Pressed::Pause => ask_to_pause(),
                line::Pressed::Nothing => {}
            }
        };
        let _whole = whole();
        screen.leave(&line, answer.is_ok())?;
        drop(raw);
        answer
    }

    fn next(&self) -> io::Result<Next> {
        loop {
            if self.off.is_called_off() {
                return Ok(Next::CalledOff);
            }
            if LEFT.swap(false, Ordering::Relaxed) {
                return Ok(Next::Left);
            }
            if DISTURBED.swap(false, Ordering::Relaxed) {
                return Ok(Next::Disturbed);
            }
            if event::poll(PACE)?
                && let Event::Key(key) = event::read()?
                && key.kind != KeyEventKind::Release
            {
                return Ok(Next::Key(key));
            }
        }
    }
}

/// Writes the question, and gives what stands before its answer.
fn pose(question: &str, help: Option<&str>, width: Width) -> io::Result<String> {
    let mark = paint(CARE, "?");
    if help.is_none() && display_width(question) <= BESIDE && width.fits(display_width(question) + 12) {
        return Ok(format!("{mark} {} ", paint(BOLD, question)));
    }
    let mut text = width.wrap(&format!("{mark} "), 2, &paint(BOLD, question));
    if let Some(help) = help {
        text += "\n";
        text += &paint(DIM, width.wrap("  ", 2, help));
    }
    say(&format!("{text}\n"))?;
    Ok(format!("  {} ", paint(DIM, ">")))
}

/// While this lives nobody else writes to the terminal. What moves the cursor is written in pieces, and the words of
/// somebody else between two of them would be taken for a part of it.
fn whole() -> StderrLock<'static> {
    io::stderr().lock()
}

/// Writes text while the terminal is raw: a new line does not begin at its left edge by itself.
fn say(text: &str) -> io::Result<()> {
    let text = charset::fit(text).replace('\n', "\r\n");
    write!(anstream::stderr(), "{text}")?;
    io::stderr().flush()
}

/// Takes the line away on which the cursor stands, and what is below it.
fn clear() -> io::Result<()> {
    let mut stderr = io::stderr();
    // The left edge as every terminal knows it, and every console that does not count what moves the cursor.
    queue!(stderr, Print('\r'), Clear(ClearType::FromCursorDown))?;
    stderr.flush()
}

/// The line that is typed, and below it what is wrong with it.
struct Answer {
    prefix: String,
    echo: Echo,
}

impl Answer {
    fn draw(&self, line: &Line, wrong: Option<&str>) -> io::Result<()> {
        let columns = Width::of_talk().left(1).unwrap_or(79);
        let room = columns.saturating_sub(display_width(&self.prefix)).max(8);
        let _whole = whole();
        let (text, cursor) = match self.echo {
            Echo::Shown | Echo::Brief => line.window(room),
            Echo::Hidden => (String::new(), 0),
        };
        clear()?;
        write!(
            anstream::stderr(),
            "{}",
            charset::fit(&format!("{}{text}", self.prefix))
        )?;
        let mut stderr = io::stderr();
        if let Some(wrong) = wrong {
            // What is wrong with a path is at its end, too: nothing of it is cut.
            let wrong = Width::of_talk().wrap(&format!("  {} ", paint(BAD, "✗")), 4, wrong);
            let rows = wrong
                .lines()
                .map(|line| display_width(line).div_ceil(columns + 1).max(1));
            let rows: usize = rows.sum();
            say(&format!("\n{wrong}"))?;
            queue!(stderr, MoveUp(u16::try_from(rows).unwrap_or(u16::MAX)))?;
        }
        let at = display_width(&self.prefix) + cursor;
        queue!(stderr, MoveToColumn(u16::try_from(at).unwrap_or(u16::MAX)))?;
        stderr.flush()
    }

    /// Leaves the answer standing, or a word that there is none.
    fn leave(&self, line: &Line, answered: bool) -> io::Result<()> {
        clear()?;
        let said = match (answered, self.echo) {
            (true, Echo::Shown | Echo::Brief) => line.text().to_owned(),
            (true, Echo::Hidden) => paint(DIM, "(hidden)"),
            (false, _) => paint(DIM, "(no answer)"),
        };
        say(&format!("{}{said}\n", self.prefix))
    }
}

/// The terminal gives every key as it is pressed, until this is dropped.
struct Raw;

impl Raw {
    fn new() -> io::Result<Self> {
        enable_raw_mode()?;
        Ok(Self)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // A terminal that has gone away needs nothing back.
        let _gone = disable_raw_mode();
    }
}

/// Takes a question back, and waits until it has given the terminal back. One whose terminal is gone never does: nobody
/// waits for it any more.
pub(crate) async fn take_back<T>(off: &CallOff, question: impl Future<Output = T>) -> Option<T> {
    off.call_off();
    let ended = tokio::time::timeout(LONGEST_GOODBYE, question).await;
    let _gone = disable_raw_mode();
    ended.ok()
}
