//! A program that gives a secret: what it prints is bounded, what it complains of is shown, and its time is limited.

use std::collections::BTreeMap;
use std::time::Duration;

use runbook_engine::platform::process::{Exit, Group, Launch, Pipes};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};

use super::source::LONGEST;

/// How long it may take: somebody may have to unlock something first.
const PATIENCE: Duration = Duration::from_secs(120);

/// The most lines that are shown of what it prints as errors.
const MOST_LINES: usize = 50;

/// The longest line that is shown.
const LONGEST_LINE: u64 = 1000;

/// What a program prints.
pub(super) async fn printed(argv: &[String], say: impl Fn(&str)) -> Result<Vec<u8>, String> {
    let Some((program, args)) = argv.split_first() else {
        return Err("no program is named".to_owned());
    };
    let launch = Launch {
        program: program.clone(),
        args: args.to_vec(),
        env: BTreeMap::new(),
        cwd: None,
    };
    let (mut group, pipes) = Group::spawn(launch)
        .await
        .map_err(|error| format!("it cannot be started: {error}"))?;
    let Pipes {
        stdin,
        stdout,
        stderr,
    } = pipes;
    // It is told nothing.
    drop(stdin);
    let work = async {
        let (bytes, ()) = tokio::join!(all(stdout), complain(stderr, say));
        (bytes, group.wait().await)
    };
    let ended = tokio::time::timeout(PATIENCE, work).await;
    let left = group.end_rest();
    let result = match ended {
        Err(_late) => Err(format!(
            "it took longer than {} seconds, and was ended",
            PATIENCE.as_secs()
        )),
        Ok((bytes, _)) if bytes.len() as u64 > LONGEST => {
            Err(format!("it printed more than {LONGEST} bytes"))
        }
        Ok((bytes, Ok(Exit::Code(0)))) => Ok(bytes),
        Ok((_, Ok(Exit::Code(code)))) => Err(format!("it ended with exit code {code}")),
        Ok((_, Ok(Exit::Signal(signal)))) => Err(format!("it was ended by the signal {signal}")),
        Ok((_, Err(error))) => Err(format!("how it ended cannot be told: {error}")),
    };
    left.await;
    result
}

/// What it prints, and one byte more than is allowed where there is more.
async fn all(from: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A pipe that breaks is at its end. What is not read holds the program up until its time is over, unless the
    // pipe is closed, which this does.
    from.take(LONGEST + 1).read_to_end(&mut bytes).await.ok();
    bytes
}

async fn complain(from: impl AsyncRead + Unpin, say: impl Fn(&str)) {
    let mut lines = BufReader::new(from);
    for _ in 0..MOST_LINES {
        let mut line = Vec::new();
        let mut bounded = (&mut lines).take(LONGEST_LINE);
        match bounded.read_until(b'\n', &mut line).await {
            Ok(1..) => say(String::from_utf8_lossy(&line).trim_end()),
            Ok(0) | Err(_) => return,
        }
    }
    // The rest is read, lest the program waits for somebody to do so.
    let mut rest = [0; 1024];
    while let Ok(1..) = lines.read(&mut rest).await {}
}
