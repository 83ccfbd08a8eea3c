//! The door of a run: a process that holds it lets others look and act, from another terminal.
//!
//! The holder [opens](Door::open) a door, a socket that only its owner can reach, and writes where it is beside
//! the run. Others knock: they read through [`Doors`], a journal that asks the holder where it cannot read for
//! itself, and act through a [`Visit`]. What they do goes through the loop as everything does, under their own
//! names; they are answered when it is durable.
//!
//! Somebody who has a key signs what they do. The holder has no part of that key: it works out what it would write,
//! and the visitor, who works the same out for itself, signs that and nothing else.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

pub use self::countersign::NotSigned;
pub use self::host::{Asked, Door};
pub use self::journal::Doors;
pub use self::visit::{Access, Seat, Visit};

mod countersign;
mod guest;
mod host;
mod journal;
mod message;
mod recorded;
mod visit;

#[cfg(test)]
mod tests;

/// The file beside a run that says where its door is.
const SIGN: &str = "door";

/// The longest address of a door, in bytes.
const LONGEST_ADDRESS: u64 = 1024;

/// Where the door is that a run's folder names. That somebody is behind it is not said.
#[expect(
    clippy::disallowed_methods,
    reason = "the address of a door is a fact of this machine"
)]
fn address(folder: &Path) -> io::Result<String> {
    let mut text = String::new();
    fs::File::open(folder.join(SIGN))?
        .take(LONGEST_ADDRESS)
        .read_to_string(&mut text)?;
    Ok(text)
}
