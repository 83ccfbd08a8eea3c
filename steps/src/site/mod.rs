//! `site.NAME`: kinds of step that an administrator writes, each a script `steps/NAME.rhai` beside the runbook.
//!
//! A script says in its constant `STEP` what it is for and what it takes and gives (`declaration`, read from the
//! syntax tree alone by `literal`); `field` holds values against that, and `page` is its documentation. The
//! sandbox, its host functions and grants are those of `script`(crate::script).

use std::sync::Arc;

use async_trait::async_trait;
use rhai::AST;
use runbook_engine::step::{
    Abilities, Check, Context, Definition, Doc, Failure, FailureKind, Family, InputProblem, Observation,
    Outputs, Plugin, TextProblem, Verdict,
};
use serde_json::{Map, Value};

use self::declaration::Declaration;
use crate::script::gives::{self, Declared};
use crate::script::mistakes::Problem;
use crate::script::{Allow, Compiled, answer, as_dynamic, carry_out};

mod declaration;
mod example;
mod field;
mod literal;
mod page;

/// The arguments of a site step's functions.
const ARGUMENTS: &[&str] = &["input", "cx"];

/// The input of every site step that says what it is granted.
const ALLOW: &str = "allow";

/// The kinds of step that scripts beside a runbook define.
pub struct Site;

impl Family for Site {
    fn prefix(&self) -> &'static str {
        "site"
    }

    fn folder(&self) -> &'static str {
        "steps"
    }

    fn extension(&self) -> &'static str {
        "rhai"
    }

    fn define(&self, name: &str, file: &str, text: &str) -> Result<Arc<dyn Plugin>, Vec<TextProblem>> {
        let told = |mut problems: Vec<Problem>| -> Vec<TextProblem> {
            problems.sort_by_key(|problem| problem.inside(text));
            problems.iter().map(|problem| place(problem, text)).collect()
        };
        let (compiled, declared) = Compiled::declared(text, ARGUMENTS, read).map_err(told)?;
        let page = page::page(name, &declared, &compiled);
        Ok(Arc::new(SiteStep {
            name: name.to_owned(),
            file: file.to_owned(),
            text: text.to_owned(),
            script: Arc::new(compiled.of_file(file)),
            declared,
            page,
        }))
    }
}

/// Reads what a script says of itself, and holds what its functions give against it.
fn read(parts: &[AST], is_whole: bool) -> Result<Declaration, Vec<Problem>> {
    let declaration = Declaration::read(parts, is_whole)?;
    let outputs: Vec<Declared<'_>> = declaration.declared().collect();
    gives::check(parts, Some(&outputs))?;
    Ok(declaration)
}

fn place(problem: &Problem, text: &str) -> TextProblem {
    TextProblem {
        span: problem.inside(text).unwrap_or_default(),
        message: problem.message.clone(),
        help: problem.help.clone(),
    }
}

/// A kind of step that a script defines.
struct SiteStep {
    name: String,
    file: String,
    text: String,
    script: Arc<Compiled>,
    declared: Declaration,
    page: String,
}

impl SiteStep {
    /// The inputs as the script reads them, and what it is granted.
    fn inputs(&self, with: &Value) -> Result<(Value, Allow), Failure> {
        let unfit = |place: &str, why: String| {
            let message = format!("the input `{place}` of `{}` does not fit: {why}", self.name);
            Failure::new(FailureKind::Inputs, message)
        };
        let mut given = with.as_object().cloned().unwrap_or_default();
        let allow = given.remove(ALLOW).unwrap_or_else(|| Value::Object(Map::new()));
        let allow = serde_json::from_value(allow).map_err(|error| unfit(ALLOW, error.to_string()))?;
        let mut inputs = Map::new();
        for (name, field) in &self.declared.inputs {
            let value = field
                .settle(given.remove(name))
                .map_err(|why| unfit(name, why.message))?;
            inputs.insert(name.clone(), value);
        }
        match given.keys().next() {
            Some(unknown) => Err(unfit(unknown, "there is no such input".to_owned())),
            None => Ok((Value::Object(inputs), allow)),
        }
    }

    async fn call(
        &self,
        function: &'static str,
        with: &Value,
        cx: &Context,
    ) -> Result<Option<rhai::Dynamic>, Failure> {
        let (inputs, allow) = self.inputs(with)?;
        let arguments = vec![as_dynamic(inputs)?, as_dynamic(self.script.document(cx))?];
        carry_out(&self.script, function, arguments, &allow, cx).await
    }

    /// The outputs as they were declared.
    fn outputs(&self, function: &str, mut given: Outputs) -> Result<Outputs, Failure> {
        let failed = |why: String| {
            let message = format!("`{function}` of `{}` {why}", self.name);
            Failure::new(FailureKind::Failed, message)
        };
        let mut outputs = Outputs::new();
        for (name, field) in &self.declared.outputs {
            let given = given.remove(name).filter(|value| !value.is_null());
            if given.is_none() && field.is_required() {
                return Err(failed(format!("gave no output `{name}`, which `STEP` declares")));
            }
            let settled = field.settle(given);
            let value = settled.map_err(|why| {
                failed(format!(
                    "gave an output `{name}` that does not fit: {}",
                    why.message
                ))
            })?;
            outputs.insert(name.clone(), value);
        }
        match given.keys().next() {
            Some(name) => Err(failed(format!(
                "gave an output `{name}`, which `STEP` does not declare"
            ))),
            None => Ok(outputs),
        }
    }

