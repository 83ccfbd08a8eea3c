//! The state folder and the disk that it is on.

use std::io;
use std::path::Path;

use runbook_engine::journal::JournalError;
use runbook_engine::journal::sled::inspect;
use runbook_engine::platform::disk::{Disk, disk_of};
use runbook_engine::platform::private;

use super::Finding;

/// With less room than this, runs may soon stop, in bytes.
const LITTLE: u64 = 256 * 1024 * 1024;

/// With less room than this, no run should begin, in bytes.
const NONE: u64 = 16 * 1024 * 1024;

/// The folder: there, ours, private, and one that can be written to.
pub(crate) fn folder(root: &Path) -> Finding {
    const CHECK: &str = "state folder";
    let shown = root.display();
    match inspect(root) {
        Ok(false) => return new_folder(CHECK, root),
        Ok(true) => {}
        Err(JournalError::Storage { source, .. }) => {
            let found = format!("{shown} cannot be looked at: {source}");
            return Finding::bad(
                CHECK,
                found,
                "mend its permissions, or choose another with `--state-dir`",
            );
        }
        Err(JournalError::Newer(what)) => {
            let help = "use the version of `runbook` that made it, or a newer one";
            return Finding::bad(CHECK, format!("{shown}: {what}"), help);
        }
        Err(JournalError::Foreign(what)) => {
            let help = "use the account that it belongs to, or choose another folder with `--state-dir`";
            return Finding::bad(CHECK, format!("{shown} is not yours to use: {what}"), help);
        }
        Err(other) => return Finding::bad(CHECK, format!("{shown}: {other}"), "look at `runbook list`"),
    }
    if let Err(error) = try_to_write(root) {
        let found = format!("{shown} cannot be written to: {error}");
        let help = "runs can be read, not carried out: make room, or mend its permissions";
        return Finding::bad(CHECK, found, help);
    }
    match private::is_private(root) {
        Ok(true) => Finding::good(CHECK, format!("{shown}: private, can be written to")),
        Ok(false) => {
            let found = format!("{shown} can be entered by other accounts of this machine");
            Finding::note(CHECK, found, format!("close it: {}", private::how_to_close(root)))
        }
        Err(error) => Finding::bad(CHECK, format!("{shown}: {error}"), "mend its permissions"),
    }
}

/// A folder that the first run will make.
fn new_folder(check: &'static str, root: &Path) -> Finding {
    let shown = root.display();
    let above = root.ancestors().find(|folder| folder.is_dir());
    let above = above.unwrap_or_else(|| Path::new("."));
    match try_to_write(above) {
        Ok(()) if root.is_dir() => Finding::good(check, format!("{shown}: empty; the first run fills it")),
        Ok(()) => Finding::good(check, format!("{shown}: not there yet; the first run makes it")),
        Err(error) => {
            let found = format!(
                "{shown} is not there, and cannot be made in {}: {error}",
                above.display()
            );
            Finding::bad(
                check,
                found,
                "choose another with `--state-dir` or RUNBOOK_STATE_DIR",
            )
        }
    }
}

/// Whether nothing is in it.
pub(crate) fn is_empty(root: &Path) -> bool {
    std::fs::read_dir(root).is_ok_and(|mut entries| entries.next().is_none())
}

/// Makes a file that nobody sees and that is gone at once.
fn try_to_write(folder: &Path) -> io::Result<()> {
    use io::Write as _;
    let mut file = tempfile::tempfile_in(folder)?;
    file.write_all(b"runbook")?;
    file.sync_data()
}

/// The disk: one of this machine, with room.
pub(crate) fn disk(root: &Path) -> Finding {
    const CHECK: &str = "disk";
    let there = root.ancestors().find(|folder| folder.is_dir());
    let disk = match disk_of(there.unwrap_or_else(|| Path::new("."))) {
        Ok(disk) => disk,
        Err(error) => {
            let found = format!("the system does not tell about it: {error}");
            return Finding::note(
                CHECK,
                found,
                "see to it that there is room, on a disk of this machine",
            );
        }
    };
    let Disk {
        free,
        system,
        network,
        memory,
    } = disk;
    let system = system.map_or_else(String::new, |system| format!(", {system}"));
    let found = format!("{} free{system}", size(free));
    if network {
        let help = "keep runs on a disk of this machine (`--state-dir`): network file systems do not keep the promises \
                    that a journal rests on";
        Finding::bad(CHECK, format!("{found}: a file system of another machine"), help)
    } else if free < NONE {
        Finding::bad(CHECK, format!("{found}: too little to begin a run"), "make room")
    } else if memory {
        let help = "keep runs elsewhere (`--state-dir`) if they must outlive a restart";
        Finding::note(
            CHECK,
            format!("{found}: in memory, gone when the machine stops"),
            help,
        )
    } else if free < LITTLE {
        Finding::note(CHECK, format!("{found}: that may not last"), "make room")
    } else {
        Finding::good(CHECK, format!("{found}, of this machine"))
    }
}

/// A number of bytes as people read it.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut tenths = u128::from(bytes) * 10 / 1024;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}
