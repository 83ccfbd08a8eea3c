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
                .help(format!("`runbook log {run} --follow` shows what it does, `runbook show {run}` where it stands"))
                .help("`confirm`, `decide`, `cancel` and `rollback` ask it to do that; try again where it did not answer")
                .help("for anything else let it end, or stop it with Ctrl-C in its terminal: nothing is lost"),
            Self::Conflict { .. } | Self::NotClaimed => about(Code::RunHeld).help(format!(
                "`runbook resume {run}` goes on from where the journal stands now"
            )),
            Self::Copy => about(Code::RunIsCopy)
                .help("go on with it where it is, or have it handed over from there, with `export --handoff`")
                .help(format!(
                    "if it is lost there, `runbook accept {run} --take-over --why TEXT` goes on here"
                )),
            Self::Damaged(_) => about(Code::JournalDamaged)
                .help(format!(
                    "`runbook journal verify {run}` says what is wrong and changes nothing"
                ))
                .help("put the run's folder back from a backup; other runs are not affected"),
            Self::Newer(_) => {
                about(Code::JournalNewer).help("use the version of `runbook` that wrote it, or a newer one")
            }
            Self::Foreign(_) => Diagnostic::error(Code::StateFolderForeign, self.to_string())
                .help("use the account that it belongs to, or another folder with `--state-dir`"),
            Self::Storage {
                doing: "made",
                source,
            } => Diagnostic::error(
                Code::StateFolder,
                format!("no run of `{run}` was started: its journal could not be made"),
            )
            .caused_by(source)
            .help("nothing was carried out: put right what the system says, and start it again"),
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
            Self::Unsigned(_) => about(Code::NotSigned)
                .help("nothing was recorded; `runbook identity show` tells which key is used"),
            Self::DatabaseAway { source, .. } => Diagnostic::error(Code::DatabaseAway, self.to_string())
                .caused_by(source)
                .help("look whether it runs, and whether this machine reaches it; what is in it is not lost")
                .help(format!(
                    "then `runbook resume {run}` goes on from the last entry that is there"
                )),
            Self::DatabaseRefused { source, .. } => {
                Diagnostic::error(Code::DatabaseRefused, self.to_string())
                    .caused_by(source)
                    .help("put right what the database says: account, password, permissions, space")
            }
            Self::NewerDatabase { .. } => Diagnostic::error(Code::DatabaseNewer, self.to_string())
                .help("use the version of `runbook` that set it up, or a newer one; nothing was changed"),
            Self::Unstorable(_) => about(Code::JournalWrite)
                .help("make what the step gives or prints smaller; nothing of it was stored"),
            Self::Poisoned => about(Code::JournalWrite).help(format!(
                "check the disk, then `runbook resume {run}`: it goes on from the last durable entry"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_with_what_the_system_said_and_what_to_do() {
        let source = std::io::Error::other("no space left on device");
        let told = JournalError::Storage {
            doing: "written",
            source,
        }
        .diagnostic("hybrid-7f3a");
        assert_eq!(told.code, Code::JournalWrite);
        assert_eq!(
            told.message,
            "run `hybrid-7f3a`: the journal could not be written"
        );
        assert_eq!(told.causes, ["no space left on device"]);
        assert!(
            told.help[0].contains("`runbook resume hybrid-7f3a`"),
            "{:?}",
            told.help
        );
    }

    #[test]
    fn damage_leads_to_verify() {
        let told =
            JournalError::Damaged("entry 7 does not match its hash".to_owned()).diagnostic("hybrid-7f3a");
        assert_eq!(told.code, Code::JournalDamaged);
        assert!(
            told.message.ends_with("entry 7 does not match its hash"),
            "{}",
            told.message
        );
        assert!(
            told.help[0].contains("`runbook journal verify hybrid-7f3a`"),
            "{:?}",
            told.help
        );
    }
}
