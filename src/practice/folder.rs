//! The folder that holds a practice farm and tenant, for its owner only.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::platform::private;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::faults::Faults;
use super::scene::{Scene, Start};
use super::{guide, module};

/// What makes a folder a practice folder.
const SETTINGS: &str = "practice.json";

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
            let empty = match path.read_dir() {
                Ok(mut entries) => entries.next().is_none(),
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
        folder.furnish().map_err(failed)?;
        Ok(folder)
    }

    /// Puts everything back to how it began, or to how `start` says.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn reset(&mut self, start: Start) -> Result<(), Diagnostic> {
        self.settings.start = start;
        self.empty()
            .and_then(|()| self.furnish())
            .map_err(|error| unusable(&self.path, &error))
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
        ] {
            match std::fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes all its files; what marks it as a practice folder comes last.
    fn furnish(&self) -> io::Result<()> {
        private::create_folders(&self.faults_folder())?;
        let scene = &self.settings.scene;
        module::write(&self.path, scene.farm_version)?;
        replace(
            &self.farm(),
            &pretty(&scene.farm(self.settings.start, self.settings.port)),
        )?;
        replace(&self.tenant(), &pretty(&scene.tenant(self.settings.start)))?;
        replace(&self.parameters(), &guide::parameters(self))?;
        replace(&self.certificate(), &scene.app_pem)?;
        replace(&self.secret(), &scene.client_secret)?;
        replace(
            &self.path.join(SETTINGS),
            &pretty(&serde_json::to_value(&self.settings)?),
        )
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
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_data()?;
    file.persist(path)?;
    Ok(())
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
