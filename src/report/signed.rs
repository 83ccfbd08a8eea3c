//! Who signed what, as the check of the journal found it.

use std::collections::BTreeMap;

use runbook_engine::core::event::Entry;
use runbook_engine::core::operators::Operators;
use runbook_engine::id::Seq;
use runbook_engine::identity::PublicKey;
use runbook_engine::runtime::Story;
use serde::Serialize;

use super::Found;
use crate::render::authors::{Authorship, authorship};

/// The keys whose signatures below the entries are right, and the team that they are held against.
pub(super) struct Signatures<'a> {
    keys: BTreeMap<Seq, Option<PublicKey>>,
    /// None where nobody is named.
    team: Option<&'a Operators>,
}

/// What somebody signed of what they wrote.
#[derive(Debug, Default, Serialize)]
pub(super) struct Signed {
    /// How many entries, with a signature that is right.
    entries: u64,
    /// With which keys.
    keys: Vec<PublicKey>,
    /// Of how many entries it is proven that they are theirs; none where the team proves nothing.
    proven: Option<u64>,
    /// How many entries are not theirs, though they bear their name.
    not_theirs: u64,
}

impl<'a> Signatures<'a> {
    pub(super) fn of(story: &'a Story, found: &Found) -> Self {
        let authors = found.verification.authors.iter();
        Self {
            keys: authors.map(|author| (author.seq, author.key)).collect(),
            team: story.state.workflow().operators(),
        }
    }

    /// What is known of whoever wrote an entry; none where the team proves nothing.
    pub(super) fn author(&self, entry: &Entry) -> Option<Authorship> {
        authorship(self.team, entry, self.key(entry))
    }

    /// The key whose signature below an entry is right.
    fn key(&self, entry: &Entry) -> Option<PublicKey> {
        self.keys.get(&entry.seq).copied().flatten()
    }

    /// Counts an entry of somebody's.
    pub(super) fn count(&self, entry: &Entry, signed: &mut Signed) {
        if let Some(key) = self.key(entry) {
            signed.entries += 1;
            if !signed.keys.contains(&key) {
                signed.keys.push(key);
            }
        }
        let author = self.author(entry);
        if let Some(author) = author {
            *signed.proven.get_or_insert(0) += u64::from(author == Authorship::Proven);
            signed.not_theirs += u64::from(author == Authorship::False);
        }
    }
}

impl Signed {
    /// That in words, of somebody who wrote so many entries; nothing where nobody signs.
    pub(super) fn words(&self, written: u64) -> Option<String> {
        if self.entries == 0 && self.proven.is_none() {
            return None;
        }
        let many = |count: u64| match count {
            0 => "none".to_owned(),
            all if all == written => "all".to_owned(),
            some => some.to_string(),
        };
        let keys: Vec<String> = self.keys.iter().map(ToString::to_string).collect();
        let with = if keys.is_empty() {
            String::new()
        } else {
            format!(" with {}", keys.join(" and "))
        };
        let proven = self.proven.map_or_else(
            || ", by a key that operators.yaml does not name".to_owned(),
            |proven| format!(", {} proven to be theirs", many(proven)),
        );
        let others = match self.not_theirs {
            0 => String::new(),
            some => format!(", {} NOT theirs", many(some)),
        };
        Some(format!("{} signed{with}{proven}{others}", many(self.entries)))
    }
}
