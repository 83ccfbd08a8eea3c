//! `manual`: work that a person does, and what they bring back from it.

use async_trait::async_trait;
use indexmap::IndexMap;
use runbook_engine::diagnostic::closest;
use runbook_engine::step::{
    Abilities, Check, Context, Failure, FailureKind, KindDoc, Observation, Outputs, StepKind,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

pub use self::collect::{Collect, CollectKind, check_value};

mod collect;

/// See [`KindDoc`].
pub struct Manual;

/// The inputs of a `manual` step: what the person is told, and what is asked of them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManualInputs {
    /// What to do, in Markdown.
    pub instructions: String,
    /// What to tick off, one after the other, before the step can be confirmed.
    #[serde(default)]
    pub checklist: Vec<String>,
    /// Values that the person brings back, asked for in this order; they become the step's outputs.
    #[serde(default)]
    pub collect: IndexMap<String, Collect>,
    /// Files that prove the work; they are kept with the run.
    #[serde(default)]
    pub attach: Vec<Attach>,
    /// Whether it can be confirmed without any file: `required`, or else only what `attach` names must be there.
    #[serde(default)]
    pub evidence: Evidence,
    /// How to undo it by hand, in Markdown. Without it, a rollback leaves the work in place and says so.
    pub rollback: Option<String>,
}

/// Whether manual work must be proven by a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// What `attach` names must be there, and nothing else.
    #[default]
    AsListed,
    /// At least one file must be there, whatever it is called.
    Required,
}

/// A file that the person attaches.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attach {
    /// What it is called in the run.
    pub name: String,
    /// What it must show.
    pub description: Option<String>,
    /// Whether the step can be confirmed without it.
    #[serde(default)]
    pub optional: bool,
}

impl ManualInputs {
    /// Whether the work cannot be confirmed without a file.
    #[must_use]
    pub fn needs_evidence(&self) -> bool {
        self.fewest_files() > 0
    }

    /// How many files must be attached.
    #[must_use]
    pub fn fewest_files(&self) -> usize {
        let listed = self.attach.iter().filter(|one| !one.optional).count();
        listed.max(usize::from(self.evidence == Evidence::Required))
    }

    /// Takes the values that a person entered: as text, as a command line gives it, or already typed. An
    /// optional value that was not entered is `null`.
    ///
    /// # Errors
    /// All that is wrong with them, one sentence each, which does not repeat the value.
    pub fn check_values(&self, values: &serde_json::Map<String, Value>) -> Result<Outputs, Vec<String>> {
        let mut outputs = Outputs::new();
        let mut wrong = Vec::new();
        for (name, collect) in &self.collect {
            let entered = values.get(name).filter(|value| !value.is_null());
            match entered.map(|value| check_value(collect, value)) {
                Some(Ok(value)) => {
                    outputs.insert(name.clone(), value);
                }
                Some(Err(why)) => wrong.push(format!("`{name}`: {why}")),
                None if collect.optional => {
                    outputs.insert(name.clone(), Value::Null);
                }
                None => wrong.push(format!("`{name}` is missing")),
            }
        }
        wrong.extend(
            values
                .keys()
                .filter(|name| !self.collect.contains_key(*name))
                .map(
                    |name| match closest(name, self.collect.keys().map(String::as_str)) {
                        Some(near) => format!("`{name}` is not asked for; did you mean `{near}`?"),
                        None => format!("`{name}` is not asked for"),
                    },
                ),
        );
        if wrong.is_empty() { Ok(outputs) } else { Err(wrong) }
    }
}

const TEXT: &str = r#"The run waits, with status `waiting`, until somebody with the step's role confirms the work:
at the prompt, or with `runbook confirm RUN STEP --value NAME=VALUE --attach FILE`. They are shown the
instructions, tick off the checklist, enter what `collect` asks for, each value checked as it is entered, and
attach the files that prove it. All of it, with their name and the time, stands in the run's journal.

The collected values are the step's outputs: `steps.ID.outputs.NAME`; one that is optional and was left out is `()`.
Each is a `string`, `integer`, `number`, `boolean`, `enum` (with `values`), `url`, `domain`, `host`, `guid`
or `path`.

A file that `attach` names must be there, unless it is `optional`. With `evidence: required` at least one must, whatever it shows.
Without them the step cannot be completed, by nobody's word either: `decide STEP done` is refused. Each file is kept with the run
under its SHA-256, and `runbook journal verify` finds one that was changed, swapped or removed.

When the run is rolled back, the person is shown `rollback` and confirms again.

```yaml
steps:
  verify-trust:
    title: Check the trust relationship in Central Administration
    role: farm-admin
    uses: manual
    with:
      instructions: |
        Open **Security > Manage trust** in Central Administration of ${{ params.web_app_url }},
        and look for the trust named `ACS`.
      checklist:
        - The trust is there
        - Its type is "Trusted Service Consumer"
      collect:
        thumbprint: { type: string, prompt: Thumbprint of its certificate, pattern: "[0-9A-Fa-f]{40}" }
      attach:
        - { name: trust.png, description: A picture of the page, optional: true }
    rehearse: { outputs: { thumbprint: 9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B } }
```
"#;

fn by_person() -> Failure {
    Failure::new(
        FailureKind::Fault,
        "a `manual` step is carried out by a person, not by the program",
    )
}

#[async_trait]
impl StepKind for Manual {
    type Inputs = ManualInputs;

    const NAME: &'static str = "manual";

    fn doc(&self) -> KindDoc {
        let summary = "waits for a person to do something and to confirm it";
        KindDoc {
            summary,
            text: TEXT,
            scripts: &[],
        }
    }

    fn abilities(&self, inputs: &ManualInputs) -> Abilities {
        Abilities {
            validates: false,
            undoes: inputs.rollback.is_some(),
            by_person: true,
            needs_evidence: inputs.needs_evidence(),
            read_only: false,
        }
    }

    fn rehearsed_outputs(&self, inputs: &ManualInputs) -> Outputs {
        let asked = inputs.collect.iter().filter(|(_, collect)| !collect.optional);
        asked
            .filter_map(|(name, collect)| Some((name.clone(), collect.example.clone()?)))
            .collect()
    }

    fn gives(&self, inputs: &ManualInputs) -> Option<Vec<String>> {
        Some(inputs.collect.keys().cloned().collect())
    }

    fn check(&self, inputs: &ManualInputs, check: &mut Check<'_>) {
        if inputs.instructions.trim().is_empty() {
            check.problem(
                &["instructions"],
                "the instructions are empty: the person would not know what to do",
            );
        }
        for (name, collect) in &inputs.collect {
            collect.check(name, check);
        }
        for (at, attach) in inputs.attach.iter().enumerate() {
            let at_text = at.to_string();
            if attach.name.trim().is_empty() {
                check.problem(&["attach", &at_text, "name"], "the name is empty");
            }
            if inputs.attach[..at]
                .iter()
                .any(|earlier| earlier.name == attach.name)
            {
                let message = format!("`{}` is asked for twice", attach.name);
                check.problem(&["attach", &at_text, "name"], message);
            }
        }
    }

    async fn validate(&self, _: &ManualInputs, _: &Context) -> Result<Observation, Failure> {
        Ok(Observation::unknown())
    }

    async fn run(&self, _: &ManualInputs, _: &Context) -> Result<Outputs, Failure> {
        Err(by_person())
    }

    async fn rollback(&self, _: &ManualInputs, _: &Context) -> Result<(), Failure> {
        Err(by_person())
    }
}

#[cfg(test)]
mod tests;
