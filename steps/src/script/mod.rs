//! `rhai`: a script in a sandbox.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use runbook_engine::step::{
    Abilities, Check, Context, Failure, FailureKind, Files, InputProblem, KindDoc, Observation, Outputs,
    StepKind,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

pub use self::allow::Allow;
pub(crate) use self::compiled::Compiled;
pub use self::host::{Function, Grant, LONGEST_TEXT, MOST_OPERATIONS, as_markdown, functions};
pub(crate) use self::named::{folder_of, host_of};

mod allow;
pub(crate) mod answer;
mod compiled;
pub(crate) mod gives;
mod host;
pub(crate) mod mistakes;
mod named;
mod reads;

/// The arguments of a `rhai` step's functions.
const ARGUMENTS: &[&str] = &["cx"];

/// See [`KindDoc`].
pub struct Script;

/// The inputs of a `rhai` step: exactly one of `script` and `file`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScriptInputs {
    /// The script itself: any of the functions `validate(cx)`, `run(cx)` and `rollback(cx)`.
    pub script: Option<String>,
    /// The file that holds the script, beside the runbook. The run keeps its text.
    pub file: Option<String>,
    /// What the script may do beyond computing.
    #[serde(default)]
    pub allow: Allow,
}

const INTRODUCTION: &str = r#"The script defines any of three functions; `run` or `validate` must be among them. Outside of
functions it may hold only constants. `cx` is a map of all that the step may know: `cx.params`, `cx.steps`
(`cx.steps["connect"].outputs.tenant`), `cx.item`, `cx.before` and `cx.outputs` (in `rollback`), `cx.run`, `cx.step`
and `cx.attempt`.

| function | what it gives |
| --- | --- |
| `validate(cx)` | `true`; `false`, or a text that says what is missing; `()` for "cannot tell"; or a map of `satisfied`, `reason`, `observed` and `outputs` |
| `run(cx)` | a map of outputs, or `()` |
| `rollback(cx)` | anything |

`throw "why"` ends the step as failed. Besides Rhai's own functions there are those below. What needs a grant is
refused unless the runbook gives it.
"#;

const REST: &str = r#"
A script is never templated. It is ended when the step's time is up, or after fifty million operations.

```yaml
steps:
  licence-file:
    title: Put the licence where the product looks for it
    uses: rhai
    with:
      allow: { folders: [/etc/product] }
      script: |
        const FILE = "/etc/product/licence";
        fn validate(cx) {
            let old = if exists(global::FILE) { read_file(global::FILE) };
            #{ satisfied: old == cx.params.licence, reason: "another licence, or none", observed: #{ old: old } }
        }
        fn run(cx) { write_file(global::FILE, cx.params.licence); #{ file: global::FILE } }
        fn rollback(cx) {
            if cx.before.old == () { remove_file(global::FILE) } else { write_file(global::FILE, cx.before.old) }
        }
```
"#;

static TEXT: LazyLock<String> =
    LazyLock::new(|| format!("{INTRODUCTION}\n{}{REST}", as_markdown(functions())));

