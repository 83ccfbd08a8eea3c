//! Whatever the secret, the text around it, its encoding and the chunks: it is not there, and the rest is.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use super::{Mask, MaskedStream};

/// The bytes as they come out when they arrive in these pieces.
fn in_pieces(mask: &Mask, bytes: &[u8], cuts: &[prop::sample::Index]) -> Vec<u8> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    let mut stream = MaskedStream::default();
    let mut out: Vec<u8> = cuts
        .windows(2)
        .flat_map(|cut| stream.push(mask, &bytes[cut[0]..cut[1]]))
        .collect();
    out.extend(stream.finish(mask));
    out
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// A secret as programs write it, with what may come before and after it, and what is certainly kept of that.
#[derive(Debug, Clone)]
struct Written {
    name: &'static str,
    bytes: Vec<u8>,
}

fn percent(secret: &str, upper: bool, keeps: fn(u8) -> bool) -> Vec<u8> {
    let one = |byte: u8| match byte {
        byte if keeps(byte) => vec![byte],
        byte if upper => format!("%{byte:02X}").into_bytes(),
        byte => format!("%{byte:02x}").into_bytes(),
    };
    secret.bytes().flat_map(one).collect()
}

/// The texts in which the secret stands whole.
fn encodings(secret: &str) -> Vec<Written> {
    let json = serde_json::to_string(secret).unwrap();
    let json = &json[1..json.len() - 1];
    let twice = serde_json::to_string(json).unwrap();
    let utf16 = |bytes: fn(u16) -> [u8; 2]| secret.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let escaped = |upper: bool| -> String {
        let one = |unit: u16| {
            if upper {
                format!("\\u{unit:04X}")
            } else {
                format!("\\u{unit:04x}")
            }
        };
        secret.encode_utf16().map(one).collect()
    };
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let dashed: Vec<String> = secret.bytes().map(|byte| format!("{byte:02X}")).collect();
    let xml = secret
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;");
    let all: Vec<(&'static str, Vec<u8>)> = vec![
        ("plain", secret.into()),
        ("JSON", json.into()),
        ("JSON in JSON", twice[1..twice.len() - 1].into()),
        ("JSON, all escaped", escaped(false).into()),
        ("JSON, all escaped in capitals", escaped(true).into()),
        ("JSON with slashes", json.replace('/', "\\/").into()),
        ("URL", percent(secret, true, |byte| byte.is_ascii_alphanumeric())),
        (
            "URL in small letters",
            percent(secret, false, |byte| byte.is_ascii_alphanumeric()),
        ),
        (
            "encodeURIComponent",
            percent(secret, true, |b| {
                b.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&b)
            }),
        ),
        (
            "form",
            url::form_urlencoded::byte_serialize(secret.as_bytes())
                .collect::<String>()
                .into(),
        ),
        ("XML", xml.into()),
        ("UTF-16 LE", utf16(u16::to_le_bytes)),
        ("UTF-16 BE", utf16(u16::to_be_bytes)),
        ("hexadecimal", hex(secret.as_bytes()).into()),
        (
            "hexadecimal in capitals",
            hex(secret.as_bytes()).to_uppercase().into(),
        ),
        ("hexadecimal with dashes", dashed.join("-").into()),
        ("hexadecimal of UTF-16", hex(&utf16(u16::to_le_bytes)).into()),
    ];
    all.into_iter()
        .map(|(name, bytes)| Written { name, bytes })
        .collect()
}

/// Secrets as people and machines make them, from four characters on.
fn secrets() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{4,24}",
        "[a-zA-Z0-9+/=_.~-]{4,64}",
        "[a-zäöüß€𝄞 \"\\\\&<>'/%+*\n\t]{4,20}",
        "\\PC{4,16}",
    ]
}

