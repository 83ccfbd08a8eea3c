//! What exactly would be carried out, for those who approve it: put together anew each time, and known by its hash.

use serde_json::{Map, Value, json};

use super::run::Run;
use crate::core::InstanceIx;
use crate::core::event::{Failure, FailureKind, Proposal};
use crate::id::InstanceId;
use crate::journal::Digest;
use crate::runbook::Step;
use crate::runbook::expr::Put;

impl Run {
    /// What would be carried out for an instance. Secrets are not in it.
    pub(super) fn describe(&self, id: &InstanceId) -> Result<Proposal, Failure> {
        let missing = || Failure::new(FailureKind::Fault, format!("the run has no instance `{id}`"));
        let ix = self.state.find(id).ok_or_else(missing)?;
        let step = self.runbook.step(id.step()).ok_or_else(missing)?;
        let inputs = self.inputs(id, Put::Plain).map_err(|failure| {
            let message = format!(
                "what is to be approved could not be worked out: {}",
                failure.message
            );
            self.known.mask().failure(&Failure { message, ..failure })
        })?;
        let what = json!({
            "step": id,
            "title": step.title,
            "host": self.place(ix),
            "uses": step.uses,
            "with": inputs,
            "item": self.state.instance(ix).item,
            "session": self.session_of(step),
            "files": digest(&json!(self.state.files())),
            "reads": digest(&self.reads(ix)),
        });
        let what = self.known.mask().value(&without_nulls(what));
        Ok(Proposal {
            subject: digest(&what),
            what,
        })
    }

    /// Where it would be carried out: workers may be on any machine, unless the step says.
    fn place(&self, ix: InstanceIx) -> Value {
        match self.state.place_of(ix) {
            Some(host) => json!(host),
            None if self.member.is_some() => json!("any"),
            None => json!(self.engine.author.host),
        }
    }

    fn session_of(&self, step: &Step) -> Value {
        let session = step
            .session
            .as_ref()
            .and_then(|name| self.runbook.sessions().get(name));
        session.map_or(
            Value::Null,
            |session| json!({ "name": session.name, "uses": session.uses, "with": session.with }),
        )
    }

    /// All that a script may read: the parameters, and what the steps before it gave.
    fn reads(&self, ix: InstanceIx) -> Value {
        let earlier = self.state.before(self.state.instance(ix).step);
        let steps: Map<String, Value> = earlier
            .all()
            .map(|(id, facts)| (id.to_string(), json!(facts)))
            .collect();
        json!({ "params": self.told.params, "steps": steps })
    }
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            Value::Object(fields.into_iter().filter(|(_, value)| !value.is_null()).collect())
        }
        other => other,
    }
}

/// The hash of a value: over its JSON without white space, the keys of its maps in order.
fn digest(value: &Value) -> String {
    Digest::of(value.to_string().as_bytes()).to_string()
}
