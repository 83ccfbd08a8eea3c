//! `powershell`: scripts that Windows PowerShell 5.1 or PowerShell 7 carries out.
//!
//! `shell` is a process; `message` is what we say to it in the form of `wire`, and `stream` what comes back. The
//! other end is `host.ps1`.
//! `syntax` looks at scripts before a run begins, and may ask PowerShell's own parser: `reader`. `failure` explains what went wrong in one.
//! `place` says where they are carried out, `open` brings a process about there, `reach` explains why one could not be.

use async_trait::async_trait;
use runbook_engine::step::{
    Abilities, Check, Context, Failure, FailureKind, KindDoc, Observation, Outputs, Session, StepKind,
    Verdict, fitted, typed,
};
use serde_json::{Value, json};

pub use self::inputs::{Lifetime, PowerShellInputs, SessionInputs};
use self::inputs::{Needs, SHARED};
use self::message::{Answer, Said, Task};
use self::place::Place;
pub use self::place::{Through, Way};
pub use self::program::{Edition, Programs};
use self::reader::Reader;
use self::shell::Shell;
use crate::child::note;

mod failure;
mod inputs;
mod message;
mod open;
mod place;
mod program;
mod reach;
mod reader;
mod shell;
mod stream;
mod syntax;
mod wire;

/// See [`KindDoc`].
#[derive(Debug, Default)]
pub struct PowerShell {
    programs: Programs,
    reader: Option<Reader>,
}

const TEXT: &str = r#"Scripts are never templated: data reaches them as `$Run` (`$Run.params.web_app_url`,
`$Run.steps.'connect'.outputs.tenant`, `$Run.item`) and, in `rollback`, as `$Before`, which is what `validate`
observed before the first attempt. So no value, however odd, can become code.

**What they answer.** `Set-Satisfied`, `Set-Unsatisfied -Reason TEXT` and `Set-Unknown` say in `validate` whether the
outcome is there; all three take `-Observed @{}`, and `Set-Satisfied` takes `-Outputs @{}`. `Set-Outputs @{}` says in
`run` what the step gives. The last answer counts.

**What goes wrong.** `$ErrorActionPreference` is `Stop`: an error that is not caught fails the step, and so does `exit` with
another code than 0. A question is an error at once, since nobody sees it. All scripts of a step are read before the first
one is carried out. Everything that PowerShell's streams hold goes to the transcript, in order.

**Where they run.** Each script gets a PowerShell process of its own, so that `validate` sees what is there and not what
was cached. Steps that name the same `session` share what its `with` says of the edition, the modules and `setup`, go one at
a time, and share one process unless it says `process: fresh`. `setup` is carried out whenever a process is started, also after
a resume: it must be right to repeat. What it defines, the scripts see; what they define themselves ends with them.

