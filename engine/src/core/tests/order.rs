//! What comes after what, and how much at once.

use super::*;

#[test]
fn a_step_starts_when_all_its_needs_are_settled() {
    let mut run = Run::of([step("a"), step("b"), step("c").needs(&["a", "b"])]);
    assert_eq!(run.under_way(), ["a: look", "b: look"]);
    run.succeeds("a");
    assert_eq!(run.under_way(), ["b: look"]);
    assert_eq!(run.status_of("c"), InstanceStatus::Pending);
    run.succeeds("b");
    assert_eq!(run.under_way(), ["c: look"]);
}

#[test]
fn what_is_there_already_is_not_done() {
    let mut run = Run::of([step("a")]);
    run.is_there("a");
    assert_eq!(run.status_of("a"), InstanceStatus::Satisfied);
    assert_eq!(run.status(), RunStatus::Completed);
}

#[test]
fn an_attempt_is_looked_at_before_and_checked_after() {
    let mut run = Run::of([step("a")]);
    assert_eq!(run.under_way(), ["a: look"]);
    run.is_missing("a");
    assert_eq!(run.under_way(), ["a: run"]);
    run.returns("a");
    assert_eq!(run.under_way(), ["a: check"]);
    run.is_there("a");
    assert_eq!(run.under_way(), Vec::<String>::new());
    assert_eq!(run.status(), RunStatus::Completed);
}

#[test]
fn success_that_cannot_be_seen_is_failure() {
    let mut run = Run::of([step("a")]);
    run.is_missing("a").returns("a").is_missing("a");
    assert_eq!(run.status_of("a"), InstanceStatus::Failed);
}

#[test]
fn a_step_that_cannot_look_is_taken_at_its_word() {
    let mut run = Run::of([step("a").blind()]);
    assert_eq!(run.under_way(), ["a: run"]);
    run.returns("a");
    assert_eq!(run.status_of("a"), InstanceStatus::Succeeded);
}

#[test]
fn a_condition_that_does_not_hold_skips_the_step_and_satisfies_those_after_it() {
    let mut run = Run::of([step("a").conditional(), step("b").needs(&["a"])]);
    assert_eq!(run.under_way(), ["a: evaluate"]);
    run.is_evaluated("a", Evaluation::Skip("not here".to_owned()));
    assert_eq!(run.status_of("a"), InstanceStatus::Skipped);
    assert_eq!(run.under_way(), ["b: look"]);
}

#[test]
fn no_more_is_under_way_than_jobs_allow() {
    let mut run = Run::with_jobs(1, [step("a"), step("b"), step("c").by_person()]);
    assert_eq!(run.under_way(), ["a: look"]);
    assert_eq!(
        run.status_of("c"),
        InstanceStatus::Waiting,
        "a person takes no slot"
    );
    run.is_there("a");
    assert_eq!(run.under_way(), ["b: look"]);
}

#[test]
fn draining_ends_what_is_under_way_and_starts_nothing() {
    let mut run = Run::of([step("a"), step("b").needs(&["a"])]);
    run.is_missing("a").drains().returns("a");
    assert_eq!(run.under_way(), ["a: check"]);
    run.is_there("a");
    assert_eq!(run.under_way(), Vec::<String>::new());
    run.crashes();
    assert_eq!(run.under_way(), ["b: look"]);
}

#[test]
fn many_evaluations_are_asked_for_a_few_at_a_time() {
    let steps = (0..40).map(|at| step(&format!("s{at}")).conditional());
    let mut run = Run::of(steps);
    let asked = run.under_way().len();
    assert!(asked < 40);
    for at in 0..40 {
        run.is_evaluated(&format!("s{at}"), Evaluation::Skip("no".to_owned()));
    }
    assert_eq!(run.status(), RunStatus::Completed);
}
