//! What the check finds in inputs and scripts.

use runbook_engine::diagnostic::Code;
use runbook_engine::step::{Check, InputProblem};
use runbook_engine::testing::doubles::MemoryFiles;
use serde_json::{Value, json};

use crate::support::{check, plugin, problem};

fn found(script: &str) -> Vec<InputProblem> {
    check("powershell", &json!({ "run": script })).0
}

#[test]
fn abilities_follow_from_the_scripts() {
    let of = |with: Value| check("powershell", &with).1.unwrap();
    let all = of(json!({ "run": "a", "validate": "b", "rollback": "c" }));
    assert!(all.validates && all.undoes && !all.read_only);
    let looks = of(json!({ "validate": "b" }));
    assert!(looks.validates && looks.read_only && !looks.undoes);
}

#[test]
fn wrong_inputs_are_refused_where_they_stand() {
    let at = |with: Value| problem("powershell", &with).0;
    assert_eq!(at(json!({})), "");
    assert_eq!(at(json!({ "setup": "a" })), "");
    assert_eq!(at(json!({ "validate": "a", "rollback": "b" })), "rollback");
    assert_eq!(at(json!({ "run": "a", "edition": "ise" })), "edition");
    assert_eq!(at(json!({ "run": "a", "modules": ["A", " "] })), "modules.1");
    assert_eq!(at(json!({ "run": "a", "process": "fresh" })), "process");
    assert_eq!(at(json!({ "run": "x".repeat(300 * 1024) })), "run");
}

#[test]
fn sessions_have_inputs_of_their_own() {
    let of_session = |with: Value| {
        let (files, registry) = (MemoryFiles::default(), runbook_steps::builtin());
        let mut check = Check::new(&files, &registry);
        plugin("powershell").check_session(&with, &mut check);
        check.finish().0
    };
    assert_eq!(
        of_session(json!({ "edition": "desktop", "setup": "Add-PSSnapin X", "process": "fresh" })),
        []
    );
    assert_eq!(of_session(json!({ "run": "a" }))[0].path, ["run"]);
    assert_eq!(
        of_session(json!({ "setup": "it’s" }))[0].code,
        Code::TypographicCharacter
    );

    let (files, registry) = (MemoryFiles::default(), runbook_steps::builtin());
    let session = json!({});
    let mut check = Check::new(&files, &registry).in_session(Some(&session));
    let _ = plugin("powershell").check(&json!({ "run": "a", "setup": "b" }), &mut check);
    assert!(
        check.finish().0[0]
            .message
            .contains("belongs to the step's session")
    );
}

#[test]
fn typographic_characters_are_told_where_they_stand() {
    let script =
        "Get-Item \u{2018}a\u{2019}\n\"x\u{201d}; 1 \u{2013}join ','; Connect-MgGraph –Scopes ‛a‚, „b“ ―x";
    let problems = found(script);
    assert_eq!(problems.len(), 10, "{problems:?}");
    assert!(
        problems
            .iter()
            .all(|problem| problem.code == Code::TypographicCharacter && !problem.warning)
    );
    let first = &problems[0];
    assert_eq!(first.path, ["run"]);
    assert_eq!(first.inside, Some((9, 12)));
    assert!(
        first.message.contains("U+2018") && first.message.contains("takes for `'`"),
        "{}",
        first.message
    );

    for harmless in [
        "# it’s a comment – “really”\nGet-Date",
        "<# ‘ #> Get-Date",
        "'a “quoted” word – and a dash'",
        "\"it’s ‘fine’ – here\"",
        "@'\nit’s “free” – here\n'@",
        "@\"\nit’s “free” here\n\"@",
    ] {
        assert_eq!(found(harmless), [], "{harmless}");
    }
    // The mistake of the article: the text begins straight and is closed by a curly quote.
    let article = "$p = Get-MgServicePrincipal -Filter \"AppId eq '$spoappid’”";
    assert_eq!(found(article)[0].code, Code::TypographicCharacter);
}

#[test]
fn mistakes_of_syntax_are_errors_where_they_are_certain() {
    for (script, at) in [
        ("Get-Item 'a", 9),
        ("\"a $(Get-Date", 3),
        ("if ($x) { Get-Date", 8),
        ("Get-Date }", 9),
        ("(1 + 2", 0),
        ("@'\nx", 0),
        ("<# x", 0),
        ("${a", 0),
    ] {
        let problems = found(script);
        assert!(!problems.is_empty(), "{script}");
        assert_eq!(problems[0].code, Code::ScriptSyntax, "{script}");
        assert_eq!(problems[0].inside.unwrap().0, at, "{script}: {problems:?}");
        assert!(!problems[0].warning, "{script}");
    }
    let doubtful = found("if $x { Get-Date }");
    assert!(
        doubtful[0].warning && doubtful[0].inside.is_some(),
        "{doubtful:?}"
    );
    // What is missing at the end stands behind a letter of several bytes.
    let odd = found("param()#é");
    assert!(odd.iter().all(|problem| problem.inside.is_some()), "{odd:?}");
}

#[test]
fn what_is_right_is_left_alone() {
    for script in [
        "",
        "# A restart leaves nothing behind.\n",
        "Write-Host a#b 'x' # y's",
        "& 'C:\\a b\\x.exe' /p:\"q\" ; cmd /c --% dir \"unclosed",
        "\"a `\" b `` $(if ($x) { 'y' } else { \"z $(1)\" }) c\"\"d\"",
        "'it''s'; ${a b}; $h['k']; @{ a = @(1) }; [int[]] 1, 2",
        "$x = @'\n' \" ( {\n'@ + 'y'",
        "Get-Item a[b; 1..3 | % { $_ }",
        "if ($a) {\n  1\n}\nelseif ($b) { 2 } else { 3 }",
        "1MB + 2kb",
    ] {
        assert_eq!(found(script), [], "{script}");
    }
}
