//! What a script reaches in a world that a test describes. Grants hold there as they do elsewhere.

use std::sync::Arc;

use rhai::{Dynamic, INT, Map};
use runbook_engine::runbook::is_absolute;
use runbook_engine::step::world::{ProgramAnswer, WebAnswer, World};

use super::files::Files;
use super::map;

/// The files of a world, below folders that are granted.
pub(super) struct PretendedFiles {
    pub(super) world: Arc<World>,
    pub(super) folders: Vec<String>,
}

impl PretendedFiles {
    fn granted(&self, path: &str) -> Result<(), String> {
        if !is_absolute(path) {
            return Err(format!("`{path}` must be an absolute path"));
        }
        let parts = |path: &str| -> Vec<String> {
            let parts = path
                .split(['/', '\\'])
                .filter(|part| !part.is_empty() && *part != ".");
            parts.map(str::to_owned).collect()
        };
        let asked = parts(path);
        if asked.iter().any(|part| part == "..") {
            return Err(format!(
                "`{path}` is not allowed: a path must not go through `..`"
            ));
        }
        match self
            .folders
            .iter()
            .any(|folder| asked.starts_with(&parts(folder)))
        {
            true => Ok(()),
            false => Err(format!(
                "`{path}` is not allowed: it is not below a folder of `allow.folders`"
            )),
        }
    }
}

impl Files for PretendedFiles {
    fn read(&self, path: &str) -> Result<String, String> {
        self.granted(path)?;
        let text = self.world.file(path);
        text.ok_or_else(|| format!("there is no file `{path}`"))
    }

    fn write(&self, path: &str, text: &str) -> Result<(), String> {
        self.granted(path)?;
        self.world.write(path, text);
        Ok(())
    }

    fn exists(&self, path: &str) -> Result<bool, String> {
        self.granted(path)?;
        Ok(self.world.file(path).is_some() || self.world.list(path).is_some())
    }

    fn list(&self, path: &str) -> Result<Vec<String>, String> {
        self.granted(path)?;
        let names = self.world.list(path);
        names.ok_or_else(|| format!("there is no folder `{path}`"))
    }

    fn remove(&self, path: &str) -> Result<bool, String> {
        self.granted(path)?;
        Ok(self.world.remove(path))
    }
}

/// What a script gets of a program.
pub(super) fn of_program(answer: ProgramAnswer) -> Map {
    map([
        ("code", INT::from(answer.code).into()),
        ("stdout", answer.stdout.into()),
        ("stderr", answer.stderr.into()),
        ("truncated", false.into()),
    ])
}

/// What a script gets of a host.
pub(super) fn of_host(answer: WebAnswer) -> Map {
    let headers = answer.headers.into_iter();
    let headers: Map = headers.map(|(name, value)| (name.into(), value.into())).collect();
    map([
        ("status", INT::from(answer.status).into()),
        ("headers", Dynamic::from_map(headers)),
        ("body", answer.body.into()),
    ])
}
