//! What steps share that name the same session: something that a plugin keeps open from one call to the next.
//!
//! A session lives as long as its run is carried out, and no longer: nothing of it is remembered. A plugin
//! therefore opens it when a call finds nothing open, also after a resume, and the engine closes it at the end.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard};

use crate::id::SessionName;

/// Something that a plugin keeps open in a session, such as a process or a sign-in. Dropped without being
/// closed, it must leave nothing behind either.
#[async_trait]
pub trait Open: Any + Send {
    /// Ends it in an orderly way, and all that it started.
    async fn close(self: Box<Self>);
}

/// Where the engine holds what a session keeps open.
#[derive(Default)]
pub struct Kept(Mutex<Option<Box<dyn Open>>>);

impl Kept {
    /// Closes what is open, once nobody uses it any more.
    pub async fn close(&self) {
        let open = self.0.lock().await.take();
        if let Some(open) = open {
            open.close().await;
        }
    }
}

/// A session, as a call of one of its steps sees it.
#[derive(Clone)]
pub struct Session {
    /// Its name.
    pub name: SessionName,
    /// Its inputs (`with:`), templates filled in.
    pub with: Value,
    kept: Arc<Kept>,
}

impl Session {
    /// A session of this name, and what it keeps open.
    #[must_use]
    pub fn new(name: SessionName, with: Value, kept: Arc<Kept>) -> Self {
        Self { name, with, kept }
    }

    /// Waits until no other call is inside, and enters.
    pub async fn enter(&self) -> Inside<'_> {
        Inside(self.kept.0.lock().await)
    }
}

/// The only call inside a session.
pub struct Inside<'a>(MutexGuard<'a, Option<Box<dyn Open>>>);

impl Inside<'_> {
    /// Takes out what is open. Whoever does not [keep](Self::keep) it afterwards has closed it, so that a call
    /// that breaks off leaves nothing of unknown state to the next.
    pub fn take<T: Open>(&mut self) -> Option<T> {
        let open: Box<dyn Any> = self.0.take()?;
        open.downcast().ok().map(|open| *open)
    }

    /// Keeps something open for the calls that follow.
    pub fn keep(&mut self, open: impl Open) {
        *self.0 = Some(Box::new(open));
    }
}
