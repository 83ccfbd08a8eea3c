//! `runbook doctor`

use serde_json::json;

use crate::doctor::{Finding, Health, database, folder, journals, machine, programs, terminal};
use crate::error::Failed;
use crate::exit::Exit;
use crate::render::layout::{Width, pad, widest};
use crate::render::style::{BAD, BOLD, CARE, DIM, GOOD, count, paint};
use crate::render::{self, plain};
use crate::setting::Setting;

/// Look whether this machine is fit to carry runs out, and say what to do where it is not
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Nothing is changed. Exit code 1 if something must be put right first.

Examples:
  runbook doctor
  runbook doctor --verify        check every journal, too
  runbook doctor --journal postgres://db/runs"
)]
pub(crate) struct Args {
    /// Check all journals: that nothing was changed, dropped, reordered or cut off
    #[arg(long)]
    verify: bool,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let findings = examine(args, setting).await?;
    let bad = findings.iter().filter(|one| one.health == Health::Bad).count();
    let notes = findings.iter().filter(|one| one.health == Health::Note).count();
    if setting.global.json {
        render::json(&json!({ "fit": bad == 0, "findings": findings }));
    } else {
        let names = widest(findings.iter().map(|one| one.check), usize::MAX);
        let width = Width::of_results();
        findings
            .iter()
            .for_each(|one| render::result(&text(one, names, width)));
        let verdict = match (bad, notes) {
            (0, 0) => "all is well".to_owned(),
            (0, notes) => format!("fit to carry runs out; {} to know of", count(notes, "thing")),
            (bad, _) => format!("{} to put right first", count(bad, "thing")),
        };
        setting
            .look
            .tell(&format!("\n{}", Width::of_talk().wrap("", 2, &verdict)));
    }
    Ok(if bad == 0 { Exit::Done } else { Exit::Failed })
}

async fn examine(args: &Args, setting: &Setting) -> Result<Vec<Finding>, Failed> {
    let root = setting.state_dir()?;
    let state = folder::folder(&root);
    // An empty folder stays empty: looking at it makes nothing there.
    let usable = state.health != Health::Bad && root.is_dir() && !folder::is_empty(&root);
    let mut findings = vec![state, folder::disk(&root)];
    if let Some(address) = setting.database.get() {
        let (found, are_there) = database::database(address).await;
        findings.extend(found);
        if are_there {
            findings.extend(journals::journals(&setting.engine()?, args.verify).await);
        }
    } else if usable {
        findings.extend(journals::journals(&setting.engine()?, args.verify).await);
        findings.push(journals::sockets(&root));
    }
    findings.extend([machine::clock(&root), machine::limits(), machine::openssl()]);
    findings.extend([terminal::terminal(), terminal::locale()]);
    let programs = tokio::join!(
        programs::powershell_core(),
        programs::powershell_desktop(),
        programs::ssh()
    );
    findings.extend(<[Finding; 3]>::from(programs));
    Ok(findings)
}

/// One line, and what to do below it.
fn text(finding: &Finding, names: usize, width: Width) -> String {
    let (sign, style) = match finding.health {
        Health::Absent => ('-', DIM),
        Health::Good => ('✓', GOOD),
        Health::Note => ('!', CARE),
        Health::Bad => ('✗', BAD),
    };
    let (names, indent) = if width.is_narrow() {
        (0, 4)
    } else {
        (names, names + 4)
    };
    let head = format!(
        "{} {}  ",
        paint(style, sign),
        paint(BOLD, pad(finding.check, names))
    );
    let mut text = width.wrap(&head, indent, &plain(&finding.found));
    if let Some(to_do) = &finding.to_do {
        text += "\n";
        text += &paint(DIM, width.wrap(&" ".repeat(indent), indent, &plain(to_do)));
    }
    text
}
