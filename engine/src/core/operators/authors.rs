//! Holds what a journal says of its authors against the people of a team.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Operators, Standing, Stranger};
use crate::id::{Operator, Seq};
use crate::identity::PublicKey;

/// Who an entry says wrote it, and the key whose signature below it is right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authored {
    /// The entry.
    pub seq: Seq,
    /// When it says that it was written.
    pub time: Timestamp,
    /// Who it names.
    pub operator: Operator,
    /// The key that signed it; none if it is not signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PublicKey>,
}

/// An entry whose author is not the person that it names, as far as can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impostor {
    /// The entry.
    pub seq: Seq,
    /// Who it names.
    pub operator: Operator,
    /// Why not.
    pub why: Stranger,
}

/// The entries that do not come from whom they name; and of how many of the others that is proven.
#[must_use]
pub fn impostors(operators: &Operators, authored: &[Authored]) -> (Vec<Impostor>, u64) {
    let (mut found, mut proven) = (Vec::new(), 0);
    for Authored {
        seq,
        time,
        operator,
        key,
    } in authored
    {
        match operators.standing(operator, key.as_ref(), *time) {
            Ok(Standing::Proven) => proven += 1,
            Ok(Standing::Claimed) => {}
            Err(why) => found.push(Impostor {
                seq: *seq,
                operator: operator.clone(),
                why,
            }),
        }
    }
    (found, proven)
}
