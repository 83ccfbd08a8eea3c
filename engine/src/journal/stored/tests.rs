use insta::assert_json_snapshot;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::core::event::{Event, Failure, FailureKind, Verdict};
use crate::id::{AttemptNo, Host, Operator};
use crate::testing::arbitrary;

fn entry(event: Event) -> Entry {
    Entry {
        seq: Seq(7),
        time: "2026-03-01T10:20:30.5Z".parse().unwrap(),
        operator: Operator::new("anna"),
        host: Host::new("web1"),
        event,
    }
}

fn attempt_started() -> Entry {
    entry(Event::AttemptStarted {
        instance: "oauth[web1]".parse().unwrap(),
        attempt: AttemptNo(2),
    })
}

/// Decodes a stored entry after something was changed in it.
fn decode_changed(change: impl FnOnce(&mut Map<String, Value>)) -> Result<Stored, JournalError> {
    let bytes = encode(&attempt_started(), Digest::ZERO, None).unwrap();
    let mut fields: Map<String, Value> = serde_json::from_slice(&bytes).unwrap();
    change(&mut fields);
    decode(&serde_json::to_vec(&fields).unwrap(), Seq(7))
}

proptest! {
    #[test]
    fn every_entry_reads_back_as_it_was(entry in arbitrary::entry(), prev in any::<[u8; 32]>()) {
        let stored = decode(&encode(&entry, prev.into(), None).unwrap(), entry.seq).unwrap();
        prop_assert_eq!(stored.entry, entry);
        prop_assert_eq!(stored.prev, prev.into());
    }

    #[test]
    fn programs_read_the_same_fields_as_are_stored(entry in arbitrary::entry()) {
        let mut fields: Map<String, Value> =
            serde_json::from_slice(&encode(&entry, Digest::ZERO, None).unwrap()).unwrap();
        prop_assert_eq!(fields.remove("v"), Some(json!(1)));
        prop_assert_eq!(fields.remove("prev"), Some(json!(Digest::ZERO.to_string())));
        let shown: Map<String, Value> = serde_json::from_str(&to_json(&entry).to_string()).unwrap();
        prop_assert_eq!(shown, fields);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
        prop_assert!(decode(&bytes, Seq(0)).is_err());
    }
}

