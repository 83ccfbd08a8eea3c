//! What goes wrong on demand: a file for each fault that is on, which holds how often it still happens.
//!
//! The farm's faults are read by its PowerShell module, the tenant's by the server; files are what both understand, and
//! they can be changed while a run is under way.

use std::io;
use std::path::Path;

use clap::ValueEnum;

use super::folder;

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fault {
    /// Farm: a change is refused, since somebody else changed the object meanwhile
    FarmUpdateConflict,
    /// Farm: a cmdlet fails after it has changed something
    FarmHalfWay,
    /// Farm: a cmdlet changes something and then does not return
    FarmHangs,
    /// Farm: "The local farm is not accessible", as without rights or over a second hop
    FarmNotAccessible,
    /// Farm: the App Management service does not answer
    FarmAppManagementDown,
    /// Graph: 429, with `Retry-After` in seconds
    Throttled,
    /// Graph: 429, with `Retry-After` as a date
    ThrottledUntil,
    /// Graph: 503, without `Retry-After`
    Unavailable,
    /// Graph: 403 to what changes something
    Forbidden,
    /// Graph: 401, as if the token had been withdrawn
    TokenWithdrawn,
    /// Graph: a change is made, and its answer is lost
    LostAnswer,
    /// Graph: reading shows the state from before the last change
    StaleReads,
    /// Graph: after somebody has read an application, somebody else adds a name and a certificate to it
    ConcurrentChange,
    /// Graph: 409, a service principal name is in use elsewhere
    NameInUse,
    /// Graph: lists show the content of keys, as Microsoft's Exchange scripts rely on
    ListWithKeys,
    /// Graph: lists show no keys at all, though there are some
    ListWithoutKeys,
    /// Graph: not even the object itself shows the content of its keys
    KeysHidden,
    /// Graph: a key that is there already is refused if its content is sent
    KeysRefusedByContent,
    /// Graph: a key that is there already is refused if anything but its content, type and usage is sent
    KeysRefusedById,
    /// Graph: keys that were sent back get new ids
    KeyIdsChange,
    /// Graph: a change is taken, and a name or key that was there and was sent back is gone all the same
    ItemDropped,
    /// Sign-in: to another tenant than the one that is meant
    WrongTenant,
    /// Sign-in: the person declines
    SignInDeclined,
    /// Sign-in: the code expires at once
    CodeExpired,
    /// Sign-in: "slow down"
    SlowDown,
    /// Sign-in: conditional access blocks codes for devices
    CodesBlocked,
    /// Metadata: the endpoint is gone
    MetadataGone,
}

impl Fault {
    /// What it is called on the command line, and what its file is called.
    pub(crate) fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }

    /// What it does.
    pub(crate) fn about(self) -> String {
        let value = self.to_possible_value();
        let help = value.as_ref().and_then(|value| value.get_help());
        help.map(ToString::to_string).unwrap_or_default()
    }

    /// How often it happens where nobody says: a way in which the tenant answers stays, and an event happens once.
    pub(crate) fn usually(self) -> Often {
        match self {
            Self::ListWithKeys
            | Self::ListWithoutKeys
            | Self::KeysHidden
            | Self::KeysRefusedByContent
            | Self::KeysRefusedById
            | Self::KeyIdsChange
            | Self::WrongTenant
            | Self::CodesBlocked
            | Self::FarmNotAccessible
            | Self::FarmAppManagementDown
            | Self::MetadataGone => Often::Always,
            Self::FarmUpdateConflict
            | Self::FarmHalfWay
            | Self::FarmHangs
            | Self::Throttled
            | Self::ThrottledUntil
            | Self::Unavailable
            | Self::Forbidden
            | Self::TokenWithdrawn
            | Self::LostAnswer
            | Self::StaleReads
            | Self::ConcurrentChange
            | Self::NameInUse
            | Self::ItemDropped
            | Self::SignInDeclined
            | Self::CodeExpired
            | Self::SlowDown => Often::Times(1),
        }
    }
}

/// How often a fault happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Often {
    /// So often, and then no more.
    Times(u32),
    /// Until it is taken away.
    Always,
}

const ALWAYS: &str = "always";

/// The folder of the faults that are on.
#[derive(Debug, Clone)]
pub(crate) struct Faults<'a>(pub(crate) &'a Path);

impl Faults<'_> {
    /// Switches a fault on.
    pub(crate) fn set(&self, fault: Fault, often: Often) -> io::Result<()> {
        let text = match often {
            Often::Times(times) => times.to_string(),
            Often::Always => ALWAYS.to_owned(),
        };
        folder::replace(&self.0.join(fault.name()), &format!("{text}\n"))
    }

    /// Switches a fault off.
    pub(crate) fn clear(&self, fault: Fault) -> io::Result<()> {
        match std::fs::remove_file(self.0.join(fault.name())) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Whether a fault is on, and for how often. What the file says otherwise is nothing.
    pub(crate) fn get(&self, fault: Fault) -> Option<Often> {
        let text = std::fs::read_to_string(self.0.join(fault.name())).ok()?;
        match text.trim() {
            ALWAYS => Some(Often::Always),
            times => times.parse().ok().filter(|times| *times > 0).map(Often::Times),
        }
    }

    /// Whether it happens now; if so, once less from now on.
    pub(crate) fn take(&self, fault: Fault) -> bool {
        let Some(often) = self.get(fault) else {
            return false;
        };
        let left = match often {
            Often::Always => Ok(()),
            Often::Times(1) => self.clear(fault),
            Often::Times(times) => self.set(fault, Often::Times(times - 1)),
        };
        // One that cannot be counted down happens all the same.
        left.is_ok() || self.get(fault).is_some()
    }

    /// Those that are on.
    pub(crate) fn all(&self) -> Vec<(Fault, Often)> {
        let every = Fault::value_variants().iter();
        every
            .filter_map(|fault| Some((*fault, self.get(*fault)?)))
            .collect()
    }
}
