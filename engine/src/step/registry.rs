//! The plugins by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Family, Plugin, StepKind, Typed};
use crate::diagnostic::closest;

/// All kinds of step that runbooks can use.
#[derive(Default, Clone)]
pub struct Registry {
    plugins: BTreeMap<String, Arc<dyn Plugin>>,
    families: Vec<Arc<dyn Family>>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.plugins.keys()).finish()
    }
}

/// No plugin has that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no kind of step named `{name}`")]
pub struct UnknownPlugin {
    /// The name that was asked for.
    pub name: String,
    /// The nearest name that exists.
    pub closest: Option<String>,
}

impl Registry {
    /// Adds a kind of step; one of the same name is replaced.
    #[must_use]
    pub fn with<K: StepKind>(self, kind: K) -> Self {
        self.with_plugin(Arc::new(Typed(kind)))
    }

    /// Adds a plugin that brings its own way of reading inputs.
    #[must_use]
    pub fn with_plugin(mut self, plugin: Arc<dyn Plugin>) -> Self {
        self.plugins.insert(plugin.name().to_owned(), plugin);
        self
    }

    /// Adds kinds of step that files beside a runbook define; see [`find`](Self::find).
    #[must_use]
    pub fn with_family(mut self, family: Arc<dyn Family>) -> Self {
        self.families.push(family);
        self
    }

    /// The plugin of that name.
    ///
    /// # Errors
    /// When there is none.
    pub fn get(&self, name: &str) -> Result<&Arc<dyn Plugin>, UnknownPlugin> {
        self.plugins.get(name).ok_or_else(|| UnknownPlugin {
            name: name.to_owned(),
            closest: closest(name, self.plugins.keys().map(String::as_str)).map(str::to_owned),
        })
    }

    pub(crate) fn families(&self) -> impl Iterator<Item = &Arc<dyn Family>> {
        self.families.iter()
    }

    /// All plugins, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Plugin>> {
        self.plugins.values()
    }
}
