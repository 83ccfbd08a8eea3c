//! Files that hold a secret while a program reads it: private to their owner, in memory where the system offers that,
//! and gone afterwards.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{os, private};

/// A private folder; it and all that it holds is gone when it is dropped.
#[derive(Debug)]
pub struct Folder {
    _outer: TempDir,
    path: PathBuf,
}

impl Folder {
    /// Makes a folder for the call of this token, by which [`sweep`] finds it again.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(token: &str) -> io::Result<Self> {
        let prefix = prefix(token);
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let outer = builder.tempdir_in(os::volatile_folder())?;
        let mut path = outer.path().to_owned();
        // Where it took over the rights of the folder around it, one within it is made private from the first.
        if !private::is_private(&path)? {
            path.push("private");
            private::create_folder(&path)?;
        }
        Ok(Self { _outer: outer, path })
    }

    /// Puts a file into it, and gives its path.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(&self, name: &str, content: &[u8]) -> io::Result<PathBuf> {
        let path = self.path.join(name);
        private::open_file(&path)?.write_all(content)?;
        Ok(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// How the names of a token's folders begin. It ends where the token does: one token may begin another.
fn prefix(token: &str) -> String {
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' {
            c
        } else {
            '_'
        }
    };
    format!("runbook.{}.", token.chars().map(safe).collect::<String>())
}

/// Removes the folders that the calls of these tokens left behind, when their process was killed.
pub fn sweep<'a>(tokens: impl IntoIterator<Item = &'a str>) {
    let Ok(found) = std::fs::read_dir(os::volatile_folder()) else {
        return;
    };
    let prefixes: Vec<String> = tokens.into_iter().map(prefix).collect();
    for entry in found.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if prefixes.iter().any(|prefix| name.starts_with(prefix))
            && let Err(error) = std::fs::remove_dir_all(entry.path())
        {
            tracing::warn!(%error, "a private folder of a call that was cut off could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::private::{self, Readers};
    use super::{Folder, sweep};

    #[test]
    fn a_folder_and_its_files_are_private_and_go_with_it() {
        let folder = Folder::new("test:1").unwrap();
        let file = folder.put("token", b"secret").unwrap();
        assert!(private::is_private(folder.path()).unwrap());
        assert_eq!(private::readers(&file).unwrap(), Readers::Nobody);
        assert_eq!(file.parent(), Some(folder.path()));
        drop(folder);
        assert!(!file.exists());
    }

    #[test]
    fn what_a_killed_process_left_is_swept_and_nothing_else() {
        let left = |token: &str| {
            let folder = Folder::new(token).unwrap();
            let file = folder.put("token", b"secret").unwrap();
            std::mem::forget(folder);
            file
        };
        let unique = std::process::id();
        let (gone, kept) = (left(&format!("{unique}:1")), left(&format!("{unique}:10")));
        sweep([format!("{unique}:1").as_str()]);
        assert!(!gone.exists() && kept.exists());
        sweep([format!("{unique}:10").as_str()]);
        assert!(!kept.exists());
    }
}
