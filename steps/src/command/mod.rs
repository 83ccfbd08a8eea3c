//! `command`: carries out a program.

use std::collections::BTreeMap;

use async_trait::async_trait;
use runbook_engine::platform::process::Exit;
use runbook_engine::portable;
use runbook_engine::step::{
    Abilities, Check, Context, Failure, FailureKind, KindDoc, Observation, Outputs, StepKind, Verdict,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

pub use self::answer::Stdout;
pub use self::argv::Argv;
pub use self::secret::Exposed;
use self::secret::{SecretFiles, check_arguments, file_name};
use crate::child::{self, Finished, Input, Program};
use crate::text::{Text, absolute, last_line};

mod answer;
mod argv;
mod secret;

/// See [`KindDoc`].
pub struct Command;

/// The inputs of a `command` step.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandInputs {
    /// The program that brings the outcome about, and its arguments. May be left out where `validate` is
    /// given: the step is then only a check.
    pub run: Option<Argv>,
    /// The program that tells whether the outcome is there: exit code 0 yes, 1 no.
    pub validate: Option<Argv>,
    /// The program that undoes it.
    pub rollback: Option<Argv>,
    /// Variables added to the environment.
    #[serde(default)]
    pub env: BTreeMap<String, Text>,
    /// The folder in which the programs work, as an absolute path.
    pub cwd: Option<String>,
    /// What the programs read from their standard input, instead of the document.
    pub stdin: Option<Text>,
    /// Private files for the programs, by name; they are gone when the program has ended. `{ secret_file: NAME }`
    /// among the arguments is the path of one.
    #[serde(default)]
    pub secret_files: BTreeMap<String, Text>,
    /// `arguments`: secrets may stand in the arguments of the programs, where every account of the machine can read
    /// them.
    pub expose: Option<Exposed>,
    /// What becomes of the standard output of `run` and `validate`.
    #[serde(default)]
    pub stdout: Stdout,
}

const TEXT: &str = r#"A program and its arguments are a list, and each item reaches the program as it is: no shell
takes it apart, so that no value can become a command. Where a shell is wanted, name it:
`[sh, -c, "sort < \"$1\"", sh, "${{ params.file }}"]`.

**What it is told.** All that the step may know arrives on standard input, as one line of JSON: `params`,
`steps` (the outputs of earlier steps), `item`, `before` (what `validate` found before the first attempt),
`outputs`, `run`, `step` and `attempt`. A program that does not read it is fine. The environment is the
engine's own, with `RUNBOOK_RUN`, `RUNBOOK_STEP` and `RUNBOOK_ATTEMPT`.

**Secrets.** A program is given the secrets that its step names, in an expression or under `secrets`, and no others.
They arrive in the document; or as `stdin: ${{ params.token }}`, for a program that reads a password there and nothing
else; or in a private file, which is gone when the program has ended: `secret_files: { token: "${{ params.token }}" }`,
with `{ secret_file: token }` among the arguments for its path (`{ secret_file: token, after: --password-file= }` where
both are one argument); the variable `RUNBOOK_FILES` names their folder. `env` hands a secret over in a variable. In
the arguments every account of the machine could read it: that takes `expose: arguments`, and a warning remains.

**What it answers.** `run` and `rollback` succeed with exit code 0. `validate` answers with its exit code: 0, the
outcome is there; 1, it is not, and the last line that it printed says what is missing; anything else is an error.
With `stdout: text` what was printed is the output `stdout`; with `stdout: json` it is one JSON object, whose
fields are the outputs. What `validate` prints, read the same way, is also what it observed, and is added to the
outputs of `run` once the outcome is there; one that prints nothing adds nothing. Of a longer text the first MiB is
kept, and the output `stdout_truncated` says so; a longer JSON object is an error.

**How it ends.** The step ends with the program. Processes that it leaves behind are ended too, unless they have
made themselves services (a session of their own). When the step's time is up, the program and all that it started
are asked to end, and killed five seconds later.

