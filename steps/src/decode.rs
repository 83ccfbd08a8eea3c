//! What programs print beside the protocol, in whichever encoding they print it.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_16LE};
use oem_cp::code_table::DECODING_TABLE_CP_MAP;

/// How one stream is read, line by line.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// It began with UTF-16's byte order mark.
    wide: bool,
}

impl Decoder {
    /// The text of a line: UTF-16 where the stream began with its mark, UTF-8 where it is that, otherwise what the
    /// console's code page makes of it.
    pub(crate) fn decode(&mut self, line: &[u8], code_page: u16) -> String {
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
        narrow(line, code_page)
    }
}

/// UTF-8 where it is that, otherwise what the console's code page makes of it.
fn narrow(line: &[u8], code_page: u16) -> String {
    if let Ok(text) = std::str::from_utf8(line) {
        return text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
    }
    match (encoding(code_page), DECODING_TABLE_CP_MAP.get(&code_page)) {
        (Some(encoding), _) => encoding.decode_without_bom_handling(line).0.into_owned(),
        (None, Some(table)) => table.decode_string_lossy(line),
        (None, None) => String::from_utf8_lossy(line).into_owned(),
    }
}

/// A stream that is read as it comes, in pieces of any size. On Windows it becomes UTF-8 whose lines end as they do
/// elsewhere; on other systems it stays as it is.
#[derive(Default)]
pub(crate) struct Reading {
    /// How what is not UTF-8 is read; none where all stays as it is.
    code_page: Option<u16>,
    form: Form,
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

/// The longest line of a code page that is waited for.
const LONGEST: usize = 8 * 1024;

impl Reading {
    /// A stream of this machine's programs.
    pub(crate) fn of(code_page: Option<u16>) -> Self {
        Self {
            code_page,
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
                let whole = if ends {
                    self.held.len()
                } else {
                    complete(&self.held)
                };
                let ready: Vec<u8> = self.held.drain(..whole).collect();
                // Each line for itself: programs that a program starts may write otherwise.
                let lines = ready.split_inclusive(|&byte| byte == b'\n');
                lines.map(|line| narrow(line, code_page)).collect()
            }
        };
        self.with_plain_ends(&text)
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

/// How many bytes can be read without those that follow: whole lines, and what is ASCII after them.
fn complete(bytes: &[u8]) -> usize {
    let lines = bytes
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |at| at + 1);
    let rest = &bytes[lines..];
    if rest.is_ascii() || rest.len() > LONGEST {
        bytes.len()
    } else {
        lines
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
