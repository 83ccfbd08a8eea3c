//! Locks.

use super::*;

#[test]
fn one_instance_at_a_time_holds_a_lock() {
    let mut run = Run::of([step("a").lock("farm"), step("b").lock("farm"), step("c")]);
    assert_eq!(run.under_way(), ["a: look", "c: look"]);
    let ix = run.state.find(&Run::id("b")).unwrap();
    insta::assert_snapshot!(run.state.row_of(ix).reason.unwrap(), @"waits for the lock `farm`, held by `a`");
    run.succeeds("a");
    assert_eq!(run.under_way(), ["b: look", "c: look"]);
}

#[test]
fn what_is_in_doubt_keeps_its_locks() {
    let mut run = Run::of([step("a").lock("farm").blind(), step("b").lock("farm")]);
    run.is_cut_off("a").is_cleared("a");
    assert_eq!(run.status(), RunStatus::Waiting);
    run.is_decided("a", Ruling::Done);
    assert_eq!(run.under_way(), ["b: look"]);
}

#[test]
fn what_waits_to_be_tried_again_holds_no_lock() {
    let mut run = Run::of([step("a").lock("farm").attempts(2, 10), step("b").lock("farm")]);
    run.is_missing("a").fails("a");
    assert_eq!(run.under_way(), ["b: look"]);
    run.waits(10);
    assert_eq!(run.under_way(), ["b: look"]);
    run.is_there("b");
    assert_eq!(run.under_way(), ["a: look"]);
}

#[test]
fn all_locks_are_taken_together() {
    let mut run = Run::of([
        step("a").lock("farm"),
        step("b").lock("tenant"),
        step("c").lock("tenant").lock("farm"),
    ]);
    run.is_there("a");
    assert_eq!(run.under_way(), ["b: look"]);
    run.is_there("b");
    assert_eq!(run.under_way(), ["c: look"]);
}

#[test]
fn a_step_is_opened_while_another_holds_its_locks() {
    let mut run = Run::of([step("a").lock("farm"), step("b").lock("farm").conditional()]);
    run.is_evaluated("b", Evaluation::One);
    assert_eq!(run.status_of("b"), InstanceStatus::Ready);
}
