//! Claiming a run for this process alone.

use tokio_postgres::types::Type;

use super::link::{Params, Patience};
use super::{PostgresJournal, Reader, contents, statements as sql, written};
use crate::id::RunId;
use crate::journal::{Claim, Holder, Journal as _, JournalError};

/// How often a run is claimed whose claim ends just when it is asked for.
const TRIES: usize = 3;

impl PostgresJournal {
    /// See [`Journal::claim`].
    pub(super) async fn claim_alone(&self, run: RunId, holder: Holder) -> Result<Claim, JournalError> {
        let ticket = self.ticket(run);
        let params: Params<'_> = &[
            (run.as_uuid(), Type::UUID),
            (&ticket.token, Type::UUID),
            (&written(&holder)?, Type::TEXT),
            (&ticket.milliseconds(), Type::INT8),
        ];
        let mut row = None;
        for _ in 0..TRIES {
            let answer = self.link.ask(sql::CLAIM, params, 0, Patience::Short).await?;
            row = answer.rows.into_iter().next();
            if row.is_some() {
                break;
            }
            self.reader().head(run).await?;
            // A claim that has ended just now is no hindrance.
            if let Some(other) = self.holder(run).await? {
                return Err(JournalError::Held(Some(other)));
            }
            if self.is_copy(run).await? {
                return Err(JournalError::Copy);
            }
        }
        let row = row.ok_or(JournalError::Held(None))?;
        let reader = Reader::Shared(&self.link, Patience::Short);
        let checked = match contents::head_of(row.get(0), row.get(1)) {
            Ok(head) => match self.nobody_is_at_work(run).await {
                Ok(()) => reader.check_head(run, head).await.map(|()| head),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        match checked {
            Ok(head) => Ok(self.keep(ticket, holder, head)),
            Err(error) => {
                let params: Params<'_> = &[
                    (run.as_uuid(), Type::UUID),
                    (&ticket.token, Type::UUID),
                    (&None::<String>, Type::TEXT),
                    (&None::<bool>, Type::BOOL),
                ];
                // The first error is the one that matters; the claim ends by itself.
                let _kept = self.link.ask(sql::RELEASE, params, 0, Patience::Short).await;
                Err(error)
            }
        }
    }

    /// A worker may have begun something in the moment before the run was claimed; none can from then on.
    async fn nobody_is_at_work(&self, run: RunId) -> Result<(), JournalError> {
        let params: Params<'_> = &[(run.as_uuid(), Type::UUID)];
        let rows = self
            .link
            .ask(sql::AT_WORK, params, 0, Patience::Short)
            .await?
            .rows;
        match rows.first() {
            Some(row) => Err(JournalError::Held(contents::holder(row.get(0)))),
            None => Ok(()),
        }
    }
}
