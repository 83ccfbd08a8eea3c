//! A step's processes: ended together, found by their mark, and ended with the engine when that is killed.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use runbook_engine::platform::process::orphans;

use super::child::{PATIENCE, arguments, command, parent};
use super::{Seen, failed, judged};
use crate::doctor::Finding;

/// How often it is looked whether something is so.
const POLL: Duration = Duration::from_millis(50);

/// What concerns a step's processes.
pub(super) async fn all() -> [Finding; 2] {
    const HELP: &str = "what a step starts may outlive it here: send this report";
    [
        judged("job objects", ended_together().await, HELP),
        judged("kill on close", ended_with_the_engine().await, HELP),
    ]
}

async fn ended_together() -> Seen {
    let token = uuid::Uuid::new_v4().to_string();
    let mut group = parent(&token).await?;
    let found = orphans(&token).len();
    let begun = Instant::now();
    let beside = group.end().await;
    let took = begun.elapsed();
    if !until(|| orphans(&token).is_empty()).await {
        return Err("a program and its child were to be ended, and are still there".to_owned());
    }
    let marked = match found {
        0 => "; their mark cannot be read from outside".to_owned(),
        found => format!("; {found} were found by their mark"),
    };
    Ok(format!(
        "a program and {beside} beside it ended together in {} ms{marked}",
        took.as_millis()
    ))
}

async fn ended_with_the_engine() -> Seen {
    let token = uuid::Uuid::new_v4().to_string();
    let mut asked = arguments("engine");
    asked.extend(["--token".to_owned(), token.clone()]);
    let mut engine = command(&asked)?
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed("this program cannot be started again"))?;
    let out = engine.stdout.take();
    let heard = tokio::task::spawn_blocking(move || {
        let mut said = String::new();
        let out = out.map(BufReader::new);
        out.map(|mut out| out.read_line(&mut said));
        said
    });
    let said = tokio::time::timeout(PATIENCE, heard).await;
    let found = orphans(&token).len();
    engine.kill().map_err(failed("it cannot be ended"))?;
    engine.wait().map_err(failed("its end is not told"))?;
    if !matches!(said, Ok(Ok(said)) if said.trim() == "here") {
        return Err("the program that was to be killed says nothing".to_owned());
    }
    if !until(|| orphans(&token).is_empty()).await {
        return Err(format!(
            "{} outlived the program that had started them, and was killed",
            orphans(&token).len()
        ));
    }
    match found {
        0 => Err(
            "the mark of processes cannot be read from outside: what a killed engine left is not found"
                .to_owned(),
        ),
        found => Ok(format!(
            "{found} processes ended with the program that had started them, when that was killed"
        )),
    }
}

/// Waits until this is so; not for ever.
async fn until(done: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    while !done() {
        if begun.elapsed() > PATIENCE / 4 {
            return false;
        }
        tokio::time::sleep(POLL).await;
    }
    true
}
