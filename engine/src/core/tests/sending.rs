//! Runs that are sent back to something earlier, by examples.

use serde_json::Value;

use super::approval::{approved, rule};
use super::people::team;
use super::*;
use crate::core::About;

impl Run {
    fn tries_to_send_back(&mut self, from: &str, to: &str) -> Result<(), Rejection> {
        self.tries(&Input::Act(Act::SendBack {
            instance: Self::id(from),
            to: Self::id(to),
            why: "the zone is wrong".to_owned(),
        }))
    }

    #[track_caller]
    fn is_sent_back(&mut self, from: &str, to: &str) -> &mut Self {
        self.tries_to_send_back(from, to).unwrap();
        self
    }

    #[track_caller]
    fn gives(&self, id: &str) -> Value {
        let ix = self.state.find(&Self::id(id)).unwrap();
        self.state.instance(ix).gives().as_ref().clone()
    }

    fn reason(&self, id: &str) -> String {
        let ix = self.state.find(&Self::id(id)).unwrap();
        self.state.row_of(ix).reason.unwrap_or_default()
    }

    #[track_caller]
    fn returns_with(&mut self, id: &str, outputs: &Value) -> &mut Self {
        let outputs = outputs.as_object().unwrap().clone();
        self.ends(id, Outcome::Ran(Ok(outputs)))
    }
}

/// `a`, then `b`, then somebody checks.
fn checked(a: StepPolicy, b: StepPolicy) -> Run {
    let check = step("check").needs(&["b"]).by_person();
    Run::of([a, b.needs(&["a"]), check])
}

#[test]
fn what_was_not_done_right_is_looked_at_first_and_done_again_and_so_is_what_stands_on_it() {
    let mut run = checked(step("a"), step("b"));
    run.succeeds("a").succeeds("b").is_sent_back("check", "a");
    assert_eq!(run.status(), RunStatus::Running);
    assert_eq!(run.under_way(), ["a: look"]);
    assert_eq!(run.status_of("b"), InstanceStatus::Pending);
    assert_eq!(run.status_of("check"), InstanceStatus::Pending);
    assert_eq!(run.reason("b"), "`a` was sent back by ada: the zone is wrong");
    run.succeeds("a");
    assert_eq!(run.under_way(), ["b: look"]);
    run.is_there("b");
    let ix = run.state.find(&Run::id("b")).unwrap();
    let b = run.state.instance(ix);
    assert_eq!(
        (b.attempts.0, b.changed),
        (1, true),
        "it is not repeated, and still this run's work"
    );
    assert_eq!(run.status_of("b"), InstanceStatus::Succeeded);
    assert!(
        run.reason("check").contains("a person must see to it again"),
        "{}",
        run.reason("check")
    );
    run.is_confirmed("check");
    assert_eq!(run.status(), RunStatus::Completed);
}

#[test]
fn what_is_no_longer_there_is_done_again_and_restores_what_was_there_before_all() {
    let mut run = checked(step("a"), step("b"));
    run.succeeds("a").succeeds("b");
    let ix = run.state.find(&Run::id("b")).unwrap();
    let before = run.state.instance(ix).before.clone();
    run.is_sent_back("check", "a").is_there("a").is_missing("b");
    assert_eq!(run.under_way(), ["b: run"]);
    run.returns("b").is_there("b");
    assert_eq!(run.state.instance(ix).before, before);
    run.is_rolled_back(&[]).is_undone("b").is_undone("a");
    assert_eq!(run.status(), RunStatus::RolledBack);
}

#[test]
fn what_cannot_tell_is_not_repeated_without_a_person() {
    let mut run = checked(step("a").blind(), step("b").blind());
    run.returns("a").returns("b").is_sent_back("check", "a");
    assert_eq!(run.under_way(), ["a: run"], "that one was said to be done again");
    run.returns("a");
    assert_eq!(run.under_way(), [""; 0]);
    assert_eq!(run.status_of("b"), InstanceStatus::InDoubt);
    assert!(
        run.reason("b")
            .contains("cannot tell whether its outcome is still there"),
        "{}",
        run.reason("b")
    );
    run.is_decided("b", Ruling::Again);
    assert_eq!(run.under_way(), ["b: run"]);
}

#[test]
fn what_looked_and_could_not_tell_is_not_repeated_either() {
    let mut run = checked(step("a"), step("b"));
    run.succeeds("a")
        .succeeds("b")
        .is_sent_back("check", "a")
        .succeeds("a");
    run.cannot_be_told("b");
    assert_eq!(run.under_way(), [""; 0]);
    assert_eq!(run.status(), RunStatus::Waiting);
    run.is_decided("b", Ruling::Done);
    assert_eq!(run.status_of("check"), InstanceStatus::Waiting);
}

#[test]
fn what_may_be_repeated_is_repeated() {
    let mut run = checked(step("a"), step("b").blind().idempotent());
    run.succeeds("a")
        .returns("b")
        .is_sent_back("check", "a")
        .is_there("a");
    assert_eq!(run.under_way(), ["b: run"]);
}

