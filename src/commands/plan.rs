//! `runbook plan`

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anstyle::Style;
use runbook_engine::core::ApprovalRule;
use runbook_engine::runbook::Runbook;
use runbook_engine::runtime::{Forecast, Planned};
use serde_json::{Value, json};

use super::load;
use crate::error::Failed;
use crate::exit::Exit;
use crate::overlays::Wanted;
use crate::params::{self, Given};
use crate::render::layout::{Width, pad, widest};
use crate::render::rows::WIDEST_ID;
use crate::render::style::{BAD, BUSY, CARE, DIM, GOOD, count, paint};
use crate::render::{self, overlay, plain};
use crate::secrets::{SecretArgs, for_plan};
use crate::setting::Setting;
use crate::watch::Lines;

/// Ask every step whether its outcome is there already; touches nothing
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  runbook plan hybrid-s2s.yaml --set public_domain=adventureworks.com
  runbook plan hybrid-s2s --overlay contoso.yaml")]
pub(crate) struct Args {
    /// The runbook; with `--like`, it may be left out for that run's own
    #[arg(value_name = "FILE", required_unless_present = "like")]
    file: Option<PathBuf>,
    #[command(flatten)]
    given: Given,
    #[command(flatten)]
    overlays: Wanted,
    #[command(flatten)]
    secrets: SecretArgs,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let like = args.given.like(setting).await?;
    let runbook = load::runbook_or_like(args.file.as_deref(), &args.overlays, like.as_ref(), setting)?;
    let runbook = Arc::new(runbook);
    let giver = args.secrets.giver(&runbook, setting)?;
    let params = params::settle(&runbook, &args.given, like.as_ref(), false, setting)?;
    let secrets = for_plan(&runbook, &giver).await?;
    let watcher = Lines::new(setting, &runbook);
    let rows = runbook
        .plan(&setting.author(), &params.values, &secrets, watcher)
        .await;
    if setting.global.json {
        rows.iter().for_each(|row| render::json(&as_json(row, &runbook)));
        return Ok(Exit::Done);
    }
    let width = Width::of_results();
    let ids = if width.is_narrow() {
        0
    } else {
        widest(rows.iter().map(|row| row.id.to_string()), WIDEST_ID)
    };
    for row in &rows {
        render::result(&text(row, ids, &runbook, width));
    }
    if let Some(overlaid) = runbook.overlays() {
        let summary = Width::of_talk().wrap("", 2, &overlay::summary(overlaid));
        setting.look.tell(&format!("\n{summary}"));
    }
    setting.tell_of_roles(&runbook);
    let summary = format!("{}; nothing was touched", tally(&rows, &runbook));
    setting
        .look
        .tell(&format!("\n{}", Width::of_talk().wrap("", 2, &summary)));
    Ok(Exit::Done)
}

/// How many steps there are, and what becomes of how many: of each line above, once.
fn tally(rows: &[Planned], runbook: &Runbook) -> String {
    let mut all: BTreeMap<Outlook, usize> = BTreeMap::new();
    for row in rows {
        *all.entry(outlook(row, runbook)).or_default() += 1;
    }
    let steps = count(runbook.steps().len(), "step");
    let steps = match rows.len() == runbook.steps().len() {
        true => steps,
        false => format!("{steps}, {} with their items", rows.len()),
    };
    let counted = all
        .iter()
        .map(|(outlook, number)| format!("{number} {}", outlook.words()));
    let counted: Vec<String> = counted.collect();
    format!("{steps}: {}", counted.join(", "))
}

/// What a forecast means for the run, in the order in which it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outlook {
    InPlace,
    ToDo,
    NeedsPerson,
    /// A check that does not hold: nothing would be done about it.
    WouldFail,
    CannotTell,
    Skipped,
}

