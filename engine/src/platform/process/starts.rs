//! Threads that start programs. The system lets the thread that asks wait until the program was loaded: so several
//! are loaded at once, and the loop is not kept from its work.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio_util::task::AbortOnDropHandle;

use super::{GRACE, Group, Launch, Pipes};

/// The most threads that start programs; more than processors gain nothing.
const MOST: usize = 8;

/// The threads, once there was something to start. They are not those on which scripts wait for programs: each of
/// these could be such a script's, and none left to start what it waits for.
static THREADS: Mutex<Option<Runtime>> = Mutex::new(None);

/// How many programs are being started, or were and have not ended.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

/// A program is under way, until this is dropped.
#[derive(Debug)]
pub(super) struct UnderWay {
    alone: bool,
}

impl UnderWay {
    fn begin() -> Self {
        let alone = UNDER_WAY.fetch_add(1, Ordering::Relaxed) == 0;
        Self { alone }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Starts a program while others go on. When nobody waits for it any more, it is not started, or ended.
///
/// One that is alone holds no other up, and is started at once: handing it to another thread takes longer.
pub(super) async fn start(launch: Launch) -> io::Result<(Group, Pipes)> {
    let under_way = UnderWay::begin();
    if under_way.alone {
        return Group::started(&launch, under_way);
    }
    let handle = Handle::current();
    let started = threads()?.spawn_blocking(move || {
        // Its streams and its end are watched by the runtime that asked.
        let _within = handle.enter();
        Group::started(&launch, under_way)
    });
    AbortOnDropHandle::new(started).await.map_err(io::Error::other)?
}

fn threads() -> io::Result<Handle> {
    let mut threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(threads) = threads.as_ref() {
        return Ok(threads.handle().clone());
    }
    let count = available_parallelism().map_or(1, usize::from).clamp(2, MOST);
    let new = Builder::new_current_thread()
        .max_blocking_threads(count)
        .thread_name("starts")
        .build()?;
    Ok(threads.insert(new).handle().clone())
}

/// Waits until nothing is being started: what nobody waits for any more was ended then.
pub fn settle() {
    let threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(threads) = threads {
        threads.shutdown_timeout(GRACE);
    }
}
