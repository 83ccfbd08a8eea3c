//! Reads a script as PowerShell's own reader does, as far as texts, comments and brackets go.

use runbook_engine::diagnostic::Code;

/// A mistake, and the bytes where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) at: (usize, usize),
    pub(super) message: String,
    pub(super) help: Option<String>,
    pub(super) code: Code,
}

/// What a script holds.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    pub(super) mistakes: Vec<Mistake>,
    /// Whether there is anything but comments.
    pub(super) has_code: bool,
}

/// How deep brackets and texts within texts may be.
const DEEPEST: usize = 200;

/// The characters that PowerShell takes for `'`.
const SINGLE: [char; 5] = ['\'', '\u{2018}', '\u{2019}', '\u{201a}', '\u{201b}'];
/// The characters that PowerShell takes for `"`.
const DOUBLE: [char; 4] = ['"', '\u{201c}', '\u{201d}', '\u{201e}'];
/// The characters beside `-` that PowerShell takes for it.
const DASHES: [char; 3] = ['\u{2013}', '\u{2014}', '\u{2015}'];

/// What is open at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    /// A bracket, and the one that closes it.
    Bracket { at: usize, close: char },
    /// A text in double quotes, in which `$(` leads back into code.
    Text { at: usize },
}

struct Scanner<'a> {
    script: &'a str,
    at: usize,
    open: Vec<Open>,
    found: Scanned,
}

/// Reads a script. Once a character is not what it looks like, what follows is told for its other characters of that
/// kind only: the rest would be consequences.
pub(super) fn scan(script: &str) -> Scanned {
    let mut scanner = Scanner {
        script,
        at: 0,
        open: Vec::new(),
        found: Scanned::default(),
    };
    scanner.read();
    scanner.finish()
}

