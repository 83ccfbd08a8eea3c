//! Undoing.

use super::*;
use crate::core::wake_at;

#[test]
fn it_goes_backwards_and_leaves_what_was_there() {
    let mut run = Run::of([
        step("a"),
        step("b").needs(&["a"]),
        step("c").needs(&["b"]).read_only(),
    ]);
    run.succeeds("a").is_there("b").succeeds("c").is_rolled_back(&[]);
    assert_eq!(run.under_way(), ["a: undo"]);
    run.is_undone("a");
    assert_eq!(run.status(), RunStatus::RolledBack);
    assert_eq!(run.status_of("b"), InstanceStatus::Satisfied);
}

#[test]
fn items_are_undone_backwards_too_and_one_at_a_time() {
    let mut run = Run::of([step("a").for_each()]);
    run.is_evaluated("a", each(&["x", "y"]))
        .succeeds("a[x]")
        .succeeds("a[y]")
        .is_rolled_back(&[]);
    assert_eq!(run.under_way(), ["a[y]: undo"]);
    run.is_undone("a[y]");
    assert_eq!(run.under_way(), ["a[x]: undo"]);
}

#[test]
fn what_has_no_way_back_is_left_and_named() {
    let mut run = Run::of([step("a").without_a_way_back(), step("b")]);
    run.succeeds("a").succeeds("b").is_rolled_back(&[]).is_undone("b");
    assert_eq!(run.status(), RunStatus::RolledBack);
    let left = &run.state.rollback().unwrap().left;
    assert_eq!(
        left.iter()
            .map(|&ix| run.state.instance(ix).id.to_string())
            .collect::<Vec<_>>(),
        ["a"]
    );
}

#[test]
fn chosen_steps_are_undone_with_all_that_depends_on_them() {
    let mut run = Run::of([
        step("a"),
        step("b").needs(&["a"]),
        step("c").needs(&["b"]),
        step("d"),
    ]);
    run.succeeds("d")
        .succeeds("a")
        .succeeds("b")
        .succeeds("c")
        .is_rolled_back(&["b"]);
    run.is_undone("c").is_undone("b");
    assert_eq!(run.status(), RunStatus::RolledBack);
    assert_eq!(run.status_of("a"), InstanceStatus::Succeeded);
    assert_eq!(run.status_of("d"), InstanceStatus::Succeeded);
}

/// A step that only has a way back, of use where `change` was made.
fn with_a_way_back_of_its_own() -> Run {
    let mut run = Run::of([
        step("restart").for_each().blind().undone_with(&["change"]),
        step("change").needs(&["restart"]),
        step("after").needs(&["change"]),
    ]);
    run.is_evaluated("restart", each(&["x", "y"]))
        .returns("restart[x]")
        .returns("restart[y]");
    run
}

#[test]
fn what_is_undone_with_a_step_is_left_alone_where_that_changed_nothing() {
    let mut run = with_a_way_back_of_its_own();
    run.is_there("change").succeeds("after");
    let would = run.state.would_undo(&RollbackScope::Run).unwrap();
    assert_eq!(would.undo.len(), 1, "{would:?}");
    run.is_rolled_back(&[]).is_undone("after");
    assert_eq!(run.status(), RunStatus::RolledBack);
    assert_eq!(run.status_of("restart[x]"), InstanceStatus::Succeeded);
}

#[test]
fn what_is_undone_with_a_step_is_undone_after_it_also_where_that_step_alone_was_chosen() {
    for scope in [&[][..], &["change"]] {
        let mut run = with_a_way_back_of_its_own();
        run.is_missing("change").fails("change").is_rolled_back(scope);
        run.is_undone("change");
        assert_eq!(run.under_way(), ["restart[y]: undo"]);
        run.is_not_undone("restart[y]")
            .is_decided("restart[y]", Ruling::Skip)
            .ends("restart[x]", Outcome::RolledBack(Ok(())));
        assert_eq!(run.status(), RunStatus::RolledBack);
        // It is owed still, though the step that it goes with has nothing to undo any more.
        run.is_rolled_back(&[]);
        assert_eq!(run.under_way(), ["restart[y]: undo"]);
    }
}

