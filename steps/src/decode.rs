//! What programs print beside the protocol, in whichever encoding they print it.
//!
//! Where a line is read in a code page, secrets are taken out of its bytes before: one that is printed otherwise than
//! what stands around it would become a text in which nobody finds it, and from which it can be had back.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_16LE};
use oem_cp::code_table::DECODING_TABLE_CP_MAP;
use runbook_engine::secret::Mask;

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
        if line.starts_with(&[0xff, 0xfe]) {
            self.wide = true;
        }
        if self.wide {
            // A line's end has two bytes, of which the second begins the next line.
            let whole = line.strip_prefix(&[0]).unwrap_or(line);
            let text = UTF_16LE.decode(whole.strip_suffix(b"\n").unwrap_or(whole)).0;
            return if line.ends_with(b"\n") {
                format!("{text}\n")
            } else {
                text.into_owned()
            };
        }
        narrow(line, code_page, mask)
    }
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
#[derive(Default)]
enum Form {
    /// Not enough has come to tell.
    #[default]
    Unknown,
    /// UTF-8, or a code page.
    Narrow,
    /// UTF-16.
    Wide(encoding_rs::Decoder),
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
                Some(true) => Form::Wide(UTF_16LE.new_decoder_with_bom_removal()),
                None if !ends => return String::new(),
                Some(false) | None => Form::Narrow,
            };
        }
        let text = match &mut self.form {
            Form::Wide(decoder) => {
                let held = std::mem::take(&mut self.held);
                let mut text =
                    String::with_capacity(decoder.max_utf8_buffer_length(held.len()).unwrap_or_default());
                let _all = decoder.decode_to_string(&held, &mut text, ends);
                text
            }
            Form::Unknown | Form::Narrow => {
                let whole = if ends { self.held.len() } else { self.complete() };
                let ready: Vec<u8> = self.held.drain(..whole).collect();
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
        [0xff, 0xfe, ..] => Some(true),
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
