//! The secrets that a runbook declares, and which of them a text names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::expr::{self, Expression, Names, Part};
use crate::id::{ParamName, StepId};
use crate::secret::SecretName;
use crate::step::dotted;

/// All secrets of a runbook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeclaredSecrets {
    /// The parameters of type `secret`.
    pub(super) params: BTreeSet<ParamName>,
    /// The steps that give sensitive outputs.
    pub(super) outputs: BTreeMap<StepId, SensitiveOutputs>,
}

/// The outputs of a step that are secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SensitiveOutputs {
    pub(super) names: BTreeSet<String>,
    /// The step gives them for each of its items.
    pub(super) fans_out: bool,
}

impl DeclaredSecrets {
    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = SecretName> {
        let params = self.params.iter().cloned().map(SecretName::Param);
        let outputs = self.outputs.iter().flat_map(|(step, outputs)| {
            let name = |output: &String| SecretName::Output(step.clone(), output.clone());
            outputs.names.iter().map(name)
        });
        params.chain(outputs)
    }

    /// Those that an expression names, or may look at.
    pub(super) fn in_names(&self, names: &Names) -> BTreeSet<SecretName> {
        let is_named = |secret: &SecretName| match secret {
            SecretName::Param(name) => names.every_param || names.params.contains(name),
            SecretName::Output(step, output) => {
                names.every_step
                    || names
                        .outputs
                        .iter()
                        .any(|(of, part)| self.means(step, output, of, part.as_deref()))
            }
        };
        self.all().filter(is_named).collect()
    }

    /// Whether `steps.of.outputs.part` may be, or hold, this output.
    fn means(&self, step: &StepId, output: &str, of: &StepId, part: Option<&str>) -> bool {
        if dotted(step.as_str()) != dotted(of.as_str()) {
            return false;
        }
        let declared = self.outputs.get(step);
        let by_item = declared.is_some_and(|outputs| outputs.fans_out);
        by_item || part.is_none_or(|part| part == output)
    }

    /// Those that the `${{ … }}` of a text name; where `own` is given, also by that step's `outputs`.
    #[must_use]
    pub fn in_template(&self, text: &str, own: Option<&StepId>) -> BTreeSet<SecretName> {
        let parts = expr::parts(text).unwrap_or_default();
        let expressions = parts.into_iter().filter_map(|part| match part {
            Part::Expression(range) => expr::compile_loose(&text[range], &[]).ok(),
            Part::Text(_) => None,
        });
        let named = |expression: Expression| {
            let mut named = self.in_names(expression.names());
            if let Some(own) = own
                && expression.names().top.contains("outputs")
            {
                named.extend(
                    self.all()
                        .filter(|name| matches!(name, SecretName::Output(step, _) if step == own)),
                );
            }
            named
        };
        expressions.flat_map(named).collect()
    }

    /// Those that the templates below a value name.
    pub(super) fn in_value(&self, value: &Value) -> BTreeSet<SecretName> {
        match value {
            Value::String(text) if expr::is_template(text) => self.in_template(text, None),
            Value::Array(items) => items.iter().flat_map(|item| self.in_value(item)).collect(),
            Value::Object(fields) => fields.values().flat_map(|value| self.in_value(value)).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => BTreeSet::new(),
        }
    }

    /// Those whose names stand as words in a script. Scripts are written in languages that are not read here.
    pub(super) fn in_script(&self, script: &str) -> BTreeSet<SecretName> {
        let words = script.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let words: BTreeSet<String> = words.map(str::to_ascii_lowercase).collect();
        let is_word = |secret: &SecretName| {
            let name = match secret {
                SecretName::Param(name) => name.as_str(),
                SecretName::Output(_, output) => output.as_str(),
            };
            words.contains(&name.to_ascii_lowercase())
        };
        self.all().filter(is_word).collect()
    }
}
