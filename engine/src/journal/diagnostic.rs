//! What people are told when a journal did not do what it was asked.

use super::JournalError;
use crate::diagnostic::{Code, Diagnostic};

impl JournalError {
    /// The problem in the form that people are told of it; `run` is the run's name as they know it.
    #[must_use]
    pub fn diagnostic(&self, run: &str) -> Diagnostic {
        let about = |code| Diagnostic::error(code, format!("run `{run}`: {self}"));
        match self {
            Self::NotFound(_) => Diagnostic::error(Code::RunNotFound, format!("there is no run `{run}`"))
                .help("`runbook list` shows the runs of this state folder"),
            Self::Held(_) => about(Code::RunHeld)
                .help("let that process end, or ask it there; `runbook list` shows who holds what"),
            Self::Conflict { .. } | Self::NotClaimed => about(Code::RunHeld).help(format!(
                "`runbook resume {run}` goes on from where the journal stands now"
            )),
            Self::Damaged(_) => about(Code::JournalDamaged)
                .help(format!(
                    "`runbook journal verify {run}` says what is wrong and changes nothing"
                ))
                .help("put the run's folder back from a backup; other runs are not affected"),
            Self::Newer(_) => {
                about(Code::JournalNewer).help("use the version of `runbook` that wrote it, or a newer one")
            }
            Self::Storage { doing, source } => {
                let code = if *doing == "written" {
                    Code::JournalWrite
                } else {
                    Code::StateFolder
                };
                about(code).caused_by(source).help(format!(
                    "put right what the system says (space, permissions, disk), then `runbook resume {run}`"
                ))
            }
            Self::Unstorable(_) => about(Code::JournalWrite)
                .help("make what the step gives or prints smaller; nothing of it was stored"),
            Self::Poisoned => about(Code::JournalWrite).help(format!(
                "check the disk, then `runbook resume {run}`: it goes on from the last durable entry"
            )),
        }
    }
}
