//! Who may act on a run, and by which key that is proven: what a team says of itself in `operators.yaml`.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;

pub use self::authors::{Authored, Impostor, impostors};
use crate::id::{Operator, RoleName};
use crate::identity::PublicKey;

mod authors;

/// The name of the file, beside the runbook, and in the journal of a run.
pub const OPERATORS_FILE: &str = "operators.yaml";

/// One line of the file: what somebody may do, from when until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The person.
    pub name: Operator,
    /// What they are.
    pub roles: BTreeSet<RoleName>,
    /// What proves that an entry is theirs; without one, nothing does.
    pub key: Option<PublicKey>,
    /// From when on this holds.
    pub from: Option<Timestamp>,
    /// Until when, without that moment.
    pub until: Option<Timestamp>,
}

impl Member {
    fn holds_at(&self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= time) && self.until.is_none_or(|until| time < until)
    }
}

/// The people of a team. One may have several lines: a new key after an old one, a role for some days.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Operators {
    members: Vec<Member>,
    /// Nothing is touched: everyone has every role, and also those may play whom the file does not name.
    rehearsal: bool,
}

/// What is known of somebody who says that they are a certain person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// They have that person's key.
    Proven,
    /// They say so; nothing proves it.
    Claimed,
}

/// Why somebody does not pass for the person that they say they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stranger {
    /// The file does not name that person.
    Unknown,
    /// It does, but not for this time: until then, or from then on.
    OutOfTime {
        /// When the last of it ended, if it has.
        ended: Option<Timestamp>,
        /// When the next of it begins, if it has not.
        begins: Option<Timestamp>,
    },
    /// That person has a key, and it was not used.
    Unsigned,
    /// Another key was used: that of the other person, if the file names one.
    OtherKey(Option<Operator>),
}

impl Operators {
    /// The people of these lines.
    #[must_use]
    pub fn new(members: Vec<Member>) -> Self {
        Self {
            members,
            rehearsal: false,
        }
    }

    /// The same people in a rehearsal.
    #[must_use]
    pub fn rehearsed(&self) -> Self {
        Self {
            rehearsal: true,
            ..self.clone()
        }
    }

    /// Whether this is for a rehearsal.
    #[must_use]
    pub fn is_rehearsal(&self) -> bool {
        self.rehearsal
    }

    /// The lines, in the file's order.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    fn lines_of<'a>(&'a self, name: &'a Operator) -> impl Iterator<Item = &'a Member> {
        self.members.iter().filter(move |member| member.name == *name)
    }

    /// Whether somebody passes for a person: by that person's key, or, where that person has none, by their word.
    ///
    /// # Errors
    /// Why they do not.
    pub fn standing(
        &self,
        name: &Operator,
        key: Option<&PublicKey>,
        time: Timestamp,
    ) -> Result<Standing, Stranger> {
        let now: Vec<&Member> = self
            .lines_of(name)
            .filter(|member| member.holds_at(time))
            .collect();
        if now.is_empty() {
            return match self.out_of_time(name, time) {
                _ if self.rehearsal => Ok(Standing::Claimed),
                stranger => Err(stranger),
            };
        }
        let mut keys = now.iter().filter_map(|member| member.key.as_ref()).peekable();
        match key {
            _ if keys.peek().is_none() => match key.and_then(|key| self.owner(key, time)) {
                // Whoever has a key of their own has not signed as somebody else by mistake.
                Some(other) if other != name => Err(Stranger::OtherKey(Some(other.clone()))),
                _ => Ok(Standing::Claimed),
            },
            None => Err(Stranger::Unsigned),
            Some(key) if keys.any(|theirs| theirs == key) => Ok(Standing::Proven),
            Some(key) => Err(Stranger::OtherKey(self.owner(key, time).cloned())),
        }
    }

    fn out_of_time(&self, name: &Operator, time: Timestamp) -> Stranger {
        if self.lines_of(name).next().is_none() {
            return Stranger::Unknown;
        }
        let ended = self.lines_of(name).filter_map(|member| member.until);
        let begins = self.lines_of(name).filter_map(|member| member.from);
        Stranger::OutOfTime {
            ended: ended.filter(|until| *until <= time).max(),
            begins: begins.filter(|from| *from > time).min(),
        }
    }

    /// The key that a person has at a time: the first that the file gives them.
    #[must_use]
    pub fn key_of(&self, name: &Operator, time: Timestamp) -> Option<PublicKey> {
        let mut now = self.lines_of(name).filter(|member| member.holds_at(time));
        now.find_map(|member| member.key)
    }

    /// Whose key this is: best somebody's whose it is at that time.
    fn owner(&self, key: &PublicKey, time: Timestamp) -> Option<&Operator> {
        let owners = || {
            self.members
                .iter()
                .filter(|member| member.key.as_ref() == Some(key))
        };
        let now = owners().find(|member| member.holds_at(time));
        now.or_else(|| owners().next()).map(|member| &member.name)
    }

    /// Whether a person has a role at a time.
    #[must_use]
    pub fn has(&self, name: &Operator, role: &RoleName, time: Timestamp) -> bool {
        let mut lines = self.lines_of(name);
        self.rehearsal || lines.any(|member| member.holds_at(time) && member.roles.contains(role))
    }

    /// Who has a role at a time, in the file's order.
    #[must_use]
    pub fn who_has(&self, role: &RoleName, time: Timestamp) -> Vec<Operator> {
        let lines = self.members.iter().filter(|member| member.holds_at(time));
        names(lines.filter(|member| member.roles.contains(role)))
    }

    /// Who may take part at a time, in the file's order.
    #[must_use]
    pub fn who_is_there(&self, time: Timestamp) -> Vec<Operator> {
        names(self.members.iter().filter(|member| member.holds_at(time)))
    }
}

/// The people of these lines, each once.
fn names<'a>(lines: impl Iterator<Item = &'a Member>) -> Vec<Operator> {
    let mut names: Vec<Operator> = Vec::new();
    for member in lines {
        if !names.contains(&member.name) {
            names.push(member.name.clone());
        }
    }
    names
}

impl Stranger {
    /// Why, as a sentence about the person of that name.
    #[must_use]
    pub fn says(&self, name: &Operator) -> String {
        match self {
            Self::Unknown => format!("`{name}` is not among the operators"),
            Self::OutOfTime {
                ended: Some(ended),
                begins: None,
            } => format!("`{name}` was an operator until {ended}"),
            Self::OutOfTime {
                begins: Some(begins), ..
            } => format!("`{name}` is an operator from {begins} on"),
            Self::OutOfTime { .. } => format!("`{name}` is no operator at this time"),
            Self::Unsigned => format!("`{name}` signs with a key, and this is not signed"),
            Self::OtherKey(None) => format!("this is signed with a key that is not one of `{name}`"),
            Self::OtherKey(Some(other)) => {
                format!("this is signed with the key of `{other}`, and says that it is of `{name}`")
            }
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Proven => "proven",
            Self::Claimed => "claimed",
        })
    }
}
