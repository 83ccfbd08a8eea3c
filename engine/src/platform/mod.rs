//! What differs between operating systems, and nowhere else.

pub mod private;
