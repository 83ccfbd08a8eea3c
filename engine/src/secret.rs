//! Secrets by name, never by value: parameters of type `secret`, and outputs that their steps mark as sensitive. And
//! the mask that takes values out of all that is kept or shown.

use std::fmt;

pub use self::mask::{Mask, MaskedStream, SHORTEST};
use crate::id::{InstanceId, ParamName, StepId};

mod mask;

/// A secret that a runbook's steps can need.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretName {
    /// A parameter.
    Param(ParamName),
    /// An output that the step gives, or each of its instances.
    Output(StepId, String),
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Param(name) => write!(f, "{name}"),
            Self::Output(step, output) => write!(f, "{step}.{output}"),
        }
    }
}

/// One secret of a run: what a person is asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Secret {
    /// A parameter's value.
    Param(ParamName),
    /// What this instance gave.
    Output(InstanceId, String),
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Param(name) => write!(f, "{name}"),
            Self::Output(instance, output) => write!(f, "{instance}.{output}"),
        }
    }
}
