//! `runbook plan`

use std::path::PathBuf;
use std::sync::Arc;

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
use crate::render::style::{BUSY, CARE, DIM, GOOD, count, paint};
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
    let of = |wanted: fn(&Forecast) -> bool| rows.iter().filter(|row| wanted(&row.forecast)).count();
    let done = of(|forecast| *forecast == Forecast::InPlace);
    let to_do = of(|forecast| matches!(forecast, Forecast::ToDo(_) | Forecast::NeedsPerson));
    let steps = count(rows.len(), "step");
    setting.look.tell(&format!(
        "\n{steps}: {done} in place, {to_do} to do; nothing was touched"
    ));
    Ok(Exit::Done)
}

/// A forecast in words, and why it is so.
fn words(forecast: &Forecast) -> (&'static str, Option<&str>) {
    match forecast {
        Forecast::InPlace => ("in place", None),
        Forecast::ToDo(missing) => ("to do", missing.as_deref()),
        Forecast::CannotTell(why) => ("cannot tell", Some(why)),
        Forecast::NeedsPerson => ("needs a person", None),
        Forecast::Skipped(why) => ("skipped", Some(why)),
    }
}

fn text(row: &Planned, ids: usize, runbook: &Runbook, width: Width) -> String {
    let (sign, style) = match &row.forecast {
        Forecast::InPlace => ('=', GOOD),
        Forecast::ToDo(_) => ('▸', BUSY),
        Forecast::CannotTell(_) => ('?', DIM),
        Forecast::NeedsPerson => ('!', CARE),
        Forecast::Skipped(_) => ('-', DIM),
    };
    let (name, why) = words(&row.forecast);
    let step = runbook.step(row.id.step());
    let role = step.and_then(|step| step.role.as_ref());
    let role = role.map_or_else(String::new, |role| format!(" ({role})"));
    let title = step.map_or_else(String::new, |step| format!(": {}", plain(&step.title)));
    let id = pad(&plain(&row.id.to_string()), ids);
    let head = format!("  {} {id}  ", paint(style, sign));
    let indent = if ids == 0 { 6 } else { 4 + ids + 2 };
    let said = format!("{}{}{title}", paint(style, name), paint(DIM, role));
    let mut text = width.wrap(&head, indent, &said);
    if let Some(why) = why {
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
    let (name, reason) = words(&row.forecast);
    let step = row.id.step().as_str();
    let marks = runbook
        .overlays()
        .map(|overlaid| overlay::marks_as_json(overlaid, step));
    json!({
        "step": row.id,
        "forecast": name.replace(' ', "_"),
        "reason": reason,
        "overlaid": marks.unwrap_or_default(),
    })
}
