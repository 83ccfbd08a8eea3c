//! One run: worked on until it is over, with questions to the person at the terminal.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use runbook_engine::core::event::Need;
use runbook_engine::core::{RunState, RunStatus, WaitingFor};
use runbook_engine::id::{InstanceId, RoleName, RunId};
use runbook_engine::runbook::Runbook;
use runbook_engine::runtime::{Control, Engine, Run, Service, Stay, Watcher, Worked};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::commands::{act_on, close};
use crate::error::Failed;
use crate::exit::Exit;
use crate::manual::{Answer, Asked, Asking, Heard};
use crate::render::heading::heading;
use crate::render::held::Held;
use crate::render::layout::Width;
use crate::render::next;
use crate::secrets::SecretArgs;
use crate::setting::{Setting, find_run};
use crate::watch::Lines;

/// How long no word may come before it is looked again.
const LOOK: Duration = Duration::from_secs(5);

/// Works on one run until it is over, and shows it.
pub(super) async fn on_one(
    engine: &Engine,
    text: &str,
    service: Service,
    control: UnboundedReceiver<Control>,
    secrets: &SecretArgs,
    setting: &Setting,
) -> Result<Exit, Failed> {
    let id = find_run(engine, text).await?;
    let told = |error| Failed::runtime(text, error);
    engine.share(id).await.map_err(told)?;
    let roles = service.roles.clone();
    let Some(mut run) = engine.join(id, service).await.map_err(told)? else {
        // It is over, or somebody took it in this very moment.
        let story = engine.read(id).await.map_err(told)?;
        return Ok(Exit::of(&story.state));
    };
    run.set_keeper(Arc::new(secrets.giver(run.runbook(), setting)?));
    let author = &engine.author;
    let remark = format!("worker of operator {} on {}", author.operator, author.host);
    let (look, width) = (&setting.look, Width::of_talk());
    look.tell(&heading(run.state(), run.runbook(), &remark, width));
    look.tell("");
    let mut place = Place {
        engine,
        run: id,
        watcher: Lines::new(setting, run.runbook()),
        control,
        roles,
        put_off: Vec::new(),
        told: Vec::new(),
        setting,
    };
    let worked = place.work(&mut run).await?;
    let runbook = run.runbook().clone();
    let state = close(run).await?;
    look.tell(&next::summary(&state, &runbook, &Held::Elsewhere, width));
    Ok(exit(&worked, &state))
}

fn exit(worked: &Worked, state: &RunState) -> Exit {
    if worked.interrupted {
        Exit::Interrupted
    } else if worked.is_alone && worked.status == RunStatus::Running {
        Exit::Held
    } else {
        Exit::of(state)
    }
}

/// What waits for the operator here, what has waited longest first: manual work that they may do, and for which they work.
pub(super) fn due(run: &Run, engine: &Engine, roles: Option<&BTreeSet<RoleName>>) -> Vec<WaitingFor> {
    let (state, operator, now) = (run.state(), &engine.author.operator, engine.clock.now());
    let is_ours = |one: &WaitingFor| {
        let wanted = run
            .runbook()
            .step(one.id.step())
            .and_then(|step| step.role.as_ref());
        let served = wanted.is_none_or(|role| roles.is_none_or(|roles| roles.contains(role)));
        one.need == Need::ManualWork && served && state.may_act_on(&one.id, operator, now).is_ok()
    };
    state.waiting_for().into_iter().filter(is_ours).collect()
}

/// Tells what waits, and the commands by which it is answered.
pub(super) fn tell(state: &RunState, runbook: &Runbook, setting: &Setting) {
    let summary = next::summary(state, runbook, &Held::Elsewhere, Width::of_talk());
    setting.look.tell(&summary);
}

/// Whoever works here, and what they were told.
struct Place<'a> {
    engine: &'a Engine,
    run: RunId,
    watcher: Arc<Lines>,
    control: UnboundedReceiver<Control>,
    roles: Option<BTreeSet<RoleName>>,
    put_off: Vec<InstanceId>,
    told: Vec<WaitingFor>,
    setting: &'a Setting,
}

