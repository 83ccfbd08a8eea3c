//! What to do: from YAML to a checked runbook.
//!
//! [`load`] reads the text, checks it and gives a [`Runbook`] in which nothing is left to go wrong but the world: every name exists, every type fits, every expression compiles, the steps have an
//! order. Whatever is wrong is told at once, each mistake at its place.

pub use self::difference::{amendment, differences};
pub use self::load::{Loaded, load, load_with};
pub use self::model::{Rehearse, RehearsedDoubt, Runbook, Session, Step};
pub use self::operators::{operators_schema, read_operators};
pub use self::overlay::fingerprint;
pub use self::param::{
    Given, Param, ParamError, ParamKind, Pattern, Place, Resolved, is_absolute, read_values, resolve_params,
};
pub use self::schema::{overlay_schema, schema};
pub use self::secrets::DeclaredSecrets;

pub mod cases;
mod check;
mod difference;
pub mod duration;
pub mod expr;
pub mod graph;
mod load;
mod model;
mod operators;
mod overlay;
mod param;
mod schema;
mod secrets;
mod yaml;

#[cfg(test)]
mod tests;
