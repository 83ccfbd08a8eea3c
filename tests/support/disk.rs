//! A small disk of its own for a state folder, which a test can fill up, with bytes or with files, and make read-only.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system in memory; gone when the test forgets it.
pub(crate) struct Disk {
    at: PathBuf,
}

impl Disk {
    /// Puts a disk of so many KiB at this folder.
    #[track_caller]
    pub(crate) fn at(folder: &Path, kib: u32) -> Self {
        Self::with(folder, &format!("size={kib}k"))
    }

    /// Puts a disk at this folder that takes so many files and folders.
    #[track_caller]
    pub(crate) fn for_files(folder: &Path, files: u32) -> Self {
        Self::with(folder, &format!("nr_inodes={files}"))
    }

    #[track_caller]
    fn with(folder: &Path, limit: &str) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let options = format!("{limit},mode=700");
        let at = folder.to_owned();
        system(&[
            OsStr::new("mount"),
            "-t".as_ref(),
            "tmpfs".as_ref(),
            "-o".as_ref(),
            options.as_ref(),
            "runbook-test".as_ref(),
            at.as_ref(),
        ]);
        Self { at }
    }

    /// Leaves so many KiB of it free.
    #[track_caller]
    pub(crate) fn leave(&self, kib: u64) {
        self.make_room();
        let size = usize::try_from(self.free("avail").saturating_sub(kib) * 1024).unwrap();
        std::fs::create_dir(self.filler()).unwrap();
        std::fs::write(self.filler().join("block"), vec![b'x'; size]).unwrap();
    }

    /// Leaves room for so many more files and folders on it, whatever their size.
    #[track_caller]
    pub(crate) fn leave_files(&self, files: u64) {
        self.make_room();
        std::fs::create_dir(self.filler()).unwrap();
        for n in files..self.free("iavail") {
            std::fs::write(self.filler().join(n.to_string()), "").unwrap();
        }
    }

    /// Makes room again.
    pub(crate) fn make_room(&self) {
        let _absent = std::fs::remove_dir_all(self.filler());
    }

    /// How much is free, of what `df` calls so; sizes in KiB.
    #[track_caller]
    fn free(&self, of: &str) -> u64 {
        let mut command = Command::new("df");
        command.arg("-k").arg(format!("--output={of}")).arg(&self.at);
        let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
        text.lines().last().unwrap().trim().parse().unwrap()
    }

    /// Lets nothing be written to it from now on, or lets it again.
    #[track_caller]
    pub(crate) fn read_only(&self, yes: bool) {
        let how = if yes { "remount,ro" } else { "remount,rw" };
        system(&["mount".as_ref(), "-o".as_ref(), how.as_ref(), self.at.as_os_str()]);
    }

    fn filler(&self) -> PathBuf {
        self.at.join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _gone = Command::new("umount").arg("--lazy").arg(&self.at).status();
    }
}

/// What only the account `root` may do; a test that needs it fails without, and is not left out in silence.
#[track_caller]
fn system(words: &[&OsStr]) {
    let done = Command::new(words[0]).args(&words[1..]).output();
    let done =
        done.unwrap_or_else(|error| panic!("{words:?}: {error}; Debian has it in the package `mount`"));
    assert!(
        done.status.success(),
        "{words:?}: {}\nthis test mounts a disk: run it as root, in a container with `--cap-add SYS_ADMIN`",
        String::from_utf8_lossy(&done.stderr)
    );
}
