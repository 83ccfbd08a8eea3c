//! `runbook work`

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use runbook_engine::core::{RunState, WaitingFor};
use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::id::{Host, RoleName, RunId, Seq};
use runbook_engine::journal::{Crew, Stand};
use runbook_engine::runbook::Runbook;
use runbook_engine::runtime::{Control, Engine, RuntimeError, Service, Stay};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use crate::error::Failed;
use crate::exit::Exit;
use crate::jobs;
use crate::render::plain;
use crate::render::style::{DIM, paint};
use crate::secrets::SecretArgs;
use crate::setting::Setting;
use crate::signals;
use crate::watch::Lines;

mod one;

/// How often it is looked for runs to work on, where no word comes.
const LOOK: Duration = Duration::from_secs(2);

/// Work on shared runs, together with others: whatever this operator and this machine can serve
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The runs are in the team's database (`--journal postgres://…`). `exec --share` starts a run for workers; `work RUN`
shares one that is there, and leaves it when it is over. Without RUN, it works on all shared runs and waits for more,
until Ctrl-C. `resume RUN` takes a run for one person alone again.

Manual work that this operator may do is asked for at a terminal, where a RUN is named; otherwise the command is told that
confirms it.

Examples:
  runbook work hybrid-s2s-7f3a
  runbook work hybrid-s2s-7f3a --role farm-admin
  runbook work --role tenant-admin --host desk7"
)]
pub(crate) struct Args {
    /// The run; all shared runs, if none is named
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// Only steps that ask for no other role than this one; may be given several times
    #[arg(long, value_name = "ROLE")]
    role: Vec<RoleName>,
    /// The name of this machine, for steps that say `on:`, if not the one that the system names
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// How many steps of one run may be under way here at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1000))]
    jobs: u32,
    #[command(flatten)]
    secrets: SecretArgs,
}

/// The store in which workers share runs.
pub(super) fn needs_crew(engine: &Engine) -> Result<&dyn Crew, Failed> {
    engine.crew().ok_or_else(|| {
        let message = "several workers share a run in a database, and this journal is on this machine's disk";
        Diagnostic::error(Code::NotShared, message)
            .help("name the team's database: `--journal postgres://USER@HOST/DATABASE`, or `RUNBOOK_JOURNAL`")
            .help("`exec` and `resume` carry a run out alone")
            .into()
    })
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let mut engine = match &args.run {
        Some(run) => setting.acting_with(run).await?,
        None => setting.acting().await?,
    };
    needs_crew(&engine)?;
    if let Some(host) = &args.host {
        engine.author.host = Host::new(host);
    }
    let control = signals::listen(setting)?;
    let service = Service {
        roles: (!args.role.is_empty()).then(|| args.role.iter().cloned().collect::<BTreeSet<_>>()),
        jobs: jobs::possible(args.jobs, setting),
    };
    match &args.run {
        Some(text) => one::on_one(&engine, text, service, control, &args.secrets, setting).await,
        None => on_all(&engine, service, control, args, setting).await,
    }
}

/// All that this worker is at.
struct Yard<'a> {
    engine: &'a Engine,
    service: Service,
    args: &'a Args,
    setting: &'a Setting,
    at_work: JoinSet<(RunId, Result<Left, RuntimeError>)>,
    orders: BTreeMap<RunId, UnboundedSender<Control>>,
    /// How far each run was, and how many claims had ended in it, when there was nothing to do in it for this worker.
    seen: BTreeMap<RunId, (Seq, usize)>,
    /// What of each run was told to wait for this operator.
    told: BTreeMap<RunId, Vec<WaitingFor>>,
    stopping: bool,
}

