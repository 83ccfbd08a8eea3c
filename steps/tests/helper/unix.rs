//! How the helper goes on although a signal asks it to end.

use std::io;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use super::say;

/// Goes on although it is asked to end.
pub(crate) fn stubborn() -> io::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut asked = signal(SignalKind::terminate())?;
        say("here")?;
        while asked.recv().await.is_some() {
            say("no")?;
        }
        Ok(ExitCode::SUCCESS)
    })
}
