//! What expressions can see and do, and what they cannot.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use rpds::RedBlackTreeMapSync;
use serde_json::{Value, json};

use super::{
    Known, MARK_END, MARK_START, Put, Scope, Site, compile, compile_loose, fill, items, to_dynamic, to_value,
};
use crate::diagnostic::{SourceFile, Span};
use crate::id::{Host, Operator, StepId};
use crate::step::{RunFacts, StepFacts};

fn id(text: &str) -> StepId {
    text.parse().unwrap()
}

fn scope(params: Value) -> Scope {
    let outputs = Arc::new(json!({ "id": 7, "tags": ["a", "b"] }));
    let steps = [
        (
            id("read-tenant"),
            StepFacts {
                status: "succeeded",
                outputs,
            },
        ),
        (
            id("left-out"),
            StepFacts {
                status: "skipped",
                outputs: Arc::new(Value::Null),
            },
        ),
    ];
    let (operator, host) = (Operator::new("ada"), Host::new("farm1"));
    Scope {
        params: Arc::new(params),
        steps: Arc::new(steps.into_iter().collect::<RedBlackTreeMapSync<_, _>>()),
        item: None,
        before: Some(json!({ "allow": false })),
        outputs: None,
        run: RunFacts {
            id: None,
            name: "a-7f3a".to_owned(),
            rehearsal: true,
            operator,
            host,
        },
        extra: BTreeMap::new(),
    }
}

