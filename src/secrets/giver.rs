//! Who gives a run's secrets: the sources that were named, the environment, and the person.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;

use async_trait::async_trait;
use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::id::InstanceId;
use runbook_engine::platform::process;
use runbook_engine::runbook::Runbook;
use runbook_engine::runtime::{Given, Keeper, Wanted};
use runbook_engine::secret::{SHORTEST, Secret};
use tokio_util::sync::CancellationToken;

use super::source::{LONGEST, Source};
use crate::database;
use crate::hush;
use crate::prompt::{self, Asker, CallOff, Unanswered};
use crate::render;
use crate::render::style::{DIM, Look, paint};
use crate::render::{next, plain};
use crate::screen::Screen;
use crate::setting::Setting;

/// How the names of the variables begin in which secrets are given.
const SECRET_VARIABLE: &str = "RUNBOOK_SECRET_";

/// Keeps the variables in which secrets are given from all programs that this one starts.
pub(crate) fn withhold_variables() {
    let names = std::env::vars_os().map(|(name, _)| name);
    // Windows takes no notice of capitals.
    let is_secret = |name: &OsString| {
        let name = name.to_string_lossy().to_ascii_uppercase();
        name.starts_with(SECRET_VARIABLE) || database::is_private(&name)
    };
    process::withhold(names.filter(is_secret).collect());
}

/// See the module's documentation.
pub(crate) struct Giver {
    runbook: Arc<Runbook>,
    sources: BTreeMap<String, Source>,
    interactive: bool,
    json: bool,
    look: Look,
}

#[async_trait]
impl Keeper for Giver {
    async fn give(&self, wanted: &Wanted, off: &CancellationToken) -> Given {
        let name = wanted.secret.to_string();
        let found = tokio::select! {
            found = self.find(&name) => found,
            () = off.cancelled() => return Given::NotNow,
        };
        let found = found.unwrap_or_else(|diagnostic| {
            self.tell(&diagnostic);
            None
        });
        match found {
            Some(value) => {
                hush::learn(&value);
                Given::Value(value)
            }
            None if self.is_optional(&wanted.secret) => Given::Nothing,
            None if self.interactive => self.ask(wanted, off).await,
            None => Given::NotNow,
        }
    }
}

impl Giver {
    pub(super) fn new(runbook: &Arc<Runbook>, sources: BTreeMap<String, Source>, setting: &Setting) -> Self {
        Self {
            runbook: Arc::clone(runbook),
            sources,
            interactive: setting.interactive(),
            json: setting.global.json,
            look: setting.look.clone(),
        }
    }

    /// The secret from where it was said to come from, else from its variable; none where a person is to be asked.
    async fn find(&self, name: &str) -> Result<Option<String>, Diagnostic> {
        let named = self
            .sources
            .get(name)
            .or_else(|| self.sources.get(&without_item(name)));
        let variable = variable(name);
        let usual = || std::env::var_os(&variable).map(|_| Source::Env(variable.clone()));
        let Some(source) = named.cloned().or_else(usual) else {
            return Ok(None);
        };
        let say = |line: &str| {
            let line = plain(line);
            self.look.tell_always(&paint(DIM, format!("    {name} │ {line}")));
        };
        let found = source.read(say).await.map_err(|why| {
            let message = format!("the secret `{name}` could not be had from {source}: {why}");
            Diagnostic::error(Code::SecretSource, message)
        })?;
        match found
            .as_deref()
            .and_then(|value| unfit(&self.runbook, name, value))
        {
            Some(why) => {
                let message = format!("the secret `{name}` from {source} cannot be used: {why}");
                Err(Diagnostic::error(Code::SecretUnfit, message))
            }
            None => Ok(found),
        }
    }

    fn is_optional(&self, secret: &Secret) -> bool {
        match secret {
            Secret::Param(name) => self
                .runbook
                .params()
                .get(name)
                .is_some_and(|param| param.optional),
            Secret::Output(..) => false,
        }
    }

    async fn ask(&self, wanted: &Wanted, off: &CancellationToken) -> Given {
        // Nothing is drawn over the question.
        let _pause = self.look.screen().map(Screen::pause);
        let call_off = CallOff::default();
        let asker = Asker::until(call_off.clone());
        let (question, name) = (self.question(wanted), wanted.secret.to_string());
        let runbook = Arc::clone(&self.runbook);
        let mut asking = tokio::task::spawn_blocking(move || {
            asker.secret(&question, |text| unfit(&runbook, &name, text).map_or(Ok(()), Err))
        });
        let answer = tokio::select! {
            answer = &mut asking => Some(answer),
            () = off.cancelled() => prompt::take_back(&call_off, asking).await,
        };
        let Some(answer) = answer else {
            return Given::NotNow;
        };
        match answer {
            Ok(Ok(value)) => {
                hush::learn(&value);
                Given::Value(value)
            }
            Ok(Err(Unanswered::Stop)) => Given::Stop,
            Ok(Err(Unanswered::NotNow | Unanswered::CalledOff)) | Err(_) => Given::NotNow,
            Ok(Err(Unanswered::Failed(failed))) => {
                failed
                    .diagnostics()
                    .iter()
                    .for_each(|diagnostic| self.tell(diagnostic));
                Given::NotNow
            }
        }
    }

