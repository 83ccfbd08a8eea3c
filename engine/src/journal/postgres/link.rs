//! The connection with the database: made when it is needed, made anew when it is lost, with one statement at a time
//! as the unit of everything, so that a proxy may give each to another connection.

#![expect(
    clippy::disallowed_methods,
    reason = "how long to wait for a database is no matter of a run's clock"
)]

use std::error::Error as _;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use postgres_openssl::MakeTlsConnector;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::tls::TlsStream;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls, Row};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::address::Address;
use super::schema;
use crate::journal::JournalError;

/// The values of a statement, each with its type: what a statement needs that is not prepared beforehand.
pub(super) type Params<'a> = &'a [(&'a (dyn ToSql + Sync), Type)];

/// How long a connection may take to be made.
const LONGEST_CONNECT: Duration = Duration::from_secs(10);

/// How long a statement may take, and how many bytes a second are expected of a slow line on top of that.
const LONGEST_STATEMENT: Duration = Duration::from_secs(10);
const SLOWEST_LINE: u64 = 256 * 1024;

/// How long to wait before trying again: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// For how long it is tried again where nothing is lost by giving up.
const SHORT: Duration = Duration::from_secs(5);

/// How much may be heard that nobody has taken yet.
const MOST_HEARD: usize = 1000;

/// Told to whoever watches the program: it waits for its database, or has it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The database cannot be reached, for this reason. What is under way goes on; its outcome waits.
    Away(String),
    /// It can be reached again.
    Back,
}

/// Who is told.
pub type Listener = Arc<dyn Fn(&Notice) + Send + Sync>;

/// How long somebody waits for a database that is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// A few seconds.
    Short,
    /// Until it is back, since a run is held: or until waiting is given up from outside.
    Long,
}

/// Why a statement has no answer.
pub(super) enum Problem {
    /// Nobody knows whether it was carried out: the connection is gone, or was never made.
    Away(io::Error),
    /// Another transaction was in the way; nothing was done.
    Again,
    /// The database does not do it.
    Refused(io::Error),
    /// The tables are not what this program knows.
    Journal(JournalError),
}

/// Rows, and whether an earlier try may have been carried out without an answer.
pub(super) struct Answer {
    pub(super) rows: Vec<Row>,
    pub(super) uncertain: bool,
}

impl Answer {
    /// What a statement says that tells in one value whether it has changed anything.
    pub(super) fn is_done(&self) -> bool {
        self.rows.first().is_some_and(|row| row.get(0))
    }
}

/// The connection with a database.
pub(super) struct Link {
    address: Address,
    client: Mutex<Option<Arc<Client>>>,
    listener: Listener,
    /// Whether the listener was told that the database is away.
    away: AtomicBool,
    give_up: CancellationToken,
}

impl From<tokio_postgres::Error> for Problem {
    fn from(error: tokio_postgres::Error) -> Self {
        let code = error.code().map(|code| code.code().to_owned());
        let told = io::Error::other(words(&error));
        match code.as_deref() {
            // Shut down, starting, failing over, or too many others.
            Some("57P01" | "57P02" | "57P03" | "57P05" | "53300" | "25006") => Self::Away(told),
            Some(code) if code.starts_with("08") => Self::Away(told),
            Some(code) if code.starts_with("40") => Self::Again,
            Some(_) => Self::Refused(told),
            None => {
                let by_system = error.source().is_some_and(|source| source.is::<io::Error>());
                if by_system || error.is_closed() || error.to_string().starts_with("timeout") {
                    Self::Away(told)
                } else {
                    Self::Refused(told)
                }
            }
        }
    }
}

/// What the database or the system said; the library's own words say only where.
fn words(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(said), _) => said.message().to_owned(),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    }
}

impl Link {
    pub(super) fn new(address: Address, listener: Listener, give_up: CancellationToken) -> Self {
        Self {
            address,
            client: Mutex::new(None),
            listener,
            away: AtomicBool::new(false),
            give_up,
        }
    }

    /// The address, as it may be shown.
    pub(super) fn shown(&self) -> String {
        self.address.to_string()
    }

