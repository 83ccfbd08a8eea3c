//! The core against generated workflows, failures, people and crashes. The laws are in `testing::laws`.

use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::BTreeSet;

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use runbook_engine::core::{OnFailure, Place, RunStatus, StepPolicy, Workflow};
use runbook_engine::id::{Host, InstanceId};
use runbook_engine::testing::simulation::{Crash, People, Simulation};
use runbook_engine::testing::team::Team;
use runbook_engine::testing::workflows::workflows;
use runbook_engine::testing::world::{Dice, World};

/// `PROPTEST_CASES` has the last word on how many.
fn cases(cases: u32) -> Config {
    let config = Config::default();
    let cases = if config.cases == 256 { cases } else { config.cases };
    Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..config
    }
}

fn dice() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..300)
}

/// A world in which some outcomes are there already, where the steps can see that.
fn world(workflow: &Workflow, already: u16) -> World {
    let chosen = workflow
        .steps()
        .filter(|(at, step)| step.abilities.validates && already >> at.index() & 1 == 1);
    World::new(chosen.map(|(_, step)| step.id.clone()).collect())
}

fn start(
    workflow: &Workflow,
    already: u16,
    dice: &[u8],
    people: People,
    crash: Option<Crash>,
) -> Result<Simulation, TestCaseError> {
    let world = world(workflow, already);
    Simulation::start(workflow.clone(), world, Dice::new(dice.to_vec()), people, crash)
        .map_err(TestCaseError::fail)
}

fn run(simulation: &mut Simulation) -> Result<(), TestCaseError> {
    simulation.run().map_err(|broken| {
        let story: Vec<String> = simulation
            .journal
            .iter()
            .map(|entry| format!("{}: {:?}", entry.seq, entry.event))
            .collect();
        TestCaseError::fail(format!("{broken}\n{}", story.join("\n")))
    })
}

proptest! {
    #![proptest_config(cases(800))]

    #[test]
    fn every_law_holds_whatever_happens(workflow in workflows(), already: u16, dice in dice()) {
        run(&mut start(&workflow, already, &dice, People::Meddle, None)?)?;
    }
}

proptest! {
    #![proptest_config(cases(25))]

    #[test]
    fn every_law_holds_wherever_it_crashes(workflow in workflows(), already: u16, dice in dice()) {
        let mut undisturbed = start(&workflow, already, &dice, People::Answer, None)?;
        run(&mut undisturbed)?;
        for (append, &entries) in undisturbed.appends.iter().enumerate().skip(1) {
            for entries in BTreeSet::from([0, entries / 2, entries]) {
                let crash = Some(Crash { append, entries });
                run(&mut start(&workflow, already, &dice, People::Answer, crash)?)?;
            }
        }
    }

    #[test]
    fn a_run_in_which_all_goes_well_completes(workflow in workflows(), already: u16) {
        let mut simulation = start(&workflow, already, &[], People::Answer, None)?;
        run(&mut simulation)?;
        prop_assert_eq!(simulation.state.status(), RunStatus::Completed);
    }
}

proptest! {
    #![proptest_config(cases(250))]

    #[test]
    fn a_full_rollback_puts_the_world_back(workflow in workflows(), already: u16, dice in dice()) {
        let never_by_rule = workflow.steps().map(|(_, step)| {
            let mut step = step.clone();
            if step.on_failure == OnFailure::Rollback {
                step.on_failure = OnFailure::Stop;
            }
            step
        });
        let workflow = Workflow::new(never_by_rule.collect()).map_err(|cycle| TestCaseError::fail(cycle.to_string()))?;
        let mut simulation = start(&workflow, already, &dice, People::Answer, None)?;
        run(&mut simulation)?;
        simulation.roll_back().map_err(TestCaseError::fail)?;
        prop_assert_eq!(simulation.state.status(), RunStatus::RolledBack);
        let stays = |id: &&InstanceId| {
            let abilities = simulation.state.policy(simulation.state.find(id).unwrap()).abilities;
            abilities.read_only || !abilities.undoes
        };
        let changed: Vec<_> = simulation.world.changed().into_iter().filter(|id| !stays(id)).collect();
        prop_assert!(changed.is_empty(), "{:?} is not as it was", changed);
    }
}

