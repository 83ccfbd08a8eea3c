use proptest::prelude::*;

use super::*;

fn problems(text: &str) -> Vec<String> {
    let problems = Compiled::new(text, &["cx"]).err().unwrap_or_default();
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn a_problem_is_placed_on_whole_characters() {
    let place = |text: &str| Compiled::new(text, &["cx"]).unwrap_err()[0].inside(text);
    assert_eq!(place("fn run(cx) {\n  \"ü\" + ;\n}"), Some((22, 23)));
    assert_eq!(place("fn run(cx) {"), Some((12, 12)), "the end of the text");
    assert_eq!(place("fn other(cx) {}"), None, "the whole script is meant");
}

#[test]
fn all_mistakes_are_found_at_once() {
    let text = "const A = 1;
fn run(cx) {
    let x = 1 +;
}
fn validate(cx) {
    lgo(\"x\");
    missing
}
fn rollback(cx) {
    fnid(cx.text, \"x\");
    sha256(1, 2);
    global::B
}
";
    assert_eq!(
        problems(text),
        [
            "line 3, column 16: unexpected ';'",
            "line 7, column 5: there is no variable `missing`",
            "line 10, column 5: there is no function `fnid`",
            "line 11, column 5: `sha256` takes 1 arguments, not 2",
            "line 12, column 13: the script has no constant `B`",
        ]
    );
}

#[test]
fn what_is_right_is_not_called_wrong() {
    let text = r#"
        const A = #{ f: |x| x + 1 };
        private fn helper(a, b) { a + b }
        fn method(n) { this + n }
        fn run(cx) {
            let double = |x| x * 2;
            let text = `${double.call(2)} and ${helper(1, 2)}`;
            let list = [1, 2, 3].filter(|x| x > cx.least).map(|x| helper(x, 1));
            let own = #{ act: |x| x };
            own.act(1);
            let n = 1;
            n.method(2);
            text.to_upper().split(",").len();
            text.replace("a", "b");
            for (item, at) in list { print(item + at); }
            let name = Fn("helper");
            call(name, 1, 2);
            if "a" in #{ a: 1 } && !("b" in ["b"]) { log("x"); }
            switch n { 1 => debug(n), _ => throw "no" }
            try { parse_int("x") } catch (error) { error.message }
            text.matches("x");
            let all = [type_of(n), global::A, cx.steps["a"].outputs, 1..3, list[0], n ** 2, min(1, 2), 1.5.floor()];
            #{ all: all }
        }
    "#;
    assert_eq!(problems(text), [""; 0]);
}

#[test]
fn the_grants_that_a_script_needs_are_known() {
    let needs = |body: &str| {
        let script = Compiled::new(&format!("fn run(cx) {{ {body} }}"), &["cx"]).unwrap();
        script.needs().map(Grant::key).collect::<Vec<_>>()
    };
    assert_eq!(needs("log(`x`)"), [""; 0]);
    assert_eq!(
        needs("if false { `/x`.read_file() } command([`x`])"),
        ["commands", "folders"]
    );
    assert_eq!(needs("http(#{ url: `x` })"), ["hosts"]);
}

proptest! {
    /// Whatever stands there, a script is refused or taken, and a problem lies within it.
    #[test]
    fn any_text_can_be_checked(text in "(fn |run|validate|\\(cx\\)|[{}();=\"'`#\\[\\]\n ü日]|const |[a-z0-9.+]){0,40}") {
        for problem in Compiled::new(&text, &["cx"]).err().unwrap_or_default() {
            if let Some((start, end)) = problem.inside(&text) {
                prop_assert!(text.get(start..end).is_some(), "{start}..{end} of {text:?}");
            }
        }
    }
}