    fn question(&self, wanted: &Wanted) -> String {
        let by = &wanted.by;
        match &wanted.secret {
            Secret::Param(name) => {
                let prompt = self
                    .runbook
                    .params()
                    .get(name)
                    .and_then(|param| param.prompt.as_deref());
                format!("{} (secret, for `{by}`)", plain(prompt.unwrap_or(name.as_str())))
            }
            Secret::Output(instance, output) => {
                format!("Output `{output}` of `{instance}`, which is not kept (secret, for `{by}`)")
            }
        }
    }

    fn tell(&self, diagnostic: &Diagnostic) {
        self.look
            .tell_always(&render::diagnostic::told(diagnostic, self.json));
    }
}

/// What speaks against a value, which it does not repeat.
fn unfit(runbook: &Runbook, name: &str, value: &str) -> Option<String> {
    if value.chars().count() < SHORTEST {
        return Some(format!(
            "it has fewer than {SHORTEST} characters, and could not be kept secret"
        ));
    }
    if value.len() as u64 > LONGEST {
        return Some(format!("it has more than {LONGEST} bytes"));
    }
    let param = runbook.params().get(name)?;
    param.parse(value).err().map(|error| error.to_string())
}

/// `step[item].output` without the item: one source may serve all items.
fn without_item(name: &str) -> String {
    match (name.find('['), name.rfind("].")) {
        (Some(from), Some(to)) if from < to => format!("{}{}", &name[..from], &name[to + 1..]),
        _ => name.to_owned(),
    }
}

/// The variable in which a secret may be given.
pub(crate) fn variable(name: &str) -> String {
    let letters = name.replace("].", ".");
    let letters = letters.chars().map(|c| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    });
    format!("{SECRET_VARIABLE}{}", letters.collect::<String>())
}

/// What is said of secrets that steps need and nobody gave.
pub(crate) fn missing(runbook: &Runbook, run: &str, lacking: &[Wanted]) -> Vec<Diagnostic> {
    let diagnostic = |wanted: &Wanted| {
        let (by, name) = (&wanted.by, wanted.secret.to_string());
        let message =
            format!("`{by}` needs the secret `{name}`, which nobody gave: it does not go on without it");
        let mut diagnostic = Diagnostic::error(Code::SecretMissing, message);
        if let Some(step) = runbook.step(by.step()) {
            let (file, span) = runbook.place(step.span);
            diagnostic = diagnostic.at(&file, span, "this step needs it");
        }
        match &wanted.secret {
            Secret::Param(name) => {
                if let Some(param) = runbook.params().get(name) {
                    let (file, span) = runbook.place(param.span);
                    diagnostic = diagnostic.at(&file, span, "the secret is declared here");
                }
            }
            Secret::Output(instance, output) => {
                diagnostic = diagnostic.help(anew(runbook, run, instance, output));
            }
        }
        diagnostic
            .help(format!(
                "say where it comes from: `--secret {name}=file:PATH`, `--secret '{name}=command:[PROGRAM, ARGUMENT]'`, `--secret {name}=keystore:SERVICE`"
            ))
            .help(format!("or set the variable {}", variable(&name)))
            .help(format!("or let `runbook resume {run}` ask for it, in a terminal"))
    };
    lacking.iter().map(diagnostic).collect()
}

/// What can be done where nobody knows a sensitive output any more.
fn anew(runbook: &Runbook, run: &str, instance: &InstanceId, output: &str) -> String {
    let not_kept = format!("`{output}` is an output of `{instance}` that is never kept");
    let step = instance.step();
    if runbook.step(step).is_some_and(|step| step.abilities.undoes) {
        format!(
            "{not_kept}; where nobody knows it, let the step give it anew: `runbook rollback {run} --step {step}`, then `runbook decide {run} {} again --why TEXT`",
            next::quoted(instance)
        )
    } else {
        format!("{not_kept}; the step has no way back, so that it cannot give it anew in this run")
    }
}

#[cfg(test)]
mod tests {
    use super::{variable, without_item};

    #[test]
    fn a_variable_has_letters_digits_and_underscores() {
        assert_eq!(variable("client_secret"), "RUNBOOK_SECRET_CLIENT_SECRET");
        assert_eq!(
            variable("make-account.password"),
            "RUNBOOK_SECRET_MAKE_ACCOUNT_PASSWORD"
        );
        assert_eq!(
            variable("make[web1].password"),
            "RUNBOOK_SECRET_MAKE_WEB1_PASSWORD"
        );
    }

    #[test]
    fn an_item_is_left_out() {
        assert_eq!(without_item("make[a.b].password"), "make.password");
        assert_eq!(without_item("make.password"), "make.password");
    }
}
