//! How long what a killed program left running is awaited.

use std::time::Duration;

use runbook_engine::runbook::duration;
use runbook_engine::runtime::Run;

/// What is chosen about processes that outlived the program that started them.
#[derive(Debug, clap::Args)]
pub(crate) struct LeftArgs {
    /// Wait so long, such as `1h`, for a process that a killed program left running, then end it; `0s` ends it at once.
    /// Otherwise as long as its step's time-out lasts, or 5m
    #[arg(long, value_name = "DURATION", value_parser = patience)]
    await_left: Option<Duration>,
}

impl LeftArgs {
    /// Has the run heed it.
    pub(crate) fn heed(&self, run: &mut Run) {
        if let Some(patience) = self.await_left {
            run.await_left_for(patience);
        }
    }
}

fn patience(text: &str) -> Result<Duration, String> {
    duration::parse(text).map_err(|error| format!("{error}; {}", error.help()))
}
