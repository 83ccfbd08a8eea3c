//! Taking in what another journal holds of a run, and removing a run: each one transaction, on a connection of its own.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::contents;
use super::held::{PIECE, Ticket, number};
use super::link::{Params, Problem};
use super::statements as sql;
use crate::id::{RunId, Seq};
use crate::journal::chain::{Digest, Head, follows};
use crate::journal::{Fill, Holder, Intake, JournalError, Standing, attachable};

/// What is taken in, kept in memory until the transaction has it.
#[derive(Default)]
struct Filling {
    head: Option<Head>,
    records: Vec<(i64, Vec<u8>)>,
    chunks: Vec<(i64, i32, Vec<u8>)>,
    attachments: Vec<Vec<u8>>,
}

impl Intake for Filling {
    fn record(&mut self, at: Seq, bytes: Vec<u8>) -> Result<(), JournalError> {
        let hash = follows(self.head, at, &bytes)?.hash;
        self.head = Some(Head { seq: at, hash });
        self.records.push((number(at), bytes));
        Ok(())
    }

    fn chunk(&mut self, of: Seq, place: u32, bytes: Vec<u8>) -> Result<(), JournalError> {
        let place = i32::try_from(place)
            .map_err(|_| JournalError::Unstorable("a transcript has too many chunks".to_owned()))?;
        self.chunks.push((number(of), place, bytes));
        Ok(())
    }

    fn attachment(&mut self, content: &[u8]) -> Result<(), JournalError> {
        attachable(content)?;
        self.attachments.push(content.to_vec());
        Ok(())
    }
}

/// Why it was not done.
pub(super) enum Failed {
    /// By the journal.
    Journal(JournalError),
    /// By the database.
    Database(Problem),
}

impl From<tokio_postgres::Error> for Failed {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<JournalError> for Failed {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

/// Adds what another journal holds of a run, and claims it: the newest entry there is then.
pub(super) async fn restore(
    client: &Client,
    ticket: Ticket,
    holder: &Holder,
    standing: Standing,
    fill: Fill<'_>,
) -> Result<Head, Failed> {
    client.batch_execute("BEGIN").await?;
    let before = free(client, ticket.run).await?;
    let mut filling = Filling {
        head: before,
        ..Filling::default()
    };
    fill(&mut filling)?;
    let head = filling
        .head
        .ok_or_else(|| JournalError::Unstorable("a run without entries".to_owned()))?;
    let params: Params<'_> = &[
        (ticket.run.as_uuid(), Type::UUID),
        (&ticket.token, Type::UUID),
        (&super::written(holder)?, Type::TEXT),
        (&number(head.seq.next()), Type::INT8),
        (&head.hash.as_bytes().as_slice(), Type::BYTEA),
        (&ticket.milliseconds(), Type::INT8),
        (&(standing == Standing::Copy), Type::BOOL),
    ];
    client.query_typed(sql::RESTORE, params).await?;
    pour(client, ticket.run, &filling).await?;
    client.batch_execute("COMMIT").await?;
    Ok(head)
}

/// The newest entry of a run that nobody holds, under a lock; none where there is no such run.
async fn free(client: &Client, run: RunId) -> Result<Option<Head>, Failed> {
    let rows = client
        .query_typed(sql::FREE, &[(run.as_uuid(), Type::UUID)])
        .await?;
    let at_work = client
        .query_typed(sql::AT_WORK, &[(run.as_uuid(), Type::UUID)])
        .await?;
    if let Some(row) = at_work.first() {
        return Err(JournalError::Held(contents::holder(row.get(0))).into());
    }
    let standing = |row: &Row| match row.get::<_, bool>(2) {
        true => Err(JournalError::Held(contents::holder(row.get(3)))),
        false => contents::head_of(row.get(0), row.get(1)),
    };
    Ok(rows.first().map(standing).transpose()?)
}

async fn pour(client: &Client, run: RunId, filling: &Filling) -> Result<(), tokio_postgres::Error> {
    let run: (&(dyn tokio_postgres::types::ToSql + Sync), Type) = (run.as_uuid(), Type::UUID);
    for (seq, record) in &filling.records {
        let params: Params<'_> = &[run.clone(), (seq, Type::INT8), (record, Type::BYTEA)];
        client.query_typed(sql::PUT_ENTRY, params).await?;
    }
    for (activity, place, content) in &filling.chunks {
        let params: Params<'_> = &[
            run.clone(),
            (activity, Type::INT8),
            (place, Type::INT4),
            (content, Type::BYTEA),
        ];
        client.query_typed(sql::PUT_CHUNK, params).await?;
    }
    for content in &filling.attachments {
        let hash = Digest::of(content);
        let sha256 = hash.as_bytes().as_slice();
        for (place, piece) in (0_i32..).zip(content.chunks(PIECE)) {
            let params: Params<'_> = &[
                run.clone(),
                (&sha256, Type::BYTEA),
                (&place, Type::INT4),
                (&piece, Type::BYTEA),
            ];
            client.query_typed(sql::PUT_PIECE, params).await?;
        }
        let size = i64::try_from(content.len()).unwrap_or(i64::MAX);
        let params: Params<'_> = &[run.clone(), (&sha256, Type::BYTEA), (&size, Type::INT8)];
        client.query_typed(sql::PUT_ATTACHMENT, params).await?;
    }
    Ok(())
}

/// Removes a run that nobody holds.
pub(super) async fn remove(client: &Client, run: RunId) -> Result<(), Failed> {
    client.batch_execute("BEGIN").await?;
    if free(client, run).await?.is_none() {
        return Err(JournalError::NotFound(run).into());
    }
    for statement in sql::REMOVE {
        client
            .query_typed(statement, &[(run.as_uuid(), Type::UUID)])
            .await?;
    }
    client.batch_execute("COMMIT").await?;
    Ok(())
}
