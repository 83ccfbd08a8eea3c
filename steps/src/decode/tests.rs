use proptest::prelude::*;
use runbook_engine::secret::Mask;

use super::{Decoder, Reading};

fn decoded(bytes: &[u8], code_page: u16) -> String {
    Decoder::default().decode(bytes, code_page, &Mask::default())
}

#[test]
fn utf_8_is_told_by_being_it() {
    for code_page in [437, 850, 1252, 65001, 0] {
        assert_eq!(decoded("grün – 😀\n".as_bytes(), code_page), "grün – 😀\n");
        assert_eq!(decoded(b"\xef\xbb\xbfmarked\n", code_page), "marked\n");
    }
}

#[test]
fn what_is_not_utf_8_is_of_the_consoles_code_page() {
    for (bytes, code_page, text) in [
        (&b"gr\x81n\n"[..], 437, "grün\n"),
        (b"gr\x81n \xd5", 850, "grün ı"),
        (b"gr\x81n \xd5", 858, "grün €"),
        (b"gr\xfcn \x80", 1252, "grün €"),
        (b"\x8f\xe0\xa8\xa2\xa5\xe2", 866, "Привет"),
        (b"\x93\xfa\x96{", 932, "日本"),
        (b"\xd6\xd0\xce\xc4", 936, "中文"),
        (b"\xff\x41", 65001, "\u{fffd}A"),
        (b"\x81", 12345, "\u{fffd}"),
    ] {
        assert_eq!(decoded(bytes, code_page), text, "{code_page}");
    }
}

#[test]
fn utf_16_is_told_by_its_mark_for_the_whole_stream() {
    let all: Vec<u8> = "\u{feff}grün\r\nПривет\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let mut decoder = Decoder::default();
    // As they are cut: after each byte 10.
    let lines: Vec<String> = all
        .split_inclusive(|&byte| byte == b'\n')
        .map(|line| decoder.decode(line, 437, &Mask::default()))
        .collect();
    assert_eq!(lines.concat(), "grün\r\nПривет\n");
}

fn read(bytes: &[u8], size: usize, code_page: Option<u16>) -> Vec<u8> {
    read_masked(bytes, size, code_page, Mask::default())
}

