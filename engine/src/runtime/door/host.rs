//! The holder's side of a door: who comes in is answered, and what they want done is handed to the loop.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::io::BufReader;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

use super::SIGN;
use super::countersign::{Countersigning, NotSigned, SigningDesk, countersigning};
use super::message::{Ask, Bytes, Look, Reply, Request, VERSION, WireChunk, receive, send, to_wire};
use crate::core::Act;
use crate::core::event::Entry;
use crate::id::{Host, Operator};
use crate::journal::{Claim, Journal, JournalError, MOST_AT_ONCE};
use crate::platform::local::{Listener, Stream};
use crate::platform::{files, private};
use crate::runtime::engine::RuntimeError;
use crate::runtime::run::Run;

/// How many visitors are answered at once; others wait at the door.
const VISITORS: usize = 64;

/// How many entries are given at once.
const PAGE: usize = 1000;

/// How many chunks of a transcript are given at once: at most 4 MiB.
const CHUNKS: usize = 256;

/// How often it is looked whether the door still stands.
const GLANCE: Duration = Duration::from_secs(1);

/// How long to wait before listening again after the system had no room for a visitor.
const BREATH: Duration = Duration::from_millis(100);

/// Something that a visitor wants done.
#[derive(Debug)]
pub struct Asked {
    /// Who wants it.
    pub operator: Operator,
    /// On which machine they sit.
    pub host: Host,
    /// What they want.
    pub act: Act,
    /// Until when they wait for it.
    pub(in crate::runtime) until: Timestamp,
    /// How they sign it, if they do.
    pub(in crate::runtime) signs: Option<Countersigning>,
    answer: oneshot::Sender<Reply>,
}

impl Asked {
    /// Tells the visitor that nothing is done for them any more: this process was stopped meanwhile, or hung.
    pub(in crate::runtime) fn refuse_late(self) {
        let why = "it was asked too long ago, and nothing was recorded; ask again".to_owned();
        let _gone = self.answer.send(Reply::Failed(why));
    }

    /// Tells the visitor what became of it. One who has gone will look for themselves.
    pub(in crate::runtime) fn tell(self, result: &Result<Vec<Entry>, RuntimeError>) {
        let reply = match result {
            Ok(_) => Reply::Recorded,
            Err(RuntimeError::NotSigned(NotSigned::Late)) => Reply::Unsigned,
            Err(RuntimeError::Rejected(rejection)) => Reply::Rejected {
                message: rejection.to_string(),
                instead: rejection.instead().into_owned(),
                about: rejection.about(),
            },
            Err(error) => Reply::Failed(error.to_string()),
        };
        let _gone = self.answer.send(reply);
    }
}

/// The door of a run that this process holds; closed when dropped.
#[derive(Debug)]
pub struct Door {
    asked: UnboundedReceiver<Asked>,
    /// Kept, so that a door that nobody can come through waits for ever.
    _bell: UnboundedSender<Asked>,
    open: Option<(JoinHandle<()>, PathBuf)>,
}

impl Door {
    /// A door that nobody comes through.
    #[must_use]
    pub fn shut() -> Self {
        let (bell, asked) = unbounded_channel();
        Self {
            asked,
            _bell: bell,
            open: None,
        }
    }

    /// Opens the door of a run; one whose journal needs none stays shut.
    ///
    /// # Errors
    /// When the system gives no socket.
    pub fn open(run: &Run) -> io::Result<Self> {
        let mut door = Self::shut();
        if let Some(folder) = run.engine.journal.door(run.claim.run) {
            let place = Place {
                sign: folder.join(SIGN),
                folder,
                unique: run.claim.run.to_string(),
            };
            let (listener, sign) = (place.bind()?, place.sign.clone());
            let room = Room {
                journal: Arc::clone(&run.engine.journal),
                claim: run.claim.clone(),
                bell: door._bell.clone(),
            };
            door.open = Some((tokio::spawn(keep_open(listener, place, room)), sign));
        }
        Ok(door)
    }

