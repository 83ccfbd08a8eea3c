//! What is shown while a run is carried out: lines for people, or entries for programs.

use std::sync::Arc;

use jiff::Timestamp;
use runbook_engine::core::RunState;
use runbook_engine::core::event::{Entry, ProcessMark};
use runbook_engine::id::InstanceId;
use runbook_engine::journal::stored;
use runbook_engine::runbook::Runbook;
use runbook_engine::runtime::Watcher;

use crate::render::style::{CARE, DIM, Look, paint};
use crate::render::{self, entry};
use crate::setting::Setting;

/// Shows a run on the terminal, or as lines of JSON.
pub(crate) struct Lines {
    look: Look,
    json: bool,
    runbook: Arc<Runbook>,
}

impl Lines {
    pub(crate) fn new(setting: &Setting, runbook: &Arc<Runbook>) -> Arc<Self> {
        Arc::new(Self {
            look: setting.look,
            json: setting.global.json,
            runbook: Arc::clone(runbook),
        })
    }

    fn title(&self, id: &InstanceId) -> String {
        let step = self.runbook.step(id.step());
        let warning = step.and_then(|step| step.warning.as_deref());
        let warning = warning.map_or_else(String::new, |text| {
            format!("\n      {} {}", paint(CARE, "note:"), text.trim())
        });
        format!("{}{warning}", step.map_or("", |step| step.title.as_str()))
    }
}

impl Watcher for Lines {
    fn recorded(&self, entries: &[Entry], state: &RunState) {
        for one in entries {
            if self.json {
                render::json(&stored::to_json(one));
            } else if let Some(line) = entry::progress(one, state, |id| self.title(id)) {
                self.look.tell(&line);
            }
        }
    }

    fn printed(&self, instance: &InstanceId, _stream: &str, bytes: &[u8]) {
        if self.look.output {
            for line in String::from_utf8_lossy(bytes).lines() {
                self.look
                    .tell(&paint(DIM, format!("    {instance} │ {}", render::plain(line))));
            }
        }
    }

    fn outlived(&self, instance: &InstanceId, processes: &[ProcessMark], until: Timestamp) {
        let pids: Vec<String> = processes.iter().map(|mark| mark.pid.to_string()).collect();
        let text = format!(
            "  {} {instance}  still runs from before (process {}); it is awaited until {}, then ended",
            paint(CARE, '?'),
            pids.join(", "),
            render::time::local(until),
        );
        self.look.tell(&text);
    }
}
