//! The schema of `approve`: who must approve a step, and for how long that holds.

use schemars::JsonSchema;

use super::Duration;

/// Who must approve a step: a role, or a map.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the schema is made from the type; no value is")]
pub(super) enum ApproveFile {
    By(String),
    Full(ApproveMap),
}

/// Who must approve a step, and for how long that holds.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "the schema is made from the type; no value is")]
pub(super) struct ApproveMap {
    /// What they must be; without it, anybody may approve.
    by: Option<String>,
    /// How many must approve; 1 if it is not said.
    #[schemars(range(min = 1, max = 20))]
    min: Option<u32>,
    /// Whose approval does not count; both, if it is not said.
    not: Option<Parties>,
    /// How long after it was asked for an approval holds.
    expires: Option<Duration>,
    /// What happens if not enough people approve in that time; `ask`, if it is not said.
    on_expiry: Option<OnExpiryFile>,
}

/// One or several of those who have a part in the run.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the schema is made from the type; no value is")]
pub(super) enum Parties {
    One(PartyFile),
    Many(Vec<PartyFile>),
}

/// Who started the run, or who carries it out.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "the schema is made from the type; no value is")]
pub(super) enum PartyFile {
    Starter,
    Executor,
}

/// What happens if not enough people approve in time.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "the schema is made from the type; no value is")]
pub(super) enum OnExpiryFile {
    Ask,
    Fail,
}
