use serde_json::{Map, from_value, json};

use super::*;

fn inputs(collect: Value) -> ManualInputs {
    from_value(json!({ "instructions": "Look.", "collect": collect })).unwrap()
}

fn entered(values: Value) -> Map<String, Value> {
    from_value(values).unwrap()
}

#[test]
fn each_kind_takes_what_fits_it() {
    let accepted = [
        ("string", json!(" a b "), json!("a b")),
        ("integer", json!("42"), json!(42)),
        ("integer", json!(-1), json!(-1)),
        ("number", json!("1.5"), json!(1.5)),
        ("number", json!("2"), json!(2)),
        ("boolean", json!("true"), json!(true)),
        ("boolean", json!(false), json!(false)),
        ("url", json!("https://a.example/x"), json!("https://a.example/x")),
        ("domain", json!("adventureworks.com"), json!("adventureworks.com")),
        ("host", json!("web1"), json!("web1")),
        ("host", json!("::1"), json!("::1")),
        (
            "guid",
            json!("{00000003-0000-0FF1-CE00-000000000000}"),
            json!("00000003-0000-0ff1-ce00-000000000000"),
        ),
        ("path", json!(r"C:\Temp\a b"), json!(r"C:\Temp\a b")),
    ];
    for (kind, value, expected) in accepted {
        let inputs = inputs(json!({ "it": { "type": kind } }));
        let outputs = inputs.check_values(&entered(json!({ "it": value })));
        assert_eq!(
            outputs.map(|outputs| outputs["it"].clone()),
            Ok(expected),
            "{kind}"
        );
    }
}

#[test]
fn each_kind_refuses_what_does_not_fit_it() {
    let refused = [
        ("string", json!("")),
        ("string", json!(1)),
        ("string", json!("x".repeat(70_000))),
        ("integer", json!("4.2")),
        ("number", json!("NaN")),
        ("boolean", json!("maybe")),
        ("url", json!("adventureworks.com")),
        ("url", json!("mailto:a@b.example")),
        ("domain", json!("https://adventureworks.com")),
        ("domain", json!("localhost")),
        ("host", json!("a b")),
        ("guid", json!("0003")),
        ("path", json!("a\nb")),
    ];
    for (kind, value) in refused {
        let inputs = inputs(json!({ "it": { "type": kind } }));
        let wrong = inputs.check_values(&entered(json!({ "it": value }))).unwrap_err();
        assert!(
            wrong.len() == 1 && wrong[0].starts_with("`it`: "),
            "{kind}: {wrong:?}"
        );
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let inputs = inputs(json!({
        "thumbprint": { "type": "string", "pattern": "[0-9A-F]{4}", "example": "00FF" },
        "version": { "type": "enum", "values": ["2016", "SE"] },
        "note": { "type": "string", "optional": true },
        "left_out": { "type": "integer" },
    }));
    let wrong = inputs.check_values(&entered(
        json!({ "thumbprint": "00FF00", "version": "2013", "thumprint": "x" }),
    ));
    assert_eq!(
        wrong.unwrap_err(),
        [
            "`thumbprint`: `00FF00` does not match the pattern `[0-9A-F]{4}`; for example `00FF`",
            "`version`: `2013` is not one of the values; did you mean `2016`? The values are `2016`, `SE`",
            "`left_out` is missing",
            "`thumprint` is not asked for; did you mean `thumbprint`?",
        ]
    );
    let right = inputs.check_values(&entered(
        json!({ "thumbprint": "00FF", "version": "SE", "left_out": 1 }),
    ));
    assert_eq!(right.unwrap()["note"], Value::Null);
}
