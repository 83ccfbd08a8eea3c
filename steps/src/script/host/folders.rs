//! The folders that a script may use, and no way out of them.
//!
//! Paths are resolved before they are compared, so that neither `..` nor a link leads out. Somebody else who
//! changes links at the very moment could still mislead a script: folders that others may write to are no
//! place for it.

use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use super::files::Files;
use super::{LONGEST_LIST, LONGEST_TEXT};

/// Folders whose files a script may use.
#[derive(Debug)]
pub(super) struct Folders(Vec<PathBuf>);

impl Folders {
    pub(super) fn new(folders: &[String]) -> Self {
        Self(folders.iter().map(PathBuf::from).collect())
    }

    /// What a path leads to, all links followed; none where nothing is there.
    fn existing(&self, path: &str) -> Result<Option<PathBuf>, String> {
        let asked = plain(path)?;
        match asked.canonicalize() {
            Ok(real) if self.holds(&real) => Ok(Some(real)),
            Ok(_) => Err(self.outside(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if asked.is_symlink() {
                    return Err(format!("`{path}` is a link that leads nowhere"));
                }
                if self.is_within_missing(path) {
                    Ok(None)
                } else {
                    Err(self.outside(path))
                }
            }
            Err(error) => Err(format!("`{path}` cannot be used: {error}")),
        }
    }

    /// The place of a path in its folder, links on the way followed but not a last one.
    fn entry(&self, path: &str) -> Result<PathBuf, String> {
        let asked = plain(path)?;
        let (Some(parent), Some(name)) = (asked.parent(), asked.file_name()) else {
            return Err(self.outside(path));
        };
        let real = match parent.canonicalize() {
            Ok(real) => real,
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(format!("the folder of `{path}` cannot be used: {error}"));
            }
            Err(_) if self.is_within_missing(path) => {
                let folder = parent.display();
                return Err(format!(
                    "`{path}` cannot be used: the folder `{folder}` does not exist; make it first"
                ));
            }
            Err(_) => return Err(self.outside(path)),
        };
        if self.holds(&real) {
            Ok(real.join(name))
        } else {
            Err(self.outside(path))
        }
    }

    /// Whether the nearest folder above that exists is one of ours: nothing is told of what is elsewhere.
    fn is_within_missing(&self, path: &str) -> bool {
        let above = Path::new(path)
            .ancestors()
            .skip(1)
            .find_map(|above| above.canonicalize().ok());
        above.is_some_and(|above| self.holds(&above))
    }

    fn holds(&self, real: &Path) -> bool {
        self.0
            .iter()
            .filter_map(|folder| folder.canonicalize().ok())
            .any(|folder| real.starts_with(folder))
    }

    fn outside(&self, path: &str) -> String {
        if let Some(folder) = self.missing(path) {
            let folder = folder.display();
            return format!(
                "`{path}` cannot be used: the folder `{folder}` of `allow.folders` does not exist; make it first, \
                 or name one that exists"
            );
        }
        if self.0.is_empty() {
            format!("`{path}` is not allowed: the step allows no folders (`allow.folders`)")
        } else {
            format!("`{path}` is not allowed: it is not below a folder of `allow.folders`")
        }
    }

    /// The granted folder that a path is written below, and that is not there: nothing can be resolved in it.
    fn missing(&self, path: &str) -> Option<&Path> {
        let folders = self.0.iter().map(PathBuf::as_path);
        let mut above = folders.filter(|folder| Path::new(path).starts_with(folder));
        above.find(|folder| {
            folder
                .symlink_metadata()
                .is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
        })
    }
}

impl Files for Folders {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the edge at which scripts reach files"
    )]
    fn read(&self, path: &str) -> Result<String, String> {
        let real = self
            .existing(path)?
            .ok_or_else(|| format!("there is no file `{path}`"))?;
        if !real.is_file() {
            return Err(format!("`{path}` is no file"));
        }
        let told = |error: io::Error| format!("`{path}` cannot be read: {error}");
        let limit = u64::try_from(LONGEST_TEXT).unwrap_or(u64::MAX);
        let mut text = String::new();
        let file = std::fs::File::open(real).map_err(told)?;
        let count = file.take(limit + 1).read_to_string(&mut text).map_err(told)?;
        if count > LONGEST_TEXT {
            return Err(format!("`{path}` is larger than {LONGEST_TEXT} bytes"));
        }
        Ok(text)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the edge at which scripts reach files"
    )]
    fn write(&self, path: &str, text: &str) -> Result<(), String> {
        let real = match self.existing(path)? {
            Some(real) => real,
            None => self.entry(path)?,
        };
        if real.exists() && !real.is_file() {
            return Err(format!("`{path}` is no file"));
        }
        std::fs::write(real, text).map_err(|error| format!("`{path}` cannot be written: {error}"))
    }

    fn exists(&self, path: &str) -> Result<bool, String> {
        self.existing(path).map(|found| found.is_some())
    }

    fn list(&self, path: &str) -> Result<Vec<String>, String> {
        let real = self
            .existing(path)?
            .filter(|real| real.is_dir())
            .ok_or_else(|| format!("there is no folder `{path}`"))?;
        let told = |error: io::Error| format!("`{path}` cannot be listed: {error}");
        let mut names = Vec::new();
        for entry in real.read_dir().map_err(told)? {
            names.push(entry.map_err(told)?.file_name().to_string_lossy().into_owned());
            if names.len() > LONGEST_LIST {
                return Err(format!("there is too much in `{path}`"));
            }
        }
        names.sort();
        Ok(names)
    }

    fn remove(&self, path: &str) -> Result<bool, String> {
        let entry = match self.entry(path) {
            Ok(entry) => entry,
            Err(_) if self.is_within_missing(path) => return Ok(false),
            Err(why) => return Err(why),
        };
        match std::fs::remove_file(entry) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(format!("`{path}` cannot be removed: {error}")),
        }
    }
}

/// An absolute path without `..`, which would mean another place once a folder is a link.
fn plain(path: &str) -> Result<&Path, String> {
    let asked = Path::new(path);
    if !asked.is_absolute() {
        return Err(format!("`{path}` must be an absolute path"));
    }
    if path.contains('\0') || asked.components().any(|part| part == Component::ParentDir) {
        return Err(format!(
            "`{path}` is not allowed: a path must not go through `..`"
        ));
    }
    Ok(asked)
}
