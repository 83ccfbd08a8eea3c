//! A step that uses a site step, for its documentation: what it is granted is what its inputs and its script name.

use std::collections::BTreeSet;

use runbook_engine::runbook::ParamKind;
use serde_json::{Value, json};
use url::Url;

use super::declaration::Declaration;
use super::field::Field;
use crate::script::{Compiled, Grant, folder_of, host_of};

/// The step as YAML, with an example of each input that it must be given.
pub(super) fn example(name: &str, declared: &Declaration, script: &Compiled) -> String {
    let id = name.rsplit('.').next().unwrap_or(name);
    let mut text = format!(
        "```yaml\nsteps:\n  {id}:\n    title: {}\n    uses: {name}\n",
        json!(declared.summary)
    );
    let needs: Vec<Grant> = script.needs().collect();
    let shown = declared.inputs.iter();
    let shown = shown.filter(|(_, field)| field.is_required() || field.example().is_some());
    let inputs: Vec<(&str, &Field, Value)> = shown
        .map(|(name, field)| (name.as_str(), field, value_of(name, field, &needs)))
        .collect();
    if !needs.is_empty() || !inputs.is_empty() {
        text += "    with:\n";
    }
    if !needs.is_empty() {
        let grants = needs.iter().map(|&grant| {
            let named = granted(grant, &inputs, script);
            format!("{}: {}", grant.key(), json!(named))
        });
        let grants: Vec<String> = grants.collect();
        text += &format!("      allow: {{ {} }}\n", grants.join(", "));
    }
    for (name, _, value) in &inputs {
        // JSON is YAML on one line.
        text += &format!("      {name}: {value}\n");
    }
    text + "```\n"
}

/// The value of an input: one without an example lies within what is granted, where that matters.
fn value_of(name: &str, field: &Field, needs: &[Grant]) -> Value {
    if let Some(example) = field.example().or(field.default()) {
        return example.clone();
    }
    let within = |grant: Grant| needs.contains(&grant).then(|| grant.example());
    match field.param_kind() {
        Some(ParamKind::Path) => within(Grant::Folders).map(|folder| format!("{folder}/{name}")),
        Some(ParamKind::Url(_)) => within(Grant::Hosts).map(|host| format!("https://{host}/{name}")),
        Some(ParamKind::Host) => within(Grant::Hosts).map(str::to_owned),
        Some(_) | None => None,
    }
    .unwrap_or_else(|| format!("${{{{ params.{name} }}}}"))
    .into()
}

/// What the step must be granted of one sort, for these inputs.
fn granted(grant: Grant, inputs: &[(&str, &Field, Value)], script: &Compiled) -> BTreeSet<String> {
    let of_inputs = inputs.iter().filter_map(|(_, field, value)| {
        let value = value.as_str()?;
        match (grant, field.param_kind()?) {
            (Grant::Folders, ParamKind::Path) => folder_of(value),
            (Grant::Hosts, ParamKind::Url(_)) => host_of(&Url::parse(value).ok()?),
            (Grant::Hosts, ParamKind::Host) => Some(value.to_owned()),
            _ => None,
        }
    });
    let mut named: BTreeSet<String> = of_inputs.chain(script.named(grant)).collect();
    if named.is_empty() {
        named.insert(grant.example().to_owned());
    }
    named
}
