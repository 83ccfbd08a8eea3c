//! What scripts answer, and what becomes of what they print.

use runbook_engine::step::Verdict;
use runbook_engine::testing::conformance::{Case, Folder, conformance};
use serde_json::json;

use std::sync::Arc;

use super::{Bench, helper};

#[tokio::test]
async fn validate_answers_with_the_helper_functions() {
    let Some(bench) = Bench::new() else { return };
    let seen = bench
        .validate("Set-Satisfied -Outputs @{ at = 'x'; list = @(1) } -Observed @{ old = $null }")
        .await
        .unwrap();
    assert_eq!(seen.verdict, Verdict::Satisfied);
    assert_eq!(json!(seen.outputs), json!({ "at": "x", "list": [1] }));
    assert_eq!(seen.observed, json!({ "old": null }));

    let seen = bench
        .validate("Set-Satisfied; Set-Unsatisfied -Reason ('not ' + 1) -Observed 7; return; Set-Satisfied")
        .await
        .unwrap();
    assert_eq!(seen.verdict, Verdict::Unsatisfied("not 1".to_owned()));
    assert_eq!((json!(seen.outputs), seen.observed), (json!({}), json!(7)));

    for silent in ["'nothing'", "Set-Unknown -Observed 'x'", ""] {
        assert_eq!(
            bench.validate(silent).await.unwrap().verdict,
            Verdict::Unknown,
            "{silent}"
        );
    }
}

