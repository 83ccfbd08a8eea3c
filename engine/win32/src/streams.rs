//! Standard streams that are consoles, and the code pages by which text without Unicode is read.

use std::io;
use std::os::windows::io::{AsRawHandle, RawHandle};

use windows_sys::Win32::Globalization::{GetACP, GetOEMCP};
use windows_sys::Win32::System::Console::{
    CTRL_BREAK_EVENT, ENABLE_VIRTUAL_TERMINAL_PROCESSING, GenerateConsoleCtrlEvent, GetConsoleCP,
    GetConsoleMode, GetConsoleOutputCP, SetConsoleMode,
};

/// The code pages of this process: of its own texts, of texts of old, and of what its console reads and shows. The last
/// two are 0 where there is no console.
#[must_use]
pub fn code_pages() -> [u32; 4] {
    // SAFETY: none of them takes anything.
    let (own, old) = (unsafe { GetACP() }, unsafe { GetOEMCP() });
    // SAFETY: neither takes anything.
    let (reads, shows) = (unsafe { GetConsoleCP() }, unsafe { GetConsoleOutputCP() });
    [own, old, reads, shows]
}

/// The mode of the console that a stream is.
///
/// # Errors
/// When it is none.
pub fn mode(stream: &impl AsRawHandle) -> io::Result<u32> {
    let mut mode = 0;
    // SAFETY: the stream is open, and the place for the answer is ours.
    let told = unsafe { GetConsoleMode(stream.as_raw_handle(), &raw mut mode) };
    succeeded(told).map(|()| mode)
}

/// Whether the console that a stream shows its text on heeds sequences for terminals; it is left as it was.
///
/// # Errors
/// When the stream is none, or it cannot be put back.
pub fn heeds_sequences(stream: &impl AsRawHandle) -> io::Result<bool> {
    let before = mode(stream)?;
    let stream = stream.as_raw_handle();
    let heeds = set(stream, before | ENABLE_VIRTUAL_TERMINAL_PROCESSING).is_ok();
    set(stream, before)?;
    Ok(heeds)
}

/// Has the console that a stream shows its text on heed sequences for terminals from now on.
///
/// # Errors
/// When the stream is none, or its console does not know them: before Windows 10 and Server 2016.
pub fn heed_sequences(stream: &impl AsRawHandle) -> io::Result<()> {
    let before = mode(stream)?;
    set(
        stream.as_raw_handle(),
        before | ENABLE_VIRTUAL_TERMINAL_PROCESSING,
    )
}

/// Tells all programs at the console of this process, itself too, that Ctrl-Break was pressed.
///
/// # Errors
/// When it has no console.
pub fn press_break() -> io::Result<()> {
    // SAFETY: it takes two numbers.
    succeeded(unsafe { GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, 0) })
}

fn set(stream: RawHandle, mode: u32) -> io::Result<()> {
    // SAFETY: the stream is open, says the caller who has it.
    succeeded(unsafe { SetConsoleMode(stream, mode) })
}

fn succeeded(answer: i32) -> io::Result<()> {
    if answer == 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
