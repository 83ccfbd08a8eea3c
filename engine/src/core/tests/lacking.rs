//! Secrets that are not to be had.

use super::*;
use crate::core::wake_at;
use crate::secret::SecretName;

fn token() -> SecretName {
    SecretName::Param("token".parse().unwrap())
}

fn needs_token(id: &str) -> StepPolicy {
    StepPolicy {
        secrets: vec![token()],
        ..step(id)
    }
}

/// A run that begins without the secret.
fn without(steps: impl IntoIterator<Item = StepPolicy>) -> Run {
    Run::without(Lacking::from_iter([token()]), 4, steps)
}

fn is_given(run: &mut Run) {
    run.turn.lacking = Lacking::nothing();
    run.takes(&Input::Clock);
}

fn waits_for(run: &Run) -> Vec<String> {
    let withheld = run.state.withheld(&run.turn.lacking).into_iter();
    withheld.map(|(by, name)| format!("{by}: {name}")).collect()
}

#[test]
fn what_needs_a_secret_is_not_begun_and_the_rest_goes_on() {
    let mut run = without([needs_token("a"), step("b"), needs_token("c").needs(&["b"])]);
    assert_eq!(run.under_way(), ["b: look"]);
    assert_eq!(waits_for(&run), ["a: token"], "`c` is not ready");
    run.is_there("b");
    // Of those that wait alike, the first stands for all.
    assert_eq!(waits_for(&run), ["a: token"]);
    assert_eq!(
        run.status(),
        RunStatus::Running,
        "it goes on once the secret is there"
    );
    is_given(&mut run);
    assert_eq!(run.under_way(), ["a: look", "c: look"]);
    assert!(waits_for(&run).is_empty());
}

#[test]
fn a_condition_that_names_a_secret_is_not_evaluated() {
    let mut run = without([needs_token("a").conditional(), step("b").conditional()]);
    assert_eq!(run.under_way(), ["b: evaluate"]);
    assert_eq!(waits_for(&run), ["a: token"]);
    is_given(&mut run);
    assert_eq!(run.under_way(), ["a: evaluate", "b: evaluate"]);
}

#[test]
fn a_try_that_lacks_a_secret_wakes_nobody() {
    let mut run = Run::of([needs_token("a").attempts(2, 10)]);
    run.is_missing("a").fails("a");
    run.turn.lacking = Lacking::from_iter([token()]);
    assert_eq!(wake_at(&run.state, &run.turn.lacking), None);
    run.waits(10);
    assert_eq!(run.under_way(), [""; 0]);
    assert_eq!(waits_for(&run), ["a: token"]);
    is_given(&mut run);
    assert_eq!(run.under_way(), ["a: look"]);
}

#[test]
fn a_doubt_is_settled_once_the_secret_is_there() {
    let mut run = Run::of([needs_token("a")]);
    run.is_missing("a");
    run.turn.lacking = Lacking::from_iter([token()]);
    run.is_cut_off("a").is_cleared("a");
    assert_eq!(run.under_way(), [""; 0]);
    assert_eq!(waits_for(&run), ["a: token"]);
    is_given(&mut run);
    assert_eq!(run.under_way(), ["a: look after"]);
}

#[test]
fn nothing_is_undone_without_the_secret_for_it() {
    let mut run = Run::of([needs_token("a"), step("b").needs(&["a"])]);
    run.succeeds("a").succeeds("b");
    run.turn.lacking = Lacking::from_iter([token()]);
    run.is_rolled_back(&[]);
    assert_eq!(waits_for(&run), [""; 0], "`b` is undone first, and needs none");
    run.is_undone("b");
    assert_eq!(run.under_way(), [""; 0]);
    assert_eq!(waits_for(&run), ["a: token"]);
    is_given(&mut run);
    assert_eq!(run.under_way(), ["a: undo"]);
}
