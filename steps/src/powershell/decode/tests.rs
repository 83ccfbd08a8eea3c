use super::Decoder;

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
