//! Who may do what, where a team says so.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::core::About;
use crate::core::operators::{Authored, Member, Standing, Stranger, impostors};
use crate::identity::PublicKey;

const HOUR: i64 = 3600;

fn at(hours: i64) -> Timestamp {
    Timestamp::from_second(hours * HOUR).unwrap()
}

pub(super) fn member(name: &str, roles: &[&str]) -> Member {
    Member {
        name: Operator::new(name),
        roles: roles.iter().map(|role| role.parse().unwrap()).collect(),
        key: None,
        from: None,
        until: None,
    }
}

fn key(of: u8) -> PublicKey {
    PublicKey::new([of; 32])
}

/// `ada` of the farm and `bob` of the tenant.
pub(super) fn team() -> Operators {
    Operators::new(vec![member("ada", &["farm"]), member("bob", &["tenant"])])
}

fn asks_for(role: &str, id: &str) -> StepPolicy {
    StepPolicy {
        roles: vec![role.parse().unwrap()],
        ..step(id)
    }
}

fn is_now(run: &mut Run, name: &str) {
    run.turn.operator = Operator::new(name);
}

#[track_caller]
fn is_refused(run: &mut Run, act: Act) -> String {
    let before = run.state.clone();
    let rejection = run.tries(&Input::Act(act)).unwrap_err();
    assert_eq!(rejection.about(), About::Person);
    assert_eq!(run.state, before, "nothing changed");
    format!("{rejection}: {}", rejection.instead())
}

fn forbidden(run: &Run) -> Vec<String> {
    let turn = &run.turn;
    let lacking = Lacking::nothing();
    let lacking = run
        .state
        .lacking_for(&turn.operator, turn.key.as_ref(), turn.now, lacking);
    let all = run.state.forbidden_now(&turn.operator, turn.now, &lacking);
    all.into_iter().map(|one| one.to_string()).collect()
}

#[test]
fn what_is_somebody_elses_is_left_to_them_and_the_rest_goes_on() {
    let steps = [asks_for("farm", "a"), asks_for("tenant", "b"), step("c")];
    let mut run = Run::by(team(), steps);
    assert_eq!(run.under_way(), ["a: look", "c: look"]);
    run.is_there("a");
    run.is_there("c");
    let told = "`b` asks for the role `tenant`, which `ada` does not have";
    assert_eq!(forbidden(&run), [told]);
    is_now(&mut run, "bob");
    run.takes(&Input::Clock);
    assert_eq!(run.under_way(), ["b: look"]);
    assert_eq!(forbidden(&run), [""; 0]);
}

#[test]
fn manual_work_is_asked_for_by_anyone_and_confirmed_by_whom_it_is_for() {
    let mut manual = asks_for("tenant", "consent");
    manual.abilities.by_person = true;
    let mut run = Run::by(team(), [manual]);
    assert_eq!(run.state.waiting_for().len(), 1);
    let confirm = || Act::Confirm {
        instance: "consent".parse().unwrap(),
        values: Outputs::new(),
        attachments: Vec::new(),
        note: None,
    };
    let told = is_refused(&mut run, confirm());
    assert!(told.contains("`consent` asks for the role `tenant`"), "{told}");
    assert!(told.contains("`bob` may"), "{told}");
    is_now(&mut run, "bob");
    run.takes(&Input::Act(confirm()));
    assert_eq!(run.state.status(), RunStatus::Completed);
}

#[test]
fn a_failure_is_decided_by_whom_the_step_is_for() {
    let mut run = Run::by(team(), [asks_for("farm", "a")]);
    run.is_missing("a").fails("a");
    let decide = || Act::Decide {
        instance: "a".parse().unwrap(),
        ruling: Ruling::Skip,
        why: "enough".to_owned(),
    };
    is_now(&mut run, "bob");
    is_refused(&mut run, decide());
    is_now(&mut run, "ada");
    run.takes(&Input::Act(decide()));
}

