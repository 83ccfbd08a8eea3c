//! What once went wrong and belongs to no other topic.

use super::*;

/// An answer to `when` that came after the run had stopped was taken for a fault of the program.
#[test]
fn an_evaluation_that_nobody_waits_for_any_more_is_ignored() {
    let mut run = Run::of([step("a"), step("b").conditional()]);
    run.is_missing("a").is_cancelled();
    let at = run.journal.len();
    run.is_evaluated("b", Evaluation::One);
    assert_eq!(run.events_since(at), Vec::<&str>::new());
}

#[test]
fn an_outcome_of_an_earlier_call_is_ignored() {
    let mut run = Run::of([step("a")]);
    let late = Input::Finished {
        instance: Run::id("a"),
        of: Seq(1),
        outcome: Outcome::Ran(Ok(Outputs::new())),
        transcript: None,
    };
    let before = run.state.clone();
    run.takes(&late);
    assert_eq!(run.state, before);
}

#[test]
fn a_run_of_no_steps_is_complete() {
    assert_eq!(Run::of([]).status(), RunStatus::Completed);
}

#[test]
fn a_run_without_slots_has_one() {
    let run = Run::with_jobs(0, [step("a")]);
    assert_eq!(run.under_way(), ["a: look"]);
}

/// What was in doubt while its need was undone, and not undone itself since it changes nothing, was to be attempted
/// at once when the run went on, but could not be: the run said that it was running, and nothing happened.
#[test]
fn a_doubt_whose_need_was_undone_meanwhile_waits_for_it() {
    let mut run = Run::of([step("a"), step("b").needs(&["a"]).read_only(), step("c")]);
    run.succeeds("a")
        .succeeds("c")
        .is_missing("b")
        .is_cut_off("b")
        .is_rolled_back(&[]);
    run.is_cleared("b")
        .is_undone("c")
        .is_undone("a")
        .is_decided("c", Ruling::Again);
    assert_eq!(run.under_way(), ["b: look after", "c: look"]);
    run.is_missing("b").succeeds("c");
    assert_eq!(run.status_of("b"), InstanceStatus::Blocked);
    assert_eq!(run.status(), RunStatus::RolledBack);
    run.is_decided("a", Ruling::Again).succeeds("a");
    assert_eq!(run.under_way(), ["b: look"]);
}
