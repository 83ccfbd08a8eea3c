//! `rhai`: a script in a sandbox.

use async_trait::async_trait;
use runbook_engine::step::{
    Abilities, Check, Context, Failure, FailureKind, Files, InputProblem, KindDoc, Observation, Outputs,
    StepKind,
};
use schemars::JsonSchema;
use serde::Deserialize;

use self::compiled::Compiled;
pub use self::host::{LONGEST_TEXT, MOST_OPERATIONS};

mod answer;
mod compiled;
mod folders;
mod host;

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

/// What a script may do beyond computing; nothing where it is left out.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Allow {
    /// Hosts that it may reach. Not in this version.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Programs that it may carry out, as it names them.
    #[serde(default)]
    pub commands: Vec<String>,
    /// Folders whose files it may read and write, as absolute paths.
    #[serde(default)]
    pub folders: Vec<String>,
}

const TEXT: &str = r#"The script defines any of three functions; `run` or `validate` must be among them. Outside of
functions it may hold only constants. `cx` is a map of all that the step may know: `cx.params`, `cx.steps`
(`cx.steps["connect"].outputs.tenant`), `cx.item`, `cx.before` and `cx.outputs` (in `rollback`), `cx.run`, `cx.step`
and `cx.attempt`.

| function | what it gives |
| --- | --- |
| `validate(cx)` | `true`; `false`, or a text that says what is missing; `()` for "cannot tell"; or a map of `satisfied`, `reason`, `observed` and `outputs` |
| `run(cx)` | a map of outputs, or `()` |
| `rollback(cx)` | anything |

`throw "why"` ends the step as failed. Besides Rhai's own functions there are:

| function | what it does |
| --- | --- |
| `log(text)`, `print(text)` | adds a line to the transcript |
| `matches(text, pattern)`, `find(text, pattern)` | regular expressions; `find` gives the first match or `()` |
| `parse_json(text)`, `to_json(value)` | JSON |
| `sha256(text)` | the hash, in hexadecimal |
| `now()` | the time in UTC, such as `2026-01-31T08:00:00Z` |
| `sleep(seconds)` | waits, at most an hour |
| `command([program, argument, …])` | carries out a program of `allow.commands`: a map of `code`, `stdout`, `stderr` |
| `read_file(path)`, `write_file(path, text)`, `exists(path)`, `remove_file(path)` | files below `allow.folders`, by absolute path; links that lead out are refused |

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
            Source::Inline(script) => Compiled::new(script),
            Source::File(name) => {
                let text = files.read(name);
                let text =
                    text.map_err(|error| unfit(format!("the script `{name}` cannot be read: {error}")))?;
                Compiled::new(&text)
            }
        };
        compiled.map_err(|problem| unfit(format!("the script cannot be used: {problem}")))
    }
}

#[async_trait]
impl StepKind for Script {
    type Inputs = ScriptInputs;

    const NAME: &'static str = "rhai";

    fn doc(&self) -> KindDoc {
        let summary = "carries out a script in a sandbox";
        KindDoc {
            summary,
            text: TEXT,
            scripts: &["script"],
            available: true,
        }
    }

    fn abilities(&self, inputs: &ScriptInputs) -> Abilities {
        let script = inputs.script.as_deref().map(Compiled::new);
        script
            .and_then(Result::ok)
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
        check_allow(&inputs.allow, check);
        match inputs.source() {
            Err(why) => check.problem(&[], why),
            Ok(Source::Inline(script)) => {
                if let Err(problem) = Compiled::new(script) {
                    check.report(InputProblem {
                        path: vec!["script".to_owned()],
                        inside: problem.inside(script),
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
                if let Some(text) = check.file(&["file"], name)
                    && let Err(problem) = Compiled::new(&text)
                {
                    check.problem(&["file"], format!("`{name}` cannot be used: {problem}"));
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

fn check_allow(allow: &Allow, check: &mut Check<'_>) {
    if !allow.hosts.is_empty() {
        check.report(InputProblem {
            path: vec!["allow".to_owned(), "hosts".to_owned()],
            at_key: true,
            help: Some("use an `http` step, or a program named in `allow.commands`".to_owned()),
            ..InputProblem::new("scripts cannot reach the network in this version")
        });
    }
    for (at, folder) in allow.folders.iter().enumerate() {
        if !folder.contains("${{") && !folders::is_absolute(folder) {
            let message = format!("the folder `{folder}` must be an absolute path");
            check.problem(&["allow", "folders", &at.to_string()], message);
        }
    }
    if let Some(at) = allow.commands.iter().position(String::is_empty) {
        check.problem(
            &["allow", "commands", &at.to_string()],
            "the program's name is empty",
        );
    }
}

/// Calls a function of the script on a thread of its own, unless the script does not have it.
async fn call(
    inputs: &ScriptInputs,
    cx: &Context,
    function: &'static str,
) -> Result<Option<rhai::Dynamic>, Failure> {
    let compiled = inputs.compiled(cx.files.as_ref())?;
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
    let allow = inputs.allow.clone();
    let script = tokio::task::spawn_blocking(move || compiled.call(function, &allow, &cx));
    script
        .await
        .map_err(|_| Failure::new(FailureKind::Fault, "the script's thread ended unexpectedly"))?
        .map(Some)
}
