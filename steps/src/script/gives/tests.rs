//! What is sure to be refused is found; what may be right is left alone.

use super::*;
use crate::script::host;

const HASH: &[Declared<'_>] = &[
    Declared {
        name: "hash",
        is_required: true,
    },
    Declared {
        name: "size",
        is_required: false,
    },
];

/// The place of each problem, and the beginning of what is said.
fn told(script: &str, declared: Option<&[Declared<'_>]>) -> Vec<String> {
    let ast = host::sandbox().compile(script).unwrap();
    let found = problems(&ast, declared);
    found
        .iter()
        .map(|problem| format!("{problem} = {}", problem.help.as_deref().unwrap_or_default()))
        .collect()
}

#[test]
fn the_wrong_form_is_found_with_the_right_one() {
    let cases = [
        (
            "fn validate(i, cx) { #{ satisfied: true, hash: 1 } }",
            "line 1, column 42: `validate` gives a map of `satisfied`, `reason`, `observed` and `outputs`: `hash` is none of \
             them = an output stands in a map of its own: `outputs: #{ hash: … }`",
        ),
        (
            "fn validate(i, cx) { #{ satisfied: true, output: #{} } }",
            "line 1, column 42: `validate` gives a map of `satisfied`, `reason`, `observed` and `outputs`: `output` is none \
             of them = did you mean `outputs`?",
        ),
        (
            "fn validate(i, cx) { exists(i.path) }",
            "line 1, column 22: here `validate` gives no output `hash`, which `STEP` declares = where the outcome is there, \
             `validate` gives every output: `#{ satisfied: …, outputs: #{ hash: … } }`; one that may be missing has `optional: true` in `STEP`",
        ),
        (
            "fn validate(i, cx) { #{ satisfied: i.a == i.b, outputs: #{ hsh: 1 } } }",
            "line 1, column 60: `validate` gives an output `hsh`, which `STEP` does not declare = did you mean `hash`?",
        ),
        (
            "fn run(i, cx) { write_file(i.path, \"\"); }",
            "line 1, column 17: here `run` gives no output `hash`, which `STEP` declares = `run` gives every output: \
             `#{ hash: … }`; one that may be missing has `optional: true` in `STEP`",
        ),
        (
            "fn run(i, cx) { remove_file(i.path) }",
            "line 1, column 17: `run` must give a map of outputs, or `()` = end with `()`, or with a map of outputs: \
             `#{ NAME: value }`",
        ),
    ];
    for (script, expected) in cases {
        assert_eq!(
            told(script, Some(HASH)).first().map(String::as_str),
            Some(expected),
            "{script}"
        );
    }
}

#[test]
fn every_way_out_of_a_function_is_looked_at() {
    for script in [
        "fn validate(i, cx) { if i.a { #{ satisfied: true } } else { false } }",
        "fn validate(i, cx) { if i.a { return true; } false }",
        "fn validate(i, cx) { for x in i.a { if x { return #{ satisfied: x } } } false }",
        "fn validate(i, cx) { switch i.a { 1 => true, _ => false } }",
        "fn validate(i, cx) { { i.a != i.b } }",
        "fn validate(i, cx) { i.a && i.b }",
        "fn validate(i, cx) { 42 }",
        "fn run(i, cx) { }",
        "fn run(i, cx) { let x = 1; }",
        "fn run(i, cx) { if i.a { #{ hash: 1 } } }",
    ] {
        assert_eq!(told(script, Some(HASH)).len(), 1, "{script}");
    }
}

#[test]
fn what_may_be_right_is_left_alone() {
    for script in [
        "fn validate(i, cx) { #{ satisfied: i.a == 1, reason: \"no\", observed: 1, outputs: #{ hash: 1, size: 2 } } }",
        "fn validate(i, cx) { #{ satisfied: false, reason: \"no\" } }",
        "fn validate(i, cx) { #{ observed: 1 } }",
        "fn validate(i, cx) { if i.a { \"not yet\" } else { () } }",
        "fn validate(i, cx) { let found = #{}; found.satisfied = true; found }",
        "fn validate(i, cx) { #{ satisfied: true, outputs: given(i) } } fn given(i) { #{ hash: 1 } }",
        "fn validate(i, cx) { look(i) } fn look(i) { #{ satisfied: true, hash: 1 } }",
        "fn validate(i, cx) { exists(i) } fn exists(i) { \"no\" }",
        "fn validate(i, cx) { throw \"no\" }",
        "fn run(i, cx) { if i.a { #{ hash: 1 } } else { throw \"no\" } }",
        "fn run(i, cx) { let f = |x| x == 1; #{ hash: f.call(1) } }",
        "fn run(i, cx) { #{ hash: 1 } }",
        "fn rollback(i, cx) { remove_file(i.path) }",
        "fn wanted(i) { #{ other: 1 } }",
    ] {
        assert_eq!(told(script, Some(HASH)), Vec::<String>::new(), "{script}");
    }
    // A `rhai` step declares no outputs.
    for script in [
        "fn validate(cx) { true }",
        "fn run(cx) { #{ anything: 1 } }",
        "fn run(cx) { log(\"done\") }",
    ] {
        assert_eq!(told(script, None), Vec::<String>::new(), "{script}");
    }
    assert_eq!(
        told("fn validate(cx) { #{ satisfied: true, hash: 1 } }", None).len(),
        1
    );
}

#[test]
fn the_functions_that_are_known_are_functions_of_the_host() {
    let names: Vec<&str> = host::functions().map(host::Function::name).collect();
    for name in NOTHING.iter().chain(TRUTH) {
        assert!(names.contains(name), "{name}");
    }
}