/// Text in which no form of a secret can stand: no secret of the test has these characters.
fn neutral() -> impl Strategy<Value = String> {
    "[\u{2500}-\u{257f}]{0,12}"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_secret_is_gone_and_the_rest_arrives(
        secret in secrets(),
        before in neutral(),
        after in neutral(),
        cuts in vec(any::<prop::sample::Index>(), 0..8),
    ) {
        prop_assume!(!secret.contains(|c| ('\u{2500}'..='\u{257f}').contains(&c)));
        let mask = Mask::new([secret.as_str()]);
        for Written { name, bytes } in encodings(&secret) {
            let whole = [before.as_bytes(), &bytes, after.as_bytes()].concat();
            let out = in_pieces(&mask, &whole, &cuts);
            prop_assert!(!holds(&out, &bytes), "{name} is still there");
            let expected = format!("{before}{}{after}", mask.stand_in());
            prop_assert_eq!(String::from_utf8_lossy(&out), expected, "{}", name);
        }
    }

    #[test]
    fn base64_gives_nothing_away_wherever_the_secret_stands_in_it(
        secret in secrets(),
        before in vec(any::<u8>(), 0..7),
        after in vec(any::<u8>(), 0..7),
        wide in any::<bool>(),
        cuts in vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let bytes: Vec<u8> = if wide {
            secret.encode_utf16().flat_map(u16::to_le_bytes).collect()
        } else {
            secret.clone().into_bytes()
        };
        let all = [&before[..], &bytes, &after].concat();
        let mask = Mask::new([secret.as_str()]);
        let encoded = [STANDARD.encode(&all), STANDARD_NO_PAD.encode(&all), URL_SAFE.encode(&all), URL_SAFE_NO_PAD.encode(&all)];
        for text in encoded {
            for text in [text.clone(), wrapped(&text, "\n"), wrapped(&text, "\r\n")] {
                let out = in_pieces(&mask, text.as_bytes(), &cuts);
                // The characters that hold bits of the secret alone.
                let (from, to) = ((before.len() * 8).div_ceil(6), (before.len() + bytes.len()) * 8 / 6);
                let left = String::from_utf8(out).unwrap().replace(['\r', '\n'], "");
                let inside = &text.replace(['\r', '\n'], "")[from..to];
                prop_assert!(!left.contains(inside), "{inside} in {left}");
            }
        }
    }

    #[test]
    fn cutting_changes_nothing(
        secrets in vec(secrets(), 1..4),
        // Much of what looks like the beginning of a secret, and is none.
        parts in vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), "[ -~]{0,3}"), 0..12),
        cuts in vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let mask = Mask::new(secrets.iter().map(String::as_str));
        let mut text = Vec::new();
        for (which, length, between) in parts {
            let forms = encodings(&secrets[which.index(secrets.len())]);
            let bytes = &forms[length.index(forms.len())].bytes;
            text.extend_from_slice(&bytes[..length.index(bytes.len() + 1)]);
            text.extend_from_slice(between.as_bytes());
        }
        let whole = mask.bytes(&text);
        prop_assert_eq!(&in_pieces(&mask, &text, &cuts), &whole);
        for secret in &secrets {
            prop_assert!(!holds(&whole, secret.as_bytes()), "{:?} in {:?}", secret, String::from_utf8_lossy(&whole));
        }
    }

    #[test]
    fn what_holds_no_secret_is_left_alone(
        secret in "[A-Z]{6,12}",
        text in vec(any::<u8>(), 0..200),
        cuts in vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mask = Mask::new([secret.as_str()]);
        prop_assume!(encodings(&secret).iter().all(|form| !holds(&text, &form.bytes)));
        prop_assert_eq!(in_pieces(&mask, &text, &cuts), text);
    }
}

/// As `base64` and MIME break lines.
fn wrapped(text: &str, end: &str) -> String {
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(19)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    lines.join(end)
}

#[test]
fn only_what_may_be_the_beginning_of_a_secret_is_held_back() {
    let mask = Mask::new(["hunter2"]);
    let mut stream = MaskedStream::default();
    assert_eq!(stream.push(&mask, b"the key is hun"), b"the key is ");
    assert_eq!(stream.push(&mask, b"gry"), b"hungry");
    assert_eq!(stream.push(&mask, b" and hunter"), b" and ");
    assert_eq!(stream.push(&mask, b"2."), b"******.");
    assert_eq!(stream.finish(&mask), b"");
}

#[test]
fn what_is_held_back_comes_in_the_end() {
    let mask = Mask::new(["hunter2"]);
    let mut stream = MaskedStream::default();
    assert_eq!(stream.push(&mask, b"hunter"), b"");
    assert_eq!(stream.finish(&mask), b"hunter");
}

#[test]
fn the_longest_secret_is_taken_whole() {
    let mask = Mask::new(["hunter", "hunter2-and-more"]);
    assert_eq!(mask.text("hunter2-and-more, hunter2"), "******, ******2");
}

#[test]
fn each_line_of_a_key_is_hidden() {
    let key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----";
    let mask = Mask::new([key]);
    assert_eq!(mask.text(&format!("> {}", key.replace('\n', "\r\n"))), "> ******");
    assert_eq!(mask.text("line 3: hkiG9w0BAQEFAASC"), "line 3: ******");
}

#[test]
fn values_are_masked_in_keys_texts_and_numbers() {
    let mask = Mask::new(["473829", "topsecret"]);
    let value = json!({ "pin": 473_829, "topsecret": ["a topsecret", true, null, 17] });
    assert_eq!(
        mask.value(&value),
        json!({ "pin": "******", "******": ["a ******", true, null, 17] })
    );
    assert!(mask.hides(&value) && !mask.hides(&json!(17)));
}

#[test]
fn a_stand_in_is_no_secret_itself() {
    let mask = Mask::new(["****", "a####"]);
    assert_eq!(mask.text("**** and a####"), "~~~~~~ and ~~~~~~");
}

#[test]
fn very_short_texts_are_not_searched_for() {
    assert!(Mask::new(["", "abc"]).is_empty());
}