#[test]
fn the_stored_form_is_as_documented() {
    let text = String::from_utf8(encode(&attempt_started(), Digest::of(b"before"), None).unwrap()).unwrap();
    insta::assert_snapshot!(text, @r#"{"v":1,"seq":7,"time":"2026-03-01T10:20:30.5Z","operator":"anna","host":"web1","prev":"6db7d803e74f1ffa7d8f5adc0bf95b3e15bf4c8373fffadf546227cc6c6742cb","event":"attempt_started","step":"oauth[web1]","attempt":2}"#);
}

#[test]
fn what_programs_read_is_as_documented() {
    let instance = "oauth".parse().unwrap();
    let verdict = Verdict::Unsatisfied("no certificate".to_owned());
    let observed = entry(Event::Observed {
        instance,
        verdict,
        observed: json!({ "count": 0 }),
        outputs: Map::new(),
        transcript: None,
    });
    assert_json_snapshot!(to_json(&observed), @r#"
    {
      "seq": 7,
      "time": "2026-03-01T10:20:30.5Z",
      "operator": "anna",
      "host": "web1",
      "event": "observed",
      "step": "oauth",
      "verdict": "unsatisfied",
      "reason": "no certificate",
      "observed": {
        "count": 0
      },
      "outputs": {}
    }
    "#);
    let failed = entry(Event::AttemptFailed {
        instance: "oauth".parse().unwrap(),
        error: Failure::new(FailureKind::TimedOut, "took longer than 5m"),
        transcript: None,
        retry_at: Some("2026-03-01T10:21:00Z".parse().unwrap()),
    });
    assert_json_snapshot!(to_json(&failed), @r#"
    {
      "seq": 7,
      "time": "2026-03-01T10:20:30.5Z",
      "operator": "anna",
      "host": "web1",
      "event": "attempt_failed",
      "step": "oauth",
      "error": {
        "kind": "timed_out",
        "message": "took longer than 5m"
      },
      "retry_at": "2026-03-01T10:21:00Z"
    }
    "#);
}

#[test]
fn what_a_newer_program_wrote_is_refused_as_such() {
    type Change = fn(&mut Map<String, Value>);
    let changes: [(Change, &str); 3] = [
        (
            |fields| drop(fields.insert("v".to_owned(), json!(2))),
            "entry 7 has version 2; this program reads up to 1",
        ),
        (
            |fields| drop(fields.insert("event".to_owned(), json!("attempt_paused"))),
            "unknown variant `attempt_paused`",
        ),
        (
            |fields| drop(fields.insert("urgency".to_owned(), json!(3))),
            "unknown field `urgency`",
        ),
    ];
    for (change, says) in changes {
        let error = decode_changed(change).unwrap_err();
        assert!(matches!(error, JournalError::Newer(_)), "{error:?}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn what_lacks_something_is_damaged() {
    for field in [
        "v", "seq", "time", "operator", "host", "prev", "event", "step", "attempt",
    ] {
        let error = decode_changed(|fields| drop(fields.remove(field))).unwrap_err();
        assert!(
            matches!(error, JournalError::Damaged(_)),
            "without {field}: {error:?}"
        );
    }
    let error = decode_changed(|fields| drop(fields.remove("attempt"))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the journal is damaged: entry 7 cannot be read: missing field `attempt`"
    );
}

#[test]
fn a_verdict_and_its_reason_belong_together() {
    let stored = |verdict: &str, reason: Option<&str>| {
        decode_changed(|fields| {
            fields.remove("attempt");
            fields.insert("event".to_owned(), json!("rolled_back"));
            fields.insert("verdict".to_owned(), json!(verdict));
            if let Some(reason) = reason {
                fields.insert("reason".to_owned(), json!(reason));
            }
        })
    };
    assert!(stored("unknown", None).is_ok());
    assert!(stored("unsatisfied", Some("still there")).is_ok());
    assert!(matches!(
        stored("unsatisfied", None),
        Err(JournalError::Damaged(_))
    ));
    assert!(matches!(
        stored("satisfied", Some("why")),
        Err(JournalError::Damaged(_))
    ));
}

#[test]
fn what_could_not_be_read_back_is_not_stored() {
    let nested = |depth: usize| (0..depth).fold(json!("[{"), |inner, _| json!([inner]));
    let observed = |value: Value| {
        let instance = "a".parse().unwrap();
        entry(Event::Observed {
            instance,
            verdict: Verdict::Unknown,
            observed: value,
            outputs: Map::new(),
            transcript: None,
        })
    };
    let deepest = observed(nested(DEEPEST - 1));
    assert_eq!(
        decode(&encode(&deepest, Digest::ZERO, None).unwrap(), Seq(7))
            .unwrap()
            .entry,
        deepest
    );
    for refused in [nested(DEEPEST), json!("x".repeat(LARGEST_ENTRY))] {
        let error = encode(&observed(refused), Digest::ZERO, None).unwrap_err();
        assert!(matches!(error, JournalError::Unstorable(_)), "{error}");
    }
}

/// The names in backticks of a text, in order.
fn named(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// What would have been understood in the place of something that is not.
fn expected(event: &str) -> Vec<String> {
    let refused = decode_changed(|fields| {
        fields.retain(|name, _| name != "step" && name != "attempt");
        fields.insert("event".to_owned(), event.into());
        fields.insert("no such field".to_owned(), 1.into());
    });
    let Err(JournalError::Newer(message)) = refused else {
        panic!("`{event}` is understood")
    };
    named(
        message
            .split_once("expected")
            .map_or("", |(_, expected)| expected),
    )
}

#[test]
fn the_page_about_events_names_all_of_them_with_their_fields() {
    let page = include_str!("../../../../docs/reference/json-lines.md");
    let (_, table) = page.split_once("| `event` | fields |").unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with("| `"));
    let told: Vec<(String, Vec<String>)> = rows
        .map(|row| {
            let cells: Vec<&str> = row.split('|').collect();
            (named(cells[1])[0].clone(), named(cells[2]))
        })
        .collect();
    let names = expected("no such event").into_iter();
    let known: Vec<(String, Vec<String>)> = names
        .map(|name| {
            let fields = expected(&name);
            (name, fields)
        })
        .collect();
    assert_eq!(told, known);
}
