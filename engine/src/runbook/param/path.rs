//! Paths that mean the same wherever they are read.

use std::path::{Path, PathBuf};

use super::ParamError;

/// Whether a path means the same in every folder, on Windows or elsewhere: a run goes on on another machine too,
/// and a step may use the path on a server of the other sort.
#[must_use]
pub fn is_absolute(path: &str) -> bool {
    let of_drive = path.split_once(':').is_some_and(|(drive, rest)| {
        // Longer ones are PowerShell's, as in `Cert:\LocalMachine`.
        let named = !drive.is_empty() && drive.chars().all(|c| c.is_ascii_alphanumeric());
        named && (rest.starts_with('\\') || drive.len() == 1 && rest.starts_with('/'))
    });
    path.starts_with('/') || path.starts_with(r"\\") || of_drive
}

pub(super) fn check(text: &str) -> Result<String, ParamError> {
    if text.is_empty() {
        return Err(ParamError::new("a path cannot be empty"));
    }
    if text.contains(char::is_control) {
        return Err(ParamError::new("a path cannot hold control characters"));
    }
    if is_absolute(text) {
        return Ok(text.to_owned());
    }
    Err(relative())
}

fn relative() -> ParamError {
    let message = "an absolute path expected, not a relative one, which means another place in every folder";
    ParamError::new(message).help("write it in full, as `/srv/notices` or `C:\\Notices`")
}

/// Says of a relative path what it is in full, seen from the folder `here`.
pub(super) fn in_full(error: ParamError, text: &str, here: &Path) -> ParamError {
    if error != relative() {
        return error;
    }
    // As a shell would say it: `./notices/../x` is worth a second look, but `./notices` is not.
    let below: PathBuf = Path::new(text.trim()).components().collect();
    let full = here.join(below.strip_prefix(".").unwrap_or(&below));
    ParamError {
        help: Some(format!(
            "if the one below this folder is meant, write `{}`",
            full.display()
        )),
        ..error
    }
}
