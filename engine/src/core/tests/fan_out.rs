//! Steps with several instances.

use super::*;

#[test]
fn a_step_has_an_instance_for_each_item() {
    let mut run = Run::of([step("a").for_each(), step("b").needs(&["a"])]);
    run.is_evaluated("a", each(&["x", "y"]));
    assert_eq!(run.under_way(), ["a[x]: look", "a[y]: look"]);
    run.succeeds("a[x]");
    assert_eq!(run.status_of("b"), InstanceStatus::Pending);
    run.succeeds("a[y]");
    assert_eq!(run.under_way(), ["b: look"]);
    let rows: Vec<String> = run
        .state
        .rows()
        .into_iter()
        .map(|row| row.id.to_string())
        .collect();
    assert_eq!(rows, ["a[x]", "a[y]", "b"]);
}

#[test]
fn an_empty_list_skips_the_step() {
    let mut run = Run::of([step("a").for_each()]);
    run.is_evaluated("a", each(&[]));
    assert_eq!(run.status_of("a"), InstanceStatus::Skipped);
    assert_eq!(run.status(), RunStatus::Completed);
}

/// Two items with one key were two instances with one name, of which one could never be reached.
#[test]
fn two_items_with_one_key_are_a_failure_of_the_step() {
    let mut run = Run::of([step("a").for_each()]);
    run.is_evaluated("a", each(&["x", "x"]));
    assert_eq!(run.status_of("a"), InstanceStatus::Failed);
    let ix = run.state.find(&Run::id("a")).unwrap();
    insta::assert_snapshot!(run.state.row_of(ix).reason.unwrap(), @"the list that it goes through has two items with the key `x`");
}

#[test]
fn one_item_that_fails_blocks_those_after_the_step() {
    let mut run = Run::of([
        step("a").for_each().on_failure(OnFailure::Continue),
        step("b").needs(&["a"]),
    ]);
    run.is_evaluated("a", each(&["x", "y"]));
    run.is_missing("a[x]").fails("a[x]").succeeds("a[y]");
    assert_eq!(run.status_of("b"), InstanceStatus::Blocked);
    assert_eq!(run.status(), RunStatus::Failed);
}

#[test]
fn people_must_name_an_item() {
    let mut run = Run::of([step("a").for_each()]);
    run.is_evaluated("a", each(&["x"]));
    let rejection = run.tries_to_decide("a", Ruling::Skip).unwrap_err();
    insta::assert_snapshot!(rejection, @"`a` fans out: name one of its instances, as in `a[item]`");
}

#[test]
fn those_after_it_read_outputs_by_item() {
    let mut run = Run::of([step("a").for_each(), step("b").needs(&["a"])]);
    run.is_evaluated("a", each(&["x", "y"]))
        .succeeds("a[x]")
        .is_there("a[y]");
    let b = run.state.workflow().find("b").unwrap();
    let (_, a) = run.state.before(b).find("a").unwrap();
    assert_eq!(a.status, "succeeded");
    assert_eq!(*a.outputs, json!({ "x": {}, "y": {} }));
}
