//! A small disk of its own for a state folder, which a test can fill up and make read-only.

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
        std::fs::create_dir_all(folder).unwrap();
        let options = format!("size={kib}k,mode=700");
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
        let filler = self.filler();
        let _absent = std::fs::remove_file(&filler);
        let blocks = Command::new("df")
            .args(["--output=avail", "-k"])
            .arg(&self.at)
            .output()
            .unwrap();
        let text = String::from_utf8(blocks.stdout).unwrap();
        let free: u64 = text.lines().last().unwrap().trim().parse().unwrap();
        let size = usize::try_from(free.saturating_sub(kib) * 1024).unwrap();
        std::fs::write(filler, vec![b'x'; size]).unwrap();
    }

    /// Makes room again.
    pub(crate) fn make_room(&self) {
        std::fs::remove_file(self.filler()).unwrap();
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
