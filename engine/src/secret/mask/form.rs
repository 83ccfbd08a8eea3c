//! The forms in which a secret may turn up: as it is, escaped, in base64, in hexadecimal, in UTF-16.
//!
//! A form is a row of places, each of which may be written in several ways: one program writes `/`, another `\/`,
//! `%2F` or `&#47;`, and a third mixes them. All ways of all places would be too many texts to search for; place by
//! place they are few.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// One form of a secret.
pub(super) struct Form {
    /// The ways in which places are written; those that are written alike share theirs.
    ways: Vec<Vec<Vec<u8>>>,
    places: Vec<u32>,
}

/// What bytes begin with.
#[derive(Default)]
pub(super) struct Found {
    /// The secret's length as it is written there, if it is there as a whole.
    pub(super) length: Option<usize>,
    /// More bytes could make a secret of it, or a longer one.
    pub(super) may_go_on: bool,
}

impl Form {
    /// A row of places, of which `ways` gives all ways of writing one: those of the first, and those of the others.
    fn new<T: Ord + Copy>(row: &[T], ways: impl Fn(T, bool) -> Vec<Vec<u8>>) -> Self {
        let mut form = Self {
            ways: Vec::new(),
            places: Vec::with_capacity(row.len()),
        };
        let mut known: BTreeMap<(T, bool), u32> = BTreeMap::new();
        for (at, &one) in row.iter().enumerate() {
            let next = u32::try_from(form.ways.len()).unwrap_or(u32::MAX);
            let place = *known.entry((one, at == 0)).or_insert(next);
            if place == next {
                form.ways.push(ways(one, at == 0));
            }
            form.places.push(place);
        }
        form
    }

    /// The bytes with which it may begin.
    pub(super) fn first_bytes(&self) -> BTreeSet<u8> {
        let first = self.places.first().map(|&place| self.ways_of(place));
        let ways = first.into_iter().flatten();
        ways.filter_map(|way| way.first().copied()).collect()
    }

    /// Whether the bytes begin with the secret.
    pub(super) fn starting(&self, bytes: &[u8]) -> Found {
        let mut ends = vec![0];
        let mut may_go_on = false;
        let mut next = Vec::new();
        for &place in &self.places {
            for &end in &ends {
                let rest = &bytes[end..];
                for way in self.ways_of(place) {
                    if rest.starts_with(way) {
                        next.push(end + way.len());
                    } else if way.starts_with(rest) {
                        may_go_on = true;
                    }
                }
            }
            std::mem::swap(&mut ends, &mut next);
            next.clear();
            if ends.is_empty() {
                break;
            }
            ends.sort_unstable();
            ends.dedup();
        }
        Found {
            length: ends.last().copied(),
            may_go_on,
        }
    }

    fn ways_of(&self, place: u32) -> &[Vec<u8>] {
        &self.ways[place as usize]
    }
}

/// All forms of a secret.
pub(super) fn forms(secret: &str) -> Vec<Form> {
    let characters: Vec<char> = secret.chars().collect();
    let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> { secret.encode_utf16().flat_map(bytes).collect() };
    let encodings = [
        secret.as_bytes().to_vec(),
        utf16(u16::to_le_bytes),
        utf16(u16::to_be_bytes),
    ];
    let mut forms = vec![Form::new(&characters, |c, _| written(c))];
    for bytes in &encodings[1..] {
        forms.push(Form::new(bytes, |byte, _| vec![vec![byte]]));
    }
    for bytes in &encodings {
        for skipped in 0..3 {
            let text = base64_within(bytes, skipped);
            forms.push(Form::new(&text, in_base64));
        }
        forms.push(Form::new(bytes, in_hexadecimal));
    }
    forms
}

