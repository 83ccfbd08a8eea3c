//! Four eyes, by examples.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::core::event::Proposal;
use crate::core::operators::Member;
use crate::core::{About, ApprovalRule, OnExpiry, Party};

const HOUR: u64 = 3600;

pub(super) fn rule() -> ApprovalRule {
    ApprovalRule {
        by: None,
        min: 1,
        not: BTreeSet::from([Party::Starter, Party::Executor]),
        expires: None,
        on_expiry: OnExpiry::Ask,
    }
}

pub(super) fn approved(id: &str, approve: ApprovalRule) -> StepPolicy {
    StepPolicy {
        approve: Some(approve),
        ..step(id)
    }
}

impl Run {
    /// What would be carried out is this.
    #[track_caller]
    pub(super) fn is_described(&mut self, id: &str, what: &str) -> &mut Self {
        assert!(self.under_way().contains(&format!("{id}: describe")));
        let result = Ok(Proposal {
            subject: what.to_owned(),
            what: json!(what),
        });
        let instance = Self::id(id);
        self.takes(&Input::Described { instance, result })
    }

    /// Somebody acts who only looks in.
    fn acts(&mut self, name: &str, act: Act) -> Result<(), Rejection> {
        let own = std::mem::replace(&mut self.turn.operator, Operator::new(name));
        let result = self.tries(&Input::Act(act));
        self.turn.operator = own;
        result
    }

    fn tries_to_approve(&mut self, name: &str, id: &str, what: &str) -> Result<(), Rejection> {
        let (instance, subject) = (Self::id(id), what.to_owned());
        self.acts(
            name,
            Act::Approve {
                instance,
                subject,
                note: None,
            },
        )
    }

    #[track_caller]
    pub(super) fn is_approved_by(&mut self, name: &str, id: &str, what: &str) -> &mut Self {
        self.tries_to_approve(name, id, what).unwrap();
        self
    }

    fn tries_to_reject(&mut self, name: &str, id: &str) -> Result<(), Rejection> {
        let (instance, why) = (Self::id(id), "not tonight".to_owned());
        self.acts(name, Act::Reject { instance, why })
    }
}

#[test]
fn what_is_approved_is_looked_at_again_and_carried_out() {
    let mut run = Run::of([approved("a", rule()), step("b")]);
    run.is_missing("a").is_described("a", "this").is_there("b");
    assert_eq!(run.under_way(), [""; 0]);
    assert_eq!(run.status(), RunStatus::Waiting);
    let ix = run.state.find(&Run::id("a")).unwrap();
    let told = run.state.row_of(ix).reason.unwrap();
    assert_eq!(told, "somebody must approve it first");
    run.is_approved_by("bob", "a", "this");
    assert_eq!(run.under_way(), ["a: look"]);
    run.is_missing("a").is_described("a", "this");
    assert_eq!(run.under_way(), ["a: run"]);
    run.returns("a").is_there("a");
    assert_eq!(run.status(), RunStatus::Completed);
}

#[test]
fn what_is_there_already_needs_no_approval() {
    let mut run = Run::of([approved("a", rule())]);
    run.is_there("a");
    assert_eq!(run.status(), RunStatus::Completed);
}

#[test]
fn an_approval_of_something_else_is_void() {
    let mut run = Run::of([approved("a", rule())]);
    run.is_missing("a").is_described("a", "this");
    assert!(run.tries_to_approve("bob", "a", "that").is_err());
    run.is_approved_by("bob", "a", "this");
    run.is_missing("a").is_described("a", "that");
    assert_eq!(run.status(), RunStatus::Waiting);
    run.is_approved_by("bob", "a", "that");
    run.is_missing("a").is_described("a", "that");
    assert_eq!(run.under_way(), ["a: run"]);
}

#[test]
fn it_takes_as_many_as_the_step_says_and_each_once() {
    let mut run = Run::of([approved("a", ApprovalRule { min: 2, ..rule() })]);
    run.is_missing("a").is_described("a", "this");
    run.is_approved_by("bob", "a", "this");
    let again = run.tries_to_approve("bob", "a", "this").unwrap_err();
    assert!(again.to_string().contains("has your approval already"), "{again}");
    let ix = run.state.find(&Run::id("a")).unwrap();
    assert_eq!(run.state.approvals(ix), Some((1, 2)));
    run.is_approved_by("eve", "a", "this");
    assert_eq!(run.under_way(), ["a: look"]);
}

