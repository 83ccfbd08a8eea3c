//! Time-outs.

use super::*;
use crate::core::{stop_at, wake_at};

#[test]
fn an_attempt_that_takes_too_long_is_told_to_stop_and_has_failed() {
    let mut run = Run::of([step("a").timeout(30)]);
    run.is_missing("a").waits(29);
    assert_eq!(run.under_way(), ["a: run"]);
    run.waits(1);
    assert_eq!(run.under_way(), ["a: run, stop"]);
    run.fails("a");
    let ix = run.state.find(&Run::id("a")).unwrap();
    let error = run.state.instance(ix).error.clone().unwrap();
    assert_eq!(error.kind, FailureKind::TimedOut);
    assert_eq!(run.status(), RunStatus::Failed);
}

#[test]
fn what_ends_well_after_its_time_has_ended_well() {
    let mut run = Run::of([step("a").timeout(30)]);
    run.is_missing("a").waits(30).returns("a").is_there("a");
    assert_eq!(run.status(), RunStatus::Completed);
}

#[test]
fn the_clock_rings_for_the_first_time_out_and_only_once() {
    let mut run = Run::of([step("a").timeout(30), step("b").timeout(10)]);
    let in_ten = Timestamp::UNIX_EPOCH
        .checked_add(SignedDuration::from_secs(10))
        .unwrap();
    assert_eq!(wake_at(&run.state, &Lacking::nothing()), Some(in_ten));
    run.waits(10);
    assert!(wake_at(&run.state, &Lacking::nothing()) > Some(in_ten));
}

#[test]
fn time_outs_hold_while_draining_too() {
    let mut run = Run::of([step("a").timeout(30), step("b").attempts(2, 5)]);
    run.is_missing("b").fails("b").drains();
    assert!(
        wake_at(&run.state, &Lacking::nothing()) < stop_at(&run.state, &Lacking::nothing()),
        "a retry does not matter any more"
    );
    run.waits(30);
    assert_eq!(run.under_way(), ["a: look, stop"]);
}