#[test]
fn a_step_is_undone_by_whom_it_is_for() {
    let mut run = Run::by(team(), [asks_for("farm", "a")]);
    run.succeeds("a");
    let undo = |scope| Act::Rollback {
        scope,
        why: "again".to_owned(),
    };
    is_now(&mut run, "bob");
    let steps = RollbackScope::Steps(vec!["a".parse().unwrap()]);
    is_refused(&mut run, undo(steps));
    // The whole run may be undone by anyone of the team, each step of it only by whom it is for.
    run.takes(&Input::Act(undo(RollbackScope::Run)));
    assert_eq!(run.under_way(), [""; 0]);
    assert_eq!(forbidden(&run).len(), 1);
    is_now(&mut run, "ada");
    run.takes(&Input::Clock);
    assert_eq!(run.under_way(), ["a: undo"]);
}

#[test]
fn a_stranger_does_nothing() {
    let mut run = Run::by(team(), [step("a")]);
    is_now(&mut run, "mallory");
    let cancel = Act::Cancel {
        why: "because".to_owned(),
    };
    let told = is_refused(&mut run, cancel);
    assert!(told.contains("`mallory` is not among the operators"), "{told}");
    assert!(told.contains("`ada`, `bob`"), "{told}");
    let resumed = Input::Resumed {
        jobs: 1,
        transcripts: std::collections::BTreeMap::new(),
    };
    assert!(run.tries(&resumed).is_err());
}

#[test]
fn what_somebody_without_the_role_did_is_no_history_of_the_run() {
    let mut run = Run::by(team(), [asks_for("tenant", "a")]);
    let entry = Entry {
        seq: run.state.next_seq(),
        time: run.turn.now,
        operator: Operator::new("ada"),
        host: Host::new("here"),
        event: Event::Decided {
            instance: "a".parse().unwrap(),
            ruling: Ruling::Done,
            why: "I say so".to_owned(),
        },
    };
    let illegal = run.state.apply(&entry).unwrap_err();
    assert!(illegal.reason.contains("asks for the role `tenant`"), "{illegal}");
}

#[test]
fn in_a_rehearsal_everyone_has_every_role() {
    let team = team().rehearsed();
    assert!(team.has(&Operator::new("mallory"), &"farm".parse().unwrap(), at(0)));
    let standing = team.standing(&Operator::new("mallory"), None, at(0));
    assert_eq!(standing, Ok(Standing::Claimed));
}

fn with_keys() -> Operators {
    let ada = Member {
        key: Some(key(1)),
        from: Some(at(0)),
        until: Some(at(10)),
        ..member("ada", &["farm"])
    };
    let later = Member {
        key: Some(key(2)),
        from: Some(at(10)),
        until: Some(at(20)),
        ..member("ada", &["farm"])
    };
    let bob = Member {
        key: Some(key(3)),
        ..member("bob", &["tenant"])
    };
    Operators::new(vec![ada, later, bob, member("eve", &[])])
}

#[test]
fn a_key_proves_its_owner_for_its_time() {
    let team = with_keys();
    let standing = |name: &str, of: Option<u8>, hours| {
        let used = of.map(key);
        team.standing(&Operator::new(name), used.as_ref(), at(hours))
    };
    let bob = Some(Operator::new("bob"));
    let ada = Some(Operator::new("ada"));
    assert_eq!(standing("ada", Some(1), 0), Ok(Standing::Proven));
    assert_eq!(standing("ada", Some(1), 10), Err(Stranger::OtherKey(ada)));
    assert_eq!(standing("ada", Some(2), 10), Ok(Standing::Proven));
    assert_eq!(standing("ada", None, 5), Err(Stranger::Unsigned));
    assert_eq!(standing("ada", Some(3), 5), Err(Stranger::OtherKey(bob.clone())));
    assert_eq!(standing("ada", Some(9), 5), Err(Stranger::OtherKey(None)));
    let over = Stranger::OutOfTime {
        ended: Some(at(20)),
        begins: None,
    };
    assert_eq!(standing("ada", Some(2), 20), Err(over));
    assert_eq!(standing("eve", None, 5), Ok(Standing::Claimed));
    assert_eq!(standing("eve", Some(9), 5), Ok(Standing::Claimed));
    assert_eq!(standing("eve", Some(3), 5), Err(Stranger::OtherKey(bob)));
    assert_eq!(standing("mallory", Some(3), 5), Err(Stranger::Unknown));
}

