//! `runbook rollback`

use std::sync::Arc;

use runbook_engine::core::event::RollbackScope;
use runbook_engine::core::{Act, RunStatus};
use runbook_engine::id::StepId;
use runbook_engine::runtime::{Access, Run, Seat};

use super::{access, act_on, carry, give_up, go, go_after, meant, nobody_is_asked, reason};
use crate::error::Failed;
use crate::exit::Exit;
use crate::left::LeftArgs;
use crate::observe::Options;
use crate::prompt::Asker;
use crate::render::layout::Width;
use crate::render::undoing;
use crate::secrets::SecretArgs;
use crate::setting::Setting;

/// Undo a run, or some of its steps and all that depends on them
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Only what the run itself may have changed is undone, in reverse order. It is listed first; in a
terminal you are then asked whether to go on, and elsewhere `--yes` says so. A rollback that is interrupted goes on with `runbook resume`.

Examples:
  runbook rollback hybrid-s2s-7f3a
  runbook rollback hybrid-s2s-7f3a --step set-realm --why 'the add-ins broke'
  runbook rollback hybrid-s2s-7f3a --yes --why 'the window is over'   where nobody can be asked"
)]
pub(crate) struct Args {
    /// The run
    #[arg(value_name = "RUN")]
    run: String,
    /// Only this step and all that depends on it; may be given several times
    #[arg(long, value_name = "STEP")]
    step: Vec<StepId>,
    /// Why: it stands in the journal; in a terminal you are asked for it
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    why: Option<String>,
    /// Undo it without asking first; needed where nobody can be asked
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    left: LeftArgs,
    #[command(flatten)]
    observe: Options,
    #[command(flatten)]
    secrets: SecretArgs,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let watched = args.observe.checked()?;
    let mut access = access(&args.run, setting).await?;
    let recorded = record_wish(access.seat_mut(), args, setting).await;
    match (access, recorded) {
        (access, Ok(Wish::Nothing)) => go(access, setting).await.map(|()| Exit::Done),
        // Its workers undo it.
        (Access::Own(run), Ok(Wish::Recorded)) if run.is_joined() => {
            go(Access::Own(run), setting).await.map(|()| Exit::Done)
        }
        (Access::Own(mut run), Ok(Wish::Recorded)) => match prepare(&mut run, args, setting) {
            Ok(()) => carry::carry(run, None, watched, setting).await,
            Err(failed) => Err(give_up(run, failed).await),
        },
        // The process that holds the run undoes it.
        (access @ Access::Through(_), Ok(Wish::Recorded)) => go(access, setting).await.map(|()| Exit::Done),
        (access, Err(failed)) => Err(go_after(access, failed).await),
    }
}

/// What became of the wish to undo.
enum Wish {
    Recorded,
    /// There is nothing to undo.
    Nothing,
}

/// Shows what is to be undone, and records that it is, unless that is under way already.
async fn record_wish(seat: &mut dyn Seat, args: &Args, setting: &Setting) -> Result<Wish, Failed> {
    let (status, name) = (seat.state().status(), seat.state().started().name());
    if status == RunStatus::RollingBack {
        return Ok(Wish::Recorded);
    }
    let scope = if args.step.is_empty() {
        RollbackScope::Run
    } else {
        RollbackScope::Steps(args.step.clone())
    };
    let would = seat.state().would_undo(&scope);
    let would = would.map_err(|rejection| {
        let failed = Failed::runtime(&name, rejection.into());
        let named = args.step.iter().map(ToString::to_string);
        named.fold(failed, |failed, named| meant(failed, &named, seat))
    })?;
    let author = setting.author();
    setting
        .look
        .tell(&undoing::shown(seat, &would, &author, Width::of_talk()));
    // A run of which nothing is to be undone is closed all the same; some of its steps alone close nothing.
    let is_closed = status == RunStatus::RolledBack || scope != RollbackScope::Run;
    if would.undo.is_empty() && is_closed {
        return Ok(Wish::Nothing);
    }
    let why = if !would.undo.is_empty() && !args.yes {
        consent(&name, args, setting)?
    } else {
        args.why.clone()
    };
    let why = why.unwrap_or_else(|| UNSAID.to_owned());
    act_on(seat, Act::Rollback { scope, why }, setting).await?;
    Ok(Wish::Recorded)
}

/// What the journal holds where nobody said why.
const UNSAID: &str = "no reason was given";

/// Asks whether it is to be undone, and why, where that was not said; gives the reason.
fn consent(name: &str, args: &Args, setting: &Setting) -> Result<Option<String>, Failed> {
    let why = args.why.clone();
    if !setting.interactive() {
        let steps = args.step.iter().map(|step| format!(" --step {step}"));
        let command = format!("runbook rollback {name}{} --yes", steps.collect::<String>());
        let yes = format!("`{command}` undoes what is listed above");
        return Err(nobody_is_asked("this is to be undone", yes));
    }
    let nothing_happened = "nothing was undone";
    let asker = Asker::default();
    match asker.yes_or_no("Undo this?") {
        Ok(true) => {}
        Ok(false) => return Err(Failed::interrupted(nothing_happened)),
        Err(unanswered) => return Err(unanswered.ends(nothing_happened)),
    }
    if why.is_some() {
        return Ok(why);
    }
    let help = Some("it stands in the journal and in the report; Enter alone leaves it out");
    match asker.text("Why is it undone?", help, |_| Ok(())) {
        Ok(text) => Ok(reason(&text).ok()),
        Err(unanswered) => Err(unanswered.ends(nothing_happened)),
    }
}

/// Finds what undoing needs.
fn prepare(run: &mut Run, args: &Args, setting: &Setting) -> Result<(), Failed> {
    args.left.heed(run);
    let giver = args.secrets.giver(run.runbook(), setting)?;
    run.set_keeper(Arc::new(giver));
    Ok(())
}