impl Outlook {
    fn words(self) -> &'static str {
        match self {
            Self::InPlace => "in place",
            Self::ToDo => "to do",
            Self::NeedsPerson => "needs a person",
            Self::WouldFail => "would fail",
            Self::CannotTell => "cannot tell",
            Self::Skipped => "skipped",
        }
    }

    fn sign(self) -> (char, Style) {
        match self {
            Self::InPlace => ('=', GOOD),
            Self::ToDo => ('▸', BUSY),
            Self::NeedsPerson => ('!', CARE),
            Self::WouldFail => ('✗', BAD),
            Self::CannotTell => ('?', DIM),
            Self::Skipped => ('-', DIM),
        }
    }
}

fn outlook(row: &Planned, runbook: &Runbook) -> Outlook {
    let only_looks = || {
        let step = runbook.step(row.id.step());
        step.is_some_and(|step| step.abilities.read_only && step.abilities.validates)
    };
    match &row.forecast {
        Forecast::InPlace => Outlook::InPlace,
        Forecast::ToDo(Some(_)) if only_looks() => Outlook::WouldFail,
        Forecast::ToDo(_) => Outlook::ToDo,
        Forecast::NeedsPerson => Outlook::NeedsPerson,
        Forecast::CannotTell(_) => Outlook::CannotTell,
        Forecast::Skipped(_) => Outlook::Skipped,
    }
}

/// Why it is so.
fn reason(forecast: &Forecast) -> Option<&str> {
    match forecast {
        Forecast::InPlace | Forecast::NeedsPerson => None,
        Forecast::ToDo(missing) => missing.as_deref(),
        Forecast::CannotTell(why) | Forecast::Skipped(why) => Some(why),
    }
}

/// Who must approve a step first.
fn approved_by(rule: &ApprovalRule) -> String {
    let role = rule.by.as_ref().map(|role| format!(" ({role})"));
    let who = match rule.min {
        1 => "somebody else".to_owned(),
        min => format!("{min} people"),
    };
    format!("; to be approved by {who}{}", role.unwrap_or_default())
}

fn text(row: &Planned, ids: usize, runbook: &Runbook, width: Width) -> String {
    let outlook = outlook(row, runbook);
    let (sign, style) = outlook.sign();
    let step = runbook.step(row.id.step());
    let role = step.and_then(|step| step.role.as_ref());
    let role = role.map_or_else(String::new, |role| format!(" ({role})"));
    let title = step.map_or_else(String::new, |step| format!(": {}", plain(&step.title)));
    let approve = step.and_then(|step| step.approve.as_ref());
    let approve = approve
        .filter(|_| !matches!(row.forecast, Forecast::InPlace | Forecast::Skipped(_)))
        .map_or_else(String::new, approved_by);
    let id = pad(&plain(&row.id.to_string()), ids);
    let head = format!("  {} {id}  ", paint(style, sign));
    let indent = if ids == 0 { 6 } else { 4 + ids + 2 };
    let said = format!(
        "{}{}{title}{}",
        paint(style, outlook.words()),
        paint(DIM, role),
        paint(DIM, approve)
    );
    let mut text = width.wrap(&head, indent, &said);
    if let Some(why) = reason(&row.forecast) {
        text += "\n";
        text += &width.wrap(&" ".repeat(indent), indent, &paint(DIM, plain(why)));
    }
    let overlaid = runbook.overlays().into_iter();
    for mark in overlaid.flat_map(|overlaid| overlay::marks(overlaid, row.id.step().as_str())) {
        text += "\n";
        text += &width.wrap(&" ".repeat(indent), indent + 2, &mark);
    }
    text
}

fn as_json(row: &Planned, runbook: &Runbook) -> Value {
    let step = row.id.step().as_str();
    let marks = runbook
        .overlays()
        .map(|overlaid| overlay::marks_as_json(overlaid, step));
    json!({
        "step": row.id,
        "forecast": outlook(row, runbook).words().replace(' ', "_"),
        "reason": reason(&row.forecast),
        "overlaid": marks.unwrap_or_default(),
    })
}
