//! `runbook doctor`

use std::path::PathBuf;

use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::platform::private;
use serde_json::json;

use super::output;
use crate::doctor::selftest::{self, Part, report};
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
  runbook doctor --journal postgres://db/runs
  runbook doctor --windows-selftest"
)]
pub(crate) struct Args {
    /// Check all journals: that nothing was changed, dropped, reordered or cut off
    #[arg(long)]
    verify: bool,
    /// On Windows: try what runs depend on for real, in a folder of its own that is gone afterwards, and write a report
    /// without names of people and machines, to be sent back
    #[arg(long, conflicts_with = "verify")]
    windows_selftest: bool,
    /// The file of that report
    #[arg(
        long,
        value_name = "FILE",
        requires = "windows_selftest",
        default_value = "runbook-selftest.txt"
    )]
    report: PathBuf,
    /// What a program does that the self-test starts
    #[arg(long, hide = true, requires = "windows_selftest")]
    part: Option<Part>,
    /// How what it starts is marked
    #[arg(long, hide = true, requires = "part")]
    token: Option<String>,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    if let Some(part) = &args.part {
        let played = selftest::play(part, args.token.as_deref()).await;
        return played.map(|()| Exit::Done).map_err(|why| cannot(&why));
    }
    let findings = if args.windows_selftest {
        try_for_real(args, setting).await?
    } else {
        examine(args, setting).await?
    };
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

/// Tries everything, and writes the report.
async fn try_for_real(args: &Args, setting: &Setting) -> Result<Vec<Finding>, Failed> {
    if !selftest::POSSIBLE {
        let diagnostic = Diagnostic::error(
            Code::Usage,
            "the self-test is for Windows, and this is another system",
        )
        .help("`runbook doctor` looks at this machine");
        return Err(Failed::input(vec![diagnostic]));
    }
    setting
        .look
        .tell("this takes a minute or two; nothing outside a folder of its own is changed");
    let folder = tempfile::Builder::new()
        .prefix("runbook-selftest-")
        .tempdir()
        .and_then(|folder| private::keep_to_owner(folder.path()).map(|_| folder))
        .map_err(|error| cannot(&format!("no folder of its own can be made: {error}")))?;
    let names = report::Names::of_here();
    let findings = selftest::all(folder.path()).await.into_iter();
    let mut findings: Vec<Finding> = findings.map(|one| names.hidden_in(one)).collect();
    findings.push(match folder.close() {
        Ok(()) => Finding::good("folder", "it is gone again"),
        Err(error) => {
            let found = names.hidden(&format!("it cannot be removed: {error}"));
            Finding::note(
                "folder",
                found,
                "remove what begins with `runbook-selftest-` in the folder for temporary files",
            )
        }
    });
    let shown = args.report.display();
    if let Err(error) = output::write(&args.report, &report::text(&findings), true) {
        return Err(cannot(&format!(
            "the report cannot be written to {shown}: {error}"
        )));
    }
    setting
        .look
        .tell(&format!("the report is in {shown}: read it, and send it back\n"));
    Ok(findings)
}

fn cannot(why: &str) -> Failed {
    Failed::input(vec![Diagnostic::error(
        Code::Usage,
        format!("the self-test cannot go on: {why}"),
    )])
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
