//! What an amendment may change, and what it leaves as it was.

use std::collections::BTreeMap;

use super::*;
use crate::core::event::{Amended, ChangeOf, Revision, RevisionAct};
use crate::core::{ApprovalRule, OnExpiry};

fn changed(id: &str, field: &str) -> Revision {
    let fields = vec![field.to_owned()];
    revision(id, RevisionAct::Changed { fields })
}

fn revision(id: &str, act: RevisionAct) -> Revision {
    let (of, name) = (ChangeOf::Step, id.to_owned());
    Revision { of, name, act }
}

impl Run {
    fn tries_to_amend(
        &mut self,
        steps: impl IntoIterator<Item = StepPolicy>,
        revisions: impl IntoIterator<Item = Revision>,
    ) -> Result<(), Rejection> {
        let workflow = Arc::new(Workflow::new(steps.into_iter().collect()).unwrap());
        self.state.foresee(&workflow);
        let amended = Amended {
            file: "b.yaml".to_owned(),
            text: "b".to_owned(),
            overlaid: None,
            files: BTreeMap::new(),
            params: BTreeMap::new(),
            why: "it was wrong".to_owned(),
            revisions: revisions.into_iter().collect(),
        };
        let done = self.tries(&Input::Act(Act::Amend(Box::new(amended))));
        self.state.forget();
        done
    }

    #[track_caller]
    fn is_amended(
        &mut self,
        steps: impl IntoIterator<Item = StepPolicy>,
        revisions: impl IntoIterator<Item = Revision>,
    ) -> &mut Self {
        self.tries_to_amend(steps, revisions).unwrap();
        self
    }
}

/// `a` is done, `b` has failed, `c` waits for it.
fn half_done() -> Run {
    let mut run = Run::of(three());
    run.succeeds("a").is_missing("b").fails("b");
    run
}

fn three() -> [StepPolicy; 3] {
    let (a, b, c) = (step("a"), step("b").needs(&["a"]), step("c").needs(&["b"]));
    [a, b, c]
}

#[test]
fn what_failed_may_do_something_else_and_be_tried_again() {
    let mut run = half_done();
    run.is_amended(three(), [changed("b", "with")]);
    assert_eq!(run.status_of("a"), InstanceStatus::Succeeded);
    assert_eq!(run.status_of("b"), InstanceStatus::Failed, "nobody said again");
    run.is_decided("b", Ruling::Again).succeeds("b").succeeds("c");
    assert_eq!(run.status(), RunStatus::Completed);
    assert_eq!(run.state.amendments()[0].why, "it was wrong");
}

#[test]
fn a_step_that_was_forgotten_comes_before_one_that_failed() {
    let mut run = half_done();
    let [a, mut b, c] = three();
    b.needs.push("n".parse().unwrap());
    run.is_amended(
        [a, step("n"), b, c],
        [revision("n", RevisionAct::Added), changed("b", "needs")],
    );
    run.is_decided("b", Ruling::Again);
    assert_eq!(run.under_way(), ["n: look"]);
    run.succeeds("n");
    assert_eq!(run.under_way(), ["b: look"]);
}

#[test]
fn what_was_not_begun_may_go() {
    let mut run = half_done();
    let [a, b, _] = three();
    run.is_amended([a, b], [revision("c", RevisionAct::Removed)]);
    run.is_decided("b", Ruling::Again).succeeds("b");
    assert_eq!(run.status(), RunStatus::Completed);
}

#[test]
fn what_is_done_keeps_what_it_means() {
    let mut run = half_done();
    let refused = run.tries_to_amend(three(), [changed("a", "with")]).unwrap_err();
    insta::assert_snapshot!(refused, @"`a` is done, in part at least: its `with` cannot change");
    let [_, b, c] = three();
    let refused = run
        .tries_to_amend([b, c], [revision("a", RevisionAct::Removed)])
        .unwrap_err();
    insta::assert_snapshot!(refused, @"`a` is done, in part at least: it cannot be taken away");
    run.is_amended(three(), [changed("a", "title")]);
}

#[test]
fn what_was_undone_may_change_once_more() {
    let mut run = half_done();
    run.is_rolled_back(&["a"]);
    run.is_undone("b").is_undone("a");
    run.is_amended(three(), [changed("a", "with")]);
    run.is_decided("a", Ruling::Again).is_decided("b", Ruling::Again);
    assert_eq!(run.under_way(), ["a: look"]);
}

#[test]
fn what_made_the_instances_of_a_step_stays() {
    let mut run = half_done();
    let refused = run
        .tries_to_amend(three(), [changed("b", "for_each")])
        .unwrap_err();
    insta::assert_snapshot!(refused, @"`b` was begun: its `for_each` cannot change");
}

#[test]
fn an_expression_that_went_wrong_is_worked_out_anew() {
    let mut run = Run::of([step("a").conditional()]);
    let (id, result) = ("a".parse().unwrap(), Err(failure()));
    run.takes(&Input::Evaluated { step: id, result });
    run.is_amended([step("a").conditional()], [changed("a", "when")]);
    assert_eq!(run.under_way(), ["a: evaluate"]);
}

#[test]
fn a_person_is_asked_anew_when_the_work_is_another() {
    let mut run = Run::of([step("a").by_person(), step("b").by_person()]);
    run.is_amended(
        [step("a").by_person(), step("b").by_person()],
        [changed("a", "with")],
    );
    let asked = run
        .journal
        .iter()
        .filter(|entry| entry.event.name() == "person_needed");
    assert_eq!(asked.count(), 3, "both, and one of them once more");
}

#[test]
fn nothing_is_amended_while_something_is_under_way() {
    let mut run = Run::of(three());
    assert!(run.tries_to_amend(three(), [changed("c", "with")]).is_err());
    run.is_missing("a").is_cut_off("a");
    run.is_amended(three(), [changed("c", "with")]);
    let refused = run.tries_to_amend(three(), [changed("a", "with")]).unwrap_err();
    insta::assert_snapshot!(refused, @"`a` is in doubt: its `with` cannot change");
}

#[test]
fn four_eyes_stay() {
    let rule = ApprovalRule {
        by: None,
        min: 1,
        not: [].into(),
        expires: None,
        on_expiry: OnExpiry::Ask,
    };
    let guarded = || {
        let mut guarded = three();
        guarded[2].approve = Some(rule.clone());
        guarded
    };
    let mut run = Run::of(guarded());
    run.succeeds("a").is_missing("b").fails("b");
    let refused = run
        .tries_to_amend(three(), [changed("c", "approve")])
        .unwrap_err();
    insta::assert_snapshot!(refused, @"`c` asks for approval: its `approve` cannot change");
    let [a, b, _] = guarded();
    assert!(
        run.tries_to_amend([a, b], [revision("c", RevisionAct::Removed)])
            .is_err()
    );
    run.is_amended(guarded(), [changed("c", "with")]);
}

#[test]
fn an_amendment_that_nobody_read_is_refused() {
    let mut run = half_done();
    run.is_amended(three(), [changed("c", "with")]);
    assert!(RunState::fold(&run.workflow, &run.journal).is_err());
    let read = RunState::fold_amended(&run.workflow, &[Arc::clone(run.state.workflow())], &run.journal);
    assert_eq!(read.unwrap(), run.state);
}