**On Windows.** A name is looked up in the folders that `PATH` names in full, with the endings of `PATHEXT`, and never in
the current folder; a path may begin in `cwd`. Arguments are quoted as the program reads them, `cmd.exe` and
`msiexec.exe` too. A batch file (`.bat`, `.cmd`) gets no value as an argument, and no sign that `cmd.exe` might read as a
part of a command: use a `powershell` step. What is printed in UTF-16 or in the code page of consoles becomes UTF-8, with
lines that end as everywhere.

```yaml
steps:
  web-service:
    title: Start the web service
    uses: command
    with:
      validate: [systemctl, is-active, --quiet, nginx]
      run: [systemctl, start, nginx]
      rollback: [systemctl, stop, nginx]
      stdout: ignore
    timeout: 2m
```
"#;

#[async_trait]
impl StepKind for Command {
    type Inputs = CommandInputs;

    const NAME: &'static str = "command";

    fn doc(&self) -> KindDoc {
        KindDoc {
            summary: "carries out a program",
            text: TEXT,
            scripts: &[],
        }
    }

    fn abilities(&self, inputs: &CommandInputs) -> Abilities {
        Abilities {
            validates: inputs.validate.is_some(),
            undoes: inputs.rollback.is_some(),
            by_person: false,
            needs_evidence: false,
            read_only: inputs.validate.is_some() && inputs.run.is_none(),
        }
    }

    fn check(&self, inputs: &CommandInputs, check: &mut Check<'_>) {
        if inputs.run.is_none() && inputs.validate.is_none() {
            check.problem(&[], "`run` or `validate` is missing: the step would do nothing");
        }
        if inputs.rollback.is_some() && inputs.run.is_none() {
            check.problem(&["rollback"], "there is nothing to undo: the step has no `run`");
        }
        let parts = [
            ("run", &inputs.run),
            ("validate", &inputs.validate),
            ("rollback", &inputs.rollback),
        ];
        for (name, argv) in parts {
            if let Some(argv) = argv {
                argv.check(name, &inputs.secret_files, check);
                check_arguments(name, argv, inputs.expose, check);
            }
        }
        let names: Vec<String> = inputs.secret_files.keys().cloned().collect();
        for name in &names {
            let everywhere = portable::check(name).and_then(|()| portable::check_alone(name, &names));
            if let Err(why) = file_name(name) {
                check.problem(&["secret_files", name], why);
            } else if let Err(why) = everywhere {
                check.problem(&["secret_files", name], why.to_string());
            }
        }
        for name in inputs.env.keys() {
            if let Err(why) = variable(name, "") {
                check.problem(&["env", name], why);
            }
        }
        if let Some(cwd) = &inputs.cwd
            && !cwd.contains("${{")
            && let Err(why) = absolute(cwd)
        {
            check.problem(&["cwd"], why);
        }
    }

    async fn validate(&self, inputs: &CommandInputs, cx: &Context) -> Result<Observation, Failure> {
        let Some(argv) = &inputs.validate else {
            return Ok(Observation::unknown());
        };
        let finished = carry_out(argv, inputs, cx).await?;
        let name = program(argv);
        let verdict = match finished.exit {
            Exit::Code(0) => Verdict::Satisfied,
            Exit::Code(1) => Verdict::Unsatisfied(reason(name, inputs.stdout, &finished)),
            Exit::Code(code) => {
                let meant = "which means neither that the outcome is there (0) nor that it is not (1)";
                return Err(failed(
                    &format!("`{name}` ended with exit code {code}, {meant}"),
                    &finished,
                ));
            }
            Exit::Signal(_) => return Err(unsuccessful(name, &finished)),
        };
        let found = inputs.stdout.outputs(name, &finished)?;
        let observed = found.clone().map_or(Value::Null, Value::Object);
        Ok(Observation {
            verdict,
            observed,
            outputs: found.unwrap_or_default(),
        })
    }

