//! `runbook exec`

use std::path::PathBuf;
use std::sync::Arc;

use runbook_engine::core::Act;
use runbook_engine::core::event::{Handing, Rehearsal, RehearsedFailure};
use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::id::{AttemptNo, InstanceId, RunId};
use runbook_engine::runbook::Runbook;
use runbook_engine::runtime::{Engine, NewRun, Run, Watcher as _};
use serde_json::json;
use uuid::Uuid;

use super::{act_on, carry, close, give_up, load, work};
use crate::error::Failed;
use crate::exit::Exit;
use crate::jobs;
use crate::observe::Options;
use crate::overlays::Wanted;
use crate::params::{self, Given};
use crate::render;
use crate::render::heading::heading;
use crate::render::layout::Width;
use crate::render::style::{DIM, count, paint};
use crate::secrets::SecretArgs;
use crate::setting::Setting;
use crate::watch::Lines;

/// Start a run of a runbook and carry it out
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  runbook exec hybrid-s2s.yaml --rehearse
  runbook exec hybrid-s2s.yaml --set public_domain=adventureworks.com --params farm.yaml
  runbook exec hybrid-s2s.yaml --like hybrid-s2s-7f3a -p zone=Intranet
  runbook exec hybrid-s2s.yaml --rehearse --rehearse-fail set-realm:1 --rehearse-interrupt add-spn")]
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
    /// Play it through: steps answer from their `rehearse:` block and touch nothing
    #[arg(long)]
    rehearse: bool,
    /// Rehearse that a step fails, in every attempt or in that one
    #[arg(long, value_name = "STEP[:ATTEMPT]", requires = "rehearse", value_parser = rehearsed_failure)]
    rehearse_fail: Vec<RehearsedFailure>,
    /// Rehearse that a step's first attempt is interrupted
    #[arg(long, value_name = "STEP", requires = "rehearse")]
    rehearse_interrupt: Vec<InstanceId>,
    /// Only start it: workers go on with it (`runbook work`), on any machine of the team's database
    #[arg(long)]
    share: bool,
    /// How many steps may be under way at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1000))]
    jobs: u32,
    #[command(flatten)]
    observe: Options,
}

fn rehearsed_failure(text: &str) -> Result<RehearsedFailure, String> {
    let (instance, attempt) = match text.rsplit_once(':') {
        Some((instance, number)) if number.chars().all(|c| c.is_ascii_digit()) => {
            let number: u32 = number
                .parse()
                .map_err(|_| format!("`{number}` is not the number of an attempt"))?;
            (instance, Some(AttemptNo(number)))
        }
        _ => (text, None),
    };
    let instance = instance.parse().map_err(|error| format!("{error}"))?;
    Ok(RehearsedFailure { instance, attempt })
}

pub(crate) async fn run(args: Args, setting: &Setting) -> Result<Exit, Failed> {
    let watched = args.observe.checked()?;
    let like = args.given.like(setting).await?;
    let runbook = load::runbook_or_like(args.file.as_deref(), &args.overlays, like.as_ref(), setting)?;
    let rehearsal = rehearsal(&args, &runbook)?;
    let runbook = Arc::new(runbook);
    let giver = args.secrets.giver(&runbook, setting)?;
    let params = params::settle(&runbook, &args.given, like.as_ref(), args.rehearse, setting)?;
    let engine = setting.acting().await?;
    if args.share {
        work::needs_crew(&engine)?;
    }
    let new = NewRun {
        id: new_id(&engine, &runbook).await?,
        params: params.values,
        rehearsal,
        jobs: jobs::possible(args.jobs, setting),
        program: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let file = runbook.definition().name.clone();
    let place = setting.place()?;
    let mut run = engine
        .start(Arc::unwrap_or_clone(runbook), new)
        .await
        .map_err(|error| Failed::not_started(&file, error, &place))?;
    run.set_keeper(Arc::new(giver));
    announce(&run, &params.examples, setting);
    if setting.global.json {
        let name = run.name();
        let story = run
            .entries()
            .await
            .map_err(|error| Failed::runtime(&name, error))?;
        Lines::new(setting, run.runbook()).recorded(&story, run.state());
    }
    if args.share {
        return Box::pin(share(run, setting)).await;
    }
    carry::carry(run, None, watched, setting).await
}

/// Leaves a new run to workers.
async fn share(mut run: Run, setting: &Setting) -> Result<Exit, Failed> {
    let name = run.name();
    match act_on(&mut run, Act::Hand(Handing::Shared), setting).await {
        Ok(()) => close(run).await?,
        Err(failed) => return Err(give_up(run, failed).await),
    };
    if setting.global.json {
        render::json(&json!({ "run": name }));
    } else {
        render::result(&name);
    }
    let hint = format!("workers go on with it: `runbook work {name}`, or `runbook work` for all shared runs");
    setting.look.tell(&paint(DIM, hint));
    Ok(Exit::Done)
}

fn rehearsal(args: &Args, runbook: &Runbook) -> Result<Option<Rehearsal>, Failed> {
    if !args.rehearse {
        return Ok(None);
    }
    let named = args
        .rehearse_fail
        .iter()
        .map(|failure| &failure.instance)
        .chain(&args.rehearse_interrupt);
    let unknown = named.filter(|id| runbook.step(id.step()).is_none()).map(|id| {
        let diagnostic = Diagnostic::error(
            Code::UnknownStep,
            format!("the runbook has no step `{}` to rehearse a fault in", id.step()),
        );
        diagnostic.did_you_mean(
            id.step().as_str(),
            runbook.steps().keys().map(|step| step.as_str()),
        )
    });
    let unknown: Vec<Diagnostic> = unknown.collect();
    if !unknown.is_empty() {
        return Err(Failed::input(unknown));
    }
    Ok(Some(Rehearsal {
        failures: args.rehearse_fail.clone(),
        interruptions: args.rehearse_interrupt.clone(),
    }))
}

/// A new id whose short name no other run has.
async fn new_id(engine: &Engine, runbook: &Runbook) -> Result<RunId, Failed> {
    let runs = engine
        .journal
        .runs()
        .await
        .map_err(|error| Failed::journal(runbook.name().as_str(), &error))?;
    let taken: std::collections::BTreeSet<String> = runs.iter().map(RunId::short).collect();
    // After so many tries the short name is given twice, and people are asked for more of it.
    let mut ids = std::iter::repeat_with(|| RunId::new(Uuid::now_v7())).take(1000);
    let free = ids.find(|id| !taken.contains(&id.short()));
    Ok(free.unwrap_or_else(|| RunId::new(Uuid::now_v7())))
}

/// What is about to happen.
fn announce(run: &Run, examples: &[String], setting: &Setting) {
    let (look, width, author) = (&setting.look, Width::of_talk(), setting.author());
    let steps = count(run.runbook().steps().len(), "step");
    let remark = format!("{steps}, operator {} on {}", author.operator, author.host);
    look.tell(&heading(run.state(), run.runbook(), &remark, width));
    if !examples.is_empty() {
        let stand_in = format!("examples stand in for {}", examples.join(", "));
        look.tell(&paint(DIM, width.wrap("", 2, &stand_in)));
    }
    setting.tell_of_roles(run.runbook());
    look.tell("");
}
