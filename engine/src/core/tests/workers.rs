//! Several workers on one run: what is for whom, and what becomes of a call that nobody makes any more.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::core::event::Handing;
use crate::core::{Place, Worker, wake_at};

fn worker(jobs: u32, others: &[u64]) -> Worker {
    Worker {
        operator: Operator::new("ada"),
        roles: None,
        jobs,
        others: others.iter().copied().map(Seq).collect(),
    }
}

fn on(id: &str, place: Place) -> StepPolicy {
    StepPolicy {
        on: Some(place),
        ..step(id)
    }
}

fn for_role(id: &str, role: &str) -> StepPolicy {
    StepPolicy {
        roles: vec![role.parse().unwrap()],
        ..step(id)
    }
}

fn on_web1() -> Lacking {
    Lacking::nothing().here(Host::new("web1"))
}

/// The number of the entry that started what is under way for it.
fn of(run: &Run, id: &str) -> u64 {
    let found = run.state.calls().find(|(of, _)| **of == Run::id(id));
    found.unwrap().1.of.0
}

fn is_shared(run: &mut Run) {
    run.turn.draining = true;
    run.takes(&Input::Act(Act::Hand(Handing::Shared)));
    run.turn.draining = false;
}

#[test]
fn a_step_waits_for_somebody_on_its_machine() {
    let here = Place::Host(Host::new("WEB1.contoso.com"));
    let there = Place::Host(Host::new("web2"));
    let steps = [on("a", here), on("b", there), step("c")];
    let mut run = Run::without(on_web1(), 4, steps);
    assert_eq!(run.under_way(), ["a: look", "c: look"]);
    run.turn.lacking = Lacking::nothing().here(Host::new("web2"));
    run.takes(&Input::Clock);
    assert_eq!(run.under_way(), ["a: look", "b: look", "c: look"]);
}

#[test]
fn each_item_is_for_the_machine_that_it_names() {
    let steps = [on("a", Place::Item(Vec::new())).for_each()];
    let mut run = Run::without(on_web1(), 4, steps);
    run.is_evaluated("a", each(&["web2", "web1"]));
    assert_eq!(run.under_way(), ["a[web1]: look"]);
    let elsewhere = run.state.find(&Run::id("a[web2]")).unwrap();
    assert_eq!(run.state.place_of(elsewhere), Some(Host::new("web2")));
}

#[test]
fn a_worker_begins_what_it_works_for() {
    let farm = Worker {
        roles: Some(BTreeSet::from(["farm".parse().unwrap()])),
        ..worker(4, &[])
    };
    let steps = [for_role("a", "tenant"), for_role("b", "farm"), step("c")];
    let run = Run::without(Lacking::nothing().among(farm), 1, steps);
    assert_eq!(run.under_way(), ["b: look", "c: look"]);
}

#[test]
fn what_others_have_under_way_takes_no_room_and_is_nothing_to_do() {
    let steps = [step("a").timeout(60), step("b"), step("c")];
    let mut run = Run::without(Lacking::nothing().among(worker(1, &[])), 1, steps);
    assert_eq!(run.under_way(), ["a: look"]);
    let theirs = of(&run, "a");
    run.turn.lacking = Lacking::nothing().among(worker(1, &[theirs]));
    run.takes(&Input::Clock);
    assert_eq!(run.under_way(), ["b: look"]);
    assert_eq!(
        wake_at(&run.state, &run.turn.lacking),
        None,
        "it is theirs to stop"
    );
    let before = run.journal.len();
    run.waits(100);
    assert_eq!(run.events_since(before), [""; 0]);
}

#[test]
fn what_nobody_makes_any_more_is_in_doubt_and_a_late_outcome_means_nothing() {
    let mut run = Run::of([step("a"), step("b")]);
    is_shared(&mut run);
    run.is_missing("a");
    let (lost, kept) = (of(&run, "a"), of(&run, "b"));
    run.turn.lacking = Lacking::nothing().among(worker(4, &[kept]));
    run.takes(&Input::Expired {
        calls: BTreeSet::from([Seq(lost)]),
        transcripts: BTreeMap::new(),
    });
    assert_eq!(run.under_way(), ["a: clear"]);
    let before = run.journal.len();
    run.takes(&Input::Finished {
        instance: Run::id("a"),
        of: Seq(lost),
        outcome: Outcome::Ran(Ok(Outputs::new())),
        transcript: None,
    });
    assert_eq!(run.events_since(before), [""; 0]);
    run.is_cleared("a");
    assert_eq!(run.under_way(), ["a: look after"]);
    assert_eq!(run.status_of("b"), InstanceStatus::Observing);
}

#[test]
fn nobody_takes_a_run_from_workers_that_have_something_under_way() {
    let mut run = Run::of([step("a")]);
    is_shared(&mut run);
    assert!(run.state.hands().are_shared());
    let why = "I want it".to_owned();
    let take = Input::Act(Act::Hand(Handing::TakenOver { why }));
    assert!(matches!(run.tries(&take), Err(Rejection::RunNotNow { .. })));
    run.succeeds("a");
    run.takes(&take);
    assert!(!run.state.hands().are_shared());
}

#[test]
fn whoever_takes_a_shared_run_up_has_it_alone() {
    let mut run = Run::of([step("a")]);
    is_shared(&mut run);
    run.crashes();
    assert!(!run.state.hands().are_shared());
}
