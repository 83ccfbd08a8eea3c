//! A line that is being typed.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use textwrap::core::display_width;

/// The longest line, in bytes: a person types less, a slip with the clipboard more.
const LONGEST: usize = 16 * 1024;

/// What a key did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pressed {
    /// The line is another.
    Edited,
    /// It is finished.
    Enter,
    /// Not now.
    Escape,
    /// Stop.
    Interrupt,
    /// Give the terminal back for a while.
    Pause,
    /// The key means nothing here.
    Nothing,
}

/// A line, and where the cursor stands in it.
#[derive(Debug, Default)]
pub(super) struct Line {
    text: String,
    /// In bytes, at the beginning of a character.
    cursor: usize,
}

impl Line {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn press(&mut self, key: KeyEvent) -> Pressed {
        if with_ctrl(key, 'c') {
            return Pressed::Interrupt;
        }
        if with_ctrl(key, 'z') {
            return Pressed::Pause;
        }
        if with_ctrl(key, 'd') && self.text.is_empty() {
            return Pressed::Escape;
        }
        if with_ctrl(key, 'u') {
            self.text.clear();
            self.cursor = 0;
            return Pressed::Edited;
        }
        match key.code {
            KeyCode::Enter => return Pressed::Enter,
            KeyCode::Esc => return Pressed::Escape,
            KeyCode::Char(letter)
                if !key
                    .modifiers
                    .intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) =>
            {
                self.insert(letter);
            }
            KeyCode::Backspace => {
                if let Some(letter) = self.text[..self.cursor].chars().next_back() {
                    self.cursor -= letter.len_utf8();
                    self.text.remove(self.cursor);
                }
            }
            KeyCode::Delete => {
                if self.cursor < self.text.len() {
                    self.text.remove(self.cursor);
                }
            }
            KeyCode::Left => self.cursor -= last_len(&self.text[..self.cursor]),
            KeyCode::Right => {
                self.cursor += self.text[self.cursor..].chars().next().map_or(0, char::len_utf8);
            }
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.text.len(),
            _ => return Pressed::Nothing,
        }
        Pressed::Edited
    }

    fn insert(&mut self, letter: char) {
        if !letter.is_control() && self.text.len() < LONGEST {
            self.text.insert(self.cursor, letter);
            self.cursor += letter.len_utf8();
        }
    }

    /// The part of the line around the cursor that has room in so many columns, and the cursor's column in it.
    pub(super) fn window(&self, room: usize) -> (String, usize) {
        let mut start = 0;
        while display_width(&self.text[start..self.cursor]) >= room {
            start += self.text[start..].chars().next().map_or(1, char::len_utf8);
        }
        let mut shown = String::new();
        for letter in self.text[start..].chars() {
            shown.push(letter);
            if display_width(&shown) > room {
                shown.pop();
                break;
            }
        }
        (shown, display_width(&self.text[start..self.cursor]))
    }
}

/// Whether this key is pressed together with Ctrl.
fn with_ctrl(key: KeyEvent, letter: char) -> bool {
    key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char(letter)
}

fn last_len(text: &str) -> usize {
    text.chars().next_back().map_or(0, char::len_utf8)
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::{Line, Pressed};

    fn typed(keys: &[KeyCode]) -> Line {
        let mut line = Line::default();
        for &key in keys {
            line.press(KeyEvent::new(key, KeyModifiers::NONE));
        }
        line
    }

    fn text(text: &str) -> Vec<KeyCode> {
        text.chars().map(KeyCode::Char).collect()
    }

    #[test]
    fn a_line_is_edited_by_characters_not_bytes() {
        let keys = [
            text("größe"),
            vec![KeyCode::Left, KeyCode::Left, KeyCode::Backspace],
        ]
        .concat();
        assert_eq!(typed(&keys).text(), "grße");
        let keys = [text("ab"), vec![KeyCode::Home, KeyCode::Delete, KeyCode::End]].concat();
        assert_eq!(typed(&[keys, text("c")].concat()).text(), "bc");
    }

    #[test]
    fn keys_that_end_it() {
        let ctrl = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
        let mut line = typed(&text("abc"));
        assert_eq!(line.press(ctrl('c')), Pressed::Interrupt);
        assert_eq!(line.press(ctrl('z')), Pressed::Pause);
        assert_eq!(line.press(ctrl('d')), Pressed::Nothing);
        assert_eq!(line.press(ctrl('u')), Pressed::Edited);
        assert_eq!(line.text(), "");
        assert_eq!(line.press(ctrl('d')), Pressed::Escape);
    }

    #[test]
    fn a_long_line_scrolls_with_the_cursor() {
        let mut line = typed(&text("0123456789"));
        assert_eq!(line.window(4), ("789".to_owned(), 3));
        line.press(KeyEvent::new(KeyCode::Home, KeyModifiers::NONE));
        assert_eq!(line.window(4), ("0123".to_owned(), 0));
        assert_eq!(typed(&text("表表表")).window(4), ("表".to_owned(), 2));
    }
}
