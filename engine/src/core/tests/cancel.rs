//! Stopping a run for good.

use super::*;

#[test]
fn everything_under_way_is_told_to_stop() {
    let mut run = Run::of([step("a"), step("b"), step("c").needs(&["a"])]);
    run.is_missing("a").is_cancelled();
    assert_eq!(run.under_way(), ["a: run, stop", "b: look, stop"]);
    assert_eq!(run.status(), RunStatus::Running);
    run.fails("a").is_missing("b");
    assert_eq!(run.status(), RunStatus::Cancelled);
    assert_eq!(
        run.status_of("a"),
        InstanceStatus::InDoubt,
        "nobody knows how far it came"
    );
    assert_eq!(run.status_of("b"), InstanceStatus::Ready, "it was only looked at");
}

#[test]
fn what_ends_well_all_the_same_has_succeeded() {
    let mut run = Run::of([step("a").blind()]);
    run.is_cancelled().returns("a");
    assert_eq!(run.status_of("a"), InstanceStatus::Succeeded);
}

/// A check that was stopped was made again, stopped again, and so on without end.
#[test]
fn a_check_that_is_stopped_leaves_a_doubt() {
    let mut run = Run::of([step("a")]);
    run.is_missing("a").is_cancelled().returns("a");
    assert_eq!(run.under_way(), ["a: check, stop"]);
    run.ends("a", Outcome::Observed(Err(failure())));
    assert_eq!(run.status(), RunStatus::Cancelled);
    assert_eq!(run.status_of("a"), InstanceStatus::InDoubt);
}

#[test]
fn a_cancelled_run_goes_forward_by_nobodys_word() {
    let mut run = Run::of([step("a"), step("b").by_person()]);
    run.is_missing("a").fails("a").is_cancelled();
    assert_eq!(run.status(), RunStatus::Cancelled);
    assert!(run.tries_to_decide("a", Ruling::Again).is_err());
    assert!(run.tries_to_confirm("b").is_err());
    assert!(run.tries_to_cancel().is_err());
    assert_eq!(run.state.waiting_for(), []);
}

#[test]
fn a_cancelled_run_can_be_undone_with_its_doubts() {
    let mut run = Run::of([step("a"), step("b").needs(&["a"])]);
    run.succeeds("a")
        .is_missing("b")
        .is_cancelled()
        .fails("b")
        .is_rolled_back(&[]);
    assert_eq!(
        run.under_way(),
        ["b: clear"],
        "nothing is undone while its process may be left"
    );
    run.is_cleared("b");
    assert_eq!(run.under_way(), ["b: undo"]);
    run.is_undone("b").is_undone("a");
    assert_eq!(run.status(), RunStatus::RolledBack);
}

#[test]
fn what_a_cancelled_run_left_in_doubt_is_settled_by_a_person() {
    for (ruling, then) in [
        (Ruling::Done, InstanceStatus::Succeeded),
        (Ruling::Fail, InstanceStatus::Failed),
    ] {
        let mut run = Run::of([step("a").blind()]);
        run.is_cancelled().is_cut_off("a");
        assert!(
            run.tries_to_decide("a", ruling).is_err(),
            "its process may be left"
        );
        run.is_cleared("a");
        assert!(run.tries_to_decide("a", Ruling::Again).is_err());
        run.is_decided("a", ruling);
        assert_eq!((run.status_of("a"), run.status()), (then, RunStatus::Cancelled));
    }
}

#[test]
fn a_completed_run_is_not_cancelled() {
    let mut run = Run::of([step("a")]);
    run.succeeds("a");
    insta::assert_snapshot!(run.tries_to_cancel().unwrap_err(), @"the run is completed, so it cannot be cancelled");
}
