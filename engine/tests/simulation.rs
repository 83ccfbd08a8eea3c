//! The core against generated workflows, failures, people and crashes. The laws are in `testing::laws`.

use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::BTreeSet;

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use runbook_engine::core::{OnFailure, RunStatus, Workflow};
use runbook_engine::id::InstanceId;
use runbook_engine::testing::simulation::{Crash, People, Simulation};
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
    assert_eq!(seen.borrow().len(), 31, "{seen:?}");
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