    async fn run(&self, inputs: &CommandInputs, cx: &Context) -> Result<Outputs, Failure> {
        // Without `run` the step is a check: what `validate` says next decides.
        let Some(argv) = &inputs.run else {
            return Ok(Outputs::new());
        };
        let finished = carry_out(argv, inputs, cx).await?;
        let name = program(argv);
        if finished.exit != Exit::Code(0) {
            return Err(unsuccessful(name, &finished));
        }
        match (inputs.stdout.outputs(name, &finished)?, inputs.stdout) {
            (Some(outputs), _) => Ok(outputs),
            (None, Stdout::Text) => Ok(Outputs::from_iter([("stdout".to_owned(), "".into())])),
            (None, Stdout::Ignore) => Ok(Outputs::new()),
            (None, Stdout::Json) => {
                let why = "should have printed one JSON object (`stdout: json`), and printed nothing";
                Err(Failure::new(FailureKind::Failed, format!("`{name}` {why}")))
            }
        }
    }

    async fn rollback(&self, inputs: &CommandInputs, cx: &Context) -> Result<(), Failure> {
        let Some(argv) = &inputs.rollback else {
            return Ok(());
        };
        let finished = carry_out(argv, inputs, cx).await?;
        if finished.exit == Exit::Code(0) {
            Ok(())
        } else {
            Err(unsuccessful(program(argv), &finished))
        }
    }
}

async fn carry_out(argv: &Argv, inputs: &CommandInputs, cx: &Context) -> Result<Finished, Failure> {
    let unfit = |why: &str| Failure::new(FailureKind::Inputs, why);
    if let Some((_, why)) = argv.problem() {
        return Err(unfit(&format!("the argument vector cannot be used: {why}")));
    }
    let files = SecretFiles::write(&inputs.secret_files, cx)?;
    let argv = argv.with_files(&files.paths).map_err(|why| unfit(&why))?;
    let folder = files.folder();
    let mut env: BTreeMap<&str, &str> = inputs
        .env
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    env.iter()
        .try_for_each(|(name, value)| variable(name, value))
        .map_err(&unfit)?;
    let cwd = inputs.cwd.as_deref().map(absolute).transpose().map_err(unfit)?;
    if let Some(folder) = &folder {
        env.insert("RUNBOOK_FILES", folder);
    }
    let input = match &inputs.stdin {
        Some(text) => Input::Text(text.as_str().as_bytes().to_vec()),
        None => Input::Document,
    };
    let program = Program {
        argv: argv.iter().map(String::as_str).collect(),
        env,
        cwd,
        input,
    };
    // The files are there until it has ended.
    match inputs.expose {
        Some(Exposed::Arguments) => child::carry_out_exposed(&program, cx).await,
        None => child::carry_out(&program, cx).await,
    }
}

/// What messages call it. Its arguments stay out of them: they may hold secrets.
fn program(argv: &Argv) -> &str {
    argv.program()
}

fn variable(name: &str, value: &str) -> Result<(), &'static str> {
    if name.is_empty() || name.contains(['=', '\0']) {
        Err("a variable's name is not empty, and has neither `=` nor a NUL character")
    } else if name.starts_with("RUNBOOK_") {
        Err("the variables that begin with `RUNBOOK_` are set by the engine")
    } else if value.contains('\0') {
        Err("a variable's value cannot have a NUL character")
    } else {
        Ok(())
    }
}

fn reason(name: &str, stdout: Stdout, finished: &Finished) -> String {
    let printed = || match stdout {
        Stdout::Text | Stdout::Ignore => last_line(&String::from_utf8_lossy(&finished.stdout)),
        Stdout::Json => None,
    };
    let line = printed().or_else(|| last_line(&finished.stderr));
    line.unwrap_or_else(|| format!("`{name}` ended with exit code 1"))
}

fn unsuccessful(name: &str, finished: &Finished) -> Failure {
    match &finished.exit {
        Exit::Code(code) => failed(&format!("`{name}` ended with exit code {code}"), finished),
        Exit::Signal(signal) => failed(&format!("`{name}` was ended by the signal {signal}"), finished),
    }
}

fn failed(what: &str, finished: &Finished) -> Failure {
    let message = match last_line(&finished.stderr) {
        Some(line) => format!("{what}: {line}"),
        None => what.to_owned(),
    };
    Failure::new(FailureKind::Failed, message)
}
