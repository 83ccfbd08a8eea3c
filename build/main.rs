//! What is built into the program for Windows beside its code: its icon, its version, and what it asks of Windows.

use std::error::Error;
use std::path::PathBuf;

use winresource::WindowsResource;

mod icon;

/// What the program asks of Windows: long paths, UTF-8, no more rights than it is started with.
const MANIFEST: &str = "build/runbook.manifest";

#[expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "this is how cargo is answered, and where it says what it builds"
)]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build");
    if std::env::var("CARGO_CFG_TARGET_OS")? != "windows" {
        return Ok(());
    }
    let icon = PathBuf::from(std::env::var("OUT_DIR")?).join("runbook.ico");
    std::fs::write(&icon, icon::file(&[16, 32, 48, 256]))?;
    let manifest = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join(MANIFEST);
    let mut resource = WindowsResource::new();
    resource
        .set_icon(&icon.to_string_lossy())
        .set_manifest_file(&manifest.to_string_lossy())
        // What is shown is in English.
        .set_language(0x0409)
        .set("OriginalFilename", "runbook.exe")
        .set("CompanyName", "The runbook contributors")
        .set("Comments", &std::env::var("CARGO_PKG_DESCRIPTION")?)
        .set("LegalCopyright", "The runbook contributors; MIT or Apache 2.0");
    Ok(resource.compile_for("runbook")?)
}
