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