impl Scanner<'_> {
    fn read(&mut self) {
        while let Some(c) = self.peek() {
            if self.open.len() > DEEPEST {
                self.syntax(self.at, "brackets are nested too deep");
                return;
            }
            match self.open.last() {
                Some(Open::Text { .. }) => self.inside_text(c),
                Some(Open::Bracket { .. }) | None => self.code(c),
            }
        }
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn rest(&self) -> &str {
        &self.script[self.at..]
    }

    fn step(&mut self, c: char) {
        self.at += c.len_utf8();
    }

    /// One character of code, or all of what begins with it.
    fn code(&mut self, c: char) {
        let at = self.at;
        if c.is_whitespace() {
            return self.step(c);
        }
        if self.rest().starts_with("<#") {
            return self.skip_past("#>", at, "the comment that begins here is not closed with `#>`");
        }
        if c == '#' && self.begins_word() {
            let length = self.rest().find('\n').unwrap_or(self.rest().len());
            self.at += length;
            return;
        }
        self.found.has_code = true;
        if self.rest().starts_with("--%") && self.begins_word() {
            let length = self.rest().find('\n').unwrap_or(self.rest().len());
            self.at += length;
            return;
        }
        if self.here_text() {
            return;
        }
        self.step(c);
        match c {
            '`' => self.skip_one(),
            '(' => self.open.push(Open::Bracket { at, close: ')' }),
            '{' => self.open.push(Open::Bracket { at, close: '}' }),
            ')' | '}' => self.close(at, c),
            '$' if self.rest().starts_with('{') => {
                self.skip_past("}", at, "the name that begins here is not closed with `}`");
            }
            _ if DASHES.contains(&c) => self.typographic(at, c, '-'),
            _ if SINGLE.contains(&c) => {
                self.look_alike(at, c, '\'');
                self.plain_text(at);
            }
            _ if DOUBLE.contains(&c) => {
                self.look_alike(at, c, '"');
                self.open.push(Open::Text { at });
            }
            _ => {}
        }
    }

    /// One character within double quotes.
    fn inside_text(&mut self, c: char) {
        let at = self.at;
        if self.rest().starts_with("$(") {
            self.at += 2;
            self.open.push(Open::Bracket { at, close: ')' });
            return;
        }
        self.step(c);
        if c == '`' {
            self.skip_one();
        } else if DOUBLE.contains(&c) {
            self.look_alike(at, c, '"');
            // Two of them are one that belongs to the text.
            match self.peek() {
                Some(next) if DOUBLE.contains(&next) => self.step(next),
                _ => drop(self.open.pop()),
            }
        }
    }

    /// A text in single quotes, of which the first was read.
    fn plain_text(&mut self, start: usize) {
        while let Some(c) = self.peek() {
            let at = self.at;
            self.step(c);
            if !SINGLE.contains(&c) {
                continue;
            }
            self.look_alike(at, c, '\'');
            match self.peek() {
                Some(next) if SINGLE.contains(&next) => self.step(next),
                _ => return,
            }
        }
        self.syntax(start, "the text that begins here is not closed with `'`");
    }

    /// A text between `@'` and `'@`, each at the end or beginning of a line.
    fn here_text(&mut self) -> bool {
        let (start, rest) = (self.at, self.rest());
        let Some(quote) = rest.strip_prefix('@').and_then(|rest| rest.chars().next()) else {
            return false;
        };
        let is_quote = quote == '\'' || quote == '"';
        let line = rest
            .get(2..)
            .and_then(|rest| rest.lines().next())
            .unwrap_or_default();
        if !is_quote || !line.trim().is_empty() || !rest.contains('\n') {
            return false;
        }
        let end = format!("\n{quote}@");
        let message =
            format!("the text that begins here is not closed with `{quote}@` at the beginning of a line");
        self.skip_past(&end, start, &message);
        true
    }

    fn skip_past(&mut self, end: &str, start: usize, message: &str) {
        match self.rest().find(end) {
            Some(length) => self.at += length + end.len(),
            None => {
                self.syntax(start, message);
                self.at = self.script.len();
            }
        }
    }

    fn skip_one(&mut self) {
        if let Some(c) = self.peek() {
            self.step(c);
        }
    }

    fn close(&mut self, at: usize, c: char) {
        match self.open.last() {
            Some(Open::Bracket { close, .. }) if *close == c => drop(self.open.pop()),
            _ => self.syntax(at, &format!("`{c}` closes nothing that is open here")),
        }
    }

    /// `#` begins a comment, and `--%` ends the reading, only where a word could begin.
    fn begins_word(&self) -> bool {
        let before = self.script[..self.at].chars().next_back();
        before.is_none_or(|c| c.is_whitespace() || "(){}[];,|&=".contains(c))
    }

    fn look_alike(&mut self, at: usize, c: char, meant: char) {
        if c != meant {
            self.typographic(at, c, meant);
        }
    }

    fn typographic(&mut self, at: usize, c: char, meant: char) {
        let what = if meant == '-' { "dash" } else { "quotation mark" };
        self.found.mistakes.push(Mistake {
            at: (at, at + c.len_utf8()),
            message: format!("`{c}` (U+{:04X}) is a typographic {what}, which PowerShell takes for `{meant}`", c as u32),
            help: Some(format!("write `{meant}`; text that was copied from a web page or a document often holds such characters")),
            code: Code::TypographicCharacter,
        });
    }

    fn syntax(&mut self, at: usize, message: &str) {
        let length = self.script[at..].chars().next().map_or(0, char::len_utf8);
        self.found.mistakes.push(Mistake {
            at: (at, at + length),
            message: message.to_owned(),
            help: None,
            code: Code::ScriptSyntax,
        });
    }

    fn finish(mut self) -> Scanned {
        if let Some(open) = self.open.pop() {
            match open {
                Open::Text { at } => self.syntax(at, "the text that begins here is not closed with `\"`"),
                Open::Bracket { at, close } => {
                    self.syntax(
                        at,
                        &format!("the bracket that begins here is not closed with `{close}`"),
                    );
                }
            }
        }
        let is_typographic = |mistake: &Mistake| mistake.code == Code::TypographicCharacter;
        if self.found.mistakes.iter().any(is_typographic) {
            self.found.mistakes.retain(is_typographic);
        }
        self.found
    }
}