/// The same steps, some for one role or one machine, by their number.
#[expect(clippy::unwrap_used, reason = "names in tests are written by hand")]
fn parted(workflow: &Workflow, parts: u32) -> Workflow {
    let steps = workflow.steps().map(|(at, step)| {
        let part = parts >> (2 * (at.index() % 16)) & 3;
        let (roles, on) = match part {
            1 => (vec!["farm".parse().unwrap()], None),
            2 => (Vec::new(), Some(Place::Host(Host::new("web1")))),
            3 => (
                vec!["tenant".parse().unwrap()],
                Some(Place::Host(Host::new("web2"))),
            ),
            _ => (Vec::new(), None),
        };
        StepPolicy {
            roles,
            on,
            ..step.clone()
        }
    });
    Workflow::new(steps.collect()).unwrap()
}

#[expect(clippy::unwrap_used, reason = "names in tests are written by hand")]
fn team(workflow: &Workflow, already: u16, parts: u32, dice: &[u8]) -> Result<Team, TestCaseError> {
    let workflow = parted(workflow, parts);
    let role = |name: &str| Some(name.parse().unwrap());
    // Each step has somebody who can serve it, and most have several.
    let workers = [
        (role("farm"), Host::new("WEB1")),
        (role("tenant"), Host::new("web2.example")),
        (None, Host::new("web1")),
        (None, Host::new("web2")),
    ];
    let mut team = Team::start(
        workflow.clone(),
        world(&workflow, already),
        Dice::new(dice.to_vec()),
        &workers,
    )
    .map_err(TestCaseError::fail)?;
    team.run().map_err(|broken| {
        let journal = team.run.journal.iter();
        let story: Vec<String> = journal
            .map(|entry| format!("{} {}: {:?}", entry.seq, entry.operator, entry.event))
            .collect();
        TestCaseError::fail(format!("{broken}\n{}", story.join("\n")))
    })?;
    Ok(team)
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn every_law_holds_with_several_workers(workflow in workflows(), already: u16, parts: u32, dice in dice()) {
        team(&workflow, already, parts, &dice)?;
    }
}

proptest! {
    #![proptest_config(cases(50))]

    #[test]
    fn several_workers_complete_a_run_in_which_all_goes_well(workflow in workflows(), already: u16, parts: u32) {
        prop_assert_eq!(team(&workflow, already, parts, &[])?.status(), RunStatus::Completed);
    }
}

#[test]
fn the_workers_meet_and_lose_their_claims() {
    let mut runner = TestRunner::new_with_rng(cases(200), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let seen = RefCell::new((0, 0, 0));
    let all = (workflows(), any::<u16>(), any::<u32>(), dice());
    runner
        .run(&all, |(workflow, already, parts, dice)| {
            let team = team(&workflow, already, parts, &dice)?;
            let mut seen = seen.borrow_mut();
            seen.0 += team.conflicts;
            seen.1 += team.taken_over;
            seen.2 += team.late;
            Ok(())
        })
        .unwrap();
    let (conflicts, taken_over, late) = seen.into_inner();
    assert!(
        conflicts > 300 && taken_over > 50 && late > 20,
        "{conflicts} conflicts, {taken_over} taken over, {late} late"
    );
}

/// A law that nothing ever comes near proves nothing.
#[test]
fn the_simulations_come_everywhere() {
    let mut runner = TestRunner::new_with_rng(cases(300), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let seen = RefCell::new(BTreeSet::new());
    let statuses = RefCell::new(BTreeSet::new());
    runner
        .run(
            &(workflows(), any::<u16>(), dice()),
            |(workflow, already, dice)| {
                let mut simulation = start(&workflow, already, &dice, People::Meddle, None)?;
                run(&mut simulation)?;
                seen.borrow_mut()
                    .extend(simulation.journal.iter().map(|entry| entry.event.name()));
                statuses.borrow_mut().insert(simulation.state.status());
                Ok(())
            },
        )
        .unwrap();
    // All but the pinning of files, which is the runtime's.
    assert_eq!(seen.borrow().len(), 34, "{seen:?}");
    let ends = [
        RunStatus::Completed,
        RunStatus::Failed,
        RunStatus::RolledBack,
        RunStatus::Cancelled,
    ];
    assert!(
        ends.iter().all(|end| statuses.borrow().contains(end)),
        "{statuses:?}"
    );
}