#[test]
fn what_was_undone_can_be_tried_again_in_any_order() {
    let mut run = Run::of([step("a"), step("b").needs(&["a"])]);
    run.succeeds("a")
        .succeeds("b")
        .is_rolled_back(&["a"])
        .is_undone("b")
        .is_undone("a");
    run.is_decided("b", Ruling::Again);
    assert_eq!(run.under_way(), Vec::<String>::new());
    assert_eq!(run.status_of("b"), InstanceStatus::Blocked);
    assert_eq!(run.status(), RunStatus::RolledBack);
    run.is_decided("a", Ruling::Again);
    assert_eq!(run.under_way(), ["a: look"]);
    run.succeeds("a");
    assert_eq!(run.under_way(), ["b: look"]);
    run.succeeds("b");
    assert_eq!(run.status(), RunStatus::Completed);
}

#[test]
fn nothing_else_is_decided_while_it_goes_on() {
    let mut run = Run::of([step("a"), step("b").needs(&["a"])]);
    run.succeeds("a").is_missing("b").fails("b").is_rolled_back(&[]);
    run.is_undone("b");
    assert_eq!(run.under_way(), ["a: undo"]);
    assert!(run.tries_to_decide("b", Ruling::Again).is_err());
    assert!(run.tries_to_roll_back(&[]).is_err());
    assert!(run.tries_to_cancel().is_err());
}

#[test]
fn it_is_not_begun_while_something_is_under_way() {
    let mut run = Run::of([step("a")]);
    let rejection = run.tries_to_roll_back(&[]).unwrap_err();
    insta::assert_snapshot!(rejection, @"the run is being carried out, so it cannot be rolled back");
}

#[test]
fn manual_work_is_undone_by_hand() {
    let mut run = Run::of([step("a").by_person()]);
    run.is_confirmed("a").is_rolled_back(&[]);
    assert_eq!(run.status(), RunStatus::Waiting);
    assert!(run.state.waiting_for()[0].undoing);
    run.is_confirmed("a");
    assert_eq!(run.status(), RunStatus::RolledBack);
}

#[test]
fn undoing_that_was_interrupted_had_taken_effect_if_the_outcome_is_gone() {
    let mut run = Run::of([step("a")]);
    run.succeeds("a").is_rolled_back(&[]).crashes();
    assert_eq!(run.under_way(), ["a: clear"]);
    run.is_cleared("a").is_missing("a");
    assert_eq!(run.status(), RunStatus::RolledBack);
}

#[test]
fn undoing_that_keeps_something_is_repeated_though_the_outcome_is_gone_and_is_given_what_it_kept() {
    let mut run = Run::of([step("a")]);
    run.succeeds("a").is_rolled_back(&[]);
    let (instance, of) = (Run::id("a"), run.state.next_seq());
    let of = Seq(of.0 - 1);
    let what = json!({ "collections": [1] });
    run.takes(&Input::Kept {
        instance,
        of,
        what: what.clone(),
    });
    run.crashes().is_cleared("a").is_missing("a");
    assert_eq!(run.under_way(), ["a: undo"]);
    let ix = run.state.find(&Run::id("a")).unwrap();
    assert_eq!(run.state.instance(ix).kept.as_ref(), Some(&what));
    run.is_undone("a");
    assert_eq!(run.status(), RunStatus::RolledBack);
    assert_eq!(run.state.instance(ix).kept, None);
}

#[test]
fn undoing_that_was_interrupted_goes_on_if_the_outcome_is_there() {
    let mut run = Run::of([step("a")]);
    run.succeeds("a")
        .is_rolled_back(&[])
        .crashes()
        .is_cleared("a")
        .is_there("a");
    assert_eq!(run.under_way(), ["a: undo"]);
}

/// What came half-way is not found by `validate` even before it is undone: its absence proved nothing, and half
/// of it stayed behind in a run that said it was rolled back.
#[test]
fn undoing_of_what_came_half_way_is_not_over_because_the_outcome_is_missing() {
    let mut run = Run::of([step("a")]);
    run.is_missing("a")
        .fails("a")
        .is_rolled_back(&[])
        .crashes()
        .is_cleared("a")
        .is_missing("a");
    assert_eq!(run.under_way(), ["a: undo"]);
}

#[test]
fn undoing_that_nobody_can_tell_of_is_a_persons_to_decide() {
    let mut run = Run::of([step("a").blind()]);
    run.returns("a").is_rolled_back(&[]).crashes().is_cleared("a");
    assert_eq!(run.status(), RunStatus::Waiting);
    assert!(run.state.needs_decision());
    run.is_decided("a", Ruling::Done);
    assert_eq!(run.status(), RunStatus::RolledBack);
}

