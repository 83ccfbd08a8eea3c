//! The last line of what each step under way has printed.

use std::collections::{BTreeMap, BTreeSet};

use runbook_engine::core::RunState;
use runbook_engine::id::InstanceId;

use crate::render::plain;

/// The most of a line that is kept, in bytes.
const LONGEST: usize = 1024;

/// The last lines, by instance.
#[derive(Debug, Default)]
pub(crate) struct Tails(BTreeMap<InstanceId, Tail>);

/// What an instance printed last.
#[derive(Debug, Default)]
struct Tail {
    /// The last whole line that is not empty.
    whole: Vec<u8>,
    /// The beginnings of lines that are not finished, by stream.
    open: BTreeMap<&'static str, Vec<u8>>,
    /// The stream that was printed to last.
    stream: &'static str,
}

impl Tails {
    /// An instance printed this.
    pub(crate) fn add(&mut self, instance: &InstanceId, stream: &'static str, bytes: &[u8]) {
        if !self.0.contains_key(instance) {
            self.0.insert(instance.clone(), Tail::default());
        }
        if let Some(tail) = self.0.get_mut(instance) {
            tail.add(stream, bytes);
        }
    }

    /// Forgets what is no longer under way.
    pub(crate) fn keep_only(&mut self, state: &RunState) {
        if !self.0.is_empty() {
            let active: BTreeSet<&InstanceId> = state.active().map(|instance| &instance.id).collect();
            self.0.retain(|id, _| active.contains(id));
        }
    }

    /// The last line, if there is any.
    pub(super) fn of(&self, instance: &InstanceId) -> Option<String> {
        self.0.get(instance)?.line()
    }
}

impl Tail {
    fn add(&mut self, stream: &'static str, bytes: &[u8]) {
        self.stream = stream;
        let open = self.open.entry(stream).or_default();
        for piece in bytes.split_inclusive(|&byte| ends_line(byte)) {
            let (text, is_whole) = match piece.split_last() {
                Some((&last, text)) if ends_line(last) => (text, true),
                _ => (piece, false),
            };
            let room = LONGEST.saturating_sub(open.len());
            open.extend_from_slice(&text[..text.len().min(room)]);
            if is_whole {
                if !open.trim_ascii().is_empty() {
                    std::mem::swap(&mut self.whole, open);
                }
                open.clear();
            }
        }
    }

    fn line(&self) -> Option<String> {
        let open = self.open.get(self.stream).and_then(|line| readable(line));
        open.or_else(|| readable(&self.whole))
    }
}

fn ends_line(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// A line as it can be shown; none where it says nothing.
fn readable(line: &[u8]) -> Option<String> {
    // A character of which the end has not come yet is not shown yet.
    let line = match std::str::from_utf8(line) {
        Err(error) if error.error_len().is_none() => &line[..error.valid_up_to()],
        _ => line,
    };
    let line = String::from_utf8_lossy(line);
    let line = anstream::adapter::strip_str(&line).to_string();
    let line = plain(&line).replace('\t', " ");
    let line = line.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::Tail;

    fn shown(chunks: &[&[u8]]) -> String {
        let mut tail = Tail::default();
        chunks.iter().for_each(|chunk| tail.add("stdout", chunk));
        tail.line().unwrap_or_default()
    }

    #[test]
    fn the_last_line_that_says_something_is_shown() {
        assert_eq!(shown(&[b"one\ntwo\n"]), "two");
        assert_eq!(shown(&[b"one\ntwo\n\n  \n"]), "two");
        assert_eq!(shown(&[b"one\ntw", b"o and", b" more"]), "two and more");
        assert_eq!(shown(&[b"tw", b"o\n"]), "two");
        assert_eq!(shown(&[b"tw", b"o\n\n"]), "two");
        assert_eq!(shown(&[b"10 %\r20 %\r", b"30 %"]), "30 %");
        assert_eq!(shown(&[b"\n\n"]), "");
    }

    #[test]
    fn what_could_drive_the_terminal_is_not() {
        assert_eq!(shown(&[b"\x1b[31mred\x1b[0m\tand \x07bell"]), "red and bell");
    }

    #[test]
    fn characters_are_not_torn() {
        assert_eq!(shown(&["grö".as_bytes().split_last().unwrap().1]), "gr");
        let text = "größe".as_bytes();
        assert_eq!(shown(&[&text[..3], &text[3..]]), "größe");
    }

    #[test]
    fn a_line_without_end_is_bounded() {
        let mut tail = Tail::default();
        for _ in 0..1000 {
            tail.add("stdout", &[b'x'; 8192]);
        }
        assert!(tail.open["stdout"].len() <= 1024 && tail.line().is_some());
    }
}
