//! `runbook approve`

use runbook_engine::core::Act;
use runbook_engine::id::InstanceId;
use runbook_engine::runtime::Seat;

use super::{access, act_on, go, go_after, instance, meant, nobody_is_asked};
use crate::error::Failed;
use crate::exit::Exit;
use crate::prompt::{Asker, Unanswered};
use crate::render::layout::Width;
use crate::render::next::quoted;
use crate::render::{approval, hint};
use crate::setting::Setting;

/// Approve exactly what a step would carry out
#[derive(Debug, clap::Args)]
#[command(
    after_help = "It shows what would be carried out: the step, its inputs, and the machine. If any of that changes
before it is carried out, the approval is void, and is asked for again.

Examples:
  runbook approve hybrid-s2s-7f3a set-realm
  runbook approve hybrid-s2s-7f3a set-realm --yes --note 'change 4711'
  runbook reject hybrid-s2s-7f3a set-realm --why 'not before the backup'"
)]
pub(crate) struct Args {
    /// The run
    #[arg(value_name = "RUN")]
    run: String,
    /// The step, or an instance as `step[item]`
    #[arg(value_name = "STEP")]
    step: String,
    /// What else is to be said
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Approve what is shown without asking first
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let instance = instance(&args.step)?;
    let mut run = access(&args.run, setting).await?;
    match approve(run.seat_mut(), &instance, args, setting).await {
        Ok(Wish::Recorded) => go(run, setting).await.map(|()| Exit::Done),
        Ok(Wish::NotNow) => {
            let name = run.seat().state().started().name();
            let no = format!(
                "nothing was approved, and it is still waited for; `runbook reject {name} {} --why TEXT` says that it must \
                 not be carried out so",
                quoted(&instance)
            );
            let no = Width::of_talk().wrap("", 2, &hint::in_text(&no));
            setting.look.tell(&no);
            go(run, setting).await.map(|()| Exit::Waiting)
        }
        Err(failed) => Err(go_after(run, failed).await),
    }
}

/// What became of the wish to approve.
enum Wish {
    Recorded,
    NotNow,
}

/// Shows what is asked approval for, and records that it is approved.
async fn approve(
    seat: &mut dyn Seat,
    instance: &InstanceId,
    args: &Args,
    setting: &Setting,
) -> Result<Wish, Failed> {
    let name = seat.state().started().name();
    let operator = setting.author().operator;
    let asked = seat.state().to_approve(instance, &operator);
    let approval = asked.map_err(|rejection| {
        let failed = Failed::runtime(&name, rejection.into());
        meant(failed, &instance.to_string(), seat)
    })?;
    let subject = approval.subject.clone();
    setting
        .look
        .tell(&approval::shown(instance, approval, Width::of_talk()));
    setting.tell_of_roles(seat.runbook());
    if !args.yes && !consent(setting)? {
        return Ok(Wish::NotNow);
    }
    let act = Act::Approve {
        instance: instance.clone(),
        subject,
        note: args.note.clone(),
    };
    act_on(seat, act, setting).await.map(|()| Wish::Recorded)
}

fn consent(setting: &Setting) -> Result<bool, Failed> {
    if !setting.interactive() {
        let yes = "`--yes` approves what is shown above";
        return Err(nobody_is_asked("this is approved", yes));
    }
    match Asker::default().yes_or_no("Approve this?") {
        Err(Unanswered::NotNow) => Ok(false),
        answer => answer.map_err(|unanswered| unanswered.ends("nothing was approved")),
    }
}
