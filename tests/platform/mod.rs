//! What of the tests differs between operating systems: `unix.rs` and `windows.rs` offer the same, and nothing else of
//! the tests asks which system it is on. What is about one system alone stands in `tests/unix` and `tests/windows`.

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