#[test]
fn neither_who_started_it_nor_who_carries_it_out_approves_their_own_work() {
    let mut run = Run::of([approved("a", rule())]);
    run.is_missing("a").is_described("a", "this");
    let own = run.tries_to_approve("ada", "a", "this").unwrap_err();
    assert!(
        own.to_string().contains("somebody else than who started"),
        "{own}"
    );
    run.crashes().is_missing("a").is_described("a", "this");
    let own = run.tries_to_approve("grace", "a", "this").unwrap_err();
    assert!(own.to_string().contains("who carries the run out"), "{own}");
}

#[test]
fn who_has_approved_and_then_carries_it_out_does_not_count() {
    let mut run = Run::of([approved("a", rule())]);
    run.is_missing("a").is_described("a", "this");
    run.drains().is_approved_by("grace", "a", "this");
    run.crashes().is_missing("a").is_described("a", "this");
    assert_eq!(run.status(), RunStatus::Waiting);
    run.is_approved_by("bob", "a", "this");
    run.is_missing("a").is_described("a", "this");
    assert_eq!(run.under_way(), ["a: run"]);
}

#[test]
fn what_was_not_approved_in_time_is_asked_for_anew_or_fails() {
    for (on_expiry, then) in [
        (OnExpiry::Ask, RunStatus::Waiting),
        (OnExpiry::Fail, RunStatus::Failed),
    ] {
        let expires = Some(Duration::from_secs(HOUR));
        let rule = ApprovalRule {
            min: 2,
            expires,
            on_expiry,
            ..rule()
        };
        let mut run = Run::of([approved("a", rule)]);
        run.is_missing("a").is_described("a", "this");
        run.is_approved_by("bob", "a", "this");
        run.waits(3599);
        let ix = run.state.find(&Run::id("a")).unwrap();
        assert_eq!(run.state.approvals(ix), Some((1, 2)));
        run.waits(1);
        assert_eq!(run.status(), then);
        if on_expiry == OnExpiry::Ask {
            assert_eq!(run.state.approvals(ix), Some((0, 2)));
        }
    }
}

#[test]
fn an_approval_that_is_too_old_when_the_attempt_would_start_is_asked_for_anew() {
    let expires = Some(Duration::from_secs(HOUR));
    let mut run = Run::of([approved("a", ApprovalRule { expires, ..rule() })]);
    run.is_missing("a").is_described("a", "this");
    run.is_approved_by("bob", "a", "this");
    run.waits(3600);
    run.is_missing("a").is_described("a", "this");
    assert_eq!(run.status(), RunStatus::Waiting);
}

#[test]
fn what_is_rejected_fails_with_the_reason_and_can_be_asked_for_again() {
    let mut run = Run::of([approved("a", rule())]);
    run.is_missing("a").is_described("a", "this");
    run.tries_to_reject("bob", "a").unwrap();
    assert_eq!(run.status(), RunStatus::Failed);
    let ix = run.state.find(&Run::id("a")).unwrap();
    assert_eq!(run.state.row_of(ix).reason.unwrap(), "not tonight");
    run.is_decided("a", Ruling::Again);
    run.is_missing("a").is_described("a", "this");
    assert_eq!(run.status(), RunStatus::Waiting);
}

#[test]
fn whoever_has_approved_takes_that_back_and_it_is_waited_for_again() {
    let undone = StepPolicy {
        on_failure: OnFailure::Rollback,
        ..approved("a", ApprovalRule { min: 2, ..rule() })
    };
    let mut run = Run::of([undone]);
    run.is_missing("a").is_described("a", "this");
    run.is_approved_by("bob", "a", "this");
    run.turn.draining = true;
    run.is_approved_by("eve", "a", "this");
    run.tries_to_reject("eve", "a").unwrap();
    assert_eq!(run.status(), RunStatus::Waiting, "nothing has failed");
    let ix = run.state.find(&Run::id("a")).unwrap();
    assert_eq!(run.state.approvals(ix), Some((1, 2)));
    run.turn.draining = false;
    run.is_approved_by("eve", "a", "this");
    run.is_missing("a").is_described("a", "this");
    assert_eq!(run.under_way(), ["a: run"]);
}

