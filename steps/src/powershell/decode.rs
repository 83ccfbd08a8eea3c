//! What programs print beside the protocol, in whichever encoding they print it.

use encoding_rs::{Encoding, UTF_16LE};
use oem_cp::code_table::DECODING_TABLE_CP_MAP;

/// How one stream is read, line by line.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// It began with UTF-16's byte order mark.
    wide: bool,
}

impl Decoder {
    /// The text of a line: UTF-16 where the stream began with its mark, UTF-8 where it is that, otherwise what the
    /// console's code page makes of it.
    pub(super) fn decode(&mut self, line: &[u8], code_page: u16) -> String {
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
        if let Ok(text) = std::str::from_utf8(line) {
            return text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
        }
        match (encoding(code_page), DECODING_TABLE_CP_MAP.get(&code_page)) {
            (Some(encoding), _) => encoding.decode_without_bom_handling(line).0.into_owned(),
            (None, Some(table)) => table.decode_string_lossy(line),
            (None, None) => String::from_utf8_lossy(line).into_owned(),
        }
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
