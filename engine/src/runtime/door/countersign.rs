//! Signing at the door: the holder says what it would write, and the visitor whose act it is signs just that.

use std::io;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::io::BufReader;
use tokio::sync::oneshot;

use super::message::{Bytes, Reply, Signed, receive, send};
use super::visit::Visit;
use crate::core::{self, Act, Lacking};
use crate::identity::{PublicKey, Signature, Signer};
use crate::journal::{Countersigned, Digest, Draft, JournalError};
use crate::platform::local::Stream;
use crate::runtime::engine::RuntimeError;
use crate::runtime::secrets::Known;

/// How long the holder stands still for a signature: longer than any visitor needs who is awake, on a busy machine
/// too. Nothing is appended meanwhile, so that what is signed is what comes next.
const STILL: Duration = Duration::from_secs(2);

/// By how much the time of an entry may differ from what the clock shows to the one who signs it: a holder whose run
/// is timed does not follow a clock that is set.
const NOW: SignedDuration = SignedDuration::from_mins(5);

/// Why nothing was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// The visitor took too long, or has gone.
    #[error("it was not signed in time, and nothing was recorded")]
    Late,
    /// It is another's signature, or one below something else.
    #[error("it is not signed with the key that it names, and nothing was recorded")]
    Wrong,
}

/// The loop's end of the way to a visitor's signature.
#[derive(Debug)]
pub(in crate::runtime) struct Countersigning {
    /// The key that they say they sign with.
    pub(in crate::runtime) key: PublicKey,
    draft: oneshot::Sender<Reply>,
    signature: oneshot::Receiver<Signature>,
}

/// The end of the one who talks with the visitor.
pub(super) struct SigningDesk {
    draft: oneshot::Receiver<Reply>,
    signature: oneshot::Sender<Signature>,
}

/// Both ends, for a visitor who says that they sign with this key.
pub(super) fn countersigning(key: PublicKey) -> (Countersigning, SigningDesk) {
    let ((draft, drafted), (signature, signed)) = (oneshot::channel(), oneshot::channel());
    let loop_end = Countersigning {
        key,
        draft,
        signature: signed,
    };
    let desk = SigningDesk {
        draft: drafted,
        signature,
    };
    (loop_end, desk)
}

impl Countersigning {
    /// Lets the visitor sign, while everything else stands still.
    pub(in crate::runtime) async fn sign(
        self,
        draft: &Draft,
        prev: Digest,
    ) -> Result<Countersigned, NotSigned> {
        let to_sign = Reply::Sign {
            prev: prev.to_string(),
            stored: Bytes(draft.stored().to_vec()),
        };
        self.draft.send(to_sign).map_err(|_| NotSigned::Late)?;
        let signature = tokio::time::timeout(STILL, self.signature).await;
        let signature = signature.map_err(|_| NotSigned::Late)?;
        let signature = signature.map_err(|_| NotSigned::Late)?;
        draft.signed(signature).ok_or(NotSigned::Wrong)
    }
}

impl SigningDesk {
    /// Brings what is to be signed to the visitor, if anything is, and the signature back.
    pub(super) async fn serve(self, visitor: &mut BufReader<&Stream>) -> io::Result<()> {
        let Ok(to_sign) = self.draft.await else {
            return Ok(());
        };
        send(visitor.get_mut(), &to_sign).await?;
        let Some(signed) = receive::<Signed>(visitor).await? else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let signature: Result<[u8; Signature::LEN], _> = signed.signature.0.try_into();
        let odd = |_| io::Error::new(io::ErrorKind::InvalidData, "that is no signature");
        // A loop that waits no longer says so itself.
        let _late = self.signature.send(Signature::new(signature.map_err(odd)?));
        Ok(())
    }
}

impl Visit {
    /// Signs what the holder would write for an act, if that is exactly what it has to be here: worked out by the same
    /// rules, from a history that was checked from its first entry on. Only the time is the holder's.
    pub(super) fn countersign(
        &self,
        act: &Act,
        signer: &dyn Signer,
        (prev, stored): (&str, &[u8]),
    ) -> Result<Signature, RuntimeError> {
        let no = |why: &str| RuntimeError::NotAsked(why.to_owned());
        let head = self.head.filter(|head| prev == head.hash.to_string());
        let head = head.ok_or_else(|| no("it does not come after what the run's history is known to be"))?;
        let key = signer.key();
        let draft = Draft::said(stored.to_vec(), head.hash, key);
        let time = draft.entry(head).map_err(|_| no("it is no entry"))?.time;
        let shown = self.engine.clock.shown();
        if time.duration_since(shown).abs() > NOW {
            return Err(no(&format!("it bears the time {time}, and it is {shown}")));
        }
        let author = &self.engine.author;
        let turn = author.turn(time, true, Lacking::nothing());
        let act = Known::default().masked_act(act, &self.story.runbook);
        let mut state = self.story.state.clone();
        let (act, _then) = self.engine.amending(&mut state, &self.story.runbook, act)?;
        let own = core::act(&mut state, &act, &turn).map_err(|error| no(&error.to_string()))?;
        if Draft::of(&own, head.hash, key)? != draft {
            return Err(no("it says something else"));
        }
        draft
            .sign(signer)
            .map_err(|failed| JournalError::from(failed).into())
    }
}
