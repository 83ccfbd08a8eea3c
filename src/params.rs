//! The values of a run's parameters: from the command line, files, another run, or the person. Secrets are given
//! otherwise.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use runbook_engine::core::RunState;
use runbook_engine::diagnostic::{Code, Diagnostic, SourceFile, closest};
use runbook_engine::id::ParamName;
use runbook_engine::runbook::{self, Param, ParamError, Resolved, Runbook};
use serde_json::Value;

pub(crate) use self::like::Like;
use crate::commands::read_bounded;
use crate::error::Failed;
use crate::prompt::Asker;
use crate::secrets::variable;
use crate::setting::Setting;

mod like;

/// How parameters are given on the command line.
#[derive(Debug, clap::Args)]
pub(crate) struct Given {
    /// The value of a parameter; may be given several times
    #[arg(short = 'p', long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// A YAML or JSON file with values of parameters; of several, the last that names one counts
    #[arg(long = "params", value_name = "FILE")]
    params: Vec<PathBuf>,
    /// Take the parameters that this run had; secrets are asked for anew
    #[arg(long = "like", value_name = "RUN")]
    like: Option<String>,
}

impl Given {
    /// The run to take parameters from, if one is named.
    pub(crate) async fn like(&self, setting: &Setting) -> Result<Option<Like>, Failed> {
        match &self.like {
            Some(run) => Like::read(run, setting).await.map(Some),
            None => Ok(None),
        }
    }
}

/// The values that a run starts with.
pub(crate) struct Settled {
    pub(crate) values: BTreeMap<ParamName, Value>,
    /// The parameters whose examples stand in for values.
    pub(crate) examples: Vec<String>,
}

/// The largest file of parameters, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// Finds a value for every parameter that is no secret, or says all that is wrong and missing.
pub(crate) fn settle(
    runbook: &Runbook,
    given: &Given,
    like: Option<&Like>,
    rehearsal: bool,
    setting: &Setting,
) -> Result<Settled, Failed> {
    let (all, wrong) = collect(runbook, given, like);
    let show = |resolved: &Resolved| {
        if let Some(like) = like {
            like.show(runbook, resolved, setting);
        }
    };
    completed(runbook, all, wrong, rehearsal, setting, show)
}

/// Asks for what is missing, or says all that is wrong.
fn completed(
    runbook: &Runbook,
    mut all: BTreeMap<String, runbook::Given>,
    mut wrong: Vec<Diagnostic>,
    rehearsal: bool,
    setting: &Setting,
    show: impl FnOnce(&Resolved),
) -> Result<Settled, Failed> {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the program: paths are typed in this folder"
    )]
    let here = std::env::current_dir().ok();
    let resolve = |all| runbook::resolve_params(runbook, all, rehearsal, here.as_deref());
    let resolved = resolve(all.clone()).map_err(|problems| wrong.extend(problems));
    let missing = missing(runbook, &all, rehearsal);
    // Of files that cannot be read nobody knows what they give.
    let readable = !wrong.iter().any(|problem| problem.code == Code::UnreadableFile);
    if readable && !setting.interactive() {
        wrong.extend(missing.iter().map(|param| not_given(runbook, param)));
    }
    if let Ok(resolved) = &resolved {
        show(resolved);
    }
    let Some(mut resolved) = resolved.ok().filter(|_| wrong.is_empty()) else {
        return Err(Failed::input(wrong));
    };
    if !missing.is_empty() {
        for param in missing {
            all.insert(param.name.to_string(), runbook::Given::Text(ask(param)?));
        }
        resolved = resolve(all).map_err(Failed::input)?;
    }
    let examples = resolved
        .examples_used
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    Ok(Settled {
        values: resolved.values,
        examples,
    })
}

/// The values of the parameters that a runbook has and a run has not; what the run has stays as it is.
pub(crate) fn new_ones(
    runbook: &Runbook,
    given: &Given,
    state: &RunState,
    setting: &Setting,
) -> Result<BTreeMap<ParamName, Value>, Failed> {
    let had = &state.started().params;
    let (mut all, mut wrong) = collect(runbook, given, None);
    let kept = had.keys().filter(|name| all.contains_key(name.as_str()));
    wrong.extend(kept.map(|name| {
        let message = format!("the run has a value for the parameter `{name}`, which stays as it is");
        let again = "`runbook exec FILE --like RUN --set NAME=VALUE` starts another run with another value";
        Diagnostic::error(Code::Usage, message).help(again)
    }));
    let had = had
        .iter()
        .filter(|(name, _)| runbook.params().contains_key(*name));
    all.extend(had.map(|(name, value)| (name.to_string(), runbook::Given::Value(value.clone()))));
    let rehearsal = state.started().rehearsal.is_some();
    let settled = completed(runbook, all, wrong, rehearsal, setting, |_| {})?;
    let new = settled.values.into_iter();
    Ok(new
        .filter(|(name, _)| !state.started().params.contains_key(name))
        .collect())
}

