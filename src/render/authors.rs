//! Whether it is proven who did what: told where somebody could think that it is, and it is not.

use std::collections::BTreeMap;

use runbook_engine::core::event::Entry;
use runbook_engine::core::operators::{OPERATORS_FILE, Operators, Standing};
use runbook_engine::core::{ApprovalRule, RunState};
use runbook_engine::identity::PublicKey;
use runbook_engine::runbook::Runbook;
use runbook_engine::runtime::Story;
use serde::Serialize;

use super::style::names;

/// What is known of whoever wrote an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Authorship {
    Proven,
    Claimed,
    /// Somebody else wrote it.
    False,
}

/// What is known of whoever wrote an entry that bears a signature with this key; none where the team proves nothing.
pub(crate) fn authorship(
    team: Option<&Operators>,
    entry: &Entry,
    key: Option<PublicKey>,
) -> Option<Authorship> {
    let team = team?;
    let proves = team.members().iter().any(|member| member.key.is_some());
    let standing = || team.standing(&entry.operator, key.as_ref(), entry.time);
    proves.then(|| match standing() {
        Ok(Standing::Proven) => Authorship::Proven,
        Ok(Standing::Claimed) => Authorship::Claimed,
        Err(_) => Authorship::False,
    })
}

/// Of how many entries it is proven who wrote them, and of whom.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Tally {
    proven: BTreeMap<String, u64>,
    claimed: BTreeMap<String, u64>,
    #[serde(rename = "false")]
    not_theirs: BTreeMap<String, u64>,
}

impl Tally {
    /// None where the team proves nothing.
    pub(crate) fn of(story: &Story) -> Option<Self> {
        let team = story.state.workflow().operators();
        let mut tally = Self::default();
        for (entry, seal) in story.entries.iter().zip(&story.seals) {
            let by = match authorship(team, entry, seal.signer())? {
                Authorship::Proven => &mut tally.proven,
                Authorship::Claimed => &mut tally.claimed,
                Authorship::False => &mut tally.not_theirs,
            };
            *by.entry(entry.operator.to_string()).or_default() += 1;
        }
        Some(tally)
    }

    /// That in one sentence.
    pub(crate) fn words(&self) -> String {
        let sum = |by: &BTreeMap<String, u64>| by.values().sum::<u64>();
        let names = |by: &BTreeMap<String, u64>| {
            let each = by.iter().map(|(name, count)| format!("{name} ({count})"));
            each.collect::<Vec<_>>().join(", ")
        };
        let (proven, claimed, not_theirs) = (sum(&self.proven), sum(&self.claimed), sum(&self.not_theirs));
        let all = proven + claimed + not_theirs;
        let mut parts = Vec::new();
        if proven == all {
            parts.push(format!("all {all} entries are proven: {}", names(&self.proven)));
        } else if proven == 0 {
            parts.push(format!("none of {all} entries is proven"));
        } else {
            parts.push(format!(
                "{proven} of {all} entries are proven: {}",
                names(&self.proven)
            ));
        }
        if claimed > 0 {
            parts.push(format!("{claimed} only claimed: {}", names(&self.claimed)));
        }
        if not_theirs > 0 {
            parts.push(format!(
                "{not_theirs} not by whom they name, which `runbook journal verify` tells more of: {}",
                names(&self.not_theirs)
            ));
        }
        parts.join("; ")
    }

    /// Whether somebody passes for another.
    pub(crate) fn is_false(&self) -> bool {
        !self.not_theirs.is_empty()
    }
}

/// The remark behind a name: nothing for what is proven.
pub(crate) fn mark(authorship: Option<Authorship>) -> &'static str {
    match authorship {
        None | Some(Authorship::Proven) => "",
        Some(Authorship::Claimed) => " (claimed)",
        Some(Authorship::False) => " (not theirs)",
    }
}

/// That anybody may approve what is for a role alone, where that is so: told wherever somebody could rely on it.
pub(crate) fn unenforced_approvals(runbook: &Runbook, operators: Option<&Operators>) -> Option<String> {
    let steps = runbook.steps().values();
    let judged = steps.filter(|step| step.approve.as_ref().is_some_and(|rule| rule.by.is_some()));
    let judged: Vec<_> = judged.map(|step| step.id.clone()).collect();
    (operators.is_none() && !judged.is_empty()).then(|| {
        format!(
            "roles are not enforced: there is no {OPERATORS_FILE} beside the runbook, so that anybody may approve {}",
            names(&judged)
        )
    })
}

/// Whether the roles of the steps are enforced, where they have any.
pub(crate) fn roles(state: &RunState, runbook: &Runbook) -> Option<&'static str> {
    let asks = |approve: &ApprovalRule| approve.by.is_some();
    let mut steps = runbook.workflow().steps();
    if steps.all(|(_, step)| step.roles.is_empty() && !step.approve.as_ref().is_some_and(asks)) {
        return None;
    }
    Some(match state.workflow().operators() {
        None => "roles are not enforced: the run began without an operators.yaml beside its runbook",
        Some(operators) if operators.is_rehearsal() => "roles are not enforced in a rehearsal",
        Some(_) => "roles are enforced, as operators.yaml said when the run began",
    })
}
