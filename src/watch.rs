//! What is shown while a run is carried out: lines for people, or entries for programs.

use std::sync::Arc;

use jiff::Timestamp;
use runbook_engine::core::RunState;
use runbook_engine::core::event::{Entry, ProcessMark};
use runbook_engine::id::InstanceId;
use runbook_engine::journal::stored;
use runbook_engine::runbook::Runbook;
use runbook_engine::runtime::Watcher;
use tokio::task::JoinHandle;

use crate::render;
use crate::render::busy::PACE;
use crate::render::layout::Width;
use crate::render::progress::{Progress, under_way};
use crate::render::style::{DIM, Look, paint};
use crate::setting::Setting;

/// Shows a run on the terminal, or as lines of JSON.
pub(crate) struct Lines {
    look: Look,
    json: bool,
    progress: Progress,
}

impl Lines {
    pub(crate) fn new(setting: &Setting, runbook: &Arc<Runbook>) -> Arc<Self> {
        Arc::new(Self {
            look: setting.look.clone(),
            json: setting.global.json,
            progress: Progress::new(runbook),
        })
    }

    /// From now on, what takes long is shown while it does, until the guard is dropped.
    pub(crate) fn live(&self) -> Live {
        let drawing = self.look.busy().cloned().map(|busy| {
            tokio::spawn(async move {
                let mut pace = tokio::time::interval(PACE);
                loop {
                    pace.tick().await;
                    busy.draw();
                }
            })
        });
        Live {
            look: self.look.clone(),
            drawing,
        }
    }
}

/// While it lives, the terminal shows what takes long.
pub(crate) struct Live {
    look: Look,
    drawing: Option<JoinHandle<()>>,
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(drawing) = &self.drawing {
            drawing.abort();
        }
        if let Some(busy) = self.look.busy() {
            busy.set(Vec::new());
        }
    }
}

impl Watcher for Lines {
    fn recorded(&self, entries: &[Entry], state: &RunState) {
        if self.json {
            entries.iter().for_each(|one| render::json(&stored::to_json(one)));
            return;
        }
        let width = Width::of_talk();
        for one in entries {
            if let Some(line) = self.progress.line(one, state, width) {
                self.look.tell(&line);
            }
        }
        if let Some(busy) = self.look.busy() {
            busy.set(under_way(state));
        }
    }

    fn printed(&self, instance: &InstanceId, _stream: &str, bytes: &[u8]) {
        if self.look.output {
            for line in String::from_utf8_lossy(bytes).lines() {
                let line = format!("    {instance} │ {line}");
                self.look.tell(&paint(DIM, render::plain(&line)));
            }
        }
    }

    fn outlived(&self, instance: &InstanceId, processes: &[ProcessMark], until: Timestamp) {
        let pids: Vec<String> = processes.iter().map(|mark| mark.pid.to_string()).collect();
        let line = self.progress.outlived(instance, &pids, until, Width::of_talk());
        self.look.tell(&line);
    }
}
