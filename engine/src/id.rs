//! Names and numbers: every identifier is a type of its own, so that two of them cannot be mixed up.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A name that does not follow the rules for its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}: {rule}")]
pub struct InvalidName {
    text: String,
    what: &'static str,
    rule: &'static str,
}

impl InvalidName {
    /// What a valid name of this kind looks like.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        self.rule
    }
}

/// The longest name of any kind, in bytes: names become parts of file names and keys.
pub const LONGEST_NAME: usize = 100;

const KEBAB: &str = "a letter, then letters, digits, `-` or `_`, at most 100 in all";
const DOTTED: &str = "a letter, then letters, digits, `-`, `_` or `.`, at most 100 in all";

fn is_name(text: &str, also: &[char]) -> bool {
    let mut chars = text.chars();
    text.len() <= LONGEST_NAME
        && chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.all(|c| c.is_ascii_alphanumeric() || also.contains(&c))
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:expr, $also:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                if is_name(text, $also) {
                    Ok(Self(text.into()))
                } else {
                    Err(InvalidName { text: text.to_owned(), what: $what, rule: $rule })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name_type!(
    /// The name of a runbook, the first part of the short names of its runs.
    RunbookName, "a runbook's name", KEBAB, &['-', '_']
);
name_type!(
    /// The name of a step within its runbook.
    StepId, "a step's id", KEBAB, &['-', '_']
);
name_type!(
    /// The name of a parameter: an identifier, since expressions say `params.NAME`.
    ParamName, "a parameter's name", "a letter, then letters, digits or `_`, at most 100 in all", &['_']
);
name_type!(
    /// The name of a role that a step asks of its operator.
    RoleName, "a role's name", KEBAB, &['-', '_']
);
name_type!(
    /// The name of a session that steps share.
    SessionName, "a session's name", KEBAB, &['-', '_']
);
name_type!(
    /// The name of a lock that at most one instance holds at a time.
    LockName, "a lock's name", KEBAB, &['-', '_']
);
name_type!(
    /// The name of a kind of step, as `uses:` says it.
    PluginName, "a plugin's name", DOTTED, &['-', '_', '.']
);

/// Which item of a fan-out an instance is for; any text without control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ItemKey(std::sync::Arc<str>);

impl ItemKey {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ItemKey {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if !text.is_empty() && text.len() <= 200 && !text.chars().any(char::is_control) {
            Ok(Self(text.into()))
        } else {
            let rule = "1 to 200 bytes without control characters";
            Err(InvalidName {
                text: text.to_owned(),
                what: "an item's key",
                rule,
            })
        }
    }
}

impl TryFrom<String> for ItemKey {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<ItemKey> for String {
    fn from(key: ItemKey) -> Self {
        key.0.as_ref().to_owned()
    }
}

impl fmt::Display for ItemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A step, or one item of a step that fans out; written `step` or `step[item]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InstanceId {
    step: StepId,
    item: Option<ItemKey>,
}

impl InstanceId {
    /// Whether this id, of an instance or of a whole step, means that instance.
    #[must_use]
    pub fn means(&self, instance: &Self) -> bool {
        self == instance || (self.item().is_none() && self.step() == instance.step())
    }

    /// The instance of `step` for `item`.
    #[must_use]
    pub fn of_item(step: StepId, item: ItemKey) -> Self {
        Self {
            step,
            item: Some(item),
        }
    }

    /// The step that this is an instance of.
    #[must_use]
    pub fn step(&self) -> &StepId {
        &self.step
    }

    /// The item that it is for, where the step fans out.
    #[must_use]
    pub fn item(&self) -> Option<&ItemKey> {
        self.item.as_ref()
    }
}

impl From<StepId> for InstanceId {
    fn from(step: StepId) -> Self {
        Self { step, item: None }
    }
}

impl FromStr for InstanceId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        match text.split_once('[') {
            None => Ok(text.parse::<StepId>()?.into()),
            Some((step, rest)) => {
                let item = rest.strip_suffix(']').ok_or_else(|| InvalidName {
                    text: text.to_owned(),
                    what: "an instance",
                    rule: "a step's id, or `id[item]`",
                })?;
                Ok(Self::of_item(step.parse()?, item.parse()?))
            }
        }
    }
}

impl TryFrom<String> for InstanceId {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<InstanceId> for String {
    fn from(id: InstanceId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.item {
            None => f.pad(self.step.as_str()),
            Some(item) => f.pad(&format!("{}[{item}]", self.step)),
        }
    }
}

/// The identity of a run for ever: a UUID of version 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(Uuid);

impl RunId {
    /// The UUID.
    #[must_use]
    pub fn as_uuid(&self) -> &Uuid {
        &self.0
    }

    /// Takes a UUID that the caller has made.
    #[must_use]
    pub fn new(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The identity as a number, for other systems that number things so.
    #[must_use]
    pub fn as_u128(&self) -> u128 {
        self.0.as_u128()
    }

    /// The last four hexadecimal digits, which are random: the short form that people type.
    #[must_use]
    pub fn short(&self) -> String {
        let text = self.0.simple().to_string();
        text[text.len() - 4..].to_owned()
    }

    /// The name that people know a run of `runbook` by: `<runbook>-<short>`.
    #[must_use]
    pub fn name(&self, runbook: &RunbookName) -> String {
        format!("{runbook}-{}", self.short())
    }
}

impl FromStr for RunId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::try_parse(text).map(Self)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The position of an entry in its journal; the first is 0. 64 bits, since a database's integer holds 63.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The position after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The how-manieth try at an instance; the first is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttemptNo(pub u32);

impl AttemptNo {
    /// The number of the next try.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for AttemptNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// Takes any text; control characters become spaces, so that it stands on one line.
            #[must_use]
            pub fn new(text: &str) -> Self {
                let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
                Self(line.trim().into())
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

text_type!(
    /// The person who acts, as the operating system or `--operator` names them.
    Operator
);
text_type!(
    /// The machine on which something happened.
    Host
);

impl Host {
    /// Whether both names mean the same machine: capitals do not count, nor does a domain that only one of them has.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let (one, other) = (self.as_str(), other.as_str());
        let short = |name: &'_ str| name.split('.').next().map(str::to_ascii_lowercase);
        one.eq_ignore_ascii_case(other)
            || (one.contains('.') != other.contains('.') && short(one) == short(other))
    }
}