#[test]
fn a_crash_at_the_question_does_not_answer_it() {
    let mut run = checked(step("a"), step("b").blind());
    run.succeeds("a")
        .returns("b")
        .is_sent_back("check", "a")
        .is_there("a");
    assert_eq!(run.journal.last().unwrap().event.name(), "person_needed");
    run.journal.pop();
    run.crashes();
    assert_eq!(run.under_way(), [""; 0]);
    assert_eq!(run.status_of("b"), InstanceStatus::InDoubt);
}

#[test]
fn a_condition_is_asked_again() {
    let mut run = checked(step("a"), step("b").conditional());
    run.succeeds("a").is_evaluated("b", Evaluation::One).succeeds("b");
    run.is_sent_back("check", "a").is_there("a");
    assert_eq!(run.under_way(), ["b: evaluate"]);
    run.is_evaluated("b", Evaluation::Skip("not wanted".to_owned()));
    assert_eq!(run.status_of("b"), InstanceStatus::Skipped);
    assert_eq!(run.gives("b"), Value::Null);
    run.is_confirmed("check");
    assert_eq!(run.status(), RunStatus::Completed);
    run.is_rolled_back(&[]).is_confirmed("check");
    assert_eq!(run.under_way(), ["b: undo"], "what it did is known all the same");
}

#[test]
fn what_was_skipped_by_its_condition_may_be_wanted_now() {
    let mut run = checked(step("a"), step("b").conditional());
    run.succeeds("a")
        .is_evaluated("b", Evaluation::Skip("not wanted".to_owned()));
    run.is_sent_back("check", "a")
        .is_there("a")
        .is_evaluated("b", Evaluation::One);
    assert_eq!(run.under_way(), ["b: look"]);
}

#[test]
fn what_a_person_skipped_stays_so() {
    let mut run = checked(step("a"), step("b"));
    run.succeeds("a")
        .is_missing("b")
        .fails("b")
        .is_decided("b", Ruling::Skip);
    run.is_sent_back("check", "a").is_there("a");
    assert_eq!(run.status_of("b"), InstanceStatus::Skipped);
    assert_eq!(run.status_of("check"), InstanceStatus::Waiting);
}

#[test]
fn a_list_is_gone_through_anew() {
    let mut run = checked(step("a"), step("b").for_each());
    run.succeeds("a").is_evaluated("b", each(&["x", "y"]));
    run.succeeds("b[x]")
        .succeeds("b[y]")
        .is_sent_back("check", "a")
        .is_there("a");
    assert_eq!(run.under_way(), ["b: evaluate"]);
    run.is_evaluated("b", each(&["y", "z"]));
    assert_eq!(run.status_of("b[x]"), InstanceStatus::Skipped);
    assert_eq!(run.under_way(), ["b[y]: look", "b[z]: look"]);
    run.is_there("b[y]").succeeds("b[z]");
    assert_eq!(run.status_of("check"), InstanceStatus::Waiting);
    // The item that was left out comes back.
    run.is_sent_back("check", "a")
        .is_there("a")
        .is_evaluated("b", each(&["x"]));
    assert_eq!(run.under_way(), ["b[x]: look"]);
    run.cannot_be_told("b[x]");
    assert_eq!(run.status_of("b[x]"), InstanceStatus::InDoubt);
    run.is_decided("b[x]", Ruling::Done).is_confirmed("check");
    run.is_rolled_back(&[]);
    let plan = run.state.still_to_undo();
    assert_eq!(
        plan,
        ["check", "b[z]", "b[y]", "b[x]", "a"].map(Run::id),
        "nothing that was done is forgotten"
    );
}

#[test]
fn a_list_that_makes_no_sense_any_more_can_be_asked_for_again() {
    let mut run = checked(step("a"), step("b").for_each());
    run.succeeds("a").is_evaluated("b", each(&["x", "y"]));
    run.succeeds("b[x]")
        .succeeds("b[y]")
        .is_sent_back("check", "a")
        .is_there("a");
    run.takes(&Input::Evaluated {
        step: "b".parse().unwrap(),
        result: Err(failure()),
    });
    assert_eq!(run.status(), RunStatus::Failed);
    run.is_decided("b[y]", Ruling::Again);
    assert_eq!(run.under_way(), ["b: evaluate"]);
    run.is_evaluated("b", each(&["x", "y"]));
    assert_eq!(run.under_way(), ["b[x]: look", "b[y]: look"]);
}

#[test]
fn an_item_that_was_not_done_right_is_named_and_the_others_are_left_alone() {
    let mut run = checked(step("a").for_each(), step("b"));
    run.is_evaluated("a", each(&["x", "y"]))
        .succeeds("a[x]")
        .succeeds("a[y]")
        .succeeds("b");
    assert!(matches!(
        run.tries_to_send_back("check", "a"),
        Err(Rejection::NameAnItem(_))
    ));
    run.is_sent_back("check", "a[x]");
    assert_eq!(run.under_way(), ["a[x]: look"]);
    assert_eq!(run.status_of("a[y]"), InstanceStatus::Succeeded);
}

