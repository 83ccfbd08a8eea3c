//! The disk that a folder is on: how much room is left, and whether it is one of this machine.

use std::io;
use std::path::Path;

/// What is known of the disk that a folder is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// How many bytes this account may still write.
    pub free: u64,
    /// What its file system is called, where the system tells.
    pub system: Option<String>,
    /// Whether the file system is that of another machine.
    pub network: bool,
    /// Whether all that is on it is gone when the machine stops.
    pub memory: bool,
}

/// File systems of other machines, as Linux calls them.
const NETWORK: [&str; 13] = [
    "9p",
    "afs",
    "ceph",
    "cifs",
    "davfs",
    "glusterfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "smb3",
    "smbfs",
];

/// The disk that a folder is on.
///
/// # Errors
/// When the system does not tell.
pub fn disk_of(folder: &Path) -> io::Result<Disk> {
    let folder = folder.canonicalize()?;
    let (free, system) = super::os::disk(&folder)?;
    let name = system.as_deref().unwrap_or_default();
    // A file system in a process says by whom it is served after the dot.
    let served = name.strip_prefix("fuse.").unwrap_or(name);
    let mounted = NETWORK.contains(&served) || matches!(served, "sshfs" | "s3fs" | "davfs2" | "rclone");
    let shared = folder.to_string_lossy().starts_with(r"\\?\UNC\");
    Ok(Disk {
        free,
        network: mounted || shared,
        memory: matches!(name, "tmpfs" | "ramfs"),
        system,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_this_machine_has_room_and_is_local() {
        let folder = tempfile::tempdir().unwrap();
        let disk = disk_of(folder.path()).unwrap();
        assert!(disk.free > 0 && !disk.network, "{disk:?}");
        assert!(disk_of(&folder.path().join("nowhere")).is_err());
    }
}