impl Place<'_> {
    /// Works until the run is over, or until it waits for people alone where nobody is to be waited for.
    async fn work(&mut self, run: &mut Run) -> Result<Worked, Failed> {
        if self.setting.global.non_interactive {
            return self.carry_out(run, Stay::UntilPeople).await;
        }
        loop {
            let worked = self.carry_out(run, Stay::WhileBusy).await?;
            if worked.interrupted || worked.is_alone || worked.status.rests() {
                return Ok(worked);
            }
            let due = due(run, self.engine, self.roles.as_ref());
            let mut to_ask = due.iter().filter(|one| !self.put_off.contains(&one.id));
            match to_ask.next().filter(|_| self.setting.interactive()) {
                Some(next) => {
                    if self.ask(run, next.clone()).await? {
                        return Ok(Worked {
                            interrupted: true,
                            ..worked
                        });
                    }
                }
                None => {
                    if due.iter().any(|one| !self.told.contains(one)) {
                        tell(run.state(), run.runbook(), self.setting);
                    }
                    self.told = due;
                    // The next look tells what became of it.
                    tokio::select! {
                        Some(_) = self.control.recv() => return Ok(Worked { interrupted: true, ..worked }),
                        () = self.engine.journal.news(self.run, LOOK) => {}
                    }
                }
            }
        }
    }

    async fn carry_out(&mut self, run: &mut Run, stay: Stay) -> Result<Worked, Failed> {
        let view = self.watcher.live();
        let watcher = Arc::clone(&self.watcher) as Arc<dyn Watcher>;
        let worked = run.work(stay, watcher, &mut self.control).await;
        drop(view);
        worked.map_err(|error| Failed::runtime(&run.name(), error))
    }

    /// Asks the person here; says whether they want to stop.
    async fn ask(&mut self, run: &mut Run, next: WaitingFor) -> Result<bool, Failed> {
        let instance = next.id.clone();
        let answer = match self.answer(run, next).await {
            Ok(Asked::Interrupted | Asked::Answered(Answer::Interrupted)) => return Ok(true),
            Ok(Asked::Otherwise) => return Ok(false),
            Ok(Asked::Answered(answer)) => answer,
            Err(failed) => {
                // What was wrong is said; the run itself goes on waiting.
                failed.tell(self.setting);
                Answer::NotNow
            }
        };
        match answer {
            Answer::Done(done) => drop(act_on(run, done.confirms(instance), self.setting).await?),
            Answer::NotNow | Answer::Interrupted => self.put_off.push(instance),
        }
        Ok(false)
    }

    /// Waits for the answer, and goes on with whatever else there is to do meanwhile.
    async fn answer(&mut self, run: &mut Run, next: WaitingFor) -> Result<Asked, Failed> {
        let mut asking = Asking::begin(run, next, self.setting)?;
        loop {
            tokio::select! {
                biased;
                Some(_) = self.control.recv() => {
                    asking.call_off().await;
                    return Ok(Asked::Interrupted);
                }
                heard = asking.next() => match heard {
                    Heard::Answered(answers) => return asking.settle(answers, run).await.map(Asked::Answered),
                    Heard::Ticked(tick) => {
                        if let Err(failed) = act_on(run, tick, self.setting).await {
                            asking.call_off().await;
                            return Err(failed);
                        }
                        continue;
                    }
                },
                () = self.engine.journal.news(self.run, LOOK) => {}
            }
            let worked = self.carry_out(run, Stay::WhileBusy).await;
            let goes_on = worked
                .as_ref()
                .is_ok_and(|worked| !worked.interrupted && !worked.is_alone);
            if !(goes_on && run.state().waiting_for().contains(asking.waiting())) {
                asking.call_off().await;
                let interrupted = worked?.interrupted;
                return Ok(if interrupted {
                    Asked::Interrupted
                } else {
                    Asked::Otherwise
                });
            }
        }
    }
}
