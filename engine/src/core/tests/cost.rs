//! What a step costs, whatever the number of steps: counted in looks at steps and instances.

use super::*;
use crate::core::Work;
use crate::core::table::looks;
use crate::core::wake_at;

/// Carries a run out in which every call ends well, as the runtime would: one input, one turn, all effects.
fn carry_out(jobs: u32, steps: Vec<StepPolicy>) -> Run {
    let mut run = Run::with_jobs(jobs, steps);
    loop {
        let Some(effect) = effects(&run.state, false, &Lacking::nothing(), run.turn.now)
            .into_iter()
            .next()
        else {
            return run;
        };
        let _wake = wake_at(&run.state, &Lacking::nothing());
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
            Effect::Describe { instance } => panic!("{instance} needs no approval"),
            Effect::Call(work) => Input::Finished {
                outcome: match reads_its_needs(&run, &work).purpose {
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

/// Looks at the steps that are needed directly, as expressions do; of all others nothing is worked out.
fn reads_its_needs<'a>(run: &Run, work: &'a Work) -> &'a Work {
    let before = run.state.before(run.state.instance(work.ix).step);
    let needs = &run.state.policy(work.ix).needs;
    assert!(needs.iter().all(|need| before.find(need.as_str()).is_some()));
    work
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

/// How many looks at steps and instances a step costs, carried out and read again.
fn looks_for_each(policies: Vec<StepPolicy>) -> u64 {
    let steps = policies.len() as u64;
    let before = looks();
    let run = carry_out(4, policies);
    assert_eq!(run.status(), RunStatus::Completed);
    RunState::fold(&run.workflow, &run.journal).unwrap();
    (looks() - before) / steps
}

#[test]
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
        let (few, many) = (looks_for_each(shape(300)), looks_for_each(shape(3_000)));
        assert!(
            many < few * 2,
            "{name}: {few} looks a step, and {many} of ten times as many"
        );
    }
}
