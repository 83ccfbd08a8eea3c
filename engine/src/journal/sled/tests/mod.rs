//! What holds of the embedded store beyond what holds of every store.

#![expect(
    clippy::disallowed_methods,
    reason = "tests look at files and start processes"
)]