/// The parameters that need a value and were not given one, under no name that was meant to be theirs either; secrets
/// are asked for when a step needs them.
fn missing<'r>(
    runbook: &'r Runbook,
    given: &BTreeMap<String, runbook::Given>,
    rehearsal: bool,
) -> Vec<&'r Param> {
    let unknown = |name: &&String| !runbook.params().contains_key(name.as_str());
    let unknown: Vec<&String> = given.keys().filter(unknown).collect();
    let is_given = |param: &Param| {
        let name = param.name.as_str();
        given.contains_key(name) || unknown.iter().any(|wrong| closest(wrong, [name]).is_some())
    };
    // Of nothing, nothing can be wrong.
    let needed = runbook::resolve_params(runbook, BTreeMap::new(), rehearsal, None).unwrap_or_default();
    let params = needed
        .missing
        .iter()
        .filter_map(|name| runbook.params().get(name));
    params
        .filter(|param| !param.is_secret() && !is_given(param))
        .collect()
}

/// What was given, of each parameter what counts: the command line before files, the last file before the others,
/// and all of them before another run. And what is wrong with how it was given.
fn collect(
    runbook: &Runbook,
    given: &Given,
    like: Option<&Like>,
) -> (BTreeMap<String, runbook::Given>, Vec<Diagnostic>) {
    let mut all = like.map(|like| like.values(runbook)).unwrap_or_default();
    let mut wrong = Vec::new();
    for path in &given.params {
        match from_file(path) {
            Ok(values) => all.extend(values),
            Err(problems) => wrong.extend(problems),
        }
    }
    for text in &given.set {
        match text.split_once('=') {
            Some((name, value)) => {
                drop(all.insert(name.trim().to_owned(), runbook::Given::Text(value.to_owned())));
            }
            None => {
                let diagnostic = Diagnostic::error(Code::Usage, format!("`--set {text}` gives no value"));
                wrong.push(diagnostic.help("write it as `--set NAME=VALUE`"));
            }
        }
    }
    for param in runbook.params().values().filter(|param| param.is_secret()) {
        if let Some(given) = all.remove(param.name.as_str()) {
            wrong.push(exposed(param, &given));
        }
    }
    (all, wrong)
}

/// A secret that others can see.
fn exposed(param: &Param, given: &runbook::Given) -> Diagnostic {
    let name = &param.name;
    let problem = |place: &str| {
        let message = format!("the secret `{name}` was given {place}");
        Diagnostic::error(Code::SecretOnCommandLine, message)
    };
    let problem = match given {
        runbook::Given::Written(_, place) => place.mark(problem("in a file"), ""),
        runbook::Given::Text(_) | runbook::Given::Value(_) => problem("on the command line"),
    };
    problem.help(format!(
        "leave it out, and be asked for it, or set the variable {}, or say with `--secret` where it comes from; others may have seen it, so change it",
        variable(name.as_str())
    ))
}

fn from_file(path: &Path) -> Result<Vec<(String, runbook::Given)>, Vec<Diagnostic>> {
    let text = read_bounded(path, LARGEST).map_err(|error| {
        let message = format!("the file of parameters `{}` cannot be read", path.display());
        vec![Diagnostic::error(Code::UnreadableFile, message).caused_by(&error)]
    })?;
    let file = SourceFile::new(path.display().to_string(), text);
    let values = runbook::read_values(&file)?.into_iter();
    Ok(values
        .map(|(name, value, place)| (name, runbook::Given::Written(value, place)))
        .collect())
}

fn not_given(runbook: &Runbook, param: &Param) -> Diagnostic {
    let what = param
        .prompt
        .as_deref()
        .map_or_else(String::new, |prompt| format!(" ({prompt})"));
    let diagnostic = Diagnostic::error(
        Code::ParameterMissing,
        format!("the parameter `{}` has no value{what}", param.name),
    );
    let (file, span) = runbook.place(param.span);
    let diagnostic = diagnostic.at(&file, span, "it is declared here");
    let example = param
        .example
        .as_ref()
        .map_or_else(|| "VALUE".to_owned(), plain_value);
    diagnostic.help(format!(
        "give it as `--set {}={example}`, or in a file with `--params`",
        param.name
    ))
}

fn ask(param: &Param) -> Result<String, Failed> {
    let example = param
        .example
        .as_ref()
        .map(|example| format!("for example {}", plain_value(example)));
    let check = |text: &str| match param.parse(text) {
        Ok(_) => Ok(()),
        Err(ParamError { message, help: None }) => Err(message),
        Err(ParamError {
            message,
            help: Some(help),
        }) => Err(format!("{message}; {help}")),
    };
    Asker::default()
        .text(&question(param), example.as_deref(), check)
        .map_err(|none| none.ends("nothing was started"))
}

fn question(param: &Param) -> String {
    format!(
        "{} ({})",
        param.prompt.as_deref().unwrap_or(param.name.as_str()),
        param.kind_name()
    )
}

/// A value as a person would type it.
fn plain_value(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain_value).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}
