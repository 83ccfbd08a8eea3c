//! Which secrets a step needs: those that its expressions and scripts name, and those that `secrets` lists.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::fields::{Fields, Named};
use super::steps::Draft;
use super::{Checker, Declared};
use crate::diagnostic::Code;
use crate::id::StepId;
use crate::runbook::graph::{Dag, StepIx};
use crate::runbook::model::{Session, Step};
use crate::runbook::param::Param;
use crate::runbook::secrets::{DeclaredSecrets, SensitiveOutputs};
use crate::secret::SecretName;

/// The secrets that a file declares.
pub(super) fn declared<'p>(params: impl Iterator<Item = &'p Param>, fields: &Fields<'_>) -> DeclaredSecrets {
    let secret = params.filter(|param| param.is_secret());
    let steps = fields
        .get("steps")
        .into_iter()
        .flat_map(|field| field.node.entries());
    let outputs = steps.filter_map(|(key, node)| {
        let find = |name: &str| node.entries().find(|(key, _)| key.name == name);
        let names = match find("sensitive")?.1.value() {
            Value::String(name) => BTreeSet::from([name.clone()]),
            Value::Array(names) => names
                .iter()
                .filter_map(|name| Some(name.as_str()?.to_owned()))
                .collect(),
            _ => return None,
        };
        let fans_out = find("for_each").is_some();
        let step: StepId = key.name.parse().ok()?;
        Some((step, SensitiveOutputs { names, fans_out }))
    });
    DeclaredSecrets {
        params: secret.map(|param| param.name.clone()).collect(),
        outputs: outputs.collect(),
    }
}

impl Checker<'_> {
    /// The secrets that `secrets` lists.
    pub(super) fn listed_secrets(
        &mut self,
        names: &[Named<'_>],
        declared: &Declared<'_>,
    ) -> BTreeSet<SecretName> {
        let known: BTreeMap<String, SecretName> = declared
            .secrets
            .all()
            .map(|name| (name.to_string(), name))
            .collect();
        let mut listed = BTreeSet::new();
        for named in names {
            if let Some(name) = known.get(named.name) {
                listed.insert(name.clone());
                continue;
            }
            let message = format!("there is no secret `{}`", named.name);
            let problem = self.report.error(Code::SecretUnknown, named.span, message);
            let problem = problem.did_you_mean(named.name, known.keys().map(String::as_str));
            self.report.push(problem.help(
                "it is the name of a parameter of type `secret`, or STEP.OUTPUT of an output that its step marks as `sensitive`",
            ));
        }
        listed
    }

    /// The secrets that the scripts among a step's inputs name.
    pub(super) fn secrets_in_scripts(
        &self,
        with: &Value,
        files: &[(String, String)],
        uses: Option<&str>,
        declared: &Declared<'_>,
    ) -> BTreeSet<SecretName> {
        let mut scripts = Vec::new();
        if let Some(uses) = uses {
            self.scripts_below(uses, with, &mut scripts);
        }
        let texts = scripts.iter().map(String::as_str);
        let texts = texts.chain(files.iter().map(|(_, text)| text.as_str()));
        texts.flat_map(|text| declared.secrets.in_script(text)).collect()
    }

    /// The texts of the scripts in these inputs, also of a step that they contain.
    fn scripts_below(&self, uses: &str, with: &Value, scripts: &mut Vec<String>) {
        let (Ok(plugin), Value::Object(fields)) = (self.registry.get(uses), with) else {
            return;
        };
        for (name, value) in fields {
            if plugin.doc().scripts.contains(&name.as_str()) {
                scripts.push(value.to_string());
            }
            if let (Some(uses), Some(with)) = (value.get("uses").and_then(Value::as_str), value.get("with")) {
                self.scripts_below(uses, with, scripts);
            }
        }
    }

    /// An output that a script may mean is one of a step that comes before.
    pub(super) fn keep_what_comes_before(steps: &mut [Step], dag: &Dag) {
        let ids: Vec<StepId> = steps.iter().map(|step| step.id.clone()).collect();
        for (at, step) in steps.iter_mut().enumerate() {
            let outputs = |name: &SecretName| matches!(name, SecretName::Output(..));
            if !step.secrets.iter().any(outputs) {
                continue;
            }
            let before = dag.ancestors(StepIx::new(at));
            let before: BTreeSet<&StepId> = before.map(|step| &ids[step.index()]).collect();
            step.secrets.retain(|name| match name {
                SecretName::Param(_) => true,
                SecretName::Output(step, _) => before.contains(step),
            });
        }
    }

    /// A step needs what its session needs.
    pub(super) fn add_secrets_of_session(&self, step: &mut Step, session: &Session, declared: &Declared<'_>) {
        let mut needed: BTreeSet<SecretName> = step.secrets.drain(..).collect();
        needed.extend(declared.secrets.in_value(&session.with));
        needed.extend(self.secrets_in_scripts(&session.with, &[], Some(session.uses.as_str()), declared));
        step.secrets = needed.into_iter().collect();
    }
}

/// The names of sensitive outputs that a draft gives.
pub(super) fn sensitive(draft: &Draft<'_>, declared: &Declared<'_>) -> Vec<String> {
    let outputs = declared.secrets.outputs.get(&draft.id);
    outputs
        .into_iter()
        .flat_map(|outputs| outputs.names.iter().cloned())
        .collect()
}
