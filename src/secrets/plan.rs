//! The secrets for a plan, which asks all steps that can answer at once.

use std::collections::{BTreeMap, BTreeSet};

use runbook_engine::id::ParamName;
use runbook_engine::runbook::Runbook;
use runbook_engine::runtime::{Given, Keeper as _, Wanted};
use runbook_engine::secret::{Secret, SecretName};
use tokio_util::sync::CancellationToken;

use super::Giver;
use crate::error::Failed;

/// The secrets that steps need which can be asked; one that nobody gives is left out.
pub(crate) async fn for_plan(
    runbook: &Runbook,
    giver: &Giver,
) -> Result<BTreeMap<ParamName, Option<String>>, Failed> {
    let mut secrets = BTreeMap::new();
    let mut asked = BTreeSet::new();
    for step in runbook.steps().values() {
        let can_answer = step.abilities.validates || step.when.is_some() || step.for_each.is_some();
        for name in step.secrets.iter().filter(|_| can_answer) {
            let SecretName::Param(name) = name else {
                continue;
            };
            if !asked.insert(name) {
                continue;
            }
            let wanted = Wanted {
                secret: Secret::Param(name.clone()),
                by: step.id.clone().into(),
            };
            match giver.give(&wanted, &CancellationToken::new()).await {
                Given::Value(value) => drop(secrets.insert(name.clone(), Some(value))),
                Given::Nothing => drop(secrets.insert(name.clone(), None)),
                Given::NotNow => {}
                Given::Stop => return Err(Failed::interrupted("nothing was touched")),
            }
        }
    }
    Ok(secrets)
}
