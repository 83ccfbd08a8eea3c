//! A rollback that fails.

use super::*;

fn stuck() -> Run {
    let mut run = Run::of([step("a"), step("b").needs(&["a"])]);
    run.succeeds("a")
        .succeeds("b")
        .is_rolled_back(&[])
        .is_not_undone("b");
    assert_eq!(run.status(), RunStatus::Stuck);
    run
}

#[test]
fn the_list_of_what_is_still_to_undo_is_exact() {
    let run = stuck();
    let left: Vec<String> = run
        .state
        .still_to_undo()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(left, ["b", "a"]);
    assert_eq!(run.under_way(), Vec::<String>::new());
}

#[test]
fn again_tries_again_and_the_first_error_is_kept() {
    let mut run = stuck();
    run.is_decided("b", Ruling::Again);
    assert_eq!(run.under_way(), ["b: undo"]);
    let other = Failure::new(FailureKind::Failed, "it broke otherwise");
    run.ends("b", Outcome::RolledBack(Err(other)));
    let ix = run.state.find(&Run::id("b")).unwrap();
    assert_eq!(run.state.row_of(ix).reason.as_deref(), Some("it broke"));
}

#[test]
fn done_goes_on_with_the_rest() {
    let mut run = stuck();
    run.is_decided("b", Ruling::Done);
    assert_eq!(run.under_way(), ["a: undo"]);
    run.is_undone("a");
    assert_eq!(run.status(), RunStatus::RolledBack);
}

#[test]
fn skip_goes_on_and_does_not_hide_what_stayed() {
    let mut run = stuck();
    run.is_decided("b", Ruling::Skip).is_undone("a");
    assert_eq!(run.status(), RunStatus::RolledBack);
    assert_eq!(run.status_of("b"), InstanceStatus::RollbackFailed);
}

/// A second rollback stood still at what the first one could not undo.
#[test]
fn another_rollback_tries_what_was_skipped_again() {
    let mut run = stuck();
    run.is_decided("b", Ruling::Skip).is_undone("a");
    assert!(
        run.tries_to_decide("b", Ruling::Again).is_err(),
        "no rollback is going on"
    );
    run.is_rolled_back(&["b"]);
    assert_eq!(run.under_way(), ["b: undo"]);
    run.is_undone("b");
    assert_eq!(run.status_of("b"), InstanceStatus::RolledBack);
}

#[test]
fn it_is_still_stuck_after_a_crash() {
    let mut run = stuck();
    run.crashes();
    assert_eq!(run.status(), RunStatus::Stuck);
    run.is_decided("b", Ruling::Again);
    assert_eq!(run.under_way(), ["b: undo"]);
}

#[test]
fn undoing_that_leaves_the_outcome_in_place_has_failed() {
    let mut run = Run::of([step("a")]);
    run.succeeds("a")
        .is_rolled_back(&[])
        .ends("a", Outcome::RolledBack(Ok(())))
        .is_there("a");
    assert_eq!(run.status(), RunStatus::Stuck);
}
