//! What people decide, and may not decide.

use super::*;

fn failed() -> Run {
    let mut run = Run::of([step("a"), step("b").needs(&["a"])]);
    run.is_missing("a").fails("a");
    run
}

#[test]
fn again_frees_all_tries() {
    let mut run = Run::of([step("a").attempts(2, 10)]);
    run.is_missing("a")
        .fails("a")
        .waits(10)
        .is_missing("a")
        .fails("a");
    assert_eq!(run.status(), RunStatus::Failed);
    run.is_decided("a", Ruling::Again).is_missing("a").fails("a");
    assert_eq!(run.status(), RunStatus::Running);
}

#[test]
fn done_and_skip_let_those_after_it_go_on() {
    for ruling in [Ruling::Done, Ruling::Skip] {
        let mut run = failed();
        run.is_decided("a", ruling);
        assert_eq!(run.under_way(), ["b: look"]);
    }
}

#[test]
fn fail_gives_up_on_what_waits() {
    let mut run = Run::of([step("a").by_person()]);
    run.is_decided("a", Ruling::Fail);
    assert_eq!(run.status(), RunStatus::Failed);
    run.is_rolled_back(&[]);
    assert_eq!(
        run.status(),
        RunStatus::Waiting,
        "only the person knows how far it came"
    );
    run.is_confirmed("a");
    assert_eq!(run.status(), RunStatus::RolledBack);
}

#[test]
fn a_step_that_was_never_opened_is_opened_anew() {
    let mut run = Run::of([step("a").conditional()]);
    let (step, result) = ("a".parse().unwrap(), Err(failure()));
    run.takes(&Input::Evaluated { step, result });
    assert_eq!(run.status_of("a"), InstanceStatus::Failed);
    run.is_decided("a", Ruling::Again);
    assert_eq!(run.under_way(), ["a: evaluate"]);
    run.is_evaluated("a", Evaluation::One);
    assert_eq!(run.under_way(), ["a: look"]);
}

#[test]
fn what_succeeded_or_is_under_way_is_not_decided() {
    let mut run = Run::of([step("a")]);
    assert!(run.tries_to_decide("a", Ruling::Skip).is_err());
    run.succeeds("a");
    let rejection = run.tries_to_decide("a", Ruling::Again).unwrap_err();
    insta::assert_snapshot!(rejection, @"`a` is succeeded, so it cannot be decided so");
}

#[test]
fn manual_work_is_confirmed_and_not_decided_done() {
    let mut run = Run::of([step("a").by_person(), step("b").needs(&["a"])]);
    assert_eq!(run.status(), RunStatus::Waiting);
    let rejection = run.tries_to_decide("a", Ruling::Done).unwrap_err();
    assert!(rejection.instead().contains("confirm"));
    run.is_confirmed("a");
    assert_eq!(run.under_way(), ["b: look"]);
}

#[test]
fn what_nobody_knows_is_named() {
    let rejection = failed().tries_to_decide("c", Ruling::Skip).unwrap_err();
    insta::assert_snapshot!(rejection, @"the run has no step or instance `c`");
}

/// What was decided by hand before anything was attempted is not the run's to undo.
#[test]
fn done_without_an_attempt_leaves_nothing_to_undo() {
    let mut run = Run::of([step("a").conditional()]);
    let (step, result) = ("a".parse().unwrap(), Err(failure()));
    run.takes(&Input::Evaluated { step, result })
        .is_decided("a", Ruling::Done)
        .is_rolled_back(&[]);
    assert_eq!(run.status(), RunStatus::RolledBack);
}

#[test]
fn what_must_be_proven_is_not_done_by_anybodys_word() {
    let mut proven = step("a").by_person();
    proven.abilities.needs_evidence = true;
    let mut run = Run::of([proven]);
    let unproven = |refused: Result<(), Rejection>| {
        assert!(matches!(refused, Err(Rejection::Unproven(_))), "{refused:?}");
    };
    unproven(run.tries_to_confirm("a"));
    run.is_decided("a", Ruling::Fail);
    unproven(run.tries_to_decide("a", Ruling::Done));
    run.is_decided("a", Ruling::Again);
    let attachments = vec![crate::core::event::Attachment {
        name: "photo.png".to_owned(),
        bytes: 5,
        sha256: "00".repeat(32),
    }];
    let mut without = run.state.clone();
    let confirmed = Event::Confirmed {
        instance: Run::id("a"),
        values: Outputs::new(),
        attachments: Vec::new(),
        note: None,
    };
    let entry = Entry {
        seq: without.next_seq(),
        time: run.turn.now,
        operator: run.turn.operator.clone(),
        host: run.turn.host.clone(),
        event: confirmed,
    };
    assert!(without.apply(&entry).is_err(), "not in a journal either");
    run.takes(&Input::Act(Act::Confirm {
        instance: Run::id("a"),
        values: Outputs::new(),
        attachments,
        note: None,
    }));
    assert_eq!(run.state.status(), RunStatus::Completed);
}
