use proptest::prelude::*;

use super::*;

#[test]
fn a_problem_is_placed_on_whole_characters() {
    let place = |text: &str| Compiled::new(text).unwrap_err().inside(text);
    assert_eq!(place("fn run(cx) {\n  \"ü\" + ;\n}"), Some((22, 23)));
    assert_eq!(place("fn run(cx) {"), Some((12, 12)), "the end of the text");
    assert_eq!(place("fn other(cx) {}"), None, "the whole script is meant");
}

proptest! {
    /// Whatever stands there, a script is refused or taken, and a problem lies within it.
    #[test]
    fn any_text_can_be_checked(text in "(fn |run|validate|\\(cx\\)|[{}();=\"'`#\\[\\]\n ü日]|const |[a-z0-9.+]){0,40}") {
        if let Err(problem) = Compiled::new(&text)
            && let Some((start, end)) = problem.inside(&text)
        {
            prop_assert!(text.get(start..end).is_some(), "{start}..{end} of {text:?}");
        }
    }
}
