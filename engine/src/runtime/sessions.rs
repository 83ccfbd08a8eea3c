//! The sessions of a run that is carried out: opened by the plugins when first needed, closed at the end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use crate::core::event::{Failure, FailureKind};
use crate::id::SessionName;
use crate::runbook::expr::{self, Put, Scope};
use crate::runbook::{Runbook, Step};
use crate::step::{Kept, Registry, Session};

/// How long sessions may take to close before they are dropped.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the sessions of one run keep open.
#[derive(Default)]
pub(super) struct Sessions(BTreeMap<SessionName, Arc<Kept>>);

impl Sessions {
    /// What the session of a step keeps open.
    pub(super) fn of(&mut self, step: &Step) -> Option<Arc<Kept>> {
        let name = step.session.clone()?;
        Some(Arc::clone(self.0.entry(name).or_default()))
    }

    /// Closes all of them.
    pub(super) async fn close(self) {
        let closing = join_all(self.0.values().map(|kept| kept.close()));
        // What is not closed by then is dropped, which ends it less gently.
        let _late = tokio::time::timeout(PATIENCE, closing).await;
    }
}

/// A step's session, with every template filled in.
pub(super) fn session(
    runbook: &Runbook,
    registry: &Registry,
    step: &Step,
    kept: Option<&Arc<Kept>>,
    scope: &Scope,
) -> Result<Option<Session>, Failure> {
    let session = step
        .session
        .as_ref()
        .and_then(|name| runbook.sessions().get(name));
    let Some((session, kept)) = session.zip(kept) else {
        return Ok(None);
    };
    let scripts = registry
        .get(session.uses.as_str())
        .map_or(&[] as &[&str], |plugin| plugin.doc().scripts);
    let with = expr::fill(&session.with, scripts, scope, Put::Plain).map_err(|error| {
        let message = format!(
            "the inputs of its session `{}` could not be worked out: {error}",
            session.name
        );
        Failure::new(FailureKind::Inputs, message)
    })?;
    Ok(Some(Session::new(session.name.clone(), with, Arc::clone(kept))))
}
