//! What a failure means for the run.

use super::*;

#[test]
fn stop_lets_end_what_is_under_way_and_starts_nothing() {
    let mut run = Run::of([step("a"), step("b"), step("c").needs(&["b"])]);
    run.is_missing("b").is_missing("a").fails("a");
    assert_eq!(run.under_way(), ["b: run"]);
    assert_eq!(run.status(), RunStatus::Running);
    run.returns("b").is_there("b");
    assert_eq!(run.under_way(), Vec::<String>::new());
    assert_eq!(run.status(), RunStatus::Failed);
}

/// An instance that was being looked at when another failed went on to change the world.
#[test]
fn stop_keeps_what_was_only_looked_at_from_starting() {
    let mut run = Run::of([step("a"), step("b")]);
    run.is_missing("a").fails("a").is_missing("b");
    assert_eq!(run.under_way(), Vec::<String>::new());
    assert_eq!(run.status(), RunStatus::Failed);
    run.is_decided("a", Ruling::Skip);
    assert_eq!(run.under_way(), ["b: look"], "what was seen may be old by now");
}

#[test]
fn continue_goes_on_with_what_does_not_need_it() {
    let mut run = Run::of([
        step("a").on_failure(OnFailure::Continue),
        step("b").needs(&["a"]),
        step("c"),
    ]);
    run.is_missing("a").fails("a").succeeds("c");
    assert_eq!(run.status_of("b"), InstanceStatus::Blocked);
    assert_eq!(run.status_of("c"), InstanceStatus::Succeeded);
    assert_eq!(run.status(), RunStatus::Failed);
}

#[test]
fn rollback_undoes_everything_once_nothing_is_under_way() {
    let mut run = Run::of([
        step("a"),
        step("b").needs(&["a"]).on_failure(OnFailure::Rollback),
        step("c").needs(&["a"]),
    ]);
    run.succeeds("a").is_missing("c").is_missing("b").fails("b");
    assert_eq!(run.under_way(), ["c: run"]);
    run.returns("c").is_there("c");
    assert_eq!(run.under_way(), ["c: undo"]);
    run.is_undone("c");
    assert_eq!(run.under_way(), ["b: undo"], "it may have come half-way");
    run.is_undone("b").is_undone("a");
    assert_eq!(run.status(), RunStatus::RolledBack);
}

#[test]
fn rollback_waits_for_doubts_but_not_for_people() {
    let mut run = Run::of([
        step("a").on_failure(OnFailure::Rollback),
        step("b"),
        step("c").by_person(),
    ]);
    run.is_missing("a").is_missing("b").is_cut_off("b").fails("a");
    assert_eq!(run.under_way(), ["b: clear"]);
    run.is_cleared("b").cannot_be_told("b");
    assert_eq!(
        run.under_way(),
        ["b: undo"],
        "what waits for a decision is undone"
    );
    run.is_undone("b").is_undone("a");
    assert_eq!(run.status(), RunStatus::RolledBack);
    assert_eq!(
        run.state.waiting_for(),
        [],
        "nobody is asked for manual work any more"
    );
    assert!(run.tries_to_confirm("c").is_err());
}

#[test]
fn a_manual_step_still_waits_in_a_run_that_failed_elsewhere() {
    let mut run = Run::of([step("a"), step("b").by_person(), step("c").needs(&["b"])]);
    run.is_missing("a").fails("a");
    assert_eq!(run.status(), RunStatus::Failed);
    run.is_confirmed("b");
    assert_eq!(run.under_way(), Vec::<String>::new());
    run.is_decided("a", Ruling::Skip);
    assert_eq!(run.under_way(), ["c: look"]);
}
