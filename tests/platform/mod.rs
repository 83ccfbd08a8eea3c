//! What of the tests differs between operating systems: `unix.rs` and `windows.rs` offer the same, and nothing else of
//! the tests asks which system it is on, but the list of modules in `main.rs`.

#[cfg(windows)]
mod console;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use self::unix::*;
#[cfg(windows)]
pub(crate) use self::windows::*;