    /// Waits for the next visitor who wants something done.
    pub async fn next(&mut self) -> Asked {
        match self.asked.recv().await {
            Some(asked) => asked,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Some((listening, sign)) = &self.open {
            listening.abort();
            let _absent = fs::remove_file(sign);
        }
    }
}

/// Replaces the sign as a whole, so that nobody reads half an address.
fn write_sign(sign: &Path, address: &str) -> io::Result<()> {
    use io::Write as _;
    let new = sign.with_extension("new");
    let mut file = private::open_file(&new)?;
    file.set_len(0)?;
    file.write_all(address.as_bytes())?;
    drop(file);
    files::replace(&new, sign)
}

/// Where a door is.
struct Place {
    folder: PathBuf,
    unique: String,
    sign: PathBuf,
}

impl Place {
    fn bind(&self) -> io::Result<Listener> {
        let listener = Listener::bind(&self.folder, &self.unique)?;
        write_sign(&self.sign, listener.address())?;
        Ok(listener)
    }
}

/// Lets visitors in; makes the door anew where somebody deleted it.
async fn keep_open(listener: Listener, place: Place, room: Room) {
    let mut open = Some(listener);
    loop {
        if let Some(listener) = open.take() {
            let gone = async {
                while listener.stands() && place.sign.exists() {
                    tokio::time::sleep(GLANCE).await;
                }
            };
            tokio::select! {
                () = listen(&listener, &room) => return,
                () = gone => {}
            }
            // It takes its file along when it goes: only then is there room for another.
        }
        match place.bind() {
            Ok(listener) => open = Some(listener),
            Err(error) => {
                tracing::warn!(%error, "the door of a run is gone, and could not be made anew");
                tokio::time::sleep(GLANCE).await;
            }
        }
    }
}

/// What visitors may use.
#[derive(Clone)]
struct Room {
    journal: Arc<dyn Journal>,
    claim: Claim,
    bell: UnboundedSender<Asked>,
}

async fn listen(listener: &Listener, room: &Room) {
    let chairs = Arc::new(Semaphore::new(VISITORS));
    loop {
        let Ok(chair) = Arc::clone(&chairs).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok(stream) => {
                let room = room.clone();
                tokio::spawn(async move {
                    if let Err(error) = room.serve(stream).await {
                        tracing::debug!(%error, "a visitor went wrong");
                    }
                    drop(chair);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a visitor could not be let in");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

impl Room {
    async fn serve(&self, stream: Stream) -> io::Result<()> {
        let mut reader = BufReader::new(&stream);
        let Some(request) = receive::<Request>(&mut reader).await? else {
            return Ok(());
        };
        let reply = if request.version == VERSION {
            self.answer(request.ask, &mut reader).await?
        } else {
            let theirs = request.version;
            Reply::Failed(format!(
                "the holder speaks version {VERSION} and the visitor version {theirs}: use the same program for both"
            ))
        };
        send(&mut &stream, &reply).await
    }

    async fn answer(&self, ask: Ask, visitor: &mut BufReader<&Stream>) -> io::Result<Reply> {
        match ask {
            Ask::Act {
                operator,
                host,
                key,
                act,
                until,
            } => {
                let (signs, desk) = key.map(countersigning).unzip();
                let (answer, answered) = oneshot::channel();
                let asked = Asked {
                    operator,
                    host,
                    act: *act,
                    until,
                    signs,
                    answer,
                };
                self.hand_over(asked, answered, desk, visitor).await
            }
            Ask::Look(look) => {
                let shown = self.look(look).await;
                Ok(shown.unwrap_or_else(|error| Reply::Failed(error.to_string())))
            }
        }
    }

    /// Hands an act to the loop, lets the visitor sign it, and waits until it is durable.
    async fn hand_over(
        &self,
        asked: Asked,
        answered: oneshot::Receiver<Reply>,
        desk: Option<SigningDesk>,
        visitor: &mut BufReader<&Stream>,
    ) -> io::Result<Reply> {
        if self.bell.send(asked).is_err() {
            return Ok(Reply::Gone);
        }
        if let Some(desk) = desk {
            desk.serve(visitor).await?;
        }
        Ok(answered.await.unwrap_or(Reply::Gone))
    }

    async fn look(&self, look: Look) -> Result<Reply, JournalError> {
        let run = self.claim.run;
        Ok(match look {
            Look::Entries { from } => {
                let mut entries = self.journal.kept(run, from).await?;
                entries.truncate(PAGE);
                Reply::Entries(to_wire(&entries)?)
            }
            Look::Records { from } => {
                let (mut records, mut size) = (self.journal.records(run, from).await?, 0);
                let few = records.iter().take_while(|record| {
                    let fits = size < MOST_AT_ONCE;
                    size += record.len();
                    fits
                });
                let few = few.count();
                records.truncate(few);
                Reply::Records(records.into_iter().map(Bytes).collect())
            }
            Look::Transcript { of, skip } => {
                let chunks = self.journal.transcript(run, of).await?.into_iter();
                Reply::Transcript(chunks.skip(skip).take(CHUNKS).map(WireChunk::from).collect())
            }
            Look::Attachment { sha256 } => {
                Reply::Attachment(Bytes(self.journal.attachment(run, &sha256).await?))
            }
            Look::HeadHash => Reply::HeadHash(self.journal.head_hash(run).await?),
            Look::Verify => Reply::Verify(self.journal.verify(run).await?),
            Look::Attach { content } => Reply::Attached(self.journal.attach(&self.claim, &content.0).await?),
        })
    }
}
