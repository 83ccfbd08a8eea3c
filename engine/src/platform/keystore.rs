//! The system's key store: the Credential Manager of Windows, and elsewhere the Secret Service, which GNOME's and KDE's
//! key rings offer.
//!
//! The Secret Service is asked with the program `secret-tool` of libsecret: it unlocks the key ring where that is
//! needed, and a library would bring a message bus of its own along.

use std::io;

/// How a secret is had from the key store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// This program prints it.
    Program(Vec<String>),
    /// The system gave it, or said why not.
    Found(Result<String, String>),
}

/// Looks a secret up by its service and, where it is named, its account.
///
/// # Errors
/// When the system has no key store that is known here.
#[cfg(unix)]
pub fn look_up(service: &str, account: Option<&str>) -> io::Result<Lookup> {
    let mut argv = vec!["secret-tool", "lookup", "service", service];
    if let Some(account) = account {
        argv.extend(["username", account]);
    }
    Ok(Lookup::Program(argv.into_iter().map(str::to_owned).collect()))
}

/// Looks a secret up by its service and, where it is named, its account.
///
/// # Errors
/// When the key store cannot be opened.
#[cfg(windows)]
pub fn look_up(service: &str, account: Option<&str>) -> io::Result<Lookup> {
    use std::collections::HashMap;

    use keyring_core::api::CredentialStoreApi as _;
    let store = windows_native_keyring_store::Store::new().map_err(io::Error::other)?;
    // Without an account it is a generic credential of that name, as `cmdkey /generic:SERVICE` makes it.
    let by_name = HashMap::from([("target", service)]);
    let entry = match account {
        Some(account) => store.build(service, account, None),
        None => store.build(service, "", Some(&by_name)),
    };
    let found = entry.and_then(|entry| entry.get_password());
    // The errors of the store name no value.
    Ok(Lookup::Found(found.map_err(|error| error.to_string())))
}

/// Keeps a secret under a name that nobody else uses, reads it as [`look_up`] does, and removes it; tells whether it
/// came back as it was.
///
/// # Errors
/// When the system has no key store that can be written to from here.
#[cfg(unix)]
pub fn try_out(_service: &str, _secret: &str) -> io::Result<bool> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Keeps a secret under a name that nobody else uses, reads it as [`look_up`] does, and removes it; tells whether it
/// came back as it was.
///
/// # Errors
/// When the key store does not do one of these.
#[cfg(windows)]
pub fn try_out(service: &str, secret: &str) -> io::Result<bool> {
    use keyring_core::api::CredentialStoreApi as _;
    const ACCOUNT: &str = "selftest";
    let store = windows_native_keyring_store::Store::new().map_err(io::Error::other)?;
    let entry = store.build(service, ACCOUNT, None).map_err(io::Error::other)?;
    entry.set_password(secret).map_err(io::Error::other)?;
    let found = look_up(service, Some(ACCOUNT));
    // Whatever was read, nothing stays.
    entry.delete_credential().map_err(io::Error::other)?;
    match found? {
        Lookup::Found(found) => found.map(|found| found == secret).map_err(io::Error::other),
        Lookup::Program(_) => Ok(false),
    }
}
