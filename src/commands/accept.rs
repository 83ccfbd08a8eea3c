//! `runbook accept`

use jiff::Timestamp;
use runbook_engine::core::Act;
use runbook_engine::core::event::Handing;
use runbook_engine::id::RunId;
use runbook_engine::runtime::{Engine, Seat, Watcher as _};

use super::transcripts::last_printed;
use super::{access_in, act_on, give_up, go, go_after, leave};
use crate::error::Failed;
use crate::exit::Exit;
use crate::render::briefing::briefing;
use crate::render::hands::{for_successor, last_lines};
use crate::render::heading::heading;
use crate::render::layout::Width;
use crate::render::time;
use crate::setting::{Setting, find_run};
use crate::watch::Lines;

/// Take over a run that was offered to you, and be told where it stands
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  runbook accept hybrid-s2s-7f3a
  runbook accept hybrid-s2s-7f3a --take-over --why \"kim is ill\"")]
pub(crate) struct Args {
    /// The run
    #[arg(value_name = "RUN")]
    run: String,
    /// Take it over though it was not offered to you: who has it cannot give it any more. Make sure that nobody goes
    /// on with it elsewhere
    #[arg(long, requires = "why")]
    take_over: bool,
    /// Why it is taken over: it stands in the journal
    #[arg(long, value_name = "TEXT", requires = "take_over", value_parser = super::reason)]
    why: Option<String>,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let handing = match &args.why {
        Some(why) => Handing::TakenOver { why: why.clone() },
        None => Handing::Accepted,
    };
    let engine = setting.acting_with(&args.run).await?;
    if let Handing::TakenOver { why } = &handing {
        let id = find_run(&engine, &args.run).await?;
        if engine.journal.is_copy(id).await.is_ok_and(|copy| copy) {
            return take_copy(&engine, id, why, args, setting).await;
        }
    }
    let mut access = access_in(&engine, &args.run, setting).await?;
    if let Err(failed) = act_on(access.seat_mut(), Act::Hand(handing), setting).await {
        return Err(go_after(access, failed).await);
    }
    match brief(&engine, access.seat(), setting).await {
        Ok(()) => go(access, setting).await.map(|()| Exit::Done),
        Err(failed) => Err(go_after(access, failed).await),
    }
}

/// Goes on with a run of which only a copy is here.
async fn take_copy(
    engine: &Engine,
    id: RunId,
    why: &str,
    args: &Args,
    setting: &Setting,
) -> Result<Exit, Failed> {
    let taken = engine.take_over(id, why.to_owned()).await;
    let (run, entries) = taken.map_err(|error| Failed::runtime(&args.run, error))?;
    Lines::new(setting, run.runbook()).recorded(&entries, run.state());
    match brief(engine, &run, setting).await {
        Ok(()) => leave(run, setting).await.map(|_| Exit::Done),
        Err(failed) => Err(give_up(run, failed).await),
    }
}

/// Tells whoever has the run now what they must know.
pub(super) async fn brief(engine: &Engine, seat: &dyn Seat, setting: &Setting) -> Result<(), Failed> {
    let (look, width) = (&setting.look, Width::of_talk());
    let (state, runbook) = (seat.state(), seat.runbook());
    let given = state.hands().received();
    let given = given.map_or_else(String::new, |given| {
        format!("given by {} at {}; ", given.by, time::local(given.since))
    });
    let remark = format!("{given}now in the hands of {}", setting.author().operator);
    look.tell("");
    look.tell(&heading(state, runbook, &remark, width));
    look.tell(&briefing(state, runbook, Timestamp::now(), width));
    for line in for_successor(state, runbook, width) {
        look.tell(&line);
    }
    if let Some((what, lines)) = last_printed(engine, state).await? {
        look.tell(&last_lines(&what, &lines, width));
    }
    Ok(())
}
