//! What a run waits for from people, and what they type when it is done.

use jiff::Timestamp;
use runbook_engine::core::event::Need;
use runbook_engine::core::{InstanceStatus, RunState, WaitingFor};
use runbook_engine::id::{InstanceId, Operator};
use runbook_engine::runbook::{Runbook, Step};
use runbook_steps::manual::ManualInputs;

use super::Advice::{self, Fact};
use super::{MOST, command, command_for, quoted};
use crate::render::hint::{self, For};
use crate::render::plain;

/// What one instance waits for, and what to type when it is done.
pub(super) fn waits(state: &RunState, waiting: &WaitingFor, runbook: &Runbook) -> Vec<Advice> {
    let name = &state.started().name();
    let step = runbook.step(waiting.id.step());
    let role = step
        .and_then(|step| step.role.as_ref())
        .map_or_else(String::new, |role| format!(" ({role})"));
    let title = step.map_or_else(String::new, |step| plain(&step.title));
    let (id, quoted) = (plain(&waiting.id.to_string()), quoted(&waiting.id));
    let whose = doer(state, &waiting.id);
    match waiting.need {
        Need::ManualWork => {
            let (what, evidence) = if waiting.undoing {
                ("is to be undone by hand", String::new())
            } else {
                ("waits for a person", step.map_or_else(String::new, evidence))
            };
            let confirm = format!("runbook confirm {name} {quoted}{evidence}");
            vec![
                Fact(format!("`{id}` {what}{role}: {title}")),
                command_for(whose, &confirm, "once it is done"),
            ]
        }
        Need::Approval => approval(state, waiting, &named(&id, &title), &quoted),
        Need::Decision => {
            let decide = |ruling| format!("runbook decide {name} {quoted} {ruling} --why TEXT");
            let [fact, done, again] = if waiting.undoing {
                [
                    "Do not undo it again yet: look whether it is undone, then",
                    "it is undone",
                    "it is not: undo it again",
                ]
            } else {
                [
                    "Do not do it again yet: look whether it took effect, then",
                    "it took effect",
                    "it did not: do it again",
                ]
            };
            let undoing = if waiting.undoing { "undoing " } else { "" };
            let named = named(&id, &title);
            let again_after = state
                .find(&waiting.id)
                .and_then(|ix| state.instance(ix).done_before());
            let fact = match again_after {
                None => format!("{undoing}{named} was interrupted{role}. {fact}"),
                Some(sent) => format!(
                    "{named} was done before, and cannot tell whether it still holds after `{}`{role}. Do not do it again \
                     yet: look whether it holds, then",
                    plain(&sent.to.to_string())
                ),
            };
            vec![
                Fact(fact),
                command_for(whose, &decide("done"), done),
                command_for(whose, &decide("again"), again),
            ]
        }
    }
}

/// What a run that was stopped has left in doubt: it is not looked at any more, and undoing it depends on what it did.
pub(super) fn doubts(state: &RunState, name: &str) -> Vec<Advice> {
    let in_doubt = state
        .statuses()
        .filter(|(_, status)| *status == InstanceStatus::InDoubt);
    let told = in_doubt.take(MOST).flat_map(|(instance, _)| {
        let (id, quoted) = (plain(&instance.id.to_string()), quoted(&instance.id));
        let decide = |ruling| format!("runbook decide {name} {quoted} {ruling} --why TEXT");
        [
            Fact(format!(
                "`{id}` was interrupted: look whether it took effect, then"
            )),
            command(&decide("done"), "it took effect"),
            command(&decide("fail"), "it did not"),
        ]
    });
    told.collect()
}

/// Who must approve an instance, and how.
fn approval(state: &RunState, waiting: &WaitingFor, named: &str, quoted: &str) -> Vec<Advice> {
    let name = state.started().name();
    let whose = judge(state, &waiting.id);
    let wanted = state.find(&waiting.id).and_then(|ix| state.row_of(ix).reason);
    let wanted = plain(&wanted.unwrap_or_else(|| "it must be approved first".to_owned()));
    vec![
        Fact(format!("{named}: {wanted}")),
        command_for(
            whose,
            &format!("runbook approve {name} {quoted}"),
            "for whoever approves it, under their own name",
        ),
        command_for(
            whose,
            &format!("runbook reject {name} {quoted} --why TEXT"),
            "not so",
        ),
    ]
}

/// An instance with its title, which is often an order, as somebody's words.
fn named(id: &str, title: &str) -> String {
    if title.is_empty() || title == id {
        format!("`{id}`")
    } else {
        format!("`{id}` (\"{title}\")")
    }
}

/// The options with which manual work is confirmed.
fn evidence(step: &Step) -> String {
    let Ok(inputs) = serde_json::from_value::<ManualInputs>(step.with.clone()) else {
        return String::new();
    };
    let values = inputs.collect.iter().filter(|(_, collect)| !collect.optional);
    let values = values.map(|(name, _)| format!(" --value {name}=VALUE"));
    let files = inputs.attach.iter().filter(|file| !file.optional);
    let files = files.map(|_| " --attach FILE".to_owned());
    let ticked = (!inputs.checklist.is_empty()).then(|| " --ticked".to_owned());
    ticked.into_iter().chain(values).chain(files).collect()
}

/// Whose a command is about an instance: that of whoever reads it, unless they say who they are and may not.
fn reader_if(may: impl FnOnce(&Operator) -> bool) -> For<'static> {
    match hint::operator() {
        Some(operator) if !may(operator) => For::Another,
        Some(_) | None => For::Reader,
    }
}

/// Who says what became of an instance.
fn doer(state: &RunState, id: &InstanceId) -> For<'static> {
    reader_if(|operator| state.may_act_on(id, operator, Timestamp::now()).is_ok())
}

/// Who says whether it may be carried out.
fn judge(state: &RunState, id: &InstanceId) -> For<'static> {
    reader_if(|operator| {
        let may_judge = state.may_judge(id, operator, Timestamp::now()).is_ok();
        may_judge && state.to_approve(id, operator).is_ok()
    })
}
