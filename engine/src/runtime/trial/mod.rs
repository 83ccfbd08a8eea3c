//! A runbook's own tests, carried out: each case is a whole run in memory, in which steps answer as the case says.
//!
//! The engine is the real one: the order, retries, time-outs, doubts, people and rollback. Only the plugins are
//! scripted, the clock skips what nobody waits for, and the journal is in memory. A case must be tried on
//! a runtime of a single thread, by which the clock knows when nothing goes on.

use std::sync::Arc;

use self::carry::carry;
use crate::core::RunStatus;
use crate::diagnostic::{Code, Diagnostic};
use crate::runbook::Runbook;
use crate::runbook::cases::{Case, Cases};
use crate::step::Outputs;

mod carry;
mod clock;
mod judge;
mod names;
mod people;
mod script;

/// What a case came to.
#[derive(Debug)]
pub struct Verdict {
    /// How the run ended; none if it could not even start.
    pub status: Option<RunStatus>,
    /// How many instances it had.
    pub steps: usize,
    /// What is not as it is expected, at its place in the file of tests; nothing if the case passed.
    pub failures: Vec<Diagnostic>,
}

/// Whether values are right that a person enters for manual work with these inputs: what is kept, or what is wrong.
pub type CheckValues = dyn Fn(&serde_json::Value, &Outputs) -> Result<Outputs, Vec<String>> + Send + Sync;

/// All that cases need, beside what they say.
#[derive(Clone)]
pub struct Stage<'a> {
    /// Checks what people enter.
    pub check_values: &'a CheckValues,
    /// The version of the program.
    pub program: &'a str,
}

/// Carries out one case of a runbook's tests.
pub async fn try_case(runbook: Runbook, cases: &Cases, case: &Case, stage: &Stage<'_>) -> Verdict {
    let wrong = names::check(&runbook, cases, case);
    if !wrong.is_empty() {
        return Verdict {
            status: None,
            steps: 0,
            failures: wrong,
        };
    }
    match carry(Arc::new(runbook), cases, case, stage).await {
        Ok(ran) => {
            let mut failures = judge::judge(&ran, &cases.file, case);
            failures.extend(ran.problems);
            Verdict {
                status: Some(ran.state.status()),
                steps: ran.state.rows().len(),
                failures,
            }
        }
        Err(failures) => Verdict {
            status: None,
            steps: 0,
            failures,
        },
    }
}

/// Something that is not as a case expects it.
fn failure(message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::TestFailed, message)
}
