//! The PowerShell modules that are written into a practice folder.

use std::io;
use std::path::Path;

use runbook_engine::platform::private;

use super::folder::replace;
use super::scene::FarmVersion;

/// The folder in which PowerShell looks for modules.
pub(super) const MODULES: &str = "modules";

/// The folder of what a snap-in would load, where PowerShell does not look by itself.
pub(super) const SNAP_IN: &str = "snap-in";

type Files = [(&'static str, &'static str)];

/// SharePoint's cmdlets.
const SHAREPOINT: &Files = &[
    (
        "SharePointServer.psd1",
        include_str!("module/SharePointServer.psd1"),
    ),
    (
        "SharePointServer.psm1",
        include_str!("module/SharePointServer.psm1"),
    ),
    ("state.ps1", include_str!("module/state.ps1")),
    ("objects.ps1", include_str!("module/objects.ps1")),
    ("farm.ps1", include_str!("module/farm.ps1")),
    ("trust.ps1", include_str!("module/trust.ps1")),
    ("proxies.ps1", include_str!("module/proxies.ps1")),
];

/// What Windows has on each server: services and certificate stores.
const SERVER: &Files = &[
    ("PracticeServer.psd1", include_str!("module/PracticeServer.psd1")),
    ("PracticeServer.psm1", include_str!("module/PracticeServer.psm1")),
    ("state.ps1", include_str!("module/state.ps1")),
    ("services.ps1", include_str!("module/services.ps1")),
    ("certificates.ps1", include_str!("module/certificates.ps1")),
];

/// The snap-in that versions before Subscription Edition load them with.
const PSSNAPIN: &Files = &[
    ("PracticeSnapIn.psd1", include_str!("module/PracticeSnapIn.psd1")),
    ("PracticeSnapIn.psm1", include_str!("module/PracticeSnapIn.psm1")),
];

/// What installs modules, into the practice folder and from nowhere.
const GET: &Files = &[
    ("PowerShellGet.psd1", include_str!("module/PowerShellGet.psd1")),
    ("PowerShellGet.psm1", include_str!("module/PowerShellGet.psm1")),
];

/// Writes the modules for a version of SharePoint.
pub(super) fn write(folder: &Path, version: FarmVersion) -> io::Result<()> {
    let modules = folder.join(MODULES);
    write_one(&modules.join("PowerShellGet"), GET)?;
    write_one(&modules.join("PracticeServer"), SERVER)?;
    if version.has_snap_in() {
        write_one(&modules.join("PracticeSnapIn"), PSSNAPIN)?;
        write_one(&folder.join(SNAP_IN).join("SharePointServer"), SHAREPOINT)
    } else {
        write_one(&modules.join("SharePointServer"), SHAREPOINT)
    }
}

fn write_one(folder: &Path, files: &Files) -> io::Result<()> {
    private::create_folders(folder)?;
    files
        .iter()
        .try_for_each(|(name, text)| replace(&folder.join(name), text))
}
