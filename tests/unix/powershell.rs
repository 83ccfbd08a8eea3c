//! `check` asks PowerShell's own parser once: counted by a script that stands before it.

use crate::platform;
use crate::support::pwsh::{pwsh, with_pwsh};
use crate::support::{Outcome, Project};

/// What the grammar does not know but PowerShell does, and what neither does; each would leave a file, were it carried out.
const ODD: &str = r#"
runbook: odd
steps:
  newer: { uses: powershell, with: { run: "[IO.File]::WriteAllText('ran', ''); $a = $true ? 1 : 2" } }
  wrong:
    uses: powershell
    with:
      run: |
        [IO.File]::WriteAllText('ran', '')
        $é = '😀'; foreach ($x of 1..3) { $x }
      rollback: "$b = $null ?? 3"
"#;

#[test]
fn what_the_grammar_does_not_understand_powershells_own_parser_decides() {
    let Some(pwsh) = pwsh() else { return };
    let project = Project::new();
    project.write("odd.yaml", ODD);
    let script = format!(
        "#!/bin/sh\necho started >> starts.txt\nexec '{}' \"$@\"\n",
        pwsh.display()
    );
    let counted = project.write("counted", &script);
    platform::make_executable(&counted);
    let check = |program: &std::path::Path| -> Outcome {
        let mut command = with_pwsh(&project, program, ["check", "odd.yaml", "--json"]);
        command.output().unwrap().into()
    };
    let told = check(&counted).code(2).json();
    let found = told["diagnostics"].as_array().unwrap();
    assert_eq!(found.len(), 2, "of one script alone: {found:#?}");
    let is_error = |one: &serde_json::Value| one["code"] == "RB0300" && one["severity"] == "error";
    assert!(found.iter().all(is_error), "{found:#?}");
    let message = found[0]["message"].as_str().unwrap();
    assert!(
        message.contains("PowerShell does not understand it: Missing 'in'"),
        "{message}"
    );
    let place = &found[0]["places"][0];
    assert_eq!(
        (&place["line"], &place["column"]),
        (&10.into(), &30.into()),
        "{found:#?}"
    );
    assert_eq!(
        project.lines("starts.txt"),
        ["started"],
        "one process for all scripts"
    );
    assert!(!project.has("ran"), "a script was carried out");

    // Without a PowerShell nobody knows.
    let told = check(&project.path().join("nothing")).code(0).json();
    let found = told["diagnostics"].as_array().unwrap();
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(found.iter().all(|one| one["severity"] == "warning"), "{found:#?}");
}
