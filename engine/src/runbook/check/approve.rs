//! The check of `approve:`: who must look at a step before it is carried out.

use std::collections::BTreeSet;

use super::fields::{Field, Fields};
use super::{Checker, Declared};
use crate::core::{ApprovalRule, OnExpiry, Party};
use crate::diagnostic::Code;

/// The keys of `approve:`.
pub(super) const APPROVE_KEYS: &[&str] = &["by", "min", "not", "expires", "on_expiry"];

/// The most people that one step may ask.
const MOST_APPROVERS: u64 = 20;

impl Checker<'_> {
    /// `approve: ROLE`, or a map.
    pub(super) fn approve(&mut self, field: Field<'_>, declared: &Declared<'_>) -> Option<ApprovalRule> {
        let others = || BTreeSet::from([Party::Starter, Party::Executor]);
        if field.node.value().is_string() {
            return Some(ApprovalRule {
                by: Some(self.role(field, declared)?),
                min: 1,
                not: others(),
                expires: None,
                on_expiry: OnExpiry::default(),
            });
        }
        if !field.node.value().is_object() {
            self.report.wrong_type(field, "a role or a map");
            return None;
        }
        let fields = Fields::read(field, APPROVE_KEYS, self.report)?;
        let not = fields.get("not").map(|_| self.parties(&fields));
        let expires = fields.duration("expires", self.report);
        if expires.is_some_and(|expires| expires.is_zero()) {
            self.out_of_range(fields.get("expires"), "longer than nothing");
        }
        let endings = [("ask", OnExpiry::Ask), ("fail", OnExpiry::Fail)];
        let on_expiry = fields.choice("on_expiry", &endings, self.report);
        if let Some(field) = fields.get("on_expiry").filter(|_| expires.is_none()) {
            let message = "`on_expiry` says what happens after `expires`, which is missing";
            let problem = self.report.error(Code::MissingKey, field.key.span, message);
            self.report
                .push(problem.help("say how long the approval holds: `expires: 3d`"));
        }
        Some(ApprovalRule {
            by: match fields.get("by") {
                Some(role) => Some(self.role(role, declared)?),
                None => None,
            },
            min: fields.get("min").map_or(Some(1), |min| self.approvers(min))?,
            not: not.unwrap_or_else(others),
            expires,
            on_expiry: on_expiry.unwrap_or_default(),
        })
    }

    fn approvers(&mut self, field: Field<'_>) -> Option<u32> {
        let number = field.node.value().as_u64();
        let number = number.filter(|number| (1..=MOST_APPROVERS).contains(number));
        if number.is_none() {
            self.out_of_range(Some(field), &format!("a whole number from 1 to {MOST_APPROVERS}"));
        }
        number.and_then(|number| u32::try_from(number).ok())
    }

    /// Whose approval does not count.
    fn parties(&mut self, fields: &Fields<'_>) -> BTreeSet<Party> {
        let mut parties = BTreeSet::new();
        for named in fields.names("not", self.report) {
            match named.name {
                "starter" => drop(parties.insert(Party::Starter)),
                "executor" => drop(parties.insert(Party::Executor)),
                other => {
                    let message = format!("`not` cannot be `{other}`");
                    let problem = self.report.error(Code::InvalidValue, named.span, message);
                    let problem = problem.did_you_mean(other, ["starter", "executor"]);
                    self.report.push(problem.help(
                        "it is a list of `starter` (who started the run) and `executor` (who carries it out)",
                    ));
                }
            }
        }
        parties
    }
}