/// The ways in which text holds a character: as it is, and escaped for JSON (also for JSON within JSON), for URLs and
/// for XML.
fn written(c: char) -> Vec<Vec<u8>> {
    let mut ways = BTreeSet::from([c.to_string()]);
    let mut units = [0; 2];
    let units = c.encode_utf16(&mut units);
    for json in in_json(c, units) {
        ways.insert(json.replace('\\', "\\\\").replace('"', "\\\""));
        ways.insert(json);
    }
    let mut utf8 = [0; 4];
    let utf8 = c.encode_utf8(&mut utf8).as_bytes();
    ways.insert(utf8.iter().map(|byte| format!("%{byte:02X}")).collect());
    ways.insert(utf8.iter().map(|byte| format!("%{byte:02x}")).collect());
    // As Python, C and Rust print texts that they quote.
    ways.insert(utf8.iter().map(|byte| format!("\\x{byte:02x}")).collect());
    let number = u32::from(c);
    ways.insert(format!("\\u{{{number:x}}}"));
    ways.extend([
        format!("&#{number};"),
        format!("&#x{number:X};"),
        format!("&#x{number:x};"),
    ]);
    let special: &[&str] = match c {
        ' ' => &["+"],
        '"' => &["&quot;"],
        '&' => &["&amp;"],
        '\'' => &["&apos;", "\\'"],
        '<' => &["&lt;"],
        '>' => &["&gt;"],
        // Windows ends lines in its own way.
        '\n' => &["\r\n", "%0D%0A", "\\r\\n"],
        _ => &[],
    };
    ways.extend(special.iter().map(|&way| way.to_owned()));
    ways.into_iter().map(String::into_bytes).collect()
}

fn in_json(c: char, units: &[u16]) -> Vec<String> {
    let mut ways = vec![
        units.iter().map(|unit| format!("\\u{unit:04x}")).collect(),
        units.iter().map(|unit| format!("\\u{unit:04X}")).collect(),
    ];
    let short = match c {
        '"' | '\\' | '/' => Some(c),
        '\n' => Some('n'),
        '\r' => Some('r'),
        '\t' => Some('t'),
        '\u{8}' => Some('b'),
        '\u{c}' => Some('f'),
        _ => None,
    };
    ways.extend(short.map(|short| format!("\\{short}")));
    ways
}

/// The part of a base64 text that is the same whatever stands before and after the secret, when it begins `skipped`
/// bytes into a group of three.
fn base64_within(secret: &[u8], skipped: usize) -> Vec<u8> {
    let mut padded = vec![0; skipped];
    padded.extend_from_slice(secret);
    let from = (skipped * 8).div_ceil(6);
    let to = padded.len() * 8 / 6;
    STANDARD_NO_PAD.encode(&padded).into_bytes()[from..to].to_vec()
}

/// The ways in which a character of base64 is written: also for URLs, escaped, and with a new line before it.
fn in_base64(c: u8, is_first: bool) -> Vec<Vec<u8>> {
    let written: &[&[u8]] = match c {
        b'+' => &[b"+", b"-", b"%2B", b"%2b", b"\\u002b", b"\\u002B"],
        b'/' => &[b"/", b"_", b"%2F", b"%2f", b"\\/"],
        _ => &[&[c]],
    };
    let before: &[&[u8]] = if is_first { &[b""] } else { &[b"", b"\n", b"\r\n"] };
    let both = before
        .iter()
        .flat_map(|before| written.iter().map(move |way| [*before, *way].concat()));
    both.collect()
}

/// The ways in which a byte is written in hexadecimal, with what may separate it from the one before.
fn in_hexadecimal(byte: u8, is_first: bool) -> Vec<Vec<u8>> {
    let before: &[&str] = if is_first { &[""] } else { &["", "-", ":", " "] };
    let both = before
        .iter()
        .flat_map(|before| [format!("{before}{byte:02x}"), format!("{before}{byte:02X}")]);
    let distinct: BTreeSet<String> = both.collect();
    distinct.into_iter().map(String::into_bytes).collect()
}
