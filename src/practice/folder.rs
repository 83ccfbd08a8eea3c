//! The folder that holds a practice farm and tenant, for its owner only.

use std::ffi::OsStr;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use openssl::base64;
use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::platform::private;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::faults::Faults;
use super::scene::{Scene, Start};
use super::{guide, module};

/// What makes a folder a practice folder.
const SETTINGS: &str = "practice.json";

/// How the names of files begin that are not whole yet.
const UNFINISHED: &str = ".practice-";

/// What marks a folder that is not finished.
const BEGUN: &str = ".practice-begun";

/// The largest file of the folder that is read, in bytes.
const LARGEST: u64 = 4 * 1024 * 1024;

/// A practice folder.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    path: PathBuf,
    pub(crate) settings: Settings,
}

/// What stays the same for as long as the folder is used.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Where the tenant answers: the farm's own state names this address.
    pub(crate) port: u16,
    /// How it all began.
    pub(crate) start: Start,
    pub(crate) scene: Scene,
}

impl Folder {
    /// The folder that is there already; none if there is nothing.
    ///
    /// # Errors
    /// When something else is there.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, Diagnostic> {
        let settings = path.join(SETTINGS);
        if !settings.exists() {
            let ours = |name: &OsStr| name.to_string_lossy().starts_with(UNFINISHED);
            let empty = match path.read_dir() {
                // Whoever was interrupted begins again.
                Ok(_) if path.join(BEGUN).exists() => true,
                Ok(mut entries) => entries.all(|entry| entry.is_ok_and(|entry| ours(&entry.file_name()))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => true,
                Err(error) => return Err(unusable(path, &error)),
            };
            if empty {
                return Ok(None);
            }
            let message = format!(
                "the folder `{}` holds something else than a practice farm",
                path.display()
            );
            return Err(Diagnostic::error(Code::Usage, message).help("name another with `--folder`"));
        }
        let path = std::path::absolute(path).map_err(|error| unusable(path, &error))?;
        let text = read(&settings).map_err(|error| unusable(&path, &error))?;
        let settings = serde_json::from_str(&text).map_err(|error| {
            let message = format!("`{}` cannot be understood", settings.display());
            let help = "it was damaged, or made by another version: begin again with another `--folder`";
            Diagnostic::error(Code::Usage, message)
                .caused_by(&error)
                .help(help)
        })?;
        Ok(Some(Self { path, settings }))
    }

    /// Sees to it that only its owner can enter it; says whether others could until now.
    ///
    /// # Errors
    /// When it belongs to somebody else.
    pub(crate) fn keep_to_owner(&self) -> Result<bool, Diagnostic> {
        private::keep_to_owner(&self.path).map_err(|error| unusable(&self.path, &error))
    }

