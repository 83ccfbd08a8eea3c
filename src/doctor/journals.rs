//! The runs' journals, and what crashes left beside them.

use std::path::Path;

use runbook_engine::journal::Listed;
use runbook_engine::journal::sled::sockets_left;
use runbook_engine::runtime::Engine;

use super::Finding;
use crate::commands::list::name;
use crate::render::style::{count, names};

const CHECK: &str = "journals";

/// Whether all runs can be read; on request, whether each journal is what was written.
pub(crate) async fn journals(engine: &Engine, verify: bool) -> Vec<Finding> {
    let runs = match engine.journal.list().await {
        Ok(runs) => runs,
        Err(error) => {
            let found = format!("the runs cannot be listed: {error}");
            return vec![Finding::bad(CHECK, found, "look at the state folder, above")];
        }
    };
    if runs.is_empty() {
        return vec![Finding::good(CHECK, "no runs yet")];
    }
    if verify {
        verified(engine, &runs).await
    } else {
        vec![listed(&runs)]
    }
}

fn listed(runs: &[Listed]) -> Finding {
    let unreadable: Vec<String> = runs.iter().filter(|run| run.summary.is_err()).map(name).collect();
    let all = count(runs.len(), "run");
    if unreadable.is_empty() {
        let held = runs.iter().filter(|run| run.holder.is_some()).count();
        Finding::good(
            CHECK,
            format!("{all}, {held} carried out now; `--verify` checks each"),
        )
    } else {
        let found = format!(
            "{} of {all} cannot be listed: {}",
            unreadable.len(),
            names(&unreadable)
        );
        Finding::bad(
            CHECK,
            found,
            "`runbook doctor --verify` tells what is wrong with each",
        )
    }
}

async fn verified(engine: &Engine, runs: &[Listed]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (mut held, mut hold) = (Vec::new(), 0);
    for run in runs {
        let name = name(run);
        if run.holder.is_some() {
            held.push(name);
            continue;
        }
        let help = format!(
            "keep its folder as it is, and restore it from a backup; `runbook journal verify {name}`"
        );
        match engine.journal.verify(run.run).await {
            Ok(found) if found.findings.is_empty() => hold += 1,
            Ok(found) => {
                let wrong = count(found.findings.len(), "finding");
                let first = found.findings.first().map_or("", |one| one.message.as_str());
                let found = format!("`{name}` cannot be trusted, {wrong}: {first}");
                findings.push(Finding::bad(CHECK, found, help));
            }
            Err(error) => {
                findings.push(Finding::bad(
                    CHECK,
                    format!("`{name}` cannot be read: {error}"),
                    help,
                ));
            }
        }
    }
    let all = count(runs.len(), "run");
    let mut found =
        format!("{hold} of {all} verified: every entry, transcript and attachment is what was written");
    if !held.is_empty() {
        found += &format!("; carried out now, and not looked at: {}", names(&held));
    }
    findings.push(Finding::good(CHECK, found));
    findings
}

/// Sockets of processes that are gone.
pub(crate) fn sockets(root: &Path) -> Finding {
    const CHECK: &str = "sockets";
    let left = sockets_left(root);
    if left.is_empty() {
        return Finding::good(CHECK, "none left behind");
    }
    let found = format!(
        "{} left behind by processes that are gone",
        count(left.len(), "socket")
    );
    Finding::note(CHECK, found, "nothing: whoever goes on with the run replaces it")
}
