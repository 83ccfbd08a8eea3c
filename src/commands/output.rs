//! Where a result goes: to standard output, or into a file.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::platform::private;

use crate::error::Failed;
use crate::render;
use crate::setting::Setting;

/// Into which file a result goes, if into any.
#[derive(Debug, clap::Args)]
pub(crate) struct Output {
    /// Write it to this file, which only you can read
    #[arg(long = "output", short = 'o', value_name = "FILE")]
    file: Option<PathBuf>,
    /// Replace the file if it is there already
    #[arg(long, requires = "file")]
    overwrite: bool,
}

/// The refusal of a file that could not be written.
pub(super) fn unwritable(path: &Path, error: &io::Error) -> Failed {
    let message = format!("`{}` cannot be written", path.display());
    let diagnostic = Diagnostic::error(Code::Usage, message).caused_by(error);
    let help = "choose a folder that exists and that you may write to";
    diagnostic.help(help).into()
}

impl Output {
    /// The file, if one is named.
    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Refuses early what would be refused in the end.
    pub(super) fn check(&self) -> Result<(), Failed> {
        match &self.file {
            Some(file) if !self.overwrite && file.symlink_metadata().is_ok() => Err(there_already(file)),
            Some(file) if !folder_of(file).is_dir() => Err(no_folder(file)),
            _ => Ok(()),
        }
    }

    /// Refuses a file where there is no picture, or more than one, to write to it.
    pub(super) fn only_for_pictures(&self, one_picture: bool) -> Result<(), Failed> {
        if self.file.is_none() || one_picture {
            return Ok(());
        }
        let message = "`--output` is for one picture: name one run or runbook, and `--graph`";
        Err(Diagnostic::error(Code::Usage, message)
            .help("for example `--graph svg --output steps.svg`")
            .into())
    }

    /// Gives the result: as a whole, or not at all.
    pub(super) fn give(&self, text: &str, setting: &Setting) -> Result<(), Failed> {
        let Some(file) = &self.file else {
            render::result(text.trim_end());
            return Ok(());
        };
        match write(file, text, self.overwrite) {
            Ok(()) => {
                setting.look.tell(&format!("wrote {}", file.display()));
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(there_already(file)),
            Err(error) => Err(not_written(file, &error)),
        }
    }
}

/// The folder that a file is written into.
pub(super) fn folder_of(file: &Path) -> &Path {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Writes a file that only its owner can read, and that appears when it is complete.
pub(crate) fn write(file: &Path, text: &str, overwrite: bool) -> io::Result<()> {
    let mut whole = private::unfinished_file(folder_of(file), ".tmp")?;
    whole.write_all(text.trim_end().as_bytes())?;
    whole.write_all(b"\n")?;
    whole.as_file().sync_all()?;
    let named = if overwrite {
        whole.persist(file)
    } else {
        whole.persist_noclobber(file)
    };
    named.map(drop).map_err(|error| error.error)
}

/// The refusal of a file whose folder is not there.
pub(super) fn no_folder(file: &Path) -> Failed {
    let folder = folder_of(file).display();
    let message = format!(
        "`{}` cannot be written: there is no folder `{folder}`",
        file.display()
    );
    let diagnostic = Diagnostic::error(Code::OutputNotWritten, message);
    diagnostic
        .help("make it, or choose a folder that is there")
        .into()
}

fn there_already(file: &Path) -> Failed {
    let message = format!("`{}` is there already, and was left as it is", file.display());
    let diagnostic = Diagnostic::error(Code::OutputExists, message);
    diagnostic
        .help("choose another name, or replace it with `--overwrite`")
        .into()
}

pub(super) fn not_written(file: &Path, error: &io::Error) -> Failed {
    let message = format!("`{}` could not be written", file.display());
    let diagnostic = Diagnostic::error(Code::OutputNotWritten, message).caused_by(error);
    diagnostic
        .help("choose a folder that exists, that you may write to, and that has room")
        .into()
}
