use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Told, draw_mark, line, told, wire};

#[test]
fn values_travel_in_a_form_that_nothing_reinterprets() {
    let value = json!({ "a": ["2026-01-01T00:00:00Z", null, 1.5, true, []], "A": {}, "": "" });
    assert_eq!(
        wire(&value),
        json!([
            "m",
            "=a",
            ["l", "=2026-01-01T00:00:00Z", null, 1.5, true, ["l"]],
            "=A",
            ["m"],
            "=",
            "="
        ])
    );
}

proptest! {
    #[test]
    fn a_line_is_one_line_of_ascii_and_the_same_json(text in any::<String>()) {
        let message = json!({ "text": text });
        let line = line(&message);
        prop_assert!(line.is_ascii());
        prop_assert_eq!(line.iter().filter(|&&byte| byte == b'\n').count(), 1);
        prop_assert_eq!(serde_json::from_slice::<Value>(&line).unwrap(), message);
    }

    #[test]
    fn whatever_is_printed_is_read_without_a_fault(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(told(&bytes).is_none_or(|(before, _)| before.len() < bytes.len()));
        let marked = [b"@@rb-0123456789abcdef0123456789abcdef ", bytes.as_slice()].concat();
        prop_assert!(told(&marked).is_none_or(|(before, _)| before.len() < marked.len()));
    }
}

#[test]
fn a_marked_line_is_found_after_what_was_printed_without_an_end() {
    let mark = draw_mark();
    let line = format!("50%@@rb-{mark} output aGk=\r\n");
    let expected = Told {
        mark: mark.clone(),
        kind: "output".to_owned(),
        content: "hi".to_owned(),
    };
    assert_eq!(told(line.as_bytes()), Some((&b"50%@@rb-"[..], expected)));
    let empty = told(format!("{mark} output \n").as_bytes()).map(|(_, told)| told.content);
    assert_eq!(empty.as_deref(), Some(""));
    for other in [
        format!("{mark} output"),
        format!("{mark} output aGk= more"),
        format!("{mark} output ???"),
        "@@rb-xyz output aGk=".to_owned(),
    ] {
        assert_eq!(told(other.as_bytes()), None, "{other}");
    }
    assert_ne!(draw_mark(), mark);
}
