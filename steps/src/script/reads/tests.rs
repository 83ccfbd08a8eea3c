//! Whatever a script looks at must be found, or nothing be left out.

use super::*;
use crate::script::host;

fn reads(script: &str) -> Reads {
    Reads::of(&host::sandbox().compile(script).unwrap(), &BTreeSet::from(["cx"]))
}

fn these<const N: usize>(names: [&str; N]) -> Reads {
    Reads::These(names.map(str::to_owned).into())
}

#[test]
fn a_script_that_names_its_steps_reads_no_others() {
    for (script, expected) in [
        ("fn run(cx) { #{} }", these([])),
        ("fn run(cx) { cx.params.a + cx.item.steps }", these([])),
        ("fn run(cx) { cx.steps.a.outputs.x }", these(["a"])),
        ("fn run(cx) { cx.steps[\"a-b\"].outputs }", these(["a-b"])),
        ("fn run(cx) { cx[\"steps\"][\"a\"] }", these(["a"])),
        (
            "fn run(cx) { if cx.steps?.a == () { cx.steps.b } }",
            these(["a", "b"]),
        ),
        (
            "fn run(cx) { cx.steps.a.outputs[cx.steps.b.outputs.key] }",
            these(["a", "b"]),
        ),
        (
            "fn of(n) { n } fn run(cx) { of(cx.steps.a.outputs) }",
            these(["a"]),
        ),
    ] {
        assert_eq!(reads(script), expected, "{script}");
    }
}

#[test]
fn a_script_that_may_read_any_step_is_given_all() {
    for script in [
        "fn run(cx) { cx.steps }",
        "fn run(cx) { log(`${cx}`) }",
        "fn run(cx) { let all = cx; all.steps.a }",
        "fn help(of) { of.steps.a } fn run(cx) { help(cx) }",
        "fn run(cx) { cx.steps.len() }",
        "fn run(cx) { cx.steps.keys() }",
        "fn run(cx) { for one in cx.steps.values() { log(one) } }",
        "fn run(cx) { cx.steps[cx.item].outputs }",
        "fn run(cx) { cx.steps[\"a\".to_upper()] }",
        "fn run(cx) { cx[\"steps\" + \"\"].a }",
        "fn run(cx) { \"a\" in cx.steps }",
        "fn run(cx) { [1].map(|one| cx) }",
        "fn run(cx) { let f = |name| cx.steps[name]; f.call(\"a\") }",
    ] {
        assert_eq!(reads(script), Reads::Any, "{script}");
    }
}
