//! What is shown while a run is carried out: lines for people, or entries for programs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use runbook_engine::core::RunState;
use runbook_engine::core::event::{Entry, ProcessMark};
use runbook_engine::id::InstanceId;
use runbook_engine::journal::stored;
use runbook_engine::runbook::Runbook;
use runbook_engine::runtime::{Told, Watcher};

use crate::observe::Observer;
use crate::render;
use crate::render::layout::Width;
use crate::render::live::{self, Scene, Tails};
use crate::render::progress::Progress;
use crate::render::script;
use crate::render::style::{DIM, Look, paint};
use crate::screen::{Reserved, Screen};
use crate::setting::Setting;

/// How often the view of the run is looked after; it changes once a second, or when something happens.
const PACE: Duration = Duration::from_millis(100);

/// Shows a run on the terminal, or as lines of JSON.
pub(crate) struct Lines {
    look: Look,
    json: bool,
    /// Whether the person here is asked for the work of people.
    asks: bool,
    shown: Mutex<Arc<Shown>>,
    tails: Mutex<Tails>,
    /// Those who watch from outside.
    observer: Option<Arc<Observer>>,
}

/// What is carried out, and how it is put into lines.
struct Shown {
    runbook: Arc<Runbook>,
    progress: Progress,
}

impl Shown {
    fn new(runbook: &Arc<Runbook>) -> Arc<Self> {
        Arc::new(Self {
            runbook: Arc::clone(runbook),
            progress: Progress::new(runbook),
        })
    }
}

impl Lines {
    pub(crate) fn new(setting: &Setting, runbook: &Arc<Runbook>) -> Arc<Self> {
        Arc::new(Self {
            look: setting.look.clone(),
            json: setting.global.json,
            asks: setting.interactive(),
            shown: Mutex::new(Shown::new(runbook)),
            tails: Mutex::default(),
            observer: setting.observer.get().cloned(),
        })
    }

    /// From now on, a view of the run stands below the lines, until the guard is dropped.
    pub(crate) fn live(&self) -> Option<Reserved> {
        self.look.screen().map(Screen::reserve)
    }

    fn shown(&self) -> Arc<Shown> {
        Arc::clone(&self.shown.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn tails(&self) -> MutexGuard<'_, Tails> {
        self.tails.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher for Lines {
    fn recorded(&self, entries: &[Entry], state: &RunState) {
        if let Some(observer) = &self.observer {
            observer.recorded(entries, state);
        }
        if self.json {
            entries.iter().for_each(|one| render::json(&stored::to_json(one)));
            return;
        }
        let width = Width::of_talk();
        let (name, shown) = (state.started().name(), self.shown());
        let lines = entries.iter().enumerate().flat_map(|(at, one)| {
            let failure = script::failure(&one.event, &name, &shown.runbook);
            let failure = failure.map(|failure| render::diagnostic::as_text(&failure));
            let line = shown.progress.line(one, entries.get(at + 1), state, width);
            line.into_iter().chain(failure)
        });
        let lines: Vec<String> = lines.collect();
        if !lines.is_empty() {
            self.look.tell(&lines.join("\n"));
        }
        self.tails().keep_only(state);
    }

    fn printed(&self, instance: &InstanceId, stream: &'static str, bytes: &[u8]) {
        if self.look.screen().is_some() {
            self.tails().add(instance, stream, bytes);
        }
        if self.look.output {
            let text = String::from_utf8_lossy(bytes);
            let lines = text.lines().map(|line| {
                let line = format!("    {instance} │ {line}");
                paint(DIM, render::plain(&line))
            });
            self.look.tell(&lines.collect::<Vec<_>>().join("\n"));
        }
    }

    fn shown(&self, instance: &InstanceId, text: &str) {
        let line = self.shown().progress.shown(instance, text, Width::of_talk());
        self.look.tell_always(&line);
    }

    fn amended(&self, runbook: &Arc<Runbook>) {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Shown::new(runbook);
    }

    fn befell(&self, told: &Told) {
        let (name, words) = match told {
            Told::TakenOver(instance) => (
                instance.to_string(),
                "the database did not hear from this worker in time, and another one has taken over: what came of it here is not recorded".to_owned(),
            ),
            Told::HeldBy(holder) => (
                "this worker".to_owned(),
                format!("waits: the run is held by {holder} alone"),
            ),
        };
        let line = format!("  ⚠ {name}: {words}");
        self.look
            .tell_always(&Width::of_talk().wrap("", 4, &render::plain(&line)));
    }

    fn pace(&self) -> Option<Duration> {
        let watched = || self.observer.as_ref()?.pace();
        self.look.screen().map(|_| PACE).or_else(watched)
    }

    fn glance(&self, state: &RunState, now: Timestamp) {
        if let Some(observer) = &self.observer {
            observer.glance(state, observer.pace().unwrap_or_default());
        }
        if let Some(screen) = self.look.screen() {
            let shown = self.shown();
            screen.draw(|size| {
                let scene = Scene {
                    state,
                    runbook: &shown.runbook,
                    tails: &self.tails(),
                    asks: self.asks,
                    now,
                };
                live::lines(&scene, size)
            });
        }
    }

    fn outlived(&self, instance: &InstanceId, processes: &[ProcessMark], until: Timestamp) {
        let pids: Vec<String> = processes.iter().map(|mark| mark.pid.to_string()).collect();
        let line = self
            .shown()
            .progress
            .outlived(instance, &pids, until, Width::of_talk());
        self.look.tell(&line);
    }
}