    /// Carries a statement out. One that changes something must tell by itself whether it was carried out before:
    /// where an answer is lost, it is asked again.
    pub(super) async fn ask(
        &self,
        sql: &str,
        params: Params<'_>,
        bytes: usize,
        patience: Patience,
    ) -> Result<Answer, JournalError> {
        let longest = LONGEST_STATEMENT + Duration::from_secs(bytes as u64 / SLOWEST_LINE);
        let (begun, mut pause, mut uncertain) = (Instant::now(), FIRST_PAUSE, false);
        loop {
            match self.once(sql, params, longest).await {
                Ok(rows) => {
                    self.tell_back();
                    return Ok(Answer { rows, uncertain });
                }
                Err(Problem::Journal(error)) => return Err(error),
                Err(Problem::Refused(source)) => return Err(self.refused(source)),
                Err(Problem::Again) => {}
                Err(Problem::Away(source)) => {
                    let enough = patience == Patience::Short && begun.elapsed() >= SHORT;
                    if enough || self.give_up.is_cancelled() {
                        return Err(self.unreachable(source));
                    }
                    // A connection may end now and then; that it can be made anew at once concerns nobody.
                    if patience == Patience::Long && uncertain {
                        self.tell_away(&source);
                    }
                    uncertain = true;
                }
            }
            tokio::select! {
                () = sleep(scattered(pause)) => {}
                () = self.give_up.cancelled() => {}
            }
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    async fn once(&self, sql: &str, params: Params<'_>, longest: Duration) -> Result<Vec<Row>, Problem> {
        let client = self.client().await?;
        let answer = timeout(longest, client.query_typed(sql, params)).await;
        let problem = match answer {
            Ok(Ok(rows)) => return Ok(rows),
            Ok(Err(error)) => Problem::from(error),
            Err(_) => Problem::Away(silent()),
        };
        if matches!(problem, Problem::Away(_)) {
            self.forget(&client).await;
        }
        Err(problem)
    }

    /// The connection that all share.
    async fn client(&self) -> Result<Arc<Client>, Problem> {
        let mut shared = self.client.lock().await;
        if let Some(client) = shared.as_ref().filter(|client| !client.is_closed()) {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(self.connect().await?);
        *shared = Some(Arc::clone(&client));
        Ok(client)
    }

    /// A connection that nobody else has, to whatever is there.
    pub(super) async fn look(&self) -> Result<Client, Problem> {
        let config = &self.address.config;
        Ok(match self.tls()? {
            Some(tls) => attended(config.connect(tls).await?),
            None => attended(config.connect(NoTls).await?),
        })
    }

    /// A connection that nobody else has, to tables that this program knows.
    pub(super) async fn connect(&self) -> Result<Client, Problem> {
        let connecting = Box::pin(async {
            let client = self.look().await?;
            schema::prepare(&client, &self.shown()).await?;
            Ok(client)
        });
        timeout(LONGEST_CONNECT, connecting)
            .await
            .unwrap_or_else(|_| Err(Problem::Away(silent())))
    }

    /// A connection of its own on which to listen, and what is heard there. What nobody takes in time is lost.
    pub(super) async fn listen(&self, sql: &str) -> Result<(Client, Receiver<String>), Problem> {
        let listening = Box::pin(async {
            let config = &self.address.config;
            let (client, told) = match self.tls()? {
                Some(tls) => heard(config.connect(tls).await?),
                None => heard(config.connect(NoTls).await?),
            };
            client.batch_execute(sql).await?;
            Ok((client, told))
        });
        timeout(LONGEST_CONNECT, listening)
            .await
            .unwrap_or_else(|_| Err(Problem::Away(silent())))
    }

    fn tls(&self) -> Result<Option<MakeTlsConnector>, Problem> {
        let connector = self.address.connector();
        connector.map_err(|error| Problem::Refused(io::Error::other(error)))
    }

    /// Leaves a connection that is of no use any more.
    async fn forget(&self, client: &Arc<Client>) {
        let mut shared = self.client.lock().await;
        if shared.as_ref().is_some_and(|other| Arc::ptr_eq(other, client)) {
            *shared = None;
        }
    }

    fn tell_away(&self, why: &io::Error) {
        tracing::warn!(database = self.shown(), %why, "the database is away");
        if !self.away.swap(true, Ordering::Relaxed) {
            (self.listener)(&Notice::Away(why.to_string()));
        }
    }

    fn tell_back(&self) {
        if self.away.swap(false, Ordering::Relaxed) {
            tracing::info!(database = self.shown(), "the database is back");
            (self.listener)(&Notice::Back);
        }
    }

    /// The error of a statement that the database does not carry out.
    pub(super) fn refused(&self, source: io::Error) -> JournalError {
        JournalError::DatabaseRefused {
            database: self.shown(),
            source,
        }
    }

    fn unreachable(&self, source: io::Error) -> JournalError {
        JournalError::DatabaseAway {
            database: self.shown(),
            source,
        }
    }

    /// The error of a problem for which nothing is tried again.
    pub(super) fn failed(&self, problem: Problem) -> JournalError {
        match problem {
            Problem::Away(source) => self.unreachable(source),
            Problem::Again => self.unreachable(io::Error::other("another transaction was in the way")),
            Problem::Refused(source) => self.refused(source),
            Problem::Journal(error) => error,
        }
    }
}

/// A connection that works for its client, as long as there is one.
fn attended<S, T>((client, connection): (Client, Connection<S, T>)) -> Client
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: TlsStream + Unpin + Send + 'static,
{
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(error = words(&error), "a connection with the database ended");
        }
    });
    client
}

/// The same, and what is heard there.
fn heard<S, T>((client, mut connection): (Client, Connection<S, T>)) -> (Client, Receiver<String>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: TlsStream + Unpin + Send + 'static,
{
    let (heard, told) = channel(MOST_HEARD);
    tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
            if let AsyncMessage::Notification(said) = message {
                let _full = heard.try_send(said.payload().to_owned());
            }
        }
    });
    (client, told)
}

pub(super) fn silent() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the database does not answer")
}

/// Half of the time, and a random part of the rest: those who lost a database together do not come back together.
fn scattered(pause: Duration) -> Duration {
    let random = u32::from(Uuid::new_v4().as_bytes()[0]);
    pause / 2 + pause / 2 * random / 255
}
