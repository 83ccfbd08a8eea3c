//! Jobs: a process and all that it starts, ended together when nobody holds the job any more.

use std::io;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{ERROR_MORE_DATA, INVALID_HANDLE_VALUE};
use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, TH32CS_SNAPTHREAD, THREADENTRY32, Thread32First, Thread32Next,
};
use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
    JOBOBJECT_BASIC_PROCESS_ID_LIST, JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JobObjectBasicProcessIdList,
    JobObjectExtendedLimitInformation, QueryInformationJobObject, SetInformationJobObject,
    TerminateJobObject,
};
use windows_sys::Win32::System::Threading::{
    CREATE_SUSPENDED, OpenProcess, OpenThread, PROCESS_SET_QUOTA, PROCESS_TERMINATE, ResumeThread,
    THREAD_SUSPEND_RESUME,
};

/// With this, a process is started and does nothing until it is told to [go on](resume).
pub const SUSPENDED: u32 = CREATE_SUSPENDED;

/// A job. When it is dropped, or this process dies, all that is in it ends.
#[derive(Debug)]
pub struct Job(OwnedHandle);

impl Job {
    /// Makes an empty job that has no name, so that nobody else can open it.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn new() -> io::Result<Self> {
        // SAFETY: neither attributes nor a name are given.
        let handle = unsafe { CreateJobObjectW(null(), null()) };
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle was just made, and nobody else has it.
        let job = Self(unsafe { OwnedHandle::from_raw_handle(handle) });
        let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
        let size = u32::try_from(size_of_val(&limits)).unwrap_or_default();
        // SAFETY: the job is open, and the limits have the type and the size that belong to their class.
        let done = unsafe {
            SetInformationJobObject(
                job.0.as_raw_handle(),
                JobObjectExtendedLimitInformation,
                (&raw const limits).cast(),
                size,
            )
        };
        succeeded(done)?;
        Ok(job)
    }

    /// Puts the process of this number into it, which the caller keeps from being another's: its child, say, whose end
    /// was not awaited. What that process starts from now on is in it too.
    ///
    /// # Errors
    /// When the system refuses: the process has ended, say.
    pub fn add(&self, process: u32) -> io::Result<()> {
        // SAFETY: it takes numbers only.
        let handle = unsafe { OpenProcess(PROCESS_SET_QUOTA | PROCESS_TERMINATE, 0, process) };
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle was just opened, and nobody else has it.
        let process = unsafe { OwnedHandle::from_raw_handle(handle) };
        // SAFETY: both are open.
        succeeded(unsafe { AssignProcessToJobObject(self.0.as_raw_handle(), process.as_raw_handle()) })
    }

    /// The numbers of the processes that are in it and have not ended.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn processes(&self) -> io::Result<Vec<u32>> {
        /// What stands before the list: how many there are, and how many are listed.
        const HEAD: usize =
            std::mem::offset_of!(JOBOBJECT_BASIC_PROCESS_ID_LIST, ProcessIdList) / size_of::<usize>();
        let mut room = 64;
        loop {
            // Aligned for numbers of that size, which the list consists of.
            let mut buffer = vec![0_usize; HEAD + room];
            let size = u32::try_from(size_of_val(buffer.as_slice())).unwrap_or_default();
            // SAFETY: the job is open, the buffer has the size that is given, and how much was written is not asked.
            let told = unsafe {
                QueryInformationJobObject(
                    self.0.as_raw_handle(),
                    JobObjectBasicProcessIdList,
                    buffer.as_mut_ptr().cast(),
                    size,
                    null_mut(),
                )
            };
            if told == 0 {
                let error = io::Error::last_os_error();
                if error.raw_os_error() == Some(ERROR_MORE_DATA.cast_signed()) {
                    room *= 2;
                    continue;
                }
                return Err(error);
            }
            // SAFETY: the buffer is aligned for the list's head, is longer than it, and the system has written it.
            let head = unsafe { buffer.as_ptr().cast::<JOBOBJECT_BASIC_PROCESS_ID_LIST>().read() };
            let (all, listed) = (head.NumberOfAssignedProcesses, head.NumberOfProcessIdsInList);
            if listed < all {
                room *= 2;
                continue;
            }
            let listed = usize::try_from(listed).unwrap_or_default();
            let numbers = buffer.iter().skip(HEAD).take(listed);
            return Ok(numbers.filter_map(|&number| u32::try_from(number).ok()).collect());
        }
    }

    /// Ends all that is in it.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn end(&self) -> io::Result<()> {
        /// What the processes seem to have ended with, as after Ctrl-C in many programs.
        const CODE: u32 = 1;
        // SAFETY: the job is open.
        succeeded(unsafe { TerminateJobObject(self.0.as_raw_handle(), CODE) })
    }
}

/// Lets a process that was started [suspended](SUSPENDED) go on.
///
/// # Errors
/// When the system refuses, or there is no such process.
pub fn resume(process: u32) -> io::Result<()> {
    // The standard library closes the handle of the first thread, so that the thread is looked up.
    // SAFETY: it takes two numbers, and the second means nothing here.
    let snapshot = unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0) };
    if snapshot == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle was just opened, and nobody else has it.
    let snapshot = unsafe { OwnedHandle::from_raw_handle(snapshot) };
    let mut thread = THREADENTRY32 {
        dwSize: u32::try_from(size_of::<THREADENTRY32>()).unwrap_or_default(),
        ..THREADENTRY32::default()
    };
    let mut resumed = false;
    // SAFETY: the snapshot is open, and the entry says its size.
    let mut more = unsafe { Thread32First(snapshot.as_raw_handle(), &raw mut thread) };
    while more != 0 {
        if thread.th32OwnerProcessID == process {
            resume_thread(thread.th32ThreadID)?;
            resumed = true;
        }
        // SAFETY: the snapshot is open, and the entry says its size.
        more = unsafe { Thread32Next(snapshot.as_raw_handle(), &raw mut thread) };
    }
    if resumed {
        Ok(())
    } else {
        Err(io::Error::new(
            io::ErrorKind::NotFound,
            "the process has no thread",
        ))
    }
}

fn resume_thread(thread: u32) -> io::Result<()> {
    // SAFETY: it takes numbers only.
    let handle = unsafe { OpenThread(THREAD_SUSPEND_RESUME, 0, thread) };
    if handle.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle was just opened, and nobody else has it.
    let handle = unsafe { OwnedHandle::from_raw_handle(handle) };
    // SAFETY: the thread is open.
    if unsafe { ResumeThread(handle.as_raw_handle()) } == u32::MAX {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn succeeded(answer: i32) -> io::Result<()> {
    if answer == 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
