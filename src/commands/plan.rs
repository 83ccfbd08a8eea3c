//! `runbook plan`

use std::path::PathBuf;

use runbook_engine::runtime::Forecast;
use serde_json::json;

use super::load;
use crate::error::Failed;
use crate::exit::Exit;
use crate::params::{self, Given};
use crate::render;
use crate::render::style::{BUSY, CARE, DIM, GOOD, count, paint};
use crate::setting::Setting;

/// Ask every step whether its outcome is there already; touches nothing
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  runbook plan hybrid-s2s.yaml --set public_domain=adventureworks.com")]
pub(crate) struct Args {
    /// The runbook
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    given: Given,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let runbook = load::runbook(&args.file, setting)?;
    let params = params::settle(&runbook, &args.given, false, setting)?;
    let rows = runbook
        .plan(
            &setting.registry,
            &setting.author(),
            &params.values,
            &params.secrets,
        )
        .await;
    let widest = rows
        .iter()
        .map(|row| row.id.to_string().chars().count())
        .max()
        .unwrap_or(0)
        .min(40);
    let (mut done, mut to_do) = (0, 0);
    for row in &rows {
        let (style, sign, name, reason) = match &row.forecast {
            Forecast::InPlace => (GOOD, '=', "in place", None),
            Forecast::ToDo(missing) => (BUSY, '▸', "to do", missing.clone()),
            Forecast::CannotTell(why) => (DIM, '?', "cannot tell", Some(why.clone())),
            Forecast::NeedsPerson => (CARE, '!', "needs a person", None),
            Forecast::Skipped(why) => (DIM, '-', "skipped", Some(why.clone())),
        };
        done += usize::from(row.forecast == Forecast::InPlace);
        to_do += usize::from(matches!(row.forecast, Forecast::ToDo(_) | Forecast::NeedsPerson));
        if setting.global.json {
            render::json(&json!({ "step": row.id, "forecast": name.replace(' ', "_"), "reason": reason }));
            continue;
        }
        let role = runbook.step(row.id.step()).and_then(|step| step.role.as_ref());
        let role = role.map_or_else(String::new, |role| {
            format!(" {}", paint(DIM, format!("({role})")))
        });
        let id = format!("{:<widest$}", row.id.to_string());
        let reason = reason.map_or_else(String::new, |why| {
            format!("\n    {}", paint(DIM, render::plain(&why)))
        });
        render::result(&format!(
            "  {} {id}  {}{role}{reason}",
            paint(style, sign),
            paint(style, name)
        ));
    }
    let steps = count(rows.len(), "step");
    setting.look.tell(&format!(
        "\n{steps}: {done} in place, {to_do} to do; nothing was touched"
    ));
    Ok(Exit::Done)
}