#[track_caller]
fn value(source: &str) -> Value {
    let expression = compile_loose(source, &[]).unwrap();
    let params =
        json!({ "url": "https://Share.contoso.com:8443/x", "n": 5, "list": ["b", "a", "b"], "none": null });
    expression
        .evaluate(&scope(params))
        .unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn failure(source: &str) -> String {
    let expression = compile_loose(source, &[]).unwrap();
    expression
        .evaluate(&scope(json!({ "n": 5, "text": "hunter2" })))
        .unwrap_err()
        .to_string()
}

#[test]
fn expressions_see_the_run_and_have_what_admins_need() {
    for (source, expected) in [
        ("params.n + 1", json!(6)),
        (
            "params.url.starts_with(\"https://\") && run.rehearsal",
            json!(true),
        ),
        ("host(params.url)", json!("share.contoso.com")),
        ("lower(\"ÄB\") + upper(\"c\")", json!("äbC")),
        ("\"a\" in params.list", json!(true)),
        (
            "default(params.none, \"x\") + default(\"\", \"y\") + default(\"z\", \"w\")",
            json!("xyz"),
        ),
        ("json(#{ a: [1, ()] })", json!("{\"a\":[1,null]}")),
        ("matches(run.name, `^a-[0-9a-f]{4}$`)", json!(true)),
        (
            "moment(\"2026-11-23T04:20:00Z\") - moment(\"Mon, 23 Nov 2026 03:20:00 GMT\")",
            json!(3600),
        ),
        (
            "moment(\"9999-12-31T23:59:59.0000000Z\") > moment(\"9999-12-31T23:59:58+00:00\")",
            json!(true),
        ),
        ("moment(\"1969-12-31T23:59:59-01:00\")", json!(3599)),
        ("params.list.sorted().unique().join(\", \")", json!("a, b")),
        ("\" a b \".trimmed().replaced(\" \", \"-\")", json!("a-b")),
        ("params.list.filter(|x| x != \"b\" && params.n > 1)", json!(["a"])),
        (
            "params.list.map(|x| #{ name: x, of: steps.read_tenant.outputs.id })[1].of",
            json!(7),
        ),
        (
            "steps.read_tenant.outputs.id + steps[\"read-tenant\"].outputs.id",
            json!(14),
        ),
        ("steps.left_out.status", json!("skipped")),
        ("steps.left_out.outputs?.id ?? 3", json!(3)),
        (
            "steps.read_tenant.outputs.get(\"nothing\") ?? \"else\"",
            json!("else"),
        ),
        ("before.allow", json!(false)),
        ("if params.n > 3 { \"many\" } else { \"few\" }", json!("many")),
        ("run.operator + \"@\" + run.host", json!("ada@farm1")),
        ("item", json!(null)),
        ("params.list.map(|item| item + params.n).len()", json!(3)),
        ("[1, 2].map(|run| run)", json!([1, 2])),
        ("7 / 2.0", json!(3.5)),
    ] {
        assert_eq!(value(source), expected, "{source}");
    }
}

#[test]
fn a_failure_says_what_is_missing_and_never_what_the_values_are() {
    for (source, part) in [
        ("params.nothing", "there is no `nothing`"),
        ("steps.read_tenant.outputs.nothing", "there is no `nothing`"),
        ("params.text / 2", "there is no function"),
        ("parse_int(params.text)", "not one"),
        ("host(params.text)", "not given a URL"),
        ("moment(params.text)", "not given a time"),
        ("moment(\"2026-11-23T04:20:00\")", "with its offset"),
        ("matches(params.text, `(`)", "regular expression"),
        ("|x| x", "not a value that can be kept"),
        ("1.0 / 0.0", "finite"),
        ("params.n.nothing", "`params.n.nothing`"),
        ("[1, 2][5]", "[1, 2][5]"),
    ] {
        let failure = failure(source);
        assert!(
            failure.contains(part) && !failure.contains("hunter2"),
            "{source}: {failure}"
        );
    }
}

#[test]
fn nothing_outside_can_be_reached() {
    for source in [
        "eval(\"1\")",
        "import \"x\" as y",
        "open(\"/etc/passwd\")",
        "timestamp()",
        "env(\"HOME\")",
        "let x = 1",
    ] {
        assert!(compile_loose(source, &[]).is_err(), "{source}");
    }
    assert!(failure("sleep(1000)").contains("wait"));
    assert!(
        super::engine()
            .eval::<()>("import \"/etc/passwd\" as x;")
            .is_err()
    );
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test is about time")]
fn every_evaluation_ends_soon() {
    let long = "a".repeat(1_000);
    for source in [
        "[1, 2].map(|x| { loop { x += 1; } })".to_owned(),
        format!("\"{long}\".replaced(\"a\", \"{long}\").replaced(\"a\", \"{long}\")"),
        format!(
            "{}.map(|x| {}.map(|y| {}.map(|z| x + y + z)))",
            list(200),
            list(200),
            list(200)
        ),
        format!("json({})", ["[".repeat(40), "]".repeat(40)].concat()),
        ["1", &" + 1".repeat(4_000)].concat(),
        ["(".repeat(5_000), ")".repeat(5_000)].concat(),
        "!".repeat(5_000) + "true",
        format!("matches(\"{long}\", `(a{{1,500}}){{1,500}}`)"),
    ] {
        let started = Instant::now();
        let result =
            compile_loose(&source, &[]).map(|expression| expression.evaluate(&scope(json!({}))).is_ok());
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "{} took {:?}",
            &source[..30],
            started.elapsed()
        );
        drop(result);
    }
    let script = super::engine().eval::<i64>("let s = \"ab\"; loop { s += s; }");
    assert!(script.unwrap_err().to_string().contains("too large"));
    assert!(
        super::engine()
            .eval::<i64>("let n = 0; loop { n += 1; }")
            .is_err()
    );
    assert!(super::engine().eval::<i64>("fn f(n) { f(n + 1) } f(0)").is_err());
    assert!(
        super::engine()
            .eval::<i64>("let s = \"a\"; s.pad(100000, \"a\"); s.replace(\"a\", s); s.len()")
            .is_err()
    );
}

fn list(length: usize) -> String {
    format!("[{}]", "1, ".repeat(length))
}

#[test]
fn names_are_known_before_anything_runs() {
    let known = Known::new(
        ["host", "port"],
        [id("read-tenant"), id("other")],
        Site::Condition,
    );
    let source = "params.host == params[\"port\"] && steps[\"read-tenant\"].outputs.x > 1";
    let file = SourceFile::new("a.yaml", source);
    let expression = compile(source, &file, Span::new(0, source.len()), &known).unwrap();
    let names = expression.names();
    assert_eq!(
        names.params.iter().map(|name| name.as_str()).collect::<Vec<_>>(),
        ["host", "port"]
    );
    assert_eq!(names.steps.iter().collect::<Vec<_>>(), [&id("read-tenant")]);
    assert!(!names.every_param && !names.every_step);
    let whole = compile_loose("json(params) + json(steps) + x", &["x"]).unwrap();
    assert!(whole.names().every_param && whole.names().every_step);
}

#[test]
fn conditions_and_lists_are_what_they_must_be() {
    assert!(
        super::truth(json!("yes"))
            .unwrap_err()
            .to_string()
            .contains("not `true` or `false`")
    );
    let found = items(json!(["web1", 2, { "name": "a", "id": "b" }, { "id": 3 }])).unwrap();
    assert_eq!(
        found.iter().map(|item| item.key.as_str()).collect::<Vec<_>>(),
        ["web1", "2", "a", "3"]
    );
    assert_eq!(found[2].value, json!({ "name": "a", "id": "b" }));
    for (value, part) in [
        (json!("web1"), "not a list"),
        (json!(["a", "a"]), "two items have the key `a`"),
        (json!([["a"]]), "item 1 is a list"),
        (json!([{ "host": "a" }]), "item 1 is a map"),
        (json!([1.5]), "item 1"),
        (json!([""]), "item 1"),
        (json!(vec![1; 10_001]), "more than 10000"),
    ] {
        let error = items(value).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn an_error_points_into_the_file() {
    let text = "when: params.none.x == 1\n";
    let file = SourceFile::new("a.yaml", text);
    let known = Known::new(["none"], [], Site::Condition);
    let expression = compile("params.none.x == 1", &file, Span::new(6, 24), &known).unwrap();
    let error = expression.evaluate(&scope(json!({ "none": null }))).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("a.yaml:1:7: `params.none.x == 1` could not be evaluated"),
        "{error}"
    );
    assert_eq!(error.diagnostic().labels[0].span, Span::new(6, 24));
}

#[test]
fn fill_keeps_types_and_fills_text() {
    let with = json!({
        "whole": "${{ params.list }}",
        "number": "${{ params.n }}",
        "text": "n is ${{ params.n }}, list ${{ params.list }}, braces ${{ #{a: #{b: \"}}\"}} }}!",
        "deep": [{ "x": "${{ item }}" }],
        "plain": "no template } here $ {{",
        "run": "echo ${{ params.n }}",
        "literal": "${{ \"${{ params.n }}\" }}",
    });
    let mut scope = scope(json!({ "list": [1, "a"], "n": 5 }));
    scope.item = Some(json!({ "name": "web1" }));
    let expected = json!({
        "whole": [1, "a"],
        "number": 5,
        "text": "n is 5, list [1,\"a\"], braces {\"a\":{\"b\":\"}}\"}}!",
        "deep": [{ "x": { "name": "web1" } }],
        "plain": "no template } here $ {{",
        "run": "echo ${{ params.n }}",
        "literal": "${{ params.n }}",
    });
    assert_eq!(fill(&with, &["run"], &scope, Put::Plain).unwrap(), expected);
}

#[test]
fn values_are_marked_in_maps_that_an_expression_gives_as_a_whole() {
    let places = [vec!["validate", "query"]];
    let put = Put::MarkedAt(&places);
    let filled = |with: Value| {
        fill(
            &with,
            &[],
            &scope(json!({ "map": { "query": { "$top": 5, "$filter": "x" } } })),
            put,
        )
    };
    let marked = json!({ "$top": 5, "$filter": format!("{MARK_START}x{MARK_END}") });
    let below = filled(json!({ "validate": { "query": "${{ params.map.query }}" } })).unwrap();
    assert_eq!(below["validate"]["query"], marked);
    let above = filled(json!({ "validate": "${{ params.map }}" })).unwrap();
    assert_eq!(above["validate"]["query"], marked);
    let many = filled(json!({ "validate": "${{ [params.map] }}" })).unwrap();
    assert_eq!(many["validate"][0]["query"], marked);
    let elsewhere = filled(json!({ "run": "${{ params.map }}" })).unwrap();
    assert_eq!(elsewhere["run"]["query"]["$filter"], "x");
}

#[test]
fn fill_says_where_it_failed() {
    let scope = scope(json!({ "none": null }));
    let error = fill(
        &json!({ "run": ["a", "b ${{ params.none }}"] }),
        &[],
        &scope,
        Put::Plain,
    )
    .unwrap_err();
    assert_eq!(error.path(), ["run", "1"]);
    assert!(
        error
            .to_string()
            .starts_with("`with.run.1`: `params.none` could not be evaluated"),
        "{error}"
    );
    let error = fill(
        &json!({ "run": "${{ steps.left_out.outputs.id }}" }),
        &[],
        &scope,
        Put::Plain,
    )
    .unwrap_err();
    assert!(error.to_string().contains("steps.ID.outputs?.NAME"), "{error}");
}

fn data() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |below| {
        prop_oneof![
            prop::collection::vec(below.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", below, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn values_survive_the_way_through_rhai(value in data()) {
        prop_assert_eq!(to_value(to_dynamic(&value)).unwrap(), value);
    }

    #[test]
    fn data_never_becomes_code(hostile in prop_oneof![
        ".{0,20}",
        Just("${{ params.secret }}".to_owned()),
        Just("\" + params.secret + \"".to_owned()),
        Just("}} ${{ params.secret".to_owned()),
        Just("`${params.secret}`".to_owned()),
    ]) {
        let scope = scope(json!({ "x": hostile, "secret": "hunter2" }));
        let with = json!({ "alone": "${{ params.x }}", "within": "<${{ params.x }}|${{ params.x }}>", "map": "${{ #{ x: params.x } }}" });
        let filled = fill(&with, &[], &scope, Put::Plain).unwrap();
        prop_assert_eq!(&filled["alone"], &json!(hostile));
        prop_assert_eq!(&filled["within"], &json!(format!("<{hostile}|{hostile}>")));
        prop_assert_eq!(&filled["map"]["x"], &json!(hostile));
    }

    #[test]
    fn no_source_makes_it_panic(source in "([a-z.\"'`(){}\\[\\]|&=+#?:;,$0-9é -]|params|steps|item|\n){0,40}") {
        let known = Known::new(["a"], [id("b-c")], Site::Step { fans_out: true });
        let file = SourceFile::new("a.yaml", source.as_str());
        if let Ok(expression) = compile(&source, &file, Span::new(0, source.len()), &known) {
            drop(expression.evaluate(&scope(json!({ "a": 1 }))));
        }
        drop(fill(&json!(source), &[], &scope(json!({})), Put::Plain));
    }
}