#[test]
fn only_approving_or_rejecting_settles_what_waits_for_approval() {
    let mut run = Run::of([approved("a", rule())]);
    run.is_missing("a").is_described("a", "this");
    for ruling in [Ruling::Done, Ruling::Again, Ruling::Fail, Ruling::Skip] {
        let no = run.tries_to_decide("a", ruling).unwrap_err();
        assert!(no.instead().contains("runbook approve"), "{}", no.instead());
    }
}

#[test]
fn manual_work_is_asked_for_once_it_is_approved() {
    let manual = approved("a", rule()).by_person().blind();
    let mut run = Run::of([manual]);
    run.is_described("a", "this");
    run.is_approved_by("bob", "a", "this").is_described("a", "this");
    let waiting = run.state.waiting_for();
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].need, crate::core::event::Need::ManualWork);
}

#[test]
fn a_retry_of_the_same_thing_needs_no_new_approval() {
    let mut retried = approved("a", rule());
    retried.retry.attempts = 2;
    let mut run = Run::of([retried]);
    run.is_missing("a").is_described("a", "this");
    run.is_approved_by("bob", "a", "this");
    run.is_missing("a").is_described("a", "this").fails("a").waits(2);
    run.is_missing("a").is_described("a", "this");
    assert_eq!(run.under_way(), ["a: run"]);
}

#[test]
fn what_waits_for_approval_keeps_no_lock_from_others() {
    let mut run = Run::of([approved("a", rule()).lock("farm"), step("b").lock("farm")]);
    run.is_missing("a").is_described("a", "this");
    assert_eq!(run.under_way(), ["b: look"]);
}

#[test]
fn whoever_lacks_the_role_neither_approves_nor_rejects() {
    let member = |name: &str, role: &str| Member {
        name: Operator::new(name),
        roles: [role.parse().unwrap()].into(),
        key: None,
        from: None,
        until: None,
    };
    let team = Operators::new(vec![
        member("ada", "farm"),
        member("bob", "board"),
        member("eve", "farm"),
    ]);
    let by = Some("board".parse().unwrap());
    let mut run = Run::by(team, [approved("a", ApprovalRule { by, ..rule() })]);
    run.is_missing("a").is_described("a", "this");
    let no = run.tries_to_approve("eve", "a", "this").unwrap_err();
    assert_eq!(no.about(), About::Person);
    assert!(no.instead().contains("`bob` may"), "{}", no.instead());
    run.tries_to_reject("eve", "a").unwrap_err();
    run.is_approved_by("bob", "a", "this");
    assert_eq!(run.under_way(), ["a: look"]);
}

#[test]
fn what_was_looked_at_before_a_rollback_does_not_hold_the_run_up_after_it() {
    let [a, b] = [approved("a", rule()).needs(&["n"]), step("b").needs(&["n"])];
    let mut run = Run::with_jobs(1, [step("n"), a, b]);
    run.succeeds("n").is_missing("a");
    assert_eq!(run.under_way(), ["b: look"], "there is no room to go on with `a`");
    run.is_missing("b").fails("b").is_rolled_back(&[]);
    run.is_undone("b").is_undone("n").is_decided("b", Ruling::Again);
    assert_eq!(run.under_way(), [""; 0]);
    assert_eq!(run.status(), RunStatus::RolledBack);
}

#[test]
fn a_journal_that_leaves_an_approval_out_is_refused() {
    let mut run = Run::of([approved("a", rule())]);
    run.is_missing("a").is_described("a", "this");
    run.is_approved_by("bob", "a", "this");
    run.is_missing("a").is_described("a", "this");
    let given = run
        .journal
        .iter()
        .position(|entry| entry.event.name() == "approved");
    let mut forged: Vec<Entry> = run.journal.clone();
    forged.remove(given.unwrap());
    for (seq, entry) in forged.iter_mut().enumerate() {
        entry.seq = Seq(seq as u64);
    }
    RunState::fold(&run.workflow, &forged).unwrap_err();
}
