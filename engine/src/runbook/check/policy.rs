//! The check of the keys that say how a step is carried out and rehearsed.

use serde_json::Value;

use super::Checker;
use super::fields::{Field, Fields};
use crate::core::Retry;
use crate::diagnostic::Code;
use crate::runbook::model::{Rehearse, RehearsedDoubt};

/// The keys of `retry:`.
pub(super) const RETRY_KEYS: &[&str] = &["attempts", "delay", "backoff", "max_delay", "deadline"];
/// The keys of `rehearse:`.
pub(super) const REHEARSE_KEYS: &[&str] = &["satisfied", "observed", "outputs", "takes", "interrupted"];

/// The most attempts at one instance.
const MOST_ATTEMPTS: u64 = 1_000;
/// The fastest growth of the wait between attempts.
const GREATEST_BACKOFF: f64 = 100.0;

impl Checker<'_> {
    /// `retry: 3`, or a map.
    pub(super) fn retry(&mut self, field: Option<Field<'_>>) -> Retry {
        let mut retry = Retry::default();
        let Some(field) = field else {
            return retry;
        };
        if field.node.value().is_number() {
            retry.attempts = self.attempts(field).unwrap_or(retry.attempts);
            return retry;
        }
        if !field.node.value().is_object() {
            self.report.wrong_type(field, "a number of attempts or a map");
            return retry;
        }
        let Some(fields) = Fields::read(field, RETRY_KEYS, self.report) else {
            return retry;
        };
        let attempts = fields.required(
            "attempts",
            "say how often it is tried in all: `attempts: 3`",
            self.report,
        );
        retry.attempts = attempts
            .and_then(|field| self.attempts(field))
            .unwrap_or(retry.attempts);
        retry.delay = fields.duration("delay", self.report).unwrap_or(retry.delay);
        retry.max_delay = fields
            .duration("max_delay", self.report)
            .unwrap_or(retry.max_delay.max(retry.delay));
        retry.deadline = fields.duration("deadline", self.report);
        if let Some(backoff) = fields.number("backoff", self.report) {
            retry.backoff = backoff;
            if !(1.0..=GREATEST_BACKOFF).contains(&backoff) {
                self.out_of_range(
                    fields.get("backoff"),
                    &format!("between 1 and {GREATEST_BACKOFF}"),
                );
            }
        }
        if retry.max_delay < retry.delay {
            self.out_of_range(fields.get("max_delay"), "at least as long as `delay`");
        }
        retry
    }

    fn attempts(&mut self, field: Field<'_>) -> Option<u32> {
        let number = field.node.value();
        if !number.is_number() {
            self.report.wrong_type(field, "a number of attempts");
            return None;
        }
        let attempts = number
            .as_u64()
            .filter(|attempts| (1..=MOST_ATTEMPTS).contains(attempts));
        if attempts.is_none() {
            self.out_of_range(Some(field), &format!("a whole number from 1 to {MOST_ATTEMPTS}"));
        }
        attempts.and_then(|attempts| u32::try_from(attempts).ok())
    }

    pub(super) fn out_of_range(&mut self, field: Option<Field<'_>>, expected: &str) {
        if let Some(Field { key, node }) = field {
            let message = format!("`{}` must be {expected}, not `{}`", key.name, node.raw());
            let problem = self.report.error(Code::InvalidValue, node.span(), message);
            self.report.push(problem);
        }
    }

    /// How a step answers in a rehearsal.
    pub(super) fn rehearse(&mut self, field: Option<Field<'_>>) -> Rehearse {
        let Some(fields) = field.and_then(|field| Fields::read(field, REHEARSE_KEYS, self.report)) else {
            return Rehearse::default();
        };
        let doubts = [
            ("satisfied", RehearsedDoubt::Satisfied),
            ("unsatisfied", RehearsedDoubt::Unsatisfied),
            ("unknown", RehearsedDoubt::Unknown),
        ];
        let outputs = match fields.get("outputs").map(|field| (field, field.node.value())) {
            None => None,
            Some((_, Value::Object(outputs))) => Some(outputs.clone()),
            Some((field, _)) => {
                self.report.wrong_type(field, "a map from names to values");
                None
            }
        };
        Rehearse {
            satisfied: fields.flag("satisfied", self.report).unwrap_or_default(),
            observed: fields
                .get("observed")
                .map(|field| field.node.value().clone())
                .unwrap_or_default(),
            outputs: outputs.unwrap_or_default(),
            takes: fields.duration("takes", self.report),
            interrupted: fields.choice("interrupted", &doubts, self.report),
        }
    }
}