/// What is read of a stream that comes in pieces of this size.
fn read_masked(bytes: &[u8], size: usize, code_page: Option<u16>, mask: Mask) -> Vec<u8> {
    let mut reading = Reading::of(code_page, mask);
    let mut all = Vec::new();
    for piece in bytes.chunks(size) {
        all.extend_from_slice(&reading.add(piece));
    }
    all.extend_from_slice(&reading.end());
    all
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn whatever_a_program_of_windows_writes_is_read_however_it_is_cut() {
    let streams: [(&[u8], &str); 7] = [
        ("größe\r\n😀\r\n".as_bytes(), "größe\n😀\n"),
        (b"gr\x94\xe1e\r\nPr\x81fung", "größe\nPrüfung"),
        (&wide("\u{feff}grün\r\nПривет 😀\r\n"), "grün\nПривет 😀\n"),
        (&wide("Verify\r\nгрюн\r\n"), "Verify\nгрюн\n"),
        (b"50%\r100%\r\nend\r", "50%\r100%\nend\r"),
        (b"a", "a"),
        (b"", ""),
    ];
    for (bytes, text) in streams {
        for size in [1, 2, 3, 5, 1000] {
            let read = read(bytes, size, Some(850));
            assert_eq!(String::from_utf8(read).unwrap(), text, "in pieces of {size}");
        }
    }
}

#[test]
fn what_can_be_read_is_not_kept_waiting() {
    let mut reading = Reading::of(Some(850), Mask::default());
    assert_eq!(&*reading.add(b"Name: "), b"Name: ");
    assert_eq!(&*reading.add(b"gr\x81"), b"");
    assert_eq!(&*reading.add(b"n\n..."), "grün\n...".as_bytes());
}

#[test]
fn a_secret_that_is_printed_otherwise_than_what_stands_around_it_is_found() {
    const SECRET: &str = "gründlich-geheim";
    let mask = || Mask::new([SECRET]);
    // As it is kept: what is read is masked once more. The `\x81` makes the line one of the code page.
    let within = |secret: &[u8]| [b"gr\x81n ", secret, b" gr\x81n\r\n"].concat();
    let streams = [
        (within(SECRET.as_bytes()), "grün ****** grün\n"),
        (within(&wide(SECRET)), "grün ****** grün\n"),
        (within(b"gr\x81ndlich-geheim"), "grün ****** grün\n"),
        (
            [wide("grün "), wide(SECRET), wide("\r\n")].concat(),
            "grün ******\n",
        ),
        (
            [wide("grün "), SECRET.into(), wide(" grün\r\n")].concat(),
            "grün ****** grün\n",
        ),
        (
            [wide("\u{feff}grün "), SECRET.into(), wide(" grün")].concat(),
            "grün ****** grün",
        ),
    ];
    for (bytes, text) in streams {
        for size in [1, 2, 3, 5, 1000] {
            let kept = mask().bytes(&read_masked(&bytes, size, Some(850), mask()));
            assert_eq!(String::from_utf8(kept).unwrap(), text, "in pieces of {size}");
        }
    }
    let line = Decoder::default().decode(&within(SECRET.as_bytes()), 850, &mask());
    assert_eq!(line, "grün ****** grün\r\n");
    let line = [wide("\u{feff}grün "), SECRET.into(), wide(" grün\r\n")].concat();
    let line = Decoder::default().decode(line.strip_suffix(b"\0").unwrap(), 850, &mask());
    assert_eq!(line, "grün ****** grün\r\n");
}

#[test]
fn a_line_of_any_length_is_read_as_what_it_is() {
    let long = "größe ".repeat(200_000);
    for mask in [Mask::default(), Mask::new(["gründlich-geheim"])] {
        for size in [8191, 3_000_000] {
            let read = read_masked(long.as_bytes(), size, Some(850), mask.clone());
            assert_eq!(read.len(), long.len(), "in pieces of {size}");
            assert!(read == long.as_bytes(), "in pieces of {size}");
        }
    }
}

#[test]
fn no_secret_is_cut_in_two_in_a_line_that_is_too_long() {
    const SECRET: &str = "gründlich-geheim";
    let mask = Mask::new([SECRET]);
    let around = b"\x81 ".repeat(200_000);
    for before in [0, 400_000 - 7, 524_288 - 7, 1_048_576 - 7] {
        let mut bytes = around.repeat(3);
        bytes.splice(before..before, SECRET.bytes());
        let read = read_masked(&bytes, 4096, Some(850), mask.clone());
        let read = String::from_utf8(read).unwrap();
        assert_eq!(read.matches("******").count(), 1, "after {before} bytes");
        assert_eq!(read.chars().count(), 1_200_000 + 6, "after {before} bytes");
    }
    for secret in [SECRET.as_bytes().to_vec(), wide(SECRET)] {
        let mut bytes = wide(&"ü ".repeat(300_000));
        bytes.splice(524_280..524_280, secret);
        let read = read_masked(&bytes, 4096, Some(850), mask.clone());
        let read = String::from_utf8(read).unwrap();
        assert_eq!(read.matches("******").count(), 1);
        assert_eq!(read.chars().count(), 600_000 + 6);
    }
}

proptest! {
    /// Where programs write as they like, what they wrote stays as it is.
    #[test]
    fn elsewhere_nothing_is_changed(bytes in prop::collection::vec(any::<u8>(), 0..200), size in 1_usize..50) {
        prop_assert_eq!(read(&bytes, size, None), bytes);
    }

    /// UTF-8 is read as it is, but for the ends of its lines.
    #[test]
    fn utf_8_is_read_as_it_is(text in "[a-zäß😀\n\r]{0,60}", size in 1_usize..20) {
        let read = read(text.as_bytes(), size, Some(437));
        prop_assert_eq!(String::from_utf8(read).unwrap(), text.replace("\r\n", "\n"));
    }
}
