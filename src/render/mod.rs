//! What the program shows: events and states as text and JSON, and diagnostics with a caret.

pub(crate) mod amendment;
pub(crate) mod approval;
pub(crate) mod authors;
pub(crate) mod briefing;
pub(crate) mod charset;
pub(crate) mod diagnostic;
pub(crate) mod graph;
pub(crate) mod hands;
pub(crate) mod heading;
pub(crate) mod held;
pub(crate) mod hint;
pub(crate) mod layout;
pub(crate) mod live;
pub(crate) mod markdown;
pub(crate) mod next;
pub(crate) mod overlay;
pub(crate) mod page;
pub(crate) mod place;
pub(crate) mod progress;
pub(crate) mod rows;
pub(crate) mod script;
pub(crate) mod story;
pub(crate) mod style;
pub(crate) mod time;
pub(crate) mod undoing;
pub(crate) mod workers;

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{LazyLock, OnceLock};

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};
use serde_json::Value;

use crate::hush;

/// Why a result could not be printed, the first time.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Prints a result on standard output. A reader that has gone away is nobody's error.
pub(crate) fn result(text: &str) {
    let text = hush::hushed(text);
    let text = if io::stdout().is_terminal() {
        charset::fit(&text)
    } else {
        text.as_str().into()
    };
    printed(writeln!(anstream::stdout(), "{text}"));
}

/// Whether standard error takes colours.
static COLOURS: LazyLock<ColorChoice> = LazyLock::new(|| AutoStream::choice(&io::stderr()));

/// Writes a text to standard error, in one piece.
pub(crate) fn to_stderr(text: &str) -> io::Result<()> {
    match *COLOURS {
        // Left to itself, anstream writes a piece for each change of colour.
        ColorChoice::Never => io::stderr().write_all(strip_str(text).to_string().as_bytes()),
        ColorChoice::Auto | ColorChoice::Always | ColorChoice::AlwaysAnsi => {
            anstream::stderr().write_all(text.as_bytes())
        }
    }
}

/// Prints a result for programs: one line of JSON.
pub(crate) fn json(value: &Value) {
    printed(writeln!(io::stdout(), "{}", hush::hushed_value(value)));
}

fn printed(result: io::Result<()>) {
    if let Err(error) = result
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        let _another = LOST.set(error);
    }
}

/// Why results are missing on standard output, if they are: as on a full disk. A run goes on all the same.
pub(crate) fn lost() -> Option<&'static io::Error> {
    printed(io::stdout().flush());
    LOST.get()
}

/// Text from outside without what could drive the reader's terminal, or turn the direction in which it is read;
/// its lines stay.
pub(crate) fn plain(text: &str) -> String {
    let turns = |c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let drives = |c: char| c.is_control() && !matches!(c, '\t' | '\n');
    text.replace(|c| drives(c) || turns(c), "\u{fffd}")
}
