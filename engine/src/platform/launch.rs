//! Starting programs on Windows: found by their whole paths, and told their arguments as they read them.

use std::io;
use std::path::Path;

use super::process::{self, Launch};
use super::program::{self, Reads, Search};

/// How a program is started: that of its whole path, with its arguments as it reads them.
pub(super) fn command(launch: &Launch) -> io::Result<tokio::process::Command> {
    let file = find(launch).ok_or(io::ErrorKind::NotFound)?;
    let reads = Reads::of(&file);
    if reads == Reads::Batch
        && let Some(why) = program::batch_problem(&file, &launch.args)
    {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    let mut found = Launch {
        program: file,
        ..launch.clone()
    };
    let as_they_are = reads.arguments(&found.args);
    if as_they_are.is_some() {
        found.args.clear();
    }
    let mut command = process::command(&found);
    for argument in as_they_are.into_iter().flatten() {
        command.raw_arg(argument);
    }
    Ok(command)
}

/// The whole path of a program.
#[expect(
    clippy::disallowed_methods,
    reason = "where programs are is a fact of this machine"
)]
fn find(launch: &Launch) -> Option<String> {
    let variable = |wanted: &str| {
        // Windows takes no notice of how they are written.
        let own = launch
            .env
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        own.map(|(_, value)| value.clone())
            .or_else(|| std::env::var(wanted).ok())
    };
    let folder = launch.cwd.clone().or_else(|| std::env::current_dir().ok());
    let folder = folder.unwrap_or_default().to_string_lossy().into_owned();
    let [path, endings] = ["PATH", "PATHEXT"].map(|name| variable(name).unwrap_or_default());
    let search = Search {
        folder: &folder,
        path: &path,
        endings: &endings,
    };
    // Programs of the Store are names that cannot be looked into.
    let exists = |path: &str| {
        Path::new(path)
            .symlink_metadata()
            .is_ok_and(|found| !found.is_dir())
    };
    search.find(&launch.program, exists)
}
