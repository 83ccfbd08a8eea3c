//! `runbook amend`

use std::path::PathBuf;

use runbook_engine::core::Act;
use runbook_engine::core::event::Amended;
use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::runbook::{Runbook, amendment};
use runbook_engine::runtime::{Engine, Seat};

use super::{access_in, act_on, go, go_after, load, nobody_is_asked, reason};
use crate::error::Failed;
use crate::exit::Exit;
use crate::overlays::Wanted;
use crate::params::{self, Given};
use crate::prompt::Asker;
use crate::render;
use crate::render::layout::Width;
use crate::setting::Setting;

/// Change the definition of a half-finished run
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A run keeps the runbook that it began with, whatever becomes of the file. This gives it another one: what
changes is shown first, and in a terminal you are asked. What is done keeps its definition, since it is undone by it; a step
that has failed or waits may change, and then goes on as it says now: `runbook decide RUN STEP again` tries it anew.

Examples:
  runbook amend hybrid-s2s-7f3a hybrid-s2s.yaml --why 'the tenant has another name'
  runbook amend hybrid-s2s-7f3a hybrid-s2s.yaml --overlay contoso.yaml --set zone=Intranet --why 'one more zone'"
)]
pub(crate) struct Args {
    /// The run
    #[arg(value_name = "RUN")]
    run: String,
    /// The runbook as it is to be from now on
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Why: it stands in the journal
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    why: String,
    #[command(flatten)]
    given: Given,
    #[command(flatten)]
    overlays: Wanted,
    /// Amend it without asking first
    #[arg(short, long)]
    yes: bool,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let runbook = load::runbook(&args.file, &args.overlays, setting)?;
    let engine = setting.acting_with(&args.run).await?;
    let mut access = access_in(&engine, &args.run, setting).await?;
    match amend(access.seat_mut(), &runbook, args, &engine, setting).await {
        Ok(()) => go(access, setting).await.map(|()| Exit::Done),
        Err(failed) => Err(go_after(access, failed).await),
    }
}

/// Shows what changes, and records it.
async fn amend(
    seat: &mut dyn Seat,
    then: &Runbook,
    args: &Args,
    engine: &Engine,
    setting: &Setting,
) -> Result<(), Failed> {
    let name = seat.state().started().name();
    of_the_same_name(seat.runbook(), then)?;
    let params = params::new_ones(then, &args.given, seat.state(), setting)?;
    let amended = amendment(seat.runbook(), then, params, args.why.clone());
    let mut state = seat.state().clone();
    state.foresee(then.workflow());
    let possible = state.can_be_amended(&amended, &engine.author.operator, engine.clock.now());
    if !amended.revisions.is_empty() {
        show(seat.runbook(), then, &amended, setting);
    }
    possible.map_err(|rejection| Failed::runtime(&name, rejection.into()))?;
    if !args.yes {
        consent(setting)?;
    }
    act_on(seat, Act::Amend(Box::new(amended)), setting).await
}

fn of_the_same_name(now: &Runbook, then: &Runbook) -> Result<(), Failed> {
    if now.name() == then.name() {
        return Ok(());
    }
    let (file, now, then) = (&then.definition().name, now.name(), then.name());
    let message = format!(
        "the run is of the runbook `{now}`, and `{}` is `{then}`",
        render::plain(file)
    );
    let other = Diagnostic::error(Code::Usage, message);
    Err(other
        .help("give the file of the run's own runbook, as it is to be")
        .into())
}

fn show(now: &Runbook, then: &Runbook, amended: &Amended, setting: &Setting) {
    let texts = render::amendment::texts(now, then);
    setting.look.tell(&format!("{texts}\n"));
    setting
        .look
        .tell(&render::amendment::list(&amended.revisions, Width::of_talk()));
}

fn consent(setting: &Setting) -> Result<(), Failed> {
    if !setting.interactive() {
        let yes = "`--yes` amends it as is shown above";
        return Err(nobody_is_asked("the run is to be amended so", yes));
    }
    let nothing_happened = "nothing was amended";
    match Asker::default().yes_or_no("Amend the run so?") {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failed::interrupted(nothing_happened)),
        Err(unanswered) => Err(unanswered.ends(nothing_happened)),
    }
}