/// Works on all shared runs until it is told to stop.
async fn on_all(
    engine: &Engine,
    service: Service,
    mut control: UnboundedReceiver<Control>,
    args: &Args,
    setting: &Setting,
) -> Result<Exit, Failed> {
    let author = &engine.author;
    let remark = format!(
        "worker of operator {} on {}: waits for shared runs; Ctrl-C ends it",
        author.operator, author.host
    );
    setting.look.tell(&paint(DIM, plain(&remark)));
    let crew = needs_crew(engine)?;
    let mut yard = Yard {
        engine,
        service,
        args,
        setting,
        at_work: JoinSet::new(),
        orders: BTreeMap::new(),
        seen: BTreeMap::new(),
        told: BTreeMap::new(),
        stopping: false,
    };
    loop {
        let mut next_end = None;
        if !yard.stopping {
            let outlook = crew.outlook(None).await;
            let outlook = outlook.map_err(|error| Failed::journal("work", &error))?;
            engine.clock.tell(outlook.now);
            yard.forget_others(&outlook.runs);
            for stand in &outlook.runs {
                yard.consider(stand).await;
            }
            let ends = outlook
                .runs
                .iter()
                .flat_map(|stand| &stand.calls)
                .map(|call| call.left);
            next_end = ends.filter(|left| !left.is_zero()).min();
        } else if yard.at_work.is_empty() {
            return Ok(Exit::Interrupted);
        }
        // A claim that is renewed in time needs no look at each of its ends.
        let longest = next_end.map_or(Duration::MAX / 4, |left| left + LOOK);
        tokio::select! {
            Some(left) = yard.at_work.join_next(), if !yard.at_work.is_empty() => yard.has_left(left),
            () = crew.any_news(LOOK), if !yard.stopping => {}
            () = tokio::time::sleep(longest), if !yard.stopping => {}
            Some(order) = control.recv() => yard.order(order),
        }
    }
}

/// What a worker knows of a run that it has left.
struct Left {
    next: Seq,
    /// What waits for this operator.
    due: Vec<WaitingFor>,
    state: RunState,
    runbook: Arc<Runbook>,
}

impl Yard<'_> {
    /// Goes to a run in which something may be to do.
    async fn consider(&mut self, stand: &Stand) {
        let over = stand
            .calls
            .iter()
            .filter(|call| !call.is_ours && call.left.is_zero())
            .count();
        let known = self.seen.get(&stand.run) == Some(&(stand.next, over));
        if known || stand.held.is_some() || self.orders.contains_key(&stand.run) {
            return;
        }
        // What cannot be worked on is looked at again when it has moved; it is told once, and stops no other run.
        let _before = self.seen.insert(stand.run, (stand.next, over));
        if let Err(failed) = self.go_to(stand.run).await {
            failed.tell(self.setting);
        }
    }

    async fn go_to(&mut self, id: RunId) -> Result<(), Failed> {
        let told = |error| Failed::runtime(&id.to_string(), error);
        let joined = self.engine.join(id, self.service.clone()).await.map_err(told)?;
        let Some(mut run) = joined else { return Ok(()) };
        run.set_keeper(Arc::new(self.args.secrets.giver(run.runbook(), self.setting)?));
        let watcher = Lines::new(self.setting, run.runbook());
        let (orders, mut control) = unbounded_channel();
        drop(self.orders.insert(id, orders));
        let (engine, roles) = (self.engine.clone(), self.service.roles.clone());
        self.at_work.spawn(async move {
            let worked = run.work(Stay::WhileBusy, watcher, &mut control).await;
            let (due, runbook) = (one::due(&run, &engine, roles.as_ref()), Arc::clone(run.runbook()));
            let closed = run.close().await;
            let left = worked.and_then(|worked| closed.map(|state| (worked.next, state)));
            (
                id,
                left.map(|(next, state)| Left {
                    next,
                    due,
                    state,
                    runbook,
                }),
            )
        });
        Ok(())
    }

    fn has_left(&mut self, left: Result<(RunId, Result<Left, RuntimeError>), tokio::task::JoinError>) {
        let Ok((id, worked)) = left else { return };
        drop(self.orders.remove(&id));
        match worked {
            Ok(left) => {
                let _before = self.seen.insert(id, (left.next, 0));
                let told = self.told.entry(id).or_default();
                if left.due.iter().any(|one| !told.contains(one)) {
                    one::tell(&left.state, &left.runbook, self.setting);
                }
                *told = left.due;
            }
            Err(error) => {
                Failed::runtime(&id.to_string(), error).tell(self.setting);
            }
        }
    }

    fn forget_others(&mut self, stands: &[Stand]) {
        let there: BTreeSet<RunId> = stands.iter().map(|stand| stand.run).collect();
        self.seen.retain(|run, _| there.contains(run));
        self.told.retain(|run, _| there.contains(run));
    }

    fn order(&mut self, order: Control) {
        self.stopping = true;
        for orders in self.orders.values() {
            // Whoever has just left needs no order.
            let _left = orders.send(order);
        }
    }
}
