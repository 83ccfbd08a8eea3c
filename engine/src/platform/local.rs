//! Sockets within one machine, private to their owner: how a process that holds a run answers others.
//!
//! On Unix a socket is a file in a folder that only its owner can enter; on Windows it is a named pipe that only
//! its owner and the system can open.

use std::io;
use std::path::Path;

use interprocess::local_socket::tokio::Listener as Inner;
pub use interprocess::local_socket::tokio::Stream;
use interprocess::local_socket::tokio::prelude::*;
use interprocess::local_socket::{ListenerOptions, Name};

/// A socket that others can come in by; gone when dropped.
#[derive(Debug)]
pub struct Listener {
    inner: Inner,
    address: String,
    /// The folder of the socket, where the wished-for one has too long a name.
    #[cfg(unix)]
    _folder: Option<tempfile::TempDir>,
}

impl Listener {
    /// Makes a socket for the private folder `folder`; `unique` is a name that nobody else uses.
    ///
    /// # Errors
    /// When the system refuses.
    #[cfg(unix)]
    pub fn bind(folder: &Path, unique: &str) -> io::Result<Self> {
        use interprocess::os::unix::local_socket::ListenerOptionsExt as _;
        /// Systems keep about a hundred bytes for a socket's path.
        const LONGEST: usize = 100;
        let wished = folder.join("door.sock");
        let (path, short) = if wished.as_os_str().len() <= LONGEST {
            // Whoever had it before is gone: its owner has the run to itself.
            let _absent = std::fs::remove_file(&wished);
            (wished, None)
        } else {
            let short = tempfile::Builder::new().prefix("runbook-").tempdir()?;
            (short.path().join(&unique[..unique.len().min(36)]), Some(short))
        };
        let address = path
            .to_str()
            .ok_or_else(|| io::Error::other("the folder's name is not Unicode"))?
            .to_owned();
        let inner = ListenerOptions::new()
            .name(name(&address)?)
            .mode(0o600)
            .create_tokio()?;
        Ok(Self {
            inner,
            address,
            _folder: short,
        })
    }

    /// Makes a pipe for the private folder `folder`; `unique` is a name that nobody else uses.
    ///
    /// # Errors
    /// When the system refuses.
    #[cfg(windows)]
    pub fn bind(_folder: &Path, unique: &str) -> io::Result<Self> {
        use interprocess::os::windows::local_socket::ListenerOptionsExt as _;
        use interprocess::os::windows::security_descriptor::SecurityDescriptor;
        let us = runbook_win32::account::user()?;
        // All rights for this account and for the system, none for others, nothing inherited. The library refuses
        // whoever comes from another machine.
        let rights = widestring::U16CString::from_str(format!("D:P(A;;GA;;;{us})(A;;GA;;;SY)"));
        let rights = SecurityDescriptor::deserialize(&rights.map_err(io::Error::other)?)?;
        // Names of pipes are the machine's, and two state folders may hold the same run. One that nobody can foresee
        // cannot be taken before us either.
        let address = format!("runbook-{unique}-{}", uuid::Uuid::new_v4().simple());
        let inner = ListenerOptions::new()
            .name(name(&address)?)
            .security_descriptor(rights)
            .create_tokio()?;
        Ok(Self { inner, address })
    }

    /// Where others find it: see [`connect`].
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whether others can still find it. Its file may have been swept away with old ones.
    #[must_use]
    pub fn stands(&self) -> bool {
        #[cfg(unix)]
        let stands = Path::new(&self.address).exists();
        // A pipe is no file, and lasts as long as its process.
        #[cfg(windows)]
        let stands = true;
        stands
    }

    /// Waits for somebody to come in.
    ///
    /// # Errors
    /// When the system has no room for them.
    pub async fn accept(&self) -> io::Result<Stream> {
        self.inner.accept().await
    }
}

/// Goes in by the socket of another process.
///
/// # Errors
/// When nobody is there, or the system refuses.
pub async fn connect(address: &str) -> io::Result<Stream> {
    Stream::connect(name(address)?).await
}

#[cfg(unix)]
fn name(address: &str) -> io::Result<Name<'_>> {
    use interprocess::local_socket::{GenericFilePath, ToFsName as _};
    address.to_fs_name::<GenericFilePath>()
}

#[cfg(windows)]
fn name(address: &str) -> io::Result<Name<'_>> {
    use interprocess::local_socket::{GenericNamespaced, ToNsName as _};
    address.to_ns_name::<GenericNamespaced>()
}
