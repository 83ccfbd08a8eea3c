//! What was interrupted.

use super::*;
use crate::core::event::Handing;

fn interrupted(policy: StepPolicy) -> Run {
    let blind = !policy.abilities.validates;
    let mut run = Run::of([policy]);
    if !blind {
        run.is_missing("a");
    }
    assert_eq!(run.under_way(), ["a: run"]);
    run.crashes();
    run
}

#[test]
fn nothing_is_asked_before_the_processes_are_gone() {
    let mut run = interrupted(step("a"));
    assert_eq!(run.under_way(), ["a: clear"]);
    assert_eq!(run.status_of("a"), InstanceStatus::InDoubt);
    run.is_cleared("a");
    assert_eq!(run.under_way(), ["a: look after"]);
}

#[test]
fn what_had_taken_effect_goes_on() {
    let mut run = interrupted(step("a"));
    run.is_cleared("a").is_there("a");
    assert_eq!(run.status_of("a"), InstanceStatus::Succeeded);
}

#[test]
fn what_had_not_is_attempted_again_without_another_look() {
    let mut run = interrupted(step("a"));
    run.is_cleared("a").is_missing("a");
    assert_eq!(run.under_way(), ["a: run"]);
}

#[test]
fn what_nobody_can_tell_is_a_persons_to_decide() {
    let mut run = interrupted(step("a"));
    run.is_cleared("a").cannot_be_told("a");
    assert_eq!(run.status_of("a"), InstanceStatus::InDoubt);
    assert_eq!(run.status(), RunStatus::Waiting);
    assert!(run.state.needs_decision());
    run.is_decided("a", Ruling::Again);
    assert_eq!(run.under_way(), ["a: look"]);
}

#[test]
fn what_may_be_repeated_is() {
    let mut run = interrupted(step("a").idempotent());
    run.is_cleared("a").cannot_be_told("a");
    assert_eq!(run.under_way(), ["a: run"]);
    let mut run = interrupted(step("a").blind().read_only());
    run.is_cleared("a");
    assert_eq!(run.under_way(), ["a: run"]);
}

#[test]
fn a_step_that_cannot_look_is_a_persons_to_decide_at_once() {
    let mut run = interrupted(step("a").blind());
    run.is_cleared("a");
    assert_eq!(run.status(), RunStatus::Waiting);
    run.is_decided("a", Ruling::Done);
    assert_eq!(run.status(), RunStatus::Completed);
}

#[test]
fn a_look_that_fails_leaves_it_to_a_person() {
    let mut run = interrupted(step("a").idempotent());
    run.is_cleared("a").ends("a", Outcome::Observed(Err(failure())));
    assert_eq!(run.status(), RunStatus::Waiting);
}

#[test]
fn an_interrupted_look_is_taken_again() {
    let mut run = Run::of([step("a")]);
    run.crashes();
    assert_eq!(run.under_way(), ["a: look"]);
}

#[test]
fn an_interrupted_check_is_made_again() {
    let mut run = Run::of([step("a")]);
    run.is_missing("a").returns("a").crashes();
    assert_eq!(run.under_way(), ["a: check"]);
    run.is_missing("a");
    assert_eq!(run.status_of("a"), InstanceStatus::Failed, "it had returned");
}

#[test]
fn another_crash_while_a_doubt_is_looked_into_changes_nothing() {
    let mut run = interrupted(step("a"));
    run.is_cleared("a").crashes();
    assert_eq!(run.under_way(), ["a: clear"]);
    run.is_cleared("a").is_there("a");
    assert_eq!(run.status(), RunStatus::Completed);
}

/// A decision before the processes were gone could have led to two attempts at once.
#[test]
fn a_doubt_is_decided_only_when_its_processes_are_gone() {
    let mut run = interrupted(step("a").blind());
    let rejection = run.tries_to_decide("a", Ruling::Again).unwrap_err();
    assert!(rejection.instead().contains("try again"), "{rejection}");
    run.is_cleared("a").is_decided("a", Ruling::Skip);
    assert_eq!(run.status_of("a"), InstanceStatus::Skipped);
}

/// Whoever finds a run that nobody carries out says so before they act on it, and does not take it up thereby.
#[test]
fn what_was_cut_off_is_settled_by_whom_the_run_does_not_belong_to() {
    let mut run = Run::of([step("a").blind()]);
    assert_eq!(run.under_way(), ["a: run"]);
    let executor = run.state.executor().clone();
    let why = "it is mine".to_owned();
    run.takes(&Input::Act(Act::Hand(Handing::TakenOver { why })));
    run.turn.operator = Operator::new("bob");
    let transcripts = std::collections::BTreeMap::new();
    run.turn.draining = true;
    run.takes(&Input::CutOff { transcripts });
    run.is_cleared("a").is_decided("a", Ruling::Skip);
    assert_eq!(run.status_of("a"), InstanceStatus::Skipped);
    assert_eq!(run.state.executor(), &executor);
    let transcripts = std::collections::BTreeMap::new();
    let resumed = run.tries(&Input::Resumed { jobs: 1, transcripts });
    assert!(matches!(resumed, Err(Rejection::NotYours(_))), "{resumed:?}");
}

/// Doubts were looked into all at once, whatever `--jobs` said.
#[test]
fn doubts_are_looked_into_as_jobs_allow() {
    let mut run = Run::of([step("a"), step("b")]);
    run.is_missing("a").is_missing("b");
    run.crashes_and_goes_on_with(1).is_cleared("a").is_cleared("b");
    assert_eq!(run.under_way(), ["a: look after"]);
    run.is_there("a");
    assert_eq!(run.under_way(), ["b: look after"]);
}

/// An attempt that returned without a check to wait for had its success in a second entry: an engine that died
/// between the two asked a plugin that cannot look.
#[test]
fn a_blind_step_whose_return_is_on_record_has_succeeded() {
    let mut run = Run::of([step("a").blind()]);
    run.returns("a");
    assert_eq!(
        run.journal.pop().map(|entry| entry.event.name()),
        Some("verified")
    );
    run.crashes();
    assert_eq!(run.status(), RunStatus::Completed);
}
