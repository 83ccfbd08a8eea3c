//! What programs print beside the protocol, in whichever encoding they print it.
//!
//! Where a line is read in a code page or as UTF-16, secrets are taken out of its bytes before: one that is printed
//! otherwise than what stands around it would become a text in which nobody finds it, and from which it can be had back.

use std::borrow::Cow;
use std::ops::Range;

use encoding_rs::{Encoding, UTF_16LE};
use oem_cp::code_table::DECODING_TABLE_CP_MAP;
use runbook_engine::secret::Mask;

/// UTF-16's byte order mark.
const MARK: &[u8] = &[0xff, 0xfe];

/// How one stream is read, line by line.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// It began with UTF-16's byte order mark.
    wide: bool,
}

impl Decoder {
    /// The text of a line: UTF-16 where the stream began with its mark, UTF-8 where it is that, otherwise what the
    /// console's code page makes of it.
    pub(crate) fn decode(&mut self, line: &[u8], code_page: u16, mask: &Mask) -> String {
        if line.starts_with(MARK) {
            self.wide = true;
        }
        if self.wide {
            // A line's end has two bytes, of which the second begins the next line.
            let whole = line.strip_prefix(&[0]).unwrap_or(line);
            let whole = whole.strip_prefix(MARK).unwrap_or(whole);
            let mut text = wide(whole.strip_suffix(b"\n").unwrap_or(whole), mask);
            if line.ends_with(b"\n") {
                text.push('\n');
            }
            return text;
        }
        narrow(line, code_page, mask)
    }
}

/// UTF-16, without its mark. What another program printed into it in UTF-8 may have any number of bytes: after a secret
/// a sign begins, whatever was before.
fn wide(bytes: &[u8], mask: &Mask) -> String {
    let read = |bytes: &[u8]| UTF_16LE.decode_without_bom_handling(bytes).0.into_owned();
    let mut text = String::new();
    let mut begin = 0;
    for secret in secrets_within(bytes, mask) {
        text += &read(&bytes[begin..secret.start]);
        text += mask.stand_in();
        begin = secret.end;
    }
    text += &read(&bytes[begin..]);
    text
}

/// Where secrets stand in UTF-16. One in UTF-16 looks like one with its bytes the other way round that begins a byte
/// before, where the signs are of one script: what begins with a sign is meant.
fn secrets_within(bytes: &[u8], mask: &Mask) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut begin = 0;
    while let Some(place) = mask.first_place(&bytes[begin..]) {
        let mut secret = begin + place.start..begin + place.end;
        if place.start % 2 == 1 {
            let next = secret.start + 1..(secret.end + 1).min(bytes.len());
            if mask.first_place(&bytes[next.clone()]) == Some(0..next.len()) {
                secret = next;
            }
        }
        begin = secret.end;
        found.push(secret);
    }
    found
}

/// UTF-8 where it is that, otherwise what the console's code page makes of it.
fn narrow(line: &[u8], code_page: u16, mask: &Mask) -> String {
    if let Ok(text) = std::str::from_utf8(line) {
        return text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
    }
    let line = mask.bytes(line);
    match (encoding(code_page), DECODING_TABLE_CP_MAP.get(&code_page)) {
        (Some(encoding), _) => encoding.decode_without_bom_handling(&line).0.into_owned(),
        (None, Some(table)) => table.decode_string_lossy(&line),
        (None, None) => String::from_utf8_lossy(&line).into_owned(),
    }
}

/// A stream that is read as it comes, in pieces of any size. On Windows it becomes UTF-8 whose lines end as they do
/// elsewhere; on other systems it stays as it is.
#[derive(Default)]
pub(crate) struct Reading {
    /// How what is not UTF-8 is read; none where all stays as it is.
    code_page: Option<u16>,
    form: Form,
    /// The secrets that may stand in it.
    mask: Mask,
    /// What came and was not given on yet.
    held: Vec<u8>,
    /// The text that was given on last might have gone on with a line's end.
    returned: bool,
}

/// In what form a stream comes.
#[derive(Clone, Copy, Default)]
enum Form {
    /// Not enough has come to tell.
    #[default]
    Unknown,
    /// UTF-8, or a code page.
    Narrow,
    /// UTF-16.
    Wide,
}

/// The longest line of a code page that is waited for: where there are secrets, none may be cut in two.
const LONGEST: usize = 8 * 1024;
const LONGEST_WITH_SECRETS: usize = 1024 * 1024;

impl Reading {
    /// A stream of this machine's programs, in which these secrets may stand.
    pub(crate) fn of(code_page: Option<u16>, mask: Mask) -> Self {
        Self {
            code_page,
            mask,
            ..Self::default()
        }
    }

