//! Turns whatever sled says, panics included, into a [`JournalError`].

use std::any::Any;
use std::cell::Cell;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use crate::journal::JournalError;

/// How sled's own threads are called.
const SLED_THREADS: &str = "sled-io-";

thread_local! {
    /// Whether a panic of this thread is caught and told as an error.
    static CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Calls sled. On damaged files it may panic: that is an answer here, so nothing is printed of it.
pub(super) fn guarded<T>(
    doing: &'static str,
    work: impl FnOnce() -> Result<T, ::sled::Error>,
) -> Result<T, JournalError> {
    caught(|| work().map_err(|error| translated(doing, error)))
}

/// Turns a panic into an error.
pub(super) fn caught<T>(work: impl FnOnce() -> Result<T, JournalError>) -> Result<T, JournalError> {
    install_hook();
    let outer = CAUGHT.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    CAUGHT.set(outer);
    result.unwrap_or_else(|payload| {
        Err(JournalError::Damaged(format!(
            "the database gave up: {}",
            message(&*payload)
        )))
    })
}

/// As [`guarded`], where it was written to: whatever went wrong, the entry is not known to be durable.
pub(super) fn guarded_write<T>(work: impl FnOnce() -> Result<T, ::sled::Error>) -> Result<T, JournalError> {
    guarded("written", work).map_err(|error| match error {
        JournalError::Damaged(message) => JournalError::Storage {
            doing: "written",
            source: io::Error::other(message),
        },
        other => other,
    })
}

fn translated(doing: &'static str, error: ::sled::Error) -> JournalError {
    use ::sled::Error;
    match error {
        Error::Io(source) if source.kind() == io::ErrorKind::UnexpectedEof => {
            JournalError::Damaged("truncated: the database ends too early".to_owned())
        }
        Error::Io(source) => JournalError::Storage {
            doing,
            source: as_said(source),
        },
        Error::Corruption { .. } => JournalError::Damaged(
            "changed: the database finds that what it holds is not what it wrote".to_owned(),
        ),
        Error::Unsupported(message) | Error::ReportableBug(message) => JournalError::Damaged(message),
        Error::CollectionNotFound(_) => JournalError::Damaged("a part of the database is missing".to_owned()),
    }
}

/// What the system said. sled hands errors on as the text by which programmers know them.
fn as_said(error: io::Error) -> io::Error {
    match (error.raw_os_error(), error.kind()) {
        (None, kind) if kind != io::ErrorKind::Other => kind.into(),
        _ => error,
    }
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("for a reason unknown")
}

/// Keeps silent about panics that are caught here, and leaves all others to whoever cared for them before.
fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let of_sled = std::thread::current()
                .name()
                .is_some_and(|name| name.starts_with(SLED_THREADS));
            let caught = CAUGHT.try_with(Cell::get).unwrap_or(false);
            if !of_sled && !caught {
                before(info);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_message() {
        let error = guarded::<()>("read", || panic!("page {} is gone", 7)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the journal is damaged: the database gave up: page 7 is gone"
        );
        assert!(!CAUGHT.get());
    }
}