#[test]
fn manual_work_is_asked_for_again_and_gives_what_is_entered_then() {
    let mut run = checked(step("a").by_person(), step("b"));
    run.is_confirmed("a").succeeds("b").is_sent_back("check", "a");
    assert_eq!(run.status_of("a"), InstanceStatus::Waiting);
    assert!(
        run.reason("a").starts_with("sent back by ada: the zone is wrong"),
        "{}",
        run.reason("a")
    );
    assert_eq!(
        run.status_of("check"),
        InstanceStatus::Pending,
        "it waits for that first"
    );
    run.is_confirmed("a").is_there("b");
    assert_eq!(run.status_of("check"), InstanceStatus::Waiting);
}

#[test]
fn those_after_it_see_what_it_gives_now() {
    let mut run = checked(step("a"), step("b").blind().idempotent());
    run.is_missing("a")
        .returns_with("a", &json!({ "zone": "old" }))
        .is_there("a")
        .returns("b");
    run.is_sent_back("check", "a");
    run.is_missing("a")
        .returns_with("a", &json!({ "zone": "new" }))
        .is_there("a");
    let step = run.state.workflow().find("b").unwrap();
    let (_, facts) = run.state.before(step).find("a").unwrap();
    assert_eq!(*facts.outputs, json!({ "zone": "new" }));
}

#[test]
fn it_is_possible_from_an_approval_and_voids_what_was_approved() {
    let mut run = Run::of([
        step("a"),
        approved("b", rule()).needs(&["a"]),
        approved("c", rule()).needs(&["b"]),
    ]);
    run.succeeds("a").is_missing("b").is_described("b", "b");
    run.is_approved_by("bob", "b", "b")
        .is_missing("b")
        .is_described("b", "b");
    run.returns("b")
        .is_there("b")
        .is_missing("c")
        .is_described("c", "c");
    run.is_sent_back("c", "a")
        .is_there("a")
        .is_missing("b")
        .is_described("b", "b");
    assert_eq!(
        run.under_way(),
        [""; 0],
        "what was approved on what was there then is not approved now"
    );
    assert_eq!(run.status_of("b"), InstanceStatus::Waiting);
}

#[test]
fn only_something_earlier_that_is_done_can_be_named_and_nothing_may_be_under_way_that_stands_on_it() {
    let other = step("other").needs(&["a"]);
    let late = step("late").needs(&["check"]);
    let check = step("check").needs(&["a"]).by_person();
    let mut run = Run::of([step("a"), other, check, late, step("skipped").conditional()]);
    run.is_evaluated("skipped", Evaluation::Skip("no".to_owned()));
    assert!(matches!(
        run.tries_to_send_back("a", "a"),
        Err(Rejection::NotNow { .. })
    ));
    run.succeeds("a");
    assert!(matches!(
        run.tries_to_send_back("check", "nothing"),
        Err(Rejection::NoSuchInstance(_))
    ));
    for later in ["check", "late", "skipped", "other"] {
        assert!(matches!(
            run.tries_to_send_back("check", later),
            Err(Rejection::NotEarlier { .. })
        ));
    }
    let busy = run.tries_to_send_back("check", "a").unwrap_err();
    assert!(busy.to_string().starts_with("`other` is observing"), "{busy}");
    run.succeeds("other").is_sent_back("check", "a");
    let again = run.tries_to_send_back("check", "a").unwrap_err();
    assert_eq!(again.about(), About::State);
}

#[test]
fn who_may_do_what_waits_sends_back_and_a_repetition_that_nothing_can_check_is_for_who_may_do_it() {
    let role = |policy: StepPolicy, role: &str| StepPolicy {
        roles: vec![role.parse().unwrap()],
        ..policy
    };
    let check = role(step("check").needs(&["a"]).by_person(), "tenant");
    let mut run = Run::by(team(), [role(step("a").blind(), "farm"), check]);
    run.returns("a");
    let no = run.tries_to_send_back("check", "a").unwrap_err();
    assert_eq!(no.about(), About::Person);
    run.turn.operator = Operator::new("bob");
    run.is_sent_back("check", "a");
    run.turn.operator = Operator::new("ada");
    run.takes(&Input::Clock);
    assert_eq!(run.under_way(), [""; 0], "bob cannot have it repeated");
    assert_eq!(run.status_of("a"), InstanceStatus::InDoubt);
    run.is_decided("a", Ruling::Again);
    assert_eq!(run.under_way(), ["a: run"]);
}

#[test]
fn a_run_that_is_stopped_or_undone_is_not_sent_back() {
    let mut run = checked(step("a"), step("b"));
    run.succeeds("a")
        .succeeds("b")
        .is_rolled_back(&["b"])
        .is_undone("b");
    assert!(matches!(
        run.tries_to_send_back("check", "a"),
        Err(Rejection::RunNotNow { .. })
    ));
    let mut run = checked(step("a"), step("b"));
    run.succeeds("a").succeeds("b").is_cancelled();
    assert!(matches!(
        run.tries_to_send_back("check", "a"),
        Err(Rejection::RunNotNow { .. })
    ));
}