#[test]
fn the_entries_of_impostors_are_named() {
    let entry = |seq, name: &str, of: Option<u8>, hours| Authored {
        seq: Seq(seq),
        time: at(hours),
        operator: Operator::new(name),
        key: of.map(key),
    };
    let all = [
        entry(0, "ada", Some(1), 1),
        entry(1, "bob", Some(1), 1),
        entry(2, "bob", Some(3), 1),
        entry(3, "eve", None, 1),
        entry(4, "ada", None, 1),
    ];
    let (found, proven) = impostors(&with_keys(), &all);
    let found: Vec<u64> = found.iter().map(|one| one.seq.0).collect();
    assert_eq!((found, proven), (vec![1, 4], 2));
}

/// Two people, each with some of three roles for some time, and with a key or without.
fn any_team() -> impl Strategy<Value = Operators> {
    let bound = || prop::option::of(0_i64..20);
    let line = (
        any::<bool>(),
        0_u8..8,
        prop::option::of(0_u8..3),
        bound(),
        bound(),
    );
    prop::collection::vec(line, 1..6).prop_map(|lines| {
        let lines = lines.into_iter().map(|(is_ada, roles, of, from, until)| {
            let roles = (0..3).filter(|role| roles >> role & 1 == 1);
            Member {
                name: Operator::new(if is_ada { "ada" } else { "bob" }),
                roles: roles.map(|role| format!("r{role}").parse().unwrap()).collect(),
                key: of.map(|of| key(of + if is_ada { 0 } else { 10 })),
                from: from.map(at),
                until: until.map(at),
            }
        });
        Operators::new(lines.collect())
    })
}

proptest! {
    /// Whatever a team says of itself, nothing is begun by somebody whom it does not let.
    #[test]
    fn nobody_begins_what_is_not_theirs(
        team in any_team(),
        asked in prop::collection::vec(prop::option::of(0_u8..3), 1..5),
        acts in prop::collection::vec((any::<bool>(), prop::option::of(0_u8..14), 0_i64..20), 1..6),
    ) {
        let steps = asked.iter().enumerate().map(|(at, role)| StepPolicy {
            roles: role.iter().map(|role| format!("r{role}").parse().unwrap()).collect(),
            ..step(&format!("s{at}"))
        });
        let mut run = Run::by(team.clone(), steps);
        let mut hours = 0;
        for (is_ada, of, later) in acts {
            hours += later;
            run.turn.operator = Operator::new(if is_ada { "ada" } else { "bob" });
            (run.turn.key, run.turn.now) = (of.map(key), at(hours));
            let before = run.journal.len();
            run.takes(&Input::Clock);
            let began = run.journal[before..].iter().filter_map(|entry| match &entry.event {
                Event::ObservationStarted { instance } | Event::AttemptStarted { instance, .. } => Some(instance),
                _ => None,
            });
            for instance in began {
                let now = run.turn.now;
                let (who, used) = (&run.turn.operator, run.turn.key.as_ref());
                prop_assert!(team.standing(who, used, now).is_ok());
                let at = run.state.workflow().find(instance.step().as_str()).unwrap();
                let roles: BTreeSet<_> = run.state.workflow().step(at).roles.iter().collect();
                prop_assert!(roles.iter().all(|role| team.has(who, role, now)));
            }
        }
    }
}