/// Where a script stands.
enum Source<'a> {
    Inline(&'a str),
    File(&'a str),
}

impl ScriptInputs {
    fn source(&self) -> Result<Source<'_>, &'static str> {
        match (&self.script, &self.file) {
            (Some(script), None) => Ok(Source::Inline(script)),
            (None, Some(file)) => Ok(Source::File(file)),
            (Some(_), Some(_)) | (None, None) => {
                Err("exactly one of `script` and `file` says what to carry out")
            }
        }
    }

    fn compiled(&self, files: &dyn Files) -> Result<Compiled, Failure> {
        let unfit = |why: String| Failure::new(FailureKind::Inputs, why);
        let source = self.source().map_err(|why| unfit(why.to_owned()))?;
        let compiled = match source {
            Source::Inline(script) => Compiled::of_checked(script),
            Source::File(name) => {
                let text = files.read(name);
                let text =
                    text.map_err(|error| unfit(format!("the script `{name}` cannot be read: {error}")))?;
                Compiled::of_checked(&text).map(|compiled| compiled.of_file(name))
            }
        };
        compiled.map_err(|problem| unfit(format!("the script cannot be used: {problem}")))
    }
}

#[async_trait]
impl StepKind for Script {
    type Inputs = ScriptInputs;

    const NAME: &'static str = "rhai";

    const KEEPS_TO_WORLD: bool = true;

    fn doc(&self) -> KindDoc {
        let summary = "carries out a script in a sandbox";
        KindDoc {
            summary,
            text: &TEXT,
            scripts: &["script"],
        }
    }

    fn abilities(&self, inputs: &ScriptInputs) -> Abilities {
        let script = inputs.script.as_deref();
        script
            .and_then(|script| Compiled::of_checked(script).ok())
            .map(|compiled| compiled.abilities())
            .unwrap_or_default()
    }

    fn abilities_with(&self, inputs: &ScriptInputs, files: &dyn Files) -> Abilities {
        inputs
            .compiled(files)
            .map(|compiled| compiled.abilities())
            .unwrap_or_default()
    }

    fn check(&self, inputs: &ScriptInputs, check: &mut Check<'_>) {
        inputs.allow.check(check);
        match inputs.source() {
            Err(why) => check.problem(&[], why),
            Ok(Source::Inline(script)) => {
                for problem in Compiled::new(script, ARGUMENTS).err().unwrap_or_default() {
                    check.report(InputProblem {
                        path: vec!["script".to_owned()],
                        inside: problem.inside(script),
                        help: problem.help,
                        ..InputProblem::new(problem.message)
                    });
                }
            }
            Ok(Source::File(name)) if name.contains("${{") => {
                check.problem(
                    &["file"],
                    "the name of a script's file cannot be templated: the run keeps its text",
                );
            }
            Ok(Source::File(name)) => {
                let Some(text) = check.file(&["file"], name) else {
                    return;
                };
                for problem in Compiled::new(&text, ARGUMENTS).err().unwrap_or_default() {
                    check.report(InputProblem {
                        path: vec!["file".to_owned()],
                        help: problem.help.clone(),
                        ..InputProblem::new(format!("`{name}` cannot be used: {problem}"))
                    });
                }
            }
        }
    }

    async fn validate(&self, inputs: &ScriptInputs, cx: &Context) -> Result<Observation, Failure> {
        match call(inputs, cx, "validate").await? {
            Some(value) => answer::observation(&value),
            None => Ok(Observation::unknown()),
        }
    }

    async fn run(&self, inputs: &ScriptInputs, cx: &Context) -> Result<Outputs, Failure> {
        call(inputs, cx, "run")
            .await?
            .map_or_else(|| Ok(Outputs::new()), |value| answer::outputs(&value))
    }

    async fn rollback(&self, inputs: &ScriptInputs, cx: &Context) -> Result<(), Failure> {
        call(inputs, cx, "rollback").await.map(drop)
    }
}

/// Calls a function of an inline script or a script's file, unless it does not have it.
async fn call(
    inputs: &ScriptInputs,
    cx: &Context,
    function: &'static str,
) -> Result<Option<rhai::Dynamic>, Failure> {
    let compiled = Arc::new(inputs.compiled(cx.files.as_ref())?);
    let arguments = vec![as_dynamic(compiled.document(cx))?];
    carry_out(&compiled, function, arguments, &inputs.allow, cx).await
}

/// Data as a script reads it.
pub(crate) fn as_dynamic(value: Value) -> Result<rhai::Dynamic, Failure> {
    rhai::serde::to_dynamic(value).map_err(|error| Failure::new(FailureKind::Fault, error.to_string()))
}

/// Calls a function of the script on a thread of its own, unless the script does not have it.
pub(crate) async fn carry_out(
    compiled: &Arc<Compiled>,
    function: &'static str,
    arguments: Vec<rhai::Dynamic>,
    allow: &Allow,
    cx: &Context,
) -> Result<Option<rhai::Dynamic>, Failure> {
    if !compiled.has(function) {
        return Ok(None);
    }
    let stopped = || Failure::new(FailureKind::Failed, "the script was stopped");
    if cx.cancel.is_cancelled() {
        return Err(stopped());
    }
    // Should this call be dropped, the script is told as if it had been cancelled.
    let cancel = cx.cancel.child_token();
    let _guard = cancel.clone().drop_guard();
    let cx = Context { cancel, ..cx.clone() };
    let (compiled, allow) = (Arc::clone(compiled), allow.clone());
    let script = tokio::task::spawn_blocking(move || compiled.call(function, arguments, &allow, &cx));
    script
        .await
        .map_err(|_| Failure::new(FailureKind::Fault, "the script's thread ended unexpectedly"))?
        .map(Some)
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}
