//! Trying again after a failure.

use super::*;
use crate::core::wake_at;

#[test]
fn a_failure_is_tried_again_after_a_wait_that_grows() {
    let mut run = Run::of([step("a").attempts(3, 10)]);
    run.is_missing("a").fails("a");
    assert_eq!(run.under_way(), Vec::<String>::new());
    assert_eq!(run.status(), RunStatus::Running);
    run.waits(9);
    assert_eq!(run.under_way(), Vec::<String>::new());
    run.waits(1);
    assert_eq!(
        run.under_way(),
        ["a: look"],
        "the failed attempt may have done it all the same"
    );
    run.is_missing("a").fails("a").waits(19);
    assert_eq!(run.under_way(), Vec::<String>::new());
    run.waits(1).is_missing("a").fails("a");
    assert_eq!(run.status_of("a"), InstanceStatus::Failed);
}

#[test]
fn what_a_failed_attempt_did_all_the_same_has_succeeded_and_can_be_undone() {
    let mut run = Run::of([step("a").attempts(2, 1)]);
    run.is_missing("a").fails("a").waits(1).is_there("a");
    assert_eq!(run.status_of("a"), InstanceStatus::Succeeded);
    run.is_rolled_back(&[]);
    assert_eq!(run.under_way(), ["a: undo"]);
}

#[test]
fn no_try_is_planned_after_the_deadline() {
    let mut run = Run::of([step("a").attempts(9, 10).retry_deadline(25)]);
    run.is_missing("a")
        .fails("a")
        .waits(10)
        .is_missing("a")
        .fails("a");
    assert_eq!(
        run.status_of("a"),
        InstanceStatus::Failed,
        "10 + 20 seconds are more than 25"
    );
}

#[test]
fn inputs_that_cannot_be_worked_out_are_not_tried_again() {
    let mut run = Run::of([step("a").attempts(3, 1)]);
    let error = Failure::new(FailureKind::Inputs, "no such output");
    run.is_missing("a").ends("a", Outcome::Ran(Err(error)));
    assert_eq!(run.status_of("a"), InstanceStatus::Failed);
}

#[test]
fn before_stays_what_was_seen_before_the_first_attempt() {
    let mut run = Run::of([step("a").attempts(2, 1)]);
    run.cannot_be_told("a").fails("a").waits(1).is_missing("a");
    let ix = run.state.find(&Run::id("a")).unwrap();
    assert_eq!(run.state.instance(ix).before, Some(json!("Unknown")));
}

#[test]
fn a_backoff_that_makes_no_sense_waits_the_longest_time() {
    let retry = Retry {
        attempts: 9,
        backoff: -2.0,
        ..Retry::default()
    };
    assert_eq!(retry.delay_after(2), Some(retry.max_delay));
    let retry = Retry {
        attempts: 9999,
        backoff: 1e9,
        ..Retry::default()
    };
    assert_eq!(retry.delay_after(5000), Some(retry.max_delay));
}

/// A due try whose lock was taken, or for which there was no room, made the clock ring without end.
#[test]
fn the_clock_does_not_ring_for_a_try_that_waits_for_something_else_too() {
    let mut run = Run::with_jobs(1, [step("a").attempts(2, 10), step("b").lock("farm")]);
    run.is_missing("a").fails("a");
    assert_eq!(run.under_way(), ["b: look"]);
    run.waits(60);
    assert_eq!(
        wake_at(&run.state, &Lacking::nothing()),
        None,
        "`b` has the only slot"
    );
    run.is_there("b");
    assert_eq!(run.under_way(), ["a: look"]);
}

/// A try that waited for a lock which an instance held that waits for a person: the run said that it was running.
#[test]
fn a_run_in_which_even_retries_wait_for_a_person_is_waiting() {
    let mut run = Run::with_jobs(
        1,
        [
            step("a").attempts(2, 10).lock("farm"),
            step("b").by_person().lock("farm"),
        ],
    );
    run.is_missing("a").fails("a");
    assert_eq!(run.status_of("b"), InstanceStatus::Waiting);
    assert_eq!(run.status(), RunStatus::Waiting);
    run.is_confirmed("b").waits(10);
    assert_eq!(run.under_way(), ["a: look"]);
}

/// What a call gives.
fn gives(pairs: &[(&str, serde_json::Value)]) -> Outputs {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

#[track_caller]
fn is_there_with(run: &mut Run, outputs: Outputs) {
    let observed = json!(null);
    run.ends(
        "a",
        Outcome::Observed(Ok(Observation {
            verdict: Verdict::Satisfied,
            observed,
            outputs,
        })),
    );
}

#[track_caller]
fn has_outputs(run: &Run, outputs: &[(&str, serde_json::Value)]) {
    let ix = run.state.find(&Run::id("a")).unwrap();
    let expected = serde_json::Value::Object(gives(outputs));
    assert_eq!(*run.state.instance(ix).outputs, expected);
}

#[test]
fn what_run_gave_stays_where_validate_says_nothing_of_it() {
    let mut run = Run::of([step("a")]);
    run.is_missing("a");
    let given = gives(&[("id", json!(7)), ("name", json!("old")), ("spare", json!("x"))]);
    run.ends("a", Outcome::Ran(Ok(given)));
    let seen = gives(&[
        ("name", json!("new")),
        ("spare", json!(null)),
        ("none", json!(null)),
    ]);
    is_there_with(&mut run, seen);
    has_outputs(
        &run,
        &[
            ("id", json!(7)),
            ("name", json!("new")),
            ("spare", json!("x")),
            ("none", json!(null)),
        ],
    );
}

#[test]
fn what_an_attempt_gave_whose_outcome_shows_late_counts() {
    let mut run = Run::of([step("a").attempts(2, 1)]);
    run.is_missing("a");
    run.ends("a", Outcome::Ran(Ok(gives(&[("id", json!(7))]))));
    run.is_missing("a").waits(1);
    is_there_with(&mut run, gives(&[("name", json!("new"))]));
    has_outputs(&run, &[("id", json!(7)), ("name", json!("new"))]);
}

#[test]
fn what_an_earlier_attempt_gave_does_not_count() {
    let mut run = Run::of([step("a").attempts(3, 1)]);
    run.is_missing("a");
    run.ends("a", Outcome::Ran(Ok(gives(&[("id", json!(7))]))));
    run.is_missing("a").waits(1).is_missing("a").fails("a").waits(2);
    is_there_with(&mut run, gives(&[("name", json!("new"))]));
    has_outputs(&run, &[("name", json!("new"))]);
}
