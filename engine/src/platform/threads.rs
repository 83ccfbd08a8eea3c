//! Threads of others, started so that they do not keep the one that starts them from its work.

pub(crate) use self::os::starting_threads;

#[cfg(target_os = "linux")]
mod os {
    use nix::errno::Errno;
    use nix::sched::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
    use nix::unistd::Pid;

    const THIS_THREAD: Pid = Pid::from_raw(0);

    /// Calls `work`, which starts threads that spin until it has started them all. On the processor that it is kept
    /// to meanwhile, they come after it; on others they would take the processors from it for milliseconds.
    pub(crate) fn starting_threads<T>(work: impl FnOnce() -> T) -> T {
        let Ok(all) = sched_getaffinity(THIS_THREAD) else {
            return work();
        };
        if keep_to_one().is_err() {
            return work();
        }
        let done = work();
        // Those that were started inherited it. A thread that has ended meanwhile needs nothing.
        for thread in threads() {
            let _gone = sched_setaffinity(thread, &all);
        }
        done
    }

    fn keep_to_one() -> Result<(), Errno> {
        let mut one = CpuSet::new();
        one.set(sched_getcpu()?)?;
        sched_setaffinity(THIS_THREAD, &one)
    }

    /// The threads of this process; at least this one.
    fn threads() -> Vec<Pid> {
        let mut threads = vec![THIS_THREAD];
        for thread in std::fs::read_dir("/proc/self/task")
            .into_iter()
            .flatten()
            .flatten()
        {
            let number = thread.file_name().to_str().and_then(|name| name.parse().ok());
            threads.extend(number.map(Pid::from_raw));
        }
        threads
    }
}

#[cfg(not(target_os = "linux"))]
mod os {
    /// Calls `work`, which starts threads.
    pub(crate) fn starting_threads<T>(work: impl FnOnce() -> T) -> T {
        work()
    }
}
