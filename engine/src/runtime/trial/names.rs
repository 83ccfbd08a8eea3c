//! Whether the names in a case exist in the runbook.

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::id::StepId;
use crate::runbook::Runbook;
use crate::runbook::cases::{Case, Cases, Located, Script, Undo};

/// What names something that the runbook does not have.
pub(super) fn check(runbook: &Runbook, cases: &Cases, case: &Case) -> Vec<Diagnostic> {
    let mut named: Vec<(&StepId, Span)> = Vec::new();
    named.extend(case.steps.iter().map(|(id, script)| (id.step(), script.span)));
    let people = case.always.iter().chain(&case.people);
    named.extend(people.map(|(id, deeds)| (id.step(), deeds.span)));
    if let Some(rollback) = &case.rollback
        && let Undo::Steps(steps) = &rollback.value
    {
        named.extend(steps.iter().map(|step| (step, rollback.span)));
    }
    let expect = &case.expect;
    named.extend(expect.steps.iter().map(|(id, step)| (id.step(), step.span)));
    for list in [&expect.order, &expect.undone, &expect.waits_for]
        .into_iter()
        .flatten()
    {
        named.extend(list.value.iter().map(|id| (id.value.step(), id.span)));
    }
    let unknown = named.into_iter().filter(|(id, _)| runbook.step(id).is_none());
    let steps = unknown.map(|(id, span)| {
        let message = format!("the runbook has no step `{id}`");
        let problem = Diagnostic::error(Code::TestNames, message).at(&cases.file, span, "");
        problem.did_you_mean(id.as_str(), runbook.steps().keys().map(|step| step.as_str()))
    });
    let known = |name: &str| runbook.params().keys().any(|known| known.as_str() == name);
    let params = case.params.iter().filter(|(name, _)| !known(name));
    let params = params.map(|(name, value)| {
        let message = format!("the runbook has no parameter `{name}`");
        let problem = Diagnostic::error(Code::TestNames, message).at(&cases.file, value.span, "");
        problem.did_you_mean(name, runbook.params().keys().map(|name| name.as_str()))
    });
    let worlds = case
        .steps
        .iter()
        .filter_map(|(id, script)| Some((id, script.value.world.as_ref()?)));
    let worlds = worlds.filter_map(|(id, world)| {
        let kind = &runbook.step(id.step())?.uses;
        let keeps_to_it = runbook.registry().get(kind.as_str()).is_ok_and(|plugin| plugin.keeps_to_world());
        let message = format!("`{id}` cannot be carried out in a world: a test never carries out what a `{kind}` step does");
        let problem = Diagnostic::error(Code::TestNames, message).at(&cases.file, world.span, "");
        let help = "only scripts can be, those of site steps and of `rhai` steps; say what the step gives: `outputs`, `fails`";
        (!keeps_to_it).then(|| problem.help(help))
    });
    let outputs = case
        .steps
        .iter()
        .flat_map(|(id, script)| unknown_outputs(runbook, cases, id.step(), script));
    let mut problems: Vec<Diagnostic> = steps.chain(params).chain(worlds).chain(outputs).collect();
    problems.dedup();
    problems
}

/// Outputs that a step is said to give, and never gives.
fn unknown_outputs(
    runbook: &Runbook,
    cases: &Cases,
    id: &StepId,
    script: &Located<Script>,
) -> Vec<Diagnostic> {
    let known = runbook.step(id).and_then(|step| {
        let kind = runbook.registry().get(step.uses.as_str()).ok()?;
        kind.gives(&step.with)
    });
    let Some(known) = known else {
        return Vec::new();
    };
    let given = script.value.outputs.iter().flat_map(|outputs| outputs.keys());
    let unknown = given.filter(|name| !known.contains(name));
    let told = unknown.map(|name| {
        let message = format!("the step `{id}` gives no output `{name}`");
        let problem = Diagnostic::error(Code::TestNames, message).at(&cases.file, script.span, "");
        problem.did_you_mean(name, known.iter().map(String::as_str))
    });
    told.collect()
}