    /// What can be given on once these bytes have come too.
    pub(crate) fn add<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let Some(code_page) = self.code_page else {
            return Cow::Borrowed(bytes);
        };
        self.held.extend_from_slice(bytes);
        Cow::Owned(self.ready(code_page, false).into_bytes())
    }

    /// What is still held, once no more comes.
    pub(crate) fn end(&mut self) -> Vec<u8> {
        let Some(code_page) = self.code_page else {
            return Vec::new();
        };
        let mut text = self.ready(code_page, true);
        if std::mem::take(&mut self.returned) {
            text.push('\r');
        }
        text.into_bytes()
    }

    fn ready(&mut self, code_page: u16, ends: bool) -> String {
        if matches!(self.form, Form::Unknown) {
            self.form = match is_wide(&self.held) {
                Some(true) => Form::Wide,
                None if !ends => return String::new(),
                Some(false) | None => Form::Narrow,
            };
            if self.held.starts_with(MARK) {
                self.held.drain(..MARK.len());
            }
        }
        let whole = match self.form {
            _ if ends => self.held.len(),
            Form::Wide => self.complete_wide(),
            Form::Unknown | Form::Narrow => self.complete(),
        };
        let ready: Vec<u8> = self.held.drain(..whole).collect();
        let text = match self.form {
            Form::Wide => wide(&ready, &self.mask),
            Form::Unknown | Form::Narrow => {
                // Each line for itself: programs that a program starts may write otherwise.
                let lines = ready.split_inclusive(|&byte| byte == b'\n');
                lines.map(|line| narrow(line, code_page, &self.mask)).collect()
            }
        };
        self.with_plain_ends(&text)
    }

    /// How many bytes can be read without those that follow: whole lines; what is ASCII after them, unless it may be the
    /// beginning of a secret; and most of a line that is too long to be waited for.
    fn complete(&mut self) -> usize {
        let end = self.held.iter().rposition(|&byte| byte == b'\n');
        let lines = end.map_or(0, |at| at + 1);
        let rest = &self.held[lines..];
        if self.mask.is_empty() {
            return match rest {
                rest if rest.is_ascii() => self.held.len(),
                rest if rest.len() > LONGEST => lines + whole_signs(rest),
                _ => lines,
            };
        }
        if rest.len() <= LONGEST_WITH_SECRETS {
            return lines;
        }
        // A secret that is not whole yet is in the half that stays.
        let rest = self.mask.bytes(rest);
        self.held.truncate(lines);
        self.held.extend_from_slice(&rest);
        let most = rest.len().saturating_sub(LONGEST_WITH_SECRETS / 2);
        lines + whole_signs(&rest[..most])
    }

    /// Of UTF-16, what `complete` is of the others: whole signs, and where there are secrets, whole lines, unless one is too
    /// long to be waited for.
    fn complete_wide(&self) -> usize {
        if self.mask.is_empty() {
            return whole_units(&self.held);
        }
        let end = self.held.chunks_exact(2).rposition(|unit| unit == b"\n\0");
        let lines = end.map_or(0, |at| 2 * (at + 1));
        if self.held.len() - lines <= LONGEST_WITH_SECRETS {
            return lines;
        }
        let most = self.held.len() - LONGEST_WITH_SECRETS / 2;
        let places = secrets_within(&self.held, &self.mask);
        let cut = places.iter().find(|secret| secret.contains(&most));
        let cut = cut.map_or(most, |secret| secret.start);
        let before = places.iter().rfind(|secret| secret.end <= cut);
        let begin = before.map_or(0, |secret| secret.end);
        begin + whole_units(&self.held[begin..cut])
    }

    /// With lines that end in `\n` alone, also where a piece ends between the two signs of an end.
    fn with_plain_ends(&mut self, text: &str) -> String {
        if text.is_empty() {
            return String::new();
        }
        let before = if std::mem::take(&mut self.returned) {
            "\r"
        } else {
            ""
        };
        let mut all = format!("{before}{text}");
        if all.ends_with('\r') {
            self.returned = true;
            all.pop();
        }
        all.replace("\r\n", "\n")
    }
}

/// Whether a stream that begins so is UTF-16: it has its mark, or signs of which every second byte is zero. None where
/// more must come to tell.
fn is_wide(begin: &[u8]) -> Option<bool> {
    match *begin {
        _ if begin.starts_with(MARK) => Some(true),
        [] | [_] | [_, 0] | [_, 0, _] => None,
        [first, 0, second, 0, ..] => Some(first != 0 && second != 0),
        [..] => Some(false),
    }
}

/// The bytes without those of a sign of UTF-8 that is not whole.
fn whole_signs(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Ok(_) | Err(_) => bytes.len(),
    }
}

/// The bytes of UTF-16 without those of a sign that is not whole.
fn whole_units(bytes: &[u8]) -> usize {
    let even = bytes.len() - bytes.len() % 2;
    match bytes[..even] {
        // The first half of a pair.
        [.., _, 0xd8..=0xdb] => even - 2,
        _ => even,
    }
}

/// The code pages that browsers know too; the others of consoles are OEM code pages.
fn encoding(code_page: u16) -> Option<&'static Encoding> {
    let label = match code_page {
        866 => "ibm866",
        874 => "windows-874",
        932 => "shift_jis",
        936 => "gbk",
        949 => "euc-kr",
        950 => "big5",
        54936 => "gb18030",
        1250..=1258 => return Encoding::for_label(format!("windows-{code_page}").as_bytes()),
        _ => return None,
    };
    Encoding::for_label(label.as_bytes())
}

#[cfg(test)]
mod tests;