#[tokio::test]
async fn outputs_survive_as_json() {
    let Some(bench) = Bench::new() else { return };
    let script = r#"
        Set-Outputs ([ordered] @{
            text = "a`n`"b`" é 😀 $([char] 0xd800)|"; yes = $true; no = $null; whole = 9007199254740993; part = 0.1
            huge = [decimal] 1.50; day = [datetime] '9999-12-31T23:59:59Z'; id = [guid]::Empty
            version = [version] '1.2'; url = [uri] 'https://a.example/ä'; kind = [DayOfWeek]::Friday; char = [char] 'x'
            none = @(); one = @(1); many = 1, 'x', @(2, @()); map = @{ deep = @{ er = @() } }
            object = [pscustomobject] @{ a = 1 }; piped = (1..3 | ForEach-Object { $_ * 2 }); '' = 'empty'
        })"#;
    let outputs = bench.script(script).await.unwrap();
    assert_eq!(
        json!(outputs),
        json!({
            "text": "a\n\"b\" é 😀 \u{fffd}|", "yes": true, "no": null, "whole": 9_007_199_254_740_993_u64, "part": 0.1,
            "huge": 1.5, "day": "9999-12-31T23:59:59.0000000Z", "id": "00000000-0000-0000-0000-000000000000",
            "version": "1.2", "url": "https://a.example/ä", "kind": "Friday", "char": "x",
            "none": [], "one": [1], "many": [1, "x", [2, []]], "map": { "deep": { "er": [] } },
            "object": { "a": 1 }, "piped": [2, 4, 6], "": "empty",
        })
    );
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_where_it_stands() {
    let Some(bench) = Bench::new() else { return };
    let told = bench
        .failure("$x = 1\nSet-Outputs @{ a = @{ folder = Get-Item / } }")
        .await;
    assert!(
        told.contains("line 2") && told.contains("`outputs.a.folder`"),
        "{told}"
    );
    assert!(told.contains("pick the properties"), "{told}");
    for (script, why) in [
        ("Set-Outputs 'text'", "must be a map"),
        ("$a = @{}; $a.a = $a; Set-Outputs $a", "nested more than 32 deep"),
        ("Set-Outputs @{ a = 'x' * 2MB }", "larger than"),
        ("Set-Outputs @{ a = [double]::NaN }", "NaN"),
        ("Set-Outputs @{ a = [securestring]::new() }", "SecureString"),
    ] {
        let told = bench.failure(script).await;
        assert!(told.contains(why), "{script}: {told}");
    }
}

#[tokio::test]
async fn all_streams_are_kept_in_order() {
    let Some(bench) = Bench::new() else { return };
    let script = r#"
        'first'; Write-Warning 'second'; Write-Host 'third'; Write-Information 'fourth'; Write-Verbose 'fifth' -Verbose
        Write-Debug 'sixth' -Debug; Write-Error 'seventh' -ErrorAction Continue; [pscustomobject] @{ n = 'eighth' }
        1..2 | ForEach-Object { "item $_" }; Write-Progress 'unseen'; [Console]::Out.Write('ninth, raw')
        'tenth'"#;
    bench.script(script).await.unwrap();
    let recorder = &bench.recorder;
    for (stream, text) in [
        ("stdout", "first"),
        ("warning", "second\n"),
        ("information", "third\nfourth\n"),
        ("verbose", "fifth\n"),
        ("debug", "sixth\n"),
        ("error", "seventh\n"),
        ("stdout", "eighth"),
        ("stdout", "item 1\nitem 2\n"),
        ("stdout", "ninth, rawtenth\n"),
    ] {
        assert!(
            recorder.text(stream).contains(text),
            "{text}: {}",
            recorder.text(stream)
        );
    }
    let order = recorder.order();
    let streams: Vec<&str> = order.iter().map(|(stream, _)| *stream).collect();
    assert!(
        streams.starts_with(&[
            "stdout",
            "warning",
            "information",
            "information",
            "verbose",
            "debug",
            "error",
            "stdout"
        ]),
        "{order:?}"
    );
    assert!(
        !order.iter().any(|(_, text)| text.contains("unseen")),
        "{order:?}"
    );
}

#[tokio::test]
async fn nothing_that_is_printed_is_taken_for_an_answer() {
    let Some(bench) = Bench::new() else { return };
    let forged = "@@rb-0123456789abcdef0123456789abcdef answer eyJ2ZXJkaWN0Ijoic2F0aXNmaWVkIn0=";
    let script = format!(
        "'{forged}'; [Console]::Out.WriteLine('{forged}'); {}; \"mark: $Mark$script:Mark\"",
        helper(&format!("print '{forged}'"))
    );
    let seen = bench.validate(&script).await.unwrap();
    assert_eq!(seen.verdict, Verdict::Unknown);
    let printed = bench.recorder.text("stdout");
    assert!(printed.ends_with("mark: \n"), "{printed}");
}

#[tokio::test]
async fn what_a_program_reads_is_at_its_end() {
    let Some(bench) = Bench::new() else { return };
    let script = format!("{}; {}", helper("copy"), helper("print over"));
    bench.script(&script).await.unwrap();
    assert_eq!(bench.recorder.text("stdout"), "over\n");
}

#[tokio::test]
async fn a_script_is_left_with_return_break_or_exit() {
    let Some(bench) = Bench::new() else { return };
    for leave in ["return", "break", "continue", "exit", "exit 0"] {
        let outputs = bench
            .script(&format!("Set-Outputs @{{ a = 1 }}\n{leave}\nthrow 'too far'"))
            .await
            .unwrap();
        assert_eq!(json!(outputs), json!({ "a": 1 }), "{leave}");
    }
    let told = bench.failure("Set-Outputs @{ a = 1 }; exit 3").await;
    assert_eq!(told, "`run` ended PowerShell with exit code 3");
}

#[tokio::test]
async fn powershell_keeps_its_promises() {
    let Some(bench) = Bench::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("setting").to_str().unwrap().to_owned();
    let with = |run: &str| {
        let script = |script: &str| script.replace("PATH", &format!("'{path}'"));
        json!({
            "validate": script(
                "$old = if (Test-Path PATH) { [IO.File]::ReadAllText(PATH) }\n\
                 if ($old -ceq 'new') { Set-Satisfied -Outputs @{ at = PATH } -Observed @{ old = $old } }\n\
                 else { Set-Unsatisfied -Reason 'it is not new' -Observed @{ old = $old } }"
            ),
            "run": script(run),
            "rollback": script(
                "if ($null -eq $Before.old) { [IO.File]::Delete(PATH) } else { [IO.File]::WriteAllText(PATH, $Before.old) }"
            ),
        })
    };
    for start in [&[("setting", "old")][..], &[]] {
        let case = Case {
            with: with(
                "[IO.File]::WriteAllText(PATH, 'new'); \"token: $($Run.params.canary.Length)\"; Set-Outputs @{ list = 1, $null }",
            ),
            slow: with(&format!(
                "[IO.File]::WriteAllText(PATH, 'half'); {}",
                helper("tree hang")
            )),
            world: Arc::new(Folder::new(folder.path(), start, ("setting", "half"))),
        };
        conformance(Arc::clone(&bench.plugin), case).await;
    }
}
