//! `powershell`: scripts that a PowerShell session carries out. Announced, not yet carried out.

use runbook_engine::step::{Abilities, Check, KindDoc};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Announced;

/// See [`KindDoc`].
pub struct PowerShell;

/// The inputs of a `powershell` step, and of a session of that kind.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PowerShellInputs {
    /// A script that tells whether the outcome is there; changes nothing.
    pub validate: Option<String>,
    /// A script that brings the outcome about.
    pub run: Option<String>,
    /// A script that undoes it, and puts back what `$Before` holds.
    pub rollback: Option<String>,
    /// Which PowerShell: `desktop` is Windows PowerShell 5.1, `core` is PowerShell 7.
    pub edition: Option<Edition>,
    /// Modules that are loaded before the scripts.
    #[serde(default)]
    pub modules: Vec<String>,
    /// A script that prepares a session each time it is opened.
    pub setup: Option<String>,
    /// Whether it must run with administrator's rights.
    #[serde(default)]
    pub elevated: bool,
}

/// Which PowerShell carries the scripts out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Edition {
    /// Windows PowerShell 5.1.
    Desktop,
    /// PowerShell 7.
    Core,
}

const TEXT: &str = r#"Scripts are never templated: data reaches them as `$Run` (`$Run.params.web_app_url`,
`$Run.steps.connect.outputs.tenant`, `$Run.item`) and, in `rollback`, as `$Before`, which is what `validate`
observed before the first attempt. So no value, however odd, can become code.

Steps that name the same `session` share one PowerShell process, with its modules and variables, one at
a time. The session's own `with` says the edition, the modules and what prepares it; it is prepared again
whenever it is reopened, so `setup` must be right to repeat.

```yaml
steps:
  oauth-over-http:
    title: Allow OAuth over HTTP
    uses: powershell
    with:
      validate: |
        $sts = Get-SPSecurityTokenServiceConfig
        Set-Observed @{ allow = $sts.AllowOAuthOverHttp }
        Test-Outcome ($sts.AllowOAuthOverHttp -eq $true) 'OAuth over HTTP is not allowed'
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

impl Announced for PowerShell {
    type Inputs = PowerShellInputs;

    const NAME: &'static str = "powershell";

    fn doc(&self) -> KindDoc {
        KindDoc {
            summary: "carries out PowerShell scripts, in a session that steps can share",
            text: TEXT,
            scripts: &["validate", "run", "rollback", "setup"],
            available: false,
        }
    }

    fn abilities(&self, inputs: &PowerShellInputs) -> Abilities {
        Abilities {
            validates: inputs.validate.is_some(),
            undoes: inputs.rollback.is_some(),
            by_person: false,
            read_only: inputs.validate.is_some() && inputs.run.is_none(),
        }
    }

    fn check(&self, inputs: &PowerShellInputs, check: &mut Check<'_>) {
        let describes_session = inputs.setup.is_some()
            || inputs.edition.is_some()
            || !inputs.modules.is_empty()
            || inputs.elevated;
        if inputs.run.is_none() && inputs.validate.is_none() && !describes_session {
            check.problem(&[], "`run` or `validate` is missing: the step would do nothing");
        }
        if inputs.rollback.is_some() && inputs.run.is_none() {
            check.problem(&["rollback"], "there is nothing to undo: the step has no `run`");
        }
    }
}
