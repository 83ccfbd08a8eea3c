//! What a change of a collection has lost though nobody asked for that, and how it is put back.

use runbook_engine::step::{Context, Failure, FailureKind, Purpose};
use serde_json::Value;

use super::inputs::Merge;
use super::merge::{self, Form};
use crate::child::note;

/// How often what a change has lost is put back in each form in which it can be sent.
const TIMES_BACK: u32 = 1;

/// What was lost without anybody's asking for it, and is put back.
#[derive(Default)]
pub(super) struct Back {
    pub(super) items: Vec<Value>,
    /// How often something was lost by a change of this attempt.
    times: u32,
}

impl Back {
    /// What attempts before this one have lost, unless this one has taken that up already.
    pub(super) fn before(&mut self, merge: &Merge, gone: Vec<Value>, cx: &Context) -> Result<(), Failure> {
        if self.times == 0 && self.owes(merge, gone)? {
            let gone = merge::named(merge, &self.items);
            let then = match cx.purpose {
                Purpose::Rollback => "when the rollback began",
                _ => "before the first attempt",
            };
            let words = format!("{gone} was there {then}, and is gone: it is put back");
            tell(cx, &words);
        }
        Ok(())
    }

    /// Takes note of what is to be put back; says whether that is anything. Nothing is written where it cannot be.
    fn owes(&mut self, merge: &Merge, gone: Vec<Value>) -> Result<bool, Failure> {
        self.items = gone;
        if self.items.iter().all(|item| merge::is_known(merge, item)) {
            return Ok(!self.items.is_empty());
        }
        let why = "the content of a key that was never shown cannot be sent again";
        Err(not_put_back(merge, &self.items, why))
    }

    /// A change was taken, and these are gone: they are put back. Gives the form in which keys are sent then.
    pub(super) fn after(
        &mut self,
        merge: &Merge,
        gone: Vec<Value>,
        form: Form,
        cx: &Context,
    ) -> Result<Form, Failure> {
        self.times += 1;
        let forms = if merge::has_forms(merge) { 2 } else { 1 };
        if self.times > TIMES_BACK * forms {
            return Err(not_put_back(
                merge,
                &gone,
                "Graph takes them, and drops them again",
            ));
        }
        let words = format!(
            "Graph took the change of `{}`, and {} is gone, which nobody asked for: it is put back",
            merge.property,
            merge::named(merge, &gone)
        );
        tell(cx, &words);
        self.owes(merge, gone)?;
        // It may be how they were sent that lost them.
        Ok(match form {
            Form::Whole if self.times > TIMES_BACK => Form::Content,
            form => form,
        })
    }
}

/// Says something to whoever is there, and keeps it.
fn tell(cx: &Context, words: &str) {
    cx.transcript.show(words);
    note(cx, words);
}

/// Another attempt would find a shorter list and take it for what is right: a person must look first.
pub(super) fn not_put_back(merge: &Merge, gone: &[Value], why: &str) -> Failure {
    let message = format!(
        "Graph took a change of `{}`, and this is gone since, which nobody asked for: {}. It could not be put back: {why}. Put it back \
         by hand: what was there before stands in `runbook report RUN --format json`, under `collections`; then `runbook decide` \
         (RB0325)",
        merge.property,
        merge::named(merge, gone)
    );
    Failure::new(FailureKind::Final, message)
}