    /// Makes a new one.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn create(path: &Path, settings: Settings) -> Result<Self, Diagnostic> {
        let failed = |error: io::Error| unusable(path, &error);
        private::create_folders(path).map_err(failed)?;
        let folder = Self {
            path: std::path::absolute(path).map_err(failed)?,
            settings,
        };
        folder.begin().map_err(failed)?;
        Ok(folder)
    }

    /// Puts everything back to how it began, or to how `start` says.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn reset(&mut self, start: Start) -> Result<(), Diagnostic> {
        self.settings.start = start;
        self.begin().map_err(|error| unusable(&self.path, &error))
    }

    /// Writes all its files anew. Until what marks it as a practice folder is there, something else marks it as begun.
    fn begin(&self) -> io::Result<()> {
        let (begun, settings) = (self.path.join(BEGUN), self.path.join(SETTINGS));
        replace(&begun, "")?;
        remove(&settings)?;
        self.empty()?;
        self.furnish()?;
        replace(&settings, &pretty(&serde_json::to_value(&self.settings)?))?;
        remove(&begun)
    }

    fn empty(&self) -> io::Result<()> {
        for folder in [
            self.faults_folder(),
            self.modules(),
            self.path.join(module::SNAP_IN),
        ] {
            match std::fs::remove_dir_all(folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        for file in [
            self.path.join("farm-calls.jsonl"),
            self.path.join("tenant-calls.jsonl"),
            self.path.join("services.json"),
        ] {
            remove(&file)?;
        }
        Ok(())
    }

    fn furnish(&self) -> io::Result<()> {
        private::create_folders(&self.faults_folder())?;
        let scene = &self.settings.scene;
        module::write(&self.path, scene.farm_version)?;
        replace(
            &self.farm(),
            &pretty(&scene.farm(self.settings.start, self.settings.port)),
        )?;
        replace(&self.tenant(), &pretty(&scene.tenant(self.settings.start)))?;
        replace(&self.parameters(), &guide::parameters(self)?)?;
        replace(&self.rotation(), &guide::rotation(self)?)?;
        replace(&self.certificate(), &scene.app_pem)?;
        replace(&self.secret(), &scene.client_secret)?;
        replace_bytes(&self.old_pfx(), &base64::decode_block(&scene.sts_pfx)?)?;
        replace_bytes(&self.new_pfx(), &base64::decode_block(&scene.new_sts_pfx)?)?;
        replace(&self.pfx_password(), &scene.pfx_password)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The farm's state.
    pub(crate) fn farm(&self) -> PathBuf {
        self.path.join("farm.json")
    }

    /// The tenant's state.
    pub(crate) fn tenant(&self) -> PathBuf {
        self.path.join("tenant.json")
    }

    /// The record of what changed the tenant.
    pub(crate) fn tenant_calls(&self) -> PathBuf {
        self.path.join("tenant-calls.jsonl")
    }

    /// The PowerShell modules.
    pub(crate) fn modules(&self) -> PathBuf {
        self.path.join(module::MODULES)
    }

    /// The parameters of the runbook to practise with.
    pub(crate) fn parameters(&self) -> PathBuf {
        self.path.join("practice.yaml")
    }

    /// The parameters to practise the rotation of the farm's certificate with.
    pub(crate) fn rotation(&self) -> PathBuf {
        self.path.join("rotation.yaml")
    }

    /// The farm's first signing certificate, with its key.
    pub(crate) fn old_pfx(&self) -> PathBuf {
        self.path.join("sts-old.pfx")
    }

    /// The one that may replace it.
    pub(crate) fn new_pfx(&self) -> PathBuf {
        self.path.join("sts-new.pfx")
    }

    /// The password of both.
    pub(crate) fn pfx_password(&self) -> PathBuf {
        self.path.join("pfx-password.txt")
    }

    /// The certificate of the application that signs in by itself, with its key.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.path.join("app.pem")
    }

    /// Its secret.
    pub(crate) fn secret(&self) -> PathBuf {
        self.path.join("app-secret.txt")
    }

    fn faults_folder(&self) -> PathBuf {
        self.path.join("faults")
    }

    /// The faults that are on, in this folder.
    pub(crate) fn with_faults<T>(&self, act: impl FnOnce(Faults<'_>) -> T) -> T {
        act(Faults(&self.faults_folder()))
    }

    /// Where the tenant answers.
    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.settings.port)
    }
}

/// Reads a file of the folder, of bounded size.
pub(super) fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = std::fs::File::open(path)?
        .take(LARGEST + 1)
        .read_to_string(&mut text)?;
    if read as u64 > LARGEST {
        let message = format!("`{}` is too large", path.display());
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(text)
}

/// Replaces a file as a whole, for its owner only.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    replace_bytes(path, text.as_bytes())
}

fn replace_bytes(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = private::unfinished_file(folder, UNFINISHED)?;
    file.write_all(bytes)?;
    file.as_file().sync_data()?;
    file.persist(path)?;
    Ok(())
}

/// Takes a file away, if it is there.
fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// JSON as the folder's files hold it.
pub(super) fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn unusable(path: &Path, error: &io::Error) -> Diagnostic {
    let message = format!("the practice folder `{}` cannot be used", path.display());
    let help = "name another with `--folder`, or mend its permissions";
    Diagnostic::error(Code::Usage, message)
        .caused_by(error)
        .help(help)
}
