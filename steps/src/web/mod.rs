//! Requests over HTTP, for every kind of step that sends any: their inputs, sending them within bounds, and reading
//! their answers.
//!
//! - [`request`]: what the inputs of requests have in common, and their check.
//! - [`send`]: one request, tried again where that is right; [`retry`] says where.
//! - [`answer`]: what an answer means: expected or not, satisfied or not, and what is read out of it.
//! - [`phases`]: the `validate`, `run` and `rollback` of a list of requests.
//! - [`marked`]: values within addresses.
//! - [`edge`]: the time, pauses and ids.

pub mod answer;
pub mod edge;
pub mod marked;
pub mod phases;
pub mod request;
pub mod retry;
pub mod send;