#[test]
fn a_step_that_was_undone_is_looked_at_afresh() {
    let mut run = Run::of([step("a")]);
    run.cannot_be_told("a")
        .returns("a")
        .is_there("a")
        .is_rolled_back(&[])
        .is_undone("a");
    run.is_decided("a", Ruling::Again).is_missing("a");
    let ix = run.state.find(&Run::id("a")).unwrap();
    assert_ne!(run.state.instance(ix).before, Some(json!("Unknown")));
    assert_eq!(run.under_way(), ["a: run"]);
}

#[test]
fn nothing_is_undone_while_any_process_may_be_left() {
    let mut run = Run::of([step("a"), step("b").needs(&["a"]).without_a_way_back()]);
    run.succeeds("a").is_missing("b").crashes().is_rolled_back(&[]);
    assert_eq!(run.under_way(), ["b: clear"]);
    run.is_cleared("b");
    assert_eq!(run.under_way(), ["a: undo"]);
}

#[test]
fn undoing_that_fails_is_tried_again_as_the_step_says() {
    let mut run = Run::of([step("a").attempts(3, 10), step("b")]);
    run.succeeds("b").succeeds("a").is_rolled_back(&[]);
    run.is_undone("b").is_not_undone("a");
    assert_eq!(run.under_way(), Vec::<String>::new());
    assert_eq!(run.status(), RunStatus::RollingBack);
    let due = run.turn.now.checked_add(SignedDuration::from_secs(10)).unwrap();
    assert_eq!(wake_at(&run.state, &Lacking::nothing()), Some(due));
    run.waits(9);
    assert_eq!(run.under_way(), Vec::<String>::new());
    run.waits(1);
    assert_eq!(run.under_way(), ["a: undo"]);
    run.is_not_undone("a").waits(20).is_undone("a");
    assert_eq!(run.status(), RunStatus::RolledBack);
}

#[test]
fn undoing_that_fails_too_often_is_stuck_and_a_person_frees_all_tries() {
    let mut run = Run::of([step("a").attempts(2, 1)]);
    run.succeeds("a").is_rolled_back(&[]).is_not_undone("a").waits(1);
    run.is_not_undone("a");
    assert_eq!(run.status(), RunStatus::Stuck);
    run.is_decided("a", Ruling::Again).is_not_undone("a");
    assert_eq!(run.status(), RunStatus::RollingBack, "there is another try");
    run.waits(2).is_undone("a");
    assert_eq!(run.status(), RunStatus::RolledBack);
}

/// The tries at doing it say nothing of those at undoing it.
#[test]
fn what_took_all_its_tries_has_them_again_for_undoing() {
    let mut run = Run::of([step("a").attempts(2, 1).retry_deadline(30)]);
    run.is_missing("a")
        .fails("a")
        .waits(1)
        .is_missing("a")
        .fails("a")
        .waits(3600);
    run.is_rolled_back(&[]).is_not_undone("a").waits(1);
    assert_eq!(run.under_way(), ["a: undo"]);
}

#[test]
fn what_another_try_would_hide_is_not_tried_again() {
    for kind in [FailureKind::Final, FailureKind::Inputs, FailureKind::Fault] {
        let mut run = Run::of([step("a").attempts(3, 1)]);
        let error = Failure::new(kind, "look first");
        run.succeeds("a")
            .is_rolled_back(&[])
            .ends("a", Outcome::RolledBack(Err(error)));
        assert_eq!(run.status(), RunStatus::Stuck, "{kind:?}");
    }
}

#[test]
fn a_person_need_not_wait_for_the_next_try() {
    for (ruling, status) in [
        (Ruling::Done, RunStatus::RolledBack),
        (Ruling::Skip, RunStatus::RolledBack),
        (Ruling::Fail, RunStatus::Stuck),
    ] {
        let mut run = Run::of([step("a").attempts(3, 3600)]);
        run.succeeds("a")
            .is_rolled_back(&[])
            .is_not_undone("a")
            .is_decided("a", ruling);
        assert_eq!(run.status(), status, "{ruling:?}");
    }
    let mut run = Run::of([step("a").attempts(3, 3600)]);
    run.succeeds("a")
        .is_rolled_back(&[])
        .is_not_undone("a")
        .is_decided("a", Ruling::Again);
    assert_eq!(run.under_way(), ["a: undo"]);
}

#[test]
fn the_next_try_at_undoing_is_awaited_after_a_crash_too() {
    let mut run = Run::of([step("a").attempts(2, 10)]);
    run.succeeds("a").is_rolled_back(&[]).is_not_undone("a").crashes();
    assert_eq!(run.under_way(), Vec::<String>::new());
    run.waits(10).is_undone("a");
    assert_eq!(run.status(), RunStatus::RolledBack);
}
