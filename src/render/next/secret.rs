//! What can be done where nothing goes on without a secret: every command told of here works.

use runbook_engine::runbook::Runbook;
use runbook_engine::runtime::Wanted;
use runbook_engine::secret::Secret;

use super::Advice::{self, Fact};
use super::{MOST, command, more, typed};
use crate::render::plain;
use crate::secrets::variable;

/// What is lacking, and the ways to go on with it.
pub(super) fn of(run: &str, wanted: &[Wanted], runbook: &Runbook) -> Vec<Advice> {
    let mut advice: Vec<Advice> = wanted.iter().take(MOST).map(|one| fact(one, runbook)).collect();
    advice.extend(more(run, wanted.len(), "secrets are needed"));
    let from_files = wanted.iter().map(|one| {
        let name = typed(&one.secret.to_string());
        format!(" --secret {name}=file:PATH")
    });
    let from_files: String = from_files.collect();
    advice.push(command(
        &format!("runbook resume {run}{from_files}"),
        "from a file; `runbook explain RB0108` tells of other sources",
    ));
    advice.push(command(
        &format!("runbook resume {run}"),
        "in a terminal, to be asked for it, or with the variable set",
    ));
    advice
}

fn fact(wanted: &Wanted, runbook: &Runbook) -> Advice {
    let (by, name) = (plain(&wanted.by.to_string()), wanted.secret.to_string());
    let prompt = match &wanted.secret {
        Secret::Param(name) => runbook
            .params()
            .get(name)
            .and_then(|param| param.prompt.as_deref()),
        Secret::Output(..) => None,
    };
    let prompt = prompt.map_or_else(String::new, |prompt| format!(" (\"{}\")", plain(prompt)));
    Fact(format!(
        "`{by}` needs the secret `{}`{prompt}, which nobody has given; its variable is {}",
        plain(&name),
        variable(&name)
    ))
}
