//! What a step costs, whatever the number of steps. Measured by hand:
//! `cargo test -p runbook-engine --lib cost -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use super::*;
use crate::core::wake_at;

/// Carries a run out in which every call ends well, as the runtime would: one input, one turn, all effects.
fn carry_out(jobs: u32, steps: Vec<StepPolicy>) -> Run {
    let mut run = Run::with_jobs(jobs, steps);
    loop {
        let Some(effect) = effects(&run.state, false).into_iter().next() else {
            return run;
        };
        let _wake = wake_at(&run.state);
        let _status = run.status();
        let input = match effect {
            Effect::Evaluate { step } => {
                let result = Ok(Evaluation::One);
                Input::Evaluated { step, result }
            }
            Effect::ClearProcess { instance, .. } => {
                let found = LeftProcess::None;
                Input::ProcessCleared { instance, found }
            }
            Effect::Call(work) => Input::Finished {
                outcome: match work.purpose {
                    Purpose::Run => Outcome::Ran(Ok(Outputs::new())),
                    Purpose::Rollback => Outcome::RolledBack(Ok(())),
                    _ => Outcome::Observed(Ok(Observation::unknown())),
                },
                instance: work.instance,
                of: work.of,
                transcript: None,
            },
        };
        run.takes(&input);
    }
}

fn chain(steps: usize) -> Vec<StepPolicy> {
    let needs = |at: usize| at.checked_sub(1).map(|before| format!("s{before}"));
    (0..steps)
        .map(|at| step(&format!("s{at}")).needs(&needs(at).iter().map(String::as_str).collect::<Vec<_>>()))
        .collect()
}

/// Layers of 100 steps, each of which needs three of the layer before.
fn layers(steps: usize) -> Vec<StepPolicy> {
    let needs = |at: usize| {
        let first = (at / 100).checked_sub(1).map(|layer| layer * 100);
        first.map_or_else(Vec::new, |first| {
            (0..3)
                .map(|n| format!("s{}", first + (at * 7 + n) % 100))
                .collect()
        })
    };
    (0..steps)
        .map(|at| step(&format!("s{at}")).needs(&needs(at).iter().map(String::as_str).collect::<Vec<_>>()))
        .collect()
}

fn all_free(steps: usize) -> Vec<StepPolicy> {
    (0..steps).map(|at| step(&format!("s{at}"))).collect()
}

fn all_behind_one_lock(steps: usize) -> Vec<StepPolicy> {
    all_free(steps)
        .into_iter()
        .map(|step| step.lock("farm"))
        .collect()
}

fn all_conditional(steps: usize) -> Vec<StepPolicy> {
    all_free(steps).into_iter().map(StepPolicy::conditional).collect()
}

#[expect(clippy::disallowed_methods, reason = "it measures")]
fn time(work: impl FnOnce() -> Run) -> (Duration, Run) {
    let start = Instant::now();
    let run = work();
    (start.elapsed(), run)
}

#[test]
#[ignore = "measures; run by hand"]
fn the_cost_of_a_step_does_not_grow_with_their_number() {
    type Shape = fn(usize) -> Vec<StepPolicy>;
    let shapes: [(&str, Shape); 5] = [
        ("chain", chain),
        ("layers", layers),
        ("all free", all_free),
        ("one lock", all_behind_one_lock),
        ("conditional", all_conditional),
    ];
    for (name, shape) in shapes {
        let mut costs = Vec::new();
        for steps in [10_000, 50_000] {
            let policies = shape(steps);
            let (time_run, run) = time(|| carry_out(4, policies));
            assert_eq!(run.status(), RunStatus::Completed);
            let (journal, workflow) = (run.journal, run.workflow);
            let (time_fold, _) = time(|| {
                let mut folded = Run::of([]);
                folded.state = RunState::fold(&workflow, &journal).unwrap();
                folded
            });
            let per = |time: Duration| time / u32::try_from(steps).unwrap();
            #[expect(clippy::print_stderr, reason = "it reports")]
            {
                eprintln!(
                    "{name:12} {steps:6} steps: run {:?}, fold {:?} a step",
                    per(time_run),
                    per(time_fold)
                );
            }
            costs.push(per(time_run));
        }
        assert!(costs[1] < costs[0] * 3, "{name}: {costs:?}");
    }
}
