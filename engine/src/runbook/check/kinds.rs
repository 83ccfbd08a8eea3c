//! The kinds of step that a runbook uses: built-in ones, and those that files beside it define.

use std::sync::Arc;

use super::Checker;
use super::fields::{Field, Named};
use crate::diagnostic::Span;
use crate::id::PluginName;
use crate::step::{NoPlugin, Plugin};

impl Checker<'_> {
    /// The kind of step of this name, once [`plugin`](Self::plugin) has found it.
    pub(super) fn kind_of(&self, name: &PluginName) -> Option<Arc<dyn Plugin>> {
        self.registry.get(name.as_str()).ok().map(Arc::clone)
    }

    /// The plugin that `uses:` names, and the place of the name.
    pub(super) fn plugin(&mut self, field: Field<'_>) -> Option<(PluginName, Span)> {
        let Named { name, span } = field.named(self.report)?;
        let plugin = Named { name, span }.parse::<PluginName>(self.report)?;
        if self.broken.contains(&plugin) {
            return None;
        }
        match self.registry.find(name, self.files) {
            Ok(found) => {
                self.define(&found);
                return Some((plugin, span));
            }
            Err(missing) => {
                let problems = missing.diagnostics(&self.report.file.name);
                let is_broken = matches!(missing, NoPlugin::Broken { .. });
                for problem in problems {
                    // Mistakes in a file have their places in it.
                    let problem = if is_broken {
                        problem
                    } else {
                        problem.at(&self.report.file, span, "")
                    };
                    self.report.push(problem);
                }
                if is_broken {
                    self.broken.insert(plugin);
                }
            }
        }
        None
    }

    /// Remembers a kind that a file defines.
    pub(super) fn define(&mut self, kind: &Arc<dyn Plugin>) {
        if kind.definition().is_some() && self.registry.get(kind.name()).is_err() {
            self.registry = std::mem::take(&mut self.registry).with_plugin(Arc::clone(kind));
        }
    }
}
