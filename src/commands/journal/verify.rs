//! `runbook journal verify`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use runbook_engine::core::operators::{OPERATORS_FILE, Operators, Standing, impostors};
use runbook_engine::diagnostic::{Code, Diagnostic, SourceFile};
use runbook_engine::journal::bundle::Maker;
use runbook_engine::journal::{Finding, Verification};
use runbook_engine::runbook::read_operators;
use serde_json::{Value, json};

use crate::bundle;
use crate::commands::read_bounded;
use crate::error::Failed;
use crate::exit::Exit;
use crate::render;
use crate::render::layout::Width;
use crate::render::style::{BAD, GOOD, count, entries, paint};
use crate::render::{plain, time};
use crate::setting::{Setting, find_run};

/// The largest file of operators, in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Check that nothing in a run's journal, or in a bundle, was changed, dropped, reordered or cut off, and who wrote it
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without --operators the run's own file is believed, as it was when the run began. To prove who
wrote what to somebody who does not trust the journal, give the file from a place that they trust.

Example:
  runbook journal verify hybrid-s2s-7f3a --operators operators.yaml"
)]
pub(crate) struct Args {
    /// The run, or a file that `export` wrote
    #[arg(value_name = "RUN|FILE")]
    run: String,
    /// Hold the authors against this file, not against the run's own
    #[arg(long, value_name = "FILE")]
    operators: Option<PathBuf>,
}

/// What is checked.
#[derive(Clone, Copy)]
enum What {
    Journal,
    Bundle,
}

impl What {
    fn name(self) -> &'static str {
        match self {
            Self::Journal => "journal",
            Self::Bundle => "bundle",
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::Journal => "the folder as it is, and restore it from a backup",
            Self::Bundle => "it as it is, and have it sent again, or exported anew",
        }
    }
}

/// Whose word counts for who wrote the entries.
pub(crate) struct Team {
    pub(crate) operators: Operators,
    /// Where they come from.
    source: String,
}

/// What was found about the authors.
struct Authors {
    source: String,
    proven: u64,
    claimed: u64,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let given = args.operators.as_deref().map(from_file).transpose()?;
    let path = Path::new(&args.run);
    let mut maker = None;
    let (id, mut found, what) = if path.is_file() {
        let checked = bundle::checked(path, setting).await?;
        let id = checked
            .manifest
            .as_ref()
            .map_or_else(String::new, |manifest| manifest.run.to_string());
        maker = checked.manifest.map(|manifest| manifest.made);
        (id, checked.verification, What::Bundle)
    } else {
        let engine = setting.engine_with(&args.run)?;
        let id = find_run(&engine, &args.run).await?;
        let found = engine.journal.verify(id).await;
        let found = found.map_err(|error| Failed::journal(&args.run, &error))?;
        (id.to_string(), found, What::Journal)
    };
    let team = match given {
        Some(team) => Some(team),
        None => of_run(&found)?,
    };
    let maker = maker.map(|made| hold(made, team.as_ref(), &mut found));
    let authors = team.map(|team| judge(team, &mut found));
    let holds = found.findings.is_empty();
    if setting.global.json {
        let mut value = as_json(&found, authors.as_ref(), &id);
        value["made"] = json!(maker.map(|(made, standing)| {
            json!({ "by": made, "standing": standing.map(|standing| standing.to_string()) })
        }));
        render::json(&value);
    } else {
        tell(what, &found, authors.as_ref(), setting);
        if let Some((made, standing)) = maker {
            render::result(&Width::of_results().wrap("", 2, &made_by(&made, standing)));
        }
    }
    Ok(if holds { Exit::Done } else { Exit::Failed })
}

/// Those of a file.
pub(crate) fn from_file(path: &Path) -> Result<Team, Failed> {
    let name = path.display().to_string();
    let text = read_bounded(path, LARGEST).map_err(|error| {
        let message = format!("the file of operators `{name}` cannot be read");
        Diagnostic::error(Code::UnreadableFile, message).caused_by(&error)
    })?;
    team(&SourceFile::new(name.clone(), text), format!("`{name}`"))
}

/// Those of the run itself, if it has any.
fn of_run(found: &Verification) -> Result<Option<Team>, Failed> {
    let text = found.operators.as_deref();
    let source = format!("the run's own {OPERATORS_FILE}");
    text.map(|text| team(&SourceFile::new(OPERATORS_FILE, text), source))
        .transpose()
}