**On which machine.** `on` names another one: `on: ${{ item }}` with `for_each`. `through` says how it is reached: `by: ssh` (the system's SSH
client starts PowerShell there), `by: ssh-remoting` and `by: winrm` (PowerShell's own remoting). Instances that write to one thing, such as a
farm, get one `lock`, so that one host goes at a time.

Which program carries an edition out is no matter of the runbook: RUNBOOK_POWERSHELL_DESKTOP and RUNBOOK_POWERSHELL_CORE
name others than the usual ones.

```yaml
steps:
  oauth-over-http:
    title: Allow OAuth over HTTP
    uses: powershell
    with:
      edition: desktop
      validate: |
        $allowed = (Get-SPSecurityTokenServiceConfig).AllowOAuthOverHttp
        if ($allowed) {
            Set-Satisfied -Observed @{ allow = $true }
        } else {
            Set-Unsatisfied -Reason 'OAuth over HTTP is not allowed' -Observed @{ allow = $false }
        }
      run: |
        $sts = Get-SPSecurityTokenServiceConfig
        $sts.AllowOAuthOverHttp = $true
        $sts.Update()
      rollback: |
        $sts = Get-SPSecurityTokenServiceConfig
        $sts.AllowOAuthOverHttp = $Before.allow
        $sts.Update()
    rehearse: { observed: { allow: false }, outputs: {} }
```
"#;

impl PowerShell {
    /// The kind of step, with the programs of this machine.
    #[must_use]
    pub fn new(programs: Programs) -> Self {
        Self {
            programs,
            reader: None,
        }
    }

    /// The same, which asks the programs about scripts that the check does not understand.
    #[must_use]
    pub fn that_reads(self) -> Self {
        let reader = Some(Reader::new(self.programs.clone()));
        Self { reader, ..self }
    }

    /// Carries out one of a step's scripts.
    async fn script(
        &self,
        name: &'static str,
        script: &str,
        inputs: &PowerShellInputs,
        cx: &Context,
    ) -> Result<Answer, Failure> {
        let mut run = cx.document();
        let before = run.get_mut("before").map(Value::take).unwrap_or_default();
        run["on"] = json!(inputs.on);
        let task = Task {
            name,
            script,
            others: inputs.scripts().filter(|(other, _)| *other != name).collect(),
            modules: &[],
            defines: false,
            run: &run,
            before: &before,
        };
        match &cx.session {
            None => {
                let through = inputs.through.clone().unwrap_or_default();
                let place = Place::of(inputs.on.as_deref(), &through, cx.run.host.as_str());
                self.alone(&inputs.needs(), place, &task, cx).await
            }
            Some(session) => self.shared(session, inputs, &task, cx).await,
        }
    }

    /// In a process of its own.
    async fn alone(
        &self,
        needs: &Needs<'_>,
        place: Place<'_>,
        task: &Task<'_>,
        cx: &Context,
    ) -> Result<Answer, Failure> {
        let mut shell = Shell::open(&self.programs, needs, place, task.run, cx).await?;
        if let Some(host) = place.host() {
            note(cx, &format!("`{host}` answers: {}", shell.about()));
        }
        let answer = shell.carry_out_last(task, cx).await;
        shell.end(cx).await;
        answer
    }

    /// In the process that the session keeps, or as the session says.
    async fn shared(
        &self,
        session: &Session,
        inputs: &PowerShellInputs,
        task: &Task<'_>,
        cx: &Context,
    ) -> Result<Answer, Failure> {
        if let Some(input) = inputs.of_session().next() {
            let message = format!(
                "`{input}` belongs to the session `{}`: give it there",
                session.name
            );
            return Err(Failure::new(FailureKind::Inputs, message));
        }
        let settings: SessionInputs = fitted(&session.with)?;
        if inputs.on.is_some() && settings.process == Lifetime::Shared {
            return Err(Failure::new(FailureKind::Inputs, SHARED));
        }
        let through = settings.through.clone().unwrap_or_default();
        let on = inputs.on.as_deref().or(settings.on.as_deref());
        let place = Place::of(on, &through, cx.run.host.as_str());
        let mut inside = tokio::select! {
            inside = session.enter() => inside,
            () = cx.cancel.cancelled() => return Err(Failure::new(FailureKind::Failed, "it was stopped")),
        };
        if settings.process == Lifetime::Fresh {
            return self.alone(&settings.needs(), place, task, cx).await;
        }
        let mut kept = inside.take::<Shell>();
        let idle = match &mut kept {
            Some(kept) => kept.is_idle().await,
            None => false,
        };
        let mut shell = match kept {
            Some(kept) if idle => {
                kept.works_for(cx);
                kept
            }
            ended => {
                if ended.is_some() {
                    note(
                        cx,
                        &format!(
                            "the session `{}` had ended by itself; it is opened again",
                            session.name
                        ),
                    );
                }
                let shell = Shell::open(&self.programs, &settings.needs(), place, task.run, cx).await?;
                note(
                    cx,
                    &format!("the session `{}` is open: {}", session.name, shell.about()),
                );
                shell
            }
        };
        let answer = shell.carry_out(task, cx).await;
        if shell.is_idle().await {
            inside.keep(shell);
        } else {
            note(
                cx,
                &format!(
                    "the session `{}` has ended; the next step opens it again",
                    session.name
                ),
            );
        }
        answer
    }
}

#[async_trait]
impl StepKind for PowerShell {
    type Inputs = PowerShellInputs;

    const NAME: &'static str = "powershell";

    fn doc(&self) -> KindDoc {
        KindDoc {
            summary: "carries out PowerShell scripts, in a session that steps can share",
            text: TEXT,
            scripts: &["validate", "run", "rollback", "setup"],
        }
    }

    fn abilities(&self, inputs: &PowerShellInputs) -> Abilities {
        Abilities {
            validates: inputs.validate.is_some(),
            undoes: inputs.rollback.is_some(),
            by_person: false,
            needs_evidence: false,
            read_only: inputs.validate.is_some() && inputs.run.is_none(),
        }
    }

    fn check(&self, inputs: &PowerShellInputs, check: &mut Check<'_>) {
        inputs.check(self.reader.as_ref(), check);
    }

    fn check_session(&self, with: &Value, check: &mut Check<'_>) {
        match typed::<SessionInputs>(with) {
            Ok(inputs) => inputs.check(self.reader.as_ref(), check),
            Err(problem) => check.report(problem),
        }
    }

    async fn validate(&self, inputs: &PowerShellInputs, cx: &Context) -> Result<Observation, Failure> {
        let Some(script) = &inputs.validate else {
            return Ok(Observation::unknown());
        };
        let answer = self.script("validate", script, inputs, cx).await?;
        let verdict = match answer.verdict {
            Said::Satisfied => Verdict::Satisfied,
            Said::Unsatisfied => Verdict::Unsatisfied(answer.reason),
            Said::Unknown | Said::None => Verdict::Unknown,
        };
        Ok(Observation {
            verdict,
            observed: answer.observed,
            outputs: answer.outputs,
        })
    }

    async fn run(&self, inputs: &PowerShellInputs, cx: &Context) -> Result<Outputs, Failure> {
        // Without `run` the step is a check: what `validate` says next decides.
        match &inputs.run {
            None => Ok(Outputs::new()),
            Some(script) => self
                .script("run", script, inputs, cx)
                .await
                .map(|answer| answer.outputs),
        }
    }

    async fn rollback(&self, inputs: &PowerShellInputs, cx: &Context) -> Result<(), Failure> {
        match &inputs.rollback {
            None => Ok(()),
            Some(script) => self.script("rollback", script, inputs, cx).await.map(drop),
        }
    }
}
