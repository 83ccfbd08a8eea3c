//! Files: rights, locks, flushing, long paths; and the pipe by which other terminals reach a run.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::time::Instant;

use runbook_engine::platform::local::{Listener, connect};
use runbook_engine::platform::lock;
use runbook_engine::platform::private::{self, Owner};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Seen, failed, judged};
use crate::doctor::Finding;

/// How often something is written and flushed.
const FLUSHES: u32 = 20;

/// Longer than any path that Windows takes without being asked, in characters.
const LONG: usize = 600;

/// What concerns files, in this folder.
pub(super) fn all(folder: &Path) -> [Finding; 4] {
    const ELSEWHERE: &str =
        "choose a folder on a disk of this machine with NTFS (`--state-dir`), and send this report";
    [
        judged("private files", rights(folder), ELSEWHERE),
        judged("locks", locks(folder), ELSEWHERE),
        judged("flushing", flushing(folder), ELSEWHERE),
        judged(
            "long paths",
            long_paths(folder),
            "choose a state folder with a short path",
        ),
    ]
}

fn rights(folder: &Path) -> Seen {
    let (inner, file) = (folder.join("private"), folder.join("private").join("file"));
    private::create_folder(&inner).map_err(failed("a folder cannot be made"))?;
    drop(private::open_file(&file).map_err(failed("a file cannot be made"))?);
    for path in [&inner, &file] {
        let kind = if path.is_dir() { "folder" } else { "file" };
        if !private::is_private(path).map_err(failed("rights cannot be read"))? {
            return Err(format!("a {kind} that was made private can be read by others"));
        }
        if private::owner(path).map_err(failed("an owner cannot be read"))? != Owner::Us {
            return Err(format!("a {kind} that was made here belongs to another account"));
        }
    }
    Ok("a folder and a file are this account's and the system's alone".to_owned())
}

fn locks(folder: &Path) -> Seen {
    let path = folder.join("locked");
    let first = private::open_file(&path).map_err(failed("a file cannot be made"))?;
    let second = private::open_file(&path).map_err(failed("it cannot be opened twice"))?;
    first.lock().map_err(failed("it cannot be locked"))?;
    match second.try_lock() {
        Err(TryLockError::WouldBlock) => {}
        Ok(()) => return Err("two have the same lock at once".to_owned()),
        Err(TryLockError::Error(error)) => return Err(failed("a lock cannot be asked for")(error)),
    }
    lock::release(&first).map_err(failed("it cannot be unlocked"))?;
    let free = second.try_lock();
    free.map_err(|error| format!("a lock that was given back is not free: {error}"))?;
    Ok("one has it, another is refused, and gets it afterwards".to_owned())
}

fn flushing(folder: &Path) -> Seen {
    use std::io::Write as _;
    let mut file = File::create(folder.join("flushed")).map_err(failed("a file cannot be made"))?;
    let begun = Instant::now();
    for _ in 0..FLUSHES {
        file.write_all(&[b'.'; 512])
            .and_then(|()| file.sync_data())
            .map_err(failed("a write cannot be flushed"))?;
    }
    let each = begun.elapsed() / FLUSHES;
    Ok(format!(
        "{:.1} ms for each write that is to last",
        each.as_secs_f64() * 1e3
    ))
}

fn long_paths(folder: &Path) -> Seen {
    let mut path = folder.to_owned();
    while path.as_os_str().len() < LONG {
        path.push("a-folder-with-a-name-of-forty-characters");
    }
    fs::create_dir_all(&path).map_err(failed("folders cannot be made"))?;
    let (file, other) = (path.join("one"), path.join("other"));
    fs::write(&file, "long").map_err(failed("a file cannot be written"))?;
    fs::rename(&file, &other).map_err(failed("a file cannot be renamed"))?;
    let text = fs::read_to_string(&other).map_err(failed("a file cannot be read"))?;
    let length = other.as_os_str().len();
    if text == "long" {
        Ok(format!(
            "a file at {length} characters was written, renamed and read"
        ))
    } else {
        Err(format!("a file at {length} characters holds something else"))
    }
}

/// Somebody comes in by a pipe, is told something, and tells it back.
pub(super) async fn pipe() -> Finding {
    const HELP: &str =
        "other terminals will not reach a run that is carried out (`confirm`, `approve`): send this report";
    judged("named pipe", talk().await, HELP)
}

async fn talk() -> Seen {
    let unique = uuid::Uuid::new_v4().to_string();
    let listener = Listener::bind(&std::env::temp_dir(), &unique).map_err(failed("it cannot be made"))?;
    let visitor = async {
        let mut there = connect(listener.address()).await?;
        let mut word = [0; 4];
        there.read_exact(&mut word).await?;
        there.write_all(&word).await?;
        there.flush().await
    };
    let host = async {
        let mut here = listener.accept().await?;
        here.write_all(b"word").await?;
        here.flush().await?;
        let mut word = [0; 4];
        here.read_exact(&mut word).await?;
        std::io::Result::Ok(word)
    };
    let both = async { tokio::try_join!(visitor, host) };
    let told = tokio::time::timeout(super::child::PATIENCE, both).await;
    let told = told.map_err(|_| "nobody comes in".to_owned())?;
    let ((), word) = told.map_err(failed("it does not carry what is said"))?;
    if &word == b"word" {
        Ok("made for this account alone; a visitor was told something, and told it back".to_owned())
    } else {
        Err("something else came back".to_owned())
    }
}
