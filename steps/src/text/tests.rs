use serde_json::{Value, from_value, json};

use super::*;

#[test]
fn numbers_and_truth_values_are_text() {
    let read = |value: Value| from_value::<Text>(value).map(|text| text.as_str().to_owned());
    assert_eq!(read(json!("a b")).unwrap(), "a b");
    assert_eq!(read(json!(8080)).unwrap(), "8080");
    assert_eq!(read(json!(-1)).unwrap(), "-1");
    assert_eq!(read(json!(true)).unwrap(), "true");
    assert!(read(json!(null)).is_err());
    assert!(read(json!(["a"])).is_err());
}

#[test]
fn periods_are_bounded() {
    let read = |text: &str| text.parse::<Period>().map(Period::get);
    assert_eq!(read("10s"), Ok(Duration::from_secs(10)));
    assert_eq!(read("1h 30m"), Ok(Duration::from_secs(5400)));
    assert_eq!(read("30d"), Ok(Duration::from_secs(30 * 86_400)));
    for wrong in ["", "10", "0s", "-5s", "9999999h", "soon"] {
        assert_eq!(read(wrong), Err(InvalidPeriod), "{wrong}");
    }
    assert_eq!(Period::seconds(5400).to_string(), "1h 30m");
}

#[test]
fn the_last_line_is_short_and_printable() {
    assert_eq!(last_line("one\ntwo\u{7}!\n \n"), Some("two !".to_owned()));
    assert_eq!(last_line("\n \n"), None);
    assert_eq!(
        last_line("\u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7}end"),
        Some("red end".to_owned())
    );
    assert_eq!(
        last_line(&"x".repeat(1000)).map(|line| line.chars().count()),
        Some(301)
    );
}
