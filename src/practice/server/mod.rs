//! The practice tenant on loopback: Graph, the sign-in and the metadata endpoint.
//!
//! - [`listen`]: connections, within bounds.
//! - [`sign_in`] gives tokens, [`assertion`] checks what applications sign, [`page`] is what a person sees.
//! - [`graph`] answers with what [`tenant`] holds; [`keys`] is how Graph replaces an application's certificates.
//! - [`metadata`]: what the access control service says of itself.

use std::sync::{Mutex, MutexGuard, PoisonError};

use self::answer::Answer;
use self::request::Asked;
use self::sign_in::Memory;
use super::faults::Fault;
use super::folder::Folder;

pub(crate) use self::listen::serve;

mod answer;
mod assertion;
mod graph;
mod keys;
mod listen;
mod metadata;
mod page;
mod request;
mod sign_in;
mod tenant;

/// The tenant, while it is served. One request is answered at a time, so that nothing happens between two others.
pub(crate) struct Server {
    folder: Folder,
    /// Codes for devices are approved as soon as they are given.
    approves: bool,
    memory: Mutex<Memory>,
}

impl Server {
    /// A server of this folder's tenant.
    pub(crate) fn new(folder: Folder, approves: bool) -> Self {
        Self {
            folder,
            approves,
            memory: Mutex::default(),
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a fault happens now.
    fn happens(&self, fault: Fault) -> bool {
        self.folder.with_faults(|faults| faults.take(fault))
    }

    /// Whether a fault is on, as a way of answering.
    fn stays(&self, fault: Fault) -> bool {
        self.folder.with_faults(|faults| faults.get(fault)).is_some()
    }

    /// Answers one request.
    fn answer(&self, asked: &Asked) -> Answer {
        let mut memory = self.memory();
        let ids = [
            ("request-id", &asked.ids.request),
            ("client-request-id", &asked.ids.client),
        ];
        let answer = match (asked.method.as_str(), asked.parts().as_slice()) {
            (_, ["v1.0", rest @ ..]) => self.graph(asked, rest, &mut memory),
            ("GET", []) => page::welcome(&self.folder),
            ("GET", ["devicelogin"]) => page::form(asked.query.get("code").map(String::as_str)),
            ("POST", ["devicelogin"]) => page::decide(&asked.form(), &mut memory),
            ("GET", [tenant, "metadata", "json", "1"]) => self.metadata(tenant),
            (method, [tenant, rest @ ..]) => self.sign_in(method, tenant, rest, asked, &mut memory),
            _ => Answer::empty(404),
        };
        ids.iter()
            .fold(answer, |answer, (name, id)| answer.with(name, (*id).clone()))
    }
}
