//! What Windows does only by calls that the compiler cannot check, behind functions that it can.
//!
//! It holds nothing but such calls: what is wanted of them, and what their answers mean, is said in the `platform`
//! folder of the engine. Everywhere else, `unsafe` is forbidden. On other systems this library is empty.

#![cfg(windows)]

pub mod account;
pub mod job;
pub mod locale;
pub mod security;
pub mod streams;
mod text;
pub mod volume;
