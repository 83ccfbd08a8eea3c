//! Whole files, good and broken, as their writers see them.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::diagnostic::{Diagnostic, Severity, SourceFile};
use crate::runbook::{Loaded, Runbook, load};
use crate::step::{
    Abilities, Check, Context, Failure, Files, InputProblem, KindDoc, Observation, Outputs, Registry,
    StepKind, Templated,
};

mod broken;
mod good;
mod operators;
mod overlays;
mod params;
mod properties;

/// Starts programs.
struct Command;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CommandInputs {
    run: Vec<String>,
    validate: Option<Vec<String>>,
    file: Option<String>,
    count: Option<Templated<u32>>,
    env: Option<BTreeMap<String, String>>,
}

/// Runs a script.
struct Script;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ScriptInputs {
    run: String,
}

/// Cannot be carried out by this version.
struct Cloud;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CloudInputs {}

/// A kind of step that is checked here, and never carried out.
macro_rules! kind {
    ($kind:ty, $inputs:ty, $name:literal, $doc:expr, { $($functions:item)* }) => {
        #[async_trait]
        impl StepKind for $kind {
            type Inputs = $inputs;
            const NAME: &'static str = $name;

            fn doc(&self) -> KindDoc {
                $doc
            }

            $($functions)*

            async fn validate(&self, _: &$inputs, _: &Context) -> Result<Observation, Failure> {
                Ok(Observation::unknown())
            }

            async fn run(&self, _: &$inputs, _: &Context) -> Result<Outputs, Failure> {
                Ok(Outputs::new())
            }

            async fn rollback(&self, _: &$inputs, _: &Context) -> Result<(), Failure> {
                Ok(())
            }
        }
    };
}

fn doc(summary: &'static str, scripts: &'static [&'static str]) -> KindDoc {
    KindDoc {
        summary,
        text: "",
        scripts,
    }
}

kind!(Command, CommandInputs, "command", doc("starts a program", &[]), {
    fn abilities(&self, inputs: &CommandInputs) -> Abilities {
        Abilities {
            validates: inputs.validate.is_some(),
            ..Abilities::default()
        }
    }

    fn check(&self, inputs: &CommandInputs, check: &mut Check<'_>) {
        if inputs.run.is_empty() {
            check.problem(&["run"], "the program is missing");
        }
        if let Some(Templated::Value(0)) = inputs.count {
            check.problem(&["count"], "it counts from 1");
        }
        if let Some(name) = &inputs.file {
            check.file(&["file"], name);
        }
        let names = inputs.env.iter().flatten().map(|(name, _)| name);
        for name in names.filter(|name| name.contains('=')) {
            let path = vec!["env".to_owned(), name.clone()];
            let message = "a variable's name cannot hold `=`";
            check.report(InputProblem {
                path,
                at_key: true,
                ..InputProblem::new(message)
            });
        }
    }
});

kind!(Script, ScriptInputs, "script", doc("runs a script", &["run"]), {
    fn abilities(&self, _: &ScriptInputs) -> Abilities {
        Abilities::default()
    }

    fn check(&self, inputs: &ScriptInputs, check: &mut Check<'_>) {
        if let Some(at) = inputs.run.find("oops") {
            let (path, inside) = (vec!["run".to_owned()], Some((at, at + 4)));
            check.report(InputProblem {
                path,
                inside,
                ..InputProblem::new("`oops` is no command")
            });
        }
    }
});

kind!(Cloud, CloudInputs, "site.cloud", doc("asks a service", &[]), {
    fn abilities(&self, _: &CloudInputs) -> Abilities {
        Abilities::default()
    }

    fn check_session(&self, _: &serde_json::Value, _: &mut Check<'_>) {}
});

struct Folder;

impl Files for Folder {
    fn read(&self, name: &str) -> Result<String, std::io::Error> {
        match name {
            "hello.txt" => Ok("hello".to_owned()),
            _ => Err(std::io::ErrorKind::NotFound.into()),
        }
    }
}

fn registry() -> Registry {
    Registry::default().with(Command).with(Script).with(Cloud)
}

fn read(text: &str) -> Loaded {
    load(&SourceFile::new("book.yaml", text), &registry(), &Folder)
}

/// The runbook of a text without mistakes.
#[track_caller]
fn good(text: &str) -> Runbook {
    let Loaded { runbook, diagnostics } = read(text);
    assert!(diagnostics.is_empty(), "{}", render(&diagnostics));
    runbook.unwrap()
}

/// What is wrong with a text, as its writer reads it.
#[track_caller]
fn broken(text: &str) -> String {
    let Loaded { runbook, diagnostics } = read(text);
    assert!(!diagnostics.is_empty(), "nothing is wrong");
    assert_eq!(runbook.is_none(), diagnostics.iter().any(Diagnostic::is_error));
    render(&diagnostics)
}

/// `code place: message`, the lines meant with carets below, and what to do.
fn render(diagnostics: &[Diagnostic]) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics {
        let severity = match diagnostic.severity {
            Severity::Warning => "warning ",
            Severity::Error => "",
        };
        text.push_str(&format!("{severity}{} {diagnostic}\n", diagnostic.code));
        for label in &diagnostic.labels {
            text.push_str(&excerpt(
                &label.file,
                label.span.start,
                label.span.end,
                &label.text,
            ));
        }
        for help in &diagnostic.help {
            text.push_str(&format!("    help: {help}\n"));
        }
        text.push('\n');
    }
    text
}

fn excerpt(file: &Arc<SourceFile>, start: usize, end: usize, text: &str) -> String {
    let (line, column) = file.line_column(start);
    let shown = file.text.lines().nth(line - 1).unwrap_or_default();
    let carets = file.text.get(start..end).unwrap_or("!").chars().count().max(1);
    let margin = " ".repeat(column - 1);
    format!(
        "{line:>4} | {shown}\n     | {margin}{} {text}\n",
        "^".repeat(carets)
    )
    .replace(" \n", "\n")
}