    fn check_inputs(&self, given: &Map<String, Value>, check: &mut Check<'_>) {
        let known: Vec<&str> = self
            .declared
            .inputs
            .keys()
            .map(String::as_str)
            .chain([ALLOW])
            .collect();
        let unknown: Vec<&String> = given
            .keys()
            .filter(|name| !known.contains(&name.as_str()))
            .collect();
        for &name in &unknown {
            let list = known
                .iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", ");
            check.report(InputProblem {
                path: vec![name.clone()],
                at_key: true,
                ..InputProblem::new(format!("unknown field `{name}`, expected one of {list}"))
            });
        }
        for (name, field) in &self.declared.inputs {
            match given.get(name) {
                Some(value) => {
                    if let Some(why) = field.misfit(value) {
                        check.report(InputProblem {
                            path: vec![name.clone()],
                            help: why.help,
                            ..InputProblem::new(why.message)
                        });
                    }
                }
                None if field.is_required() => {
                    let misspelt = |wrong: &&String| {
                        runbook_engine::diagnostic::closest(wrong, [name.as_str()]).is_some()
                    };
                    if !unknown.iter().any(misspelt) {
                        check.problem(&[], format!("missing field `{name}`"));
                    }
                }
                None => {}
            }
        }
    }

    /// Finds what the script is sure to be refused.
    fn check_grants(&self, allow: Option<&Value>, check: &mut Check<'_>) {
        let empty = Value::Object(Map::new());
        let allowed: Allow = match serde_json::from_value(allow.unwrap_or(&empty).clone()) {
            Ok(allowed) => allowed,
            Err(error) => return check.problem(&[ALLOW], error.to_string()),
        };
        allowed.check(check);
        for grant in self.script.needs().filter(|&grant| allowed.of(grant).is_none()) {
            let path = if allow.is_some() {
                vec![ALLOW.to_owned()]
            } else {
                Vec::new()
            };
            let (key, example) = (grant.key(), grant.example());
            check.report(InputProblem {
                path,
                at_key: true,
                help: Some(format!(
                    "grant what it needs, as `allow: {{ {key}: [{example}] }}`, or nothing: `{key}: []`"
                )),
                ..InputProblem::new(format!(
                    "the script of `{}` uses {key}, and `allow` grants it none",
                    self.name
                ))
            });
        }
    }
}

#[async_trait]
impl Plugin for SiteStep {
    fn name(&self) -> &str {
        &self.name
    }

    fn doc(&self) -> Doc<'_> {
        Doc {
            summary: &self.declared.summary,
            text: &self.page,
            scripts: &[],
        }
    }

    fn definition(&self) -> Option<Definition<'_>> {
        Some(Definition {
            file: &self.file,
            text: &self.text,
        })
    }

    fn keeps_to_world(&self) -> bool {
        true
    }

    fn rehearsed_outputs(&self, _with: &Value) -> Outputs {
        let examples = self.declared.outputs.iter();
        examples
            .filter_map(|(name, field)| Some((name.clone(), field.example()?.clone())))
            .collect()
    }

    fn gives(&self, _with: &Value) -> Option<Vec<String>> {
        Some(self.declared.outputs.keys().cloned().collect())
    }

    fn schema(&self) -> Value {
        page::schema(&self.declared)
    }

    fn check(&self, with: &Value, check: &mut Check<'_>) -> Option<Abilities> {
        match with.as_object() {
            Some(given) => {
                self.check_inputs(given, check);
                self.check_grants(given.get(ALLOW), check);
            }
            None => check.problem(&[], "a map of inputs expected"),
        }
        Some(self.script.abilities())
    }

    fn check_session(&self, _with: &Value, check: &mut Check<'_>) {
        check.problem(&[], format!("`{}` steps share no session", self.name));
    }

    async fn validate(&self, with: &Value, cx: &Context) -> Result<Observation, Failure> {
        let Some(value) = self.call("validate", with, cx).await? else {
            return Ok(Observation::unknown());
        };
        let mut found = answer::observation(&value)?;
        if found.verdict == Verdict::Satisfied {
            found.outputs = self.outputs("validate", found.outputs)?;
        }
        Ok(found)
    }

    async fn run(&self, with: &Value, cx: &Context) -> Result<Outputs, Failure> {
        match self.call("run", with, cx).await? {
            Some(value) => self.outputs("run", answer::outputs(&value)?),
            None => Ok(Outputs::new()),
        }
    }

    async fn rollback(&self, with: &Value, cx: &Context) -> Result<(), Failure> {
        self.call("rollback", with, cx).await.map(drop)
    }
}
