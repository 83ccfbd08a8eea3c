//! Files that a script reads and writes, within the folders that it is granted.

use std::sync::Arc;

use rhai::{Array, Dynamic, Engine, ImmutableString};
use runbook_engine::step::Context;

use super::folders::Folders;
use super::pretended::PretendedFiles;
use super::{Answer, Function, Grant, refused};
use crate::script::Allow;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::granted(
        "read_file(path)",
        Grant::Folders,
        "the text of a file, at most 4 MiB of UTF-8",
    ),
    Function::granted(
        "write_file(path, text)",
        Grant::Folders,
        "writes a file, new or not",
    ),
    Function::granted(
        "exists(path)",
        Grant::Folders,
        "whether a file or folder is there",
    ),
    Function::granted(
        "remove_file(path)",
        Grant::Folders,
        "removes a file, or a link itself; tells whether there was one",
    ),
    Function::granted(
        "list_files(path)",
        Grant::Folders,
        "the sorted names of what is in a folder",
    ),
];

/// Where the files are. An error says why, for the script.
pub(super) trait Files: Send + Sync {
    /// The text of a file.
    fn read(&self, path: &str) -> Result<String, String>;

    /// Writes a file, new or not.
    fn write(&self, path: &str, text: &str) -> Result<(), String>;

    /// Whether a file, or a folder, is there.
    fn exists(&self, path: &str) -> Result<bool, String>;

    /// The names of what is in a folder, sorted.
    fn list(&self, path: &str) -> Result<Vec<String>, String>;

    /// Removes a file or a link; tells whether there was one.
    fn remove(&self, path: &str) -> Result<bool, String>;
}

pub(super) fn register(engine: &mut Engine, allow: &Allow, cx: &Context) {
    let granted = allow.folders.as_deref().unwrap_or_default();
    let folders: Arc<dyn Files> = match &cx.world {
        None => Arc::new(Folders::new(granted)),
        Some(world) => Arc::new(PretendedFiles {
            world: Arc::clone(world),
            folders: granted.to_vec(),
        }),
    };
    let reading = Arc::clone(&folders);
    engine.register_fn("read_file", move |path: ImmutableString| -> Answer<String> {
        reading.read(&path).or_else(refused)
    });
    let writing = Arc::clone(&folders);
    engine.register_fn(
        "write_file",
        move |path: ImmutableString, text: ImmutableString| -> Answer<()> {
            writing.write(&path, &text).or_else(refused)
        },
    );
    let looking = Arc::clone(&folders);
    engine.register_fn("exists", move |path: ImmutableString| -> Answer<bool> {
        looking.exists(&path).or_else(refused)
    });
    let listing = Arc::clone(&folders);
    engine.register_fn("list_files", move |path: ImmutableString| -> Answer<Array> {
        let names = listing.list(&path).or_else(refused)?;
        Ok(names.into_iter().map(Dynamic::from).collect())
    });
    engine.register_fn("remove_file", move |path: ImmutableString| -> Answer<bool> {
        folders.remove(&path).or_else(refused)
    });
}
