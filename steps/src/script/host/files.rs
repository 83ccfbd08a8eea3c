//! Files that a script reads and writes, within the folders that it is granted.

use std::sync::Arc;

use rhai::{Array, Dynamic, Engine, ImmutableString};

use super::folders::Folders;
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

pub(super) fn register(engine: &mut Engine, allow: &Allow) {
    let folders = Arc::new(Folders::new(allow.folders.as_deref().unwrap_or_default()));
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