fn team(file: &Arc<SourceFile>, source: String) -> Result<Team, Failed> {
    let operators = read_operators(file).map_err(Failed::input)?;
    Ok(Team { operators, source })
}

/// Adds what is wrong with the authors to what is wrong with the journal.
fn judge(team: Team, found: &mut Verification) -> Authors {
    let Team { operators, source } = team;
    let operators = if found.rehearsal {
        operators.rehearsed()
    } else {
        operators
    };
    let (strangers, proven) = impostors(&operators, &found.authors);
    let claimed = (found.authors.len() as u64).saturating_sub(proven + strangers.len() as u64);
    found.findings.extend(strangers.iter().map(|stranger| Finding {
        seq: Some(stranger.seq),
        message: format!("author: {}", stranger.why.says(&stranger.operator)),
    }));
    found
        .findings
        .sort_by_key(|finding| (finding.seq.is_none(), finding.seq));
    Authors {
        source,
        proven,
        claimed,
    }
}

/// Adds to what is wrong with a bundle that its maker is another, and says whether it is proven who it is.
fn hold(made: Maker, team: Option<&Team>, found: &mut Verification) -> (Maker, Option<Standing>) {
    let standing = match team.map(|team| made.standing(&team.operators)) {
        Some(Ok(standing)) => Some(standing),
        None => None,
        Some(Err(why)) => {
            let message = format!("maker: the manifest: {}", why.says(&made.operator));
            found.findings.push(Finding { seq: None, message });
            None
        }
    };
    (made, standing)
}

fn made_by(made: &Maker, standing: Option<Standing>) -> String {
    let how = match (standing, made.key) {
        (Some(Standing::Proven), _) => ", proven",
        (Some(Standing::Claimed), _) | (None, None) => ", claimed",
        (None, Some(_)) => ", signed",
    };
    plain(&format!(
        "made: by {} on {}, {}{how}",
        made.operator,
        made.host,
        time::local(made.time)
    ))
}

fn as_json(found: &Verification, authors: Option<&Authors>, run: &str) -> Value {
    let signed = found.authors.iter().filter(|author| author.key.is_some()).count();
    json!({
        "run": run,
        "holds": found.findings.is_empty(),
        "verification": {
            "entries": found.entries,
            "chunks": found.chunks,
            "attachments": found.attachments,
            "signed": signed,
            "findings": found.findings,
        },
        "authors": authors.map(|authors| json!({
            "operators": authors.source,
            "proven": authors.proven,
            "claimed": authors.claimed,
        })),
    })
}

fn tell(what: What, found: &Verification, authors: Option<&Authors>, setting: &Setting) {
    let width = Width::of_results();
    for finding in &found.findings {
        let place = finding
            .seq
            .map_or_else(String::new, |seq| format!("entry {seq}: "));
        let message = plain(&finding.message);
        render::result(&width.wrap(&format!("{} ", paint(BAD, "✗")), 2, &format!("{place}{message}")));
    }
    if found.findings.is_empty() {
        let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let chunks = count(number(found.chunks), "piece");
        let attachments = count(number(found.attachments), "attachment");
        let holds = paint(GOOD, format!("the {} holds", what.name()));
        let found = format!(
            "{holds}: {}, {chunks} of transcript, {attachments}, nothing changed",
            entries(found.entries)
        );
        render::result(&width.wrap("", 2, &found));
    } else {
        let verdict = format!(
            "the {} cannot be trusted: {}; keep {}",
            what.name(),
            count(found.findings.len(), "finding"),
            what.remedy(),
        );
        setting.look.tell(&Width::of_talk().wrap("", 2, &verdict));
    }
    if let Some(remark) = remark(found, authors) {
        render::result(&width.wrap("", 2, &remark));
    }
}

/// Who wrote it, as far as can be told.
fn remark(found: &Verification, authors: Option<&Authors>) -> Option<String> {
    let signed = found.authors.iter().filter(|author| author.key.is_some()).count();
    match authors {
        Some(authors) => {
            let (proven, claimed) = (authors.proven, authors.claimed);
            let source = &authors.source;
            Some(format!(
                "authors: {proven} proven, {claimed} claimed, by {source}"
            ))
        }
        None if signed > 0 => Some(format!(
            "authors: {} signed; whose the keys are is not known: give `--operators FILE`",
            entries(signed as u64)
        )),
        None => None,
    }
}
