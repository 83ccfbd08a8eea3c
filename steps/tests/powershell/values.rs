//! No value becomes code, and each arrives as it was.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use runbook_engine::step::Context;
use serde_json::{Value, json};

use super::Bench;

/// What people, attackers and encodings come up with.
pub(super) fn hostile() -> Vec<String> {
    let quotes = [
        "'", "\"", "\u{2018}", "\u{2019}", "\u{201a}", "\u{201b}", "\u{201c}", "\u{201d}", "\u{201e}",
    ];
    let codes = [
        "; New-Item -Path MARKER -Force #",
        "; exit 9; #",
        " + $(New-Item MARKER) + ",
        "); throw 1; (",
        "\n'@\nthrow 1\n@'\n",
        "`n`$(throw 1)",
    ];
    let mut values: Vec<String> = quotes
        .iter()
        .flat_map(|quote| codes.iter().map(move |code| format!("x{quote}{code}{quote}")))
        .collect();
    let single = [
        "",
        " ",
        "\0",
        "a\0b",
        "\u{1}\u{7f}\u{9f}",
        "\r\n\t\u{b}\u{c}",
        "\u{feff}bom",
        "\u{2028}\u{2029}\u{85}",
        "😀 𝒳 e\u{301} 한국어 العربية",
        "\u{fffe}\u{ffff}\u{fffd}",
        "2026-01-01T00:00:00Z",
        "/Date(1700000000000)/",
        "\\/Date(1)\\/",
        "null",
        "true",
        "1e309",
        "-0",
        "NaN",
        "[]",
        "{}",
        "=",
        "==x",
        "l",
        "m",
        "$Run",
        "${env:PATH}",
        "$(Get-Date)",
        "%PATH%",
        "@args",
        "--%",
        "-Confirm:$false",
        "| Out-Null",
        "&& rm -rf /",
        "`",
        "``",
        "\\",
        "\\\\",
        "\\u0027",
        "&#39;",
        "%27",
        "@@rb-00000000000000000000000000000000 answer e30=",
        "<# #>",
        "#requires -Version 9",
        "C:\\Users\\a b\\",
        "\\\\server\\share",
        "../../etc/passwd",
        "CON",
        "a:b",
        "${{ params.x }}",
        "{{x}}",
        "\u{1b}[31mred",
    ];
    values.extend(single.map(str::to_owned));
    values.push("’".repeat(3000));
    values.push("x".repeat(100_000));
    // Every character below U+0300, and each that PowerShell takes for another.
    values.push((0..0x300).filter_map(char::from_u32).collect());
    values.push((0x2000..0x2070).filter_map(char::from_u32).collect());
    values
}

/// Has a script tell the bytes of each of these values.
async fn bytes_on_arrival(bench: &Bench, values: &[String]) -> Vec<String> {
    let cx = Context {
        params: Arc::new(json!({ "values": values })),
        ..bench.cx.clone()
    };
    let script = "Set-Outputs @{ bytes = @($Run.params.values | ForEach-Object {
        if ($_ -isnot [string]) { throw \"not text: $_\" }
        [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($_)) }) }";
    let outputs = bench.plugin.run(&json!({ "run": script }), &cx).await.unwrap();
    serde_json::from_value(outputs["bytes"].clone()).unwrap()
}

#[tokio::test]
async fn hundreds_of_hostile_values_arrive_byte_for_byte() {
    let Some(bench) = Bench::new() else { return };
    let mut values = hostile();
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    for _ in 0..400 {
        values.push(any::<String>().new_tree(&mut runner).unwrap().current());
        let quoted = proptest::string::string_regex(
            "[a-z ]{0,3}['\"‘’‚‛“”„–—―`$;(){}\\[\\]|&\\\\\n\u{0}-\u{20}]{1,12}",
        )
        .unwrap();
        values.push(quoted.new_tree(&mut runner).unwrap().current());
    }
    assert!(values.len() > 800);
    let arrived = bytes_on_arrival(&bench, &values).await;
    assert_eq!(arrived.len(), values.len());
    for (sent, arrived) in values.iter().zip(arrived) {
        assert_eq!(STANDARD.encode(sent), arrived, "{sent:?}");
    }
}

#[tokio::test]
async fn they_come_back_byte_for_byte_and_as_names_too() {
    let Some(bench) = Bench::new() else { return };
    let values = hostile();
    let named: Value = values
        .iter()
        .enumerate()
        .map(|(at, value)| (value.clone(), json!(at)))
        .collect();
    let cx = Context {
        params: Arc::new(json!({ "values": values, "named": named })),
        item: Some(json!({ "A": 1, "a": 2, "": 3, "PSObject": 4, "Count": 5 })),
        ..bench.cx.clone()
    };
    let script = "Set-Outputs @{ values = $Run.params.values; named = $Run.params.named; item = $Run.item }
        if ($Run.item.a -ne 2 -or $Run.item['A'] -ne 1 -or $Run.item.Count -ne 5) { throw 'mixed up' }";
    let outputs = bench.plugin.run(&json!({ "run": script }), &cx).await.unwrap();
    assert_eq!(outputs["values"], json!(values));
    assert_eq!(outputs["named"], named);
    assert_eq!(&outputs["item"], cx.item.as_ref().unwrap());
}

#[tokio::test]
async fn other_values_keep_their_kind() {
    let Some(bench) = Bench::new() else { return };
    let params = json!({ "a": [null, true, false, 0, -1, 9_007_199_254_740_993_i64, 1.5, [], [[]], {}, [{ "b": [null] }], [1]] });
    let cx = Context {
        params: Arc::new(params.clone()),
        before: Some(json!({ "allow": false, "none": null })),
        ..bench.cx.clone()
    };
    let with = json!({ "run": "Set-Outputs $Run.params", "rollback":
        "if ($Before.allow -isnot [bool] -or $Before.allow -or $null -ne $Before.none) { throw 'changed' }" });
    assert_eq!(json!(bench.plugin.run(&with, &cx).await.unwrap()), params);
    bench.plugin.rollback(&with, &cx).await.unwrap();
}
