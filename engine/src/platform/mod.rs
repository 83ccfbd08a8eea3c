//! What differs between operating systems, and nowhere else.
//!
//! The modules here are portable; what they need of the system is in `unix.rs` and `windows.rs`, which offer
//! the same functions under the name `os`.

pub mod account;
pub(crate) mod database;
pub mod disk;
pub(crate) mod files;
pub mod keystore;
#[cfg(windows)]
mod launch;
pub mod limit;
pub mod local;
pub mod lock;
pub mod printed;
pub mod private;
pub mod process;
#[cfg(any(windows, test))]
mod program;
pub mod stop;
pub mod streams;
pub mod terminal;
pub(crate) mod threads;
pub mod uptime;
pub mod version;
pub mod volatile;

#[cfg(unix)]
#[path = "unix.rs"]
mod os;
#[cfg(windows)]
#[path = "windows.rs"]
mod os;
#[cfg(unix)]
mod session;
