use proptest::prelude::*;

use super::{Decoder, Reading};

fn decoded(bytes: &[u8], code_page: u16) -> String {
    Decoder::default().decode(bytes, code_page)
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
        .map(|line| decoder.decode(line, 437))
        .collect();
    assert_eq!(lines.concat(), "grün\r\nПривет\n");
}

/// What is read of a stream that comes in pieces of this size.
fn read(bytes: &[u8], size: usize, code_page: Option<u16>) -> Vec<u8> {
    let mut reading = Reading::of(code_page);
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
    let mut reading = Reading::of(Some(850));
    assert_eq!(&*reading.add(b"Name: "), b"Name: ");
    assert_eq!(&*reading.add(b"gr\x81"), b"");
    assert_eq!(&*reading.add(b"n\n..."), "grün\n...".as_bytes());
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
