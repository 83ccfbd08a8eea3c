//! The places of databases: on Unix also folders with sockets.

use tokio_postgres::config::Host;

/// The name of a host, or the path of the folder with the database's socket.
#[cfg(unix)]
pub(crate) fn host(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(folder) => folder.display().to_string(),
    }
}

/// The name of a host.
#[cfg(windows)]
pub(crate) fn host(host: &Host) -> String {
    let Host::Tcp(name) = host;
    name.clone()
}
