//! Overlays: what they make of a runbook, and every way in which they can be wrong.

use proptest::prelude::*;
use serde_json::json;

use super::{Folder, good, registry, render};
use crate::core::event::{ChangeAct, ChangeOf, Overlaid};
use crate::diagnostic::SourceFile;
use crate::runbook::{Loaded, Runbook, fingerprint, load_with};

const BOOK: &str = r#"runbook: book
params:
  greeting: { type: string, default: hello }
roles:
  reader: Somebody who reads
steps:
  look:
    uses: command
    with: { run: [look], validate: [look, again] }
  write:
    title: Write it down
    needs: look
    timeout: 1m
    uses: command
    with: { run: [write, "${{ steps.look.outputs.stdout }}"], env: { A: a, B: b } }
  print:
    needs: write
    when: params.greeting != ""
    uses: command
    with: { run: [print] }
  read:
    needs: [write, print]
    role: reader
    uses: script
    with: { run: read $Run.steps.'write'.outputs }
"#;

fn with(overlays: &[&str]) -> Loaded {
    let names = ["one.yaml", "two.yaml", "three.yaml"];
    let files = names.iter().zip(overlays);
    let files: Vec<_> = files.map(|(name, text)| SourceFile::new(*name, *text)).collect();
    load_with(&SourceFile::new("book.yaml", BOOK), &files, &registry(), &Folder)
}

#[track_caller]
fn merged(overlays: &[&str]) -> Runbook {
    let Loaded { runbook, diagnostics } = with(overlays);
    assert!(diagnostics.is_empty(), "{}", render(&diagnostics));
    runbook.unwrap()
}

#[track_caller]
fn wrong(overlays: &[&str]) -> String {
    let Loaded { runbook, diagnostics } = with(overlays);
    assert!(runbook.is_none(), "nothing is wrong");
    places(&diagnostics)
}

/// As a person reads it, with the file that each place stands in.
fn places(diagnostics: &[crate::diagnostic::Diagnostic]) -> String {
    let files = diagnostics.iter().map(|diagnostic| {
        let names = diagnostic.labels.iter().map(|label| label.file.name.as_str());
        let text = render(std::slice::from_ref(diagnostic));
        format!("in {}\n{text}", names.collect::<Vec<_>>().join(" and "))
    });
    files.collect::<Vec<_>>().join("")
}

/// The steps in order, each with what it needs.
fn shape(runbook: &Runbook) -> Vec<String> {
    let steps = runbook.steps().values().map(|step| {
        let needs: Vec<&str> = step.needs.iter().map(|id| id.as_str()).collect();
        format!("{}: {}", step.id, needs.join(" ")).trim_end().to_owned()
    });
    steps.collect()
}

/// What overlays did, as `overlay what name: detail`.
fn changes(overlaid: &Overlaid) -> Vec<String> {
    let changes = overlaid.changes().map(|(by, change)| {
        let line = format!("{by} {} {}: {}", change.act.as_str(), change.name, change.detail);
        line.trim_end_matches([' ', ':']).to_owned()
    });
    changes.collect()
}

#[test]
fn a_step_that_is_added_after_another_comes_before_all_that_needed_that() {
    let runbook = merged(&[
        "overlay: one\nadd:\n  tell:\n    after: write\n    uses: command\n    with: { run: [tell] }\n",
    ]);
    assert_eq!(
        shape(&runbook),
        [
            "look:",
            "write: look",
            "tell: write",
            "print: write tell",
            "read: write print tell"
        ]
    );
    assert_eq!(
        changes(runbook.overlays().unwrap()),
        ["one added tell: after `write`"]
    );
}

#[test]
fn a_step_that_is_added_before_another_waits_for_what_that_needed() {
    let runbook = merged(&[
        "overlay: one\nadd:\n  ask: { before: write, uses: command, with: { run: [ask, \"${{ steps.look.outputs.x }}\"] } }\n",
    ]);
    assert_eq!(
        shape(&runbook),
        [
            "look:",
            "ask: look",
            "write: look ask",
            "print: write",
            "read: write print"
        ]
    );
}

#[test]
fn additions_stand_in_the_order_of_the_overlay_and_can_lean_on_each_other() {
    let overlay = "overlay: one
add:
  second: { after: first, uses: command, with: { run: [b] } }
  first: { after: look, uses: command, with: { run: [a] } }
  between: { after: look, before: read, uses: command, with: { run: [c] } }
  apart: { needs: [look, first], uses: command, with: { run: [d] } }
";
    let runbook = merged(&[overlay]);
    assert_eq!(
        shape(&runbook),
        [
            "look:",
            "first: look",
            "second: first",
            "between: look",
            "write: look first second",
            "print: write",
            "read: write print between",
            "apart: look first",
        ]
    );
}

#[test]
fn what_is_replaced_keeps_its_place_and_what_is_changed_keeps_the_rest() {
    let overlay = "overlay: one
replace:
  print: { title: Send it, uses: script, with: { run: send } }
change:
  write:
    timeout: 5m
    title: null
    with: { env: { B: null, C: c } }
";
    let runbook = merged(&[overlay]);
    assert_eq!(shape(&runbook), shape(&good(BOOK)));
    let print = runbook.step(&"print".parse().unwrap()).unwrap();
    assert_eq!((print.title.as_str(), print.uses.as_str()), ("Send it", "script"));
    assert!(print.when.is_none(), "the whole step is another");
    let write = runbook.step(&"write".parse().unwrap()).unwrap();
    assert_eq!(write.title, "write");
    assert_eq!(write.timeout.unwrap().as_secs(), 300);
    assert_eq!(
        write.with,
        json!({ "run": ["write", "${{ steps.look.outputs.stdout }}"], "env": { "A": "a", "C": "c" } })
    );
    assert_eq!(
        changes(runbook.overlays().unwrap()),
        [
            "one replaced print",
            "one changed write: timeout, title, with.env.B, with.env.C"
        ]
    );
}

#[test]
fn a_step_that_is_moved_leaves_the_order_of_the_others_as_it_was() {
    let runbook = merged(&["overlay: one\nmove:\n  print: { before: write }\n"]);
    assert_eq!(
        shape(&runbook),
        ["look:", "print: look", "write: look print", "read: write"]
    );
    let runbook = merged(&["overlay: one\nmove:\n  print: { after: read }\n"]);
    assert_eq!(
        shape(&runbook),
        ["look:", "write: look", "read: write", "print: read"]
    );
}

#[test]
fn a_step_that_is_skipped_says_why_and_holds_nobody_up() {
    let runbook = merged(&["overlay: one\nskip:\n  print: We have no printer\n"]);
    let print = runbook.step(&"print".parse().unwrap()).unwrap();
    assert_eq!(print.skip.as_deref(), Some("We have no printer"));
    assert_eq!(shape(&runbook), shape(&good(BOOK)));
}

#[test]
fn parameters_roles_and_sessions_are_merged_into_those_of_the_runbook() {
    let overlay = "overlay: one
params:
  greeting: { default: servus }
  ticket: { type: string, prompt: Number of the change }
roles:
  reader: The night shift
  signer: Who signs
sessions:
  farm: { uses: site.cloud }
";
    let runbook = merged(&[overlay]);
    let params = runbook.params();
    assert_eq!(params["greeting"].default, Some(json!("servus")));
    assert!(params.contains_key("ticket"));
    let roles: Vec<_> = runbook.roles().values().map(String::as_str).collect();
    assert_eq!(roles, ["The night shift", "Who signs"]);
    let of = |wanted| {
        let changes = runbook.overlays().unwrap().changes();
        let names = changes.filter(|(_, change)| change.of == wanted);
        names
            .map(|(_, change)| (change.name.clone(), change.act))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of(ChangeOf::Param),
        [
            ("greeting".to_owned(), ChangeAct::Changed),
            ("ticket".to_owned(), ChangeAct::Added)
        ]
    );
    assert_eq!(of(ChangeOf::Role).len() + of(ChangeOf::Session).len(), 3);
}

#[test]
fn a_later_overlay_builds_on_an_earlier_one() {
    let one = "overlay: one\nadd:\n  tell: { after: write, uses: command, with: { run: [tell] } }\n";
    let two = "overlay: two\nchange:\n  tell: { timeout: 10s }\nmove:\n  tell: { after: read }\n";
    let runbook = merged(&[one, two]);
    assert_eq!(
        shape(&runbook),
        [
            "look:",
            "write: look",
            "print: write",
            "read: write print",
            "tell: read"
        ]
    );
    assert!(runbook.step(&"tell".parse().unwrap()).unwrap().timeout.is_some());
}

#[test]
fn the_merged_definition_is_a_runbook_of_its_own() {
    let overlay = "overlay: one
params:
  odd: { type: string, default: \"a\\u2028b \\u0085 # ' \\\" : - \\ttab\" }
add:
  tell:
    after: write
    uses: script
    with:
      run: |
        first: line

          indented # no comment
        last
skip: { print: 'no: printer' }
";
    let runbook = merged(&[overlay]);
    let again = good(&runbook.definition().text);
    assert_eq!(shape(&again), shape(&runbook));
    for (one, other) in runbook.steps().values().zip(again.steps().values()) {
        assert_eq!(
            (&one.with, &one.title, &one.skip),
            (&other.with, &other.title, &other.skip)
        );
    }
    assert_eq!(again.params()["odd"].default, runbook.params()["odd"].default);
    assert_eq!(runbook.definition().name, "book.yaml + one.yaml");
}

#[test]
fn everything_that_is_wrong_is_told_at_once_in_the_file_where_it_stands() {
    let one = r#"overlay: one
titel: With a mistake
for: { runbook: other }
params:
  greting: { default: hi }
replace:
  prnt: { uses: command }
change:
  write:
    timeuot: 5m
    retry: null
    with: { run: [write, "${{ params.nobody }}"] }
move:
  read: {}
add:
  look: { before: write, uses: command, with: { run: [x] } }
  lost: { uses: command, with: { run: [x] } }
  astray: { after: nowhere, uses: comand }
skip:
  write: We do not write
  print: ""
"#;
    insta::assert_snapshot!(wrong(&[one]));
}

#[test]
fn overlays_that_contradict_each_other_are_told_and_those_that_agree_are_not() {
    let one = "overlay: one
change: { write: { timeout: 5m, with: { env: { A: x } } }, read: { title: Read on } }
skip: { print: no printer }
";
    let two = "overlay: two
change: { write: { timeout: 6m, with: { env: { B: y } } }, read: { title: Read on } }
replace: { print: { uses: script, with: { run: send } } }
move: { print: { after: look } }
";
    insta::assert_snapshot!(wrong(&[one, two]));
}

#[test]
fn circles_and_steps_that_are_read_before_they_come_are_told_in_both_files() {
    let one = "overlay: one
add:
  a: { after: read, before: write, uses: command, with: { run: [a] } }
  b: { after: c, uses: command, with: { run: [b] } }
  c: { after: b, uses: command, with: { run: [c] } }
";
    let two = "overlay: two\nmove: { look: { after: write } }\n";
    insta::assert_snapshot!(format!("{}\n----\n{}", wrong(&[one]), wrong(&[two])));
}

#[test]
fn an_overlay_that_was_written_for_another_text_is_used_with_a_warning() {
    let right = fingerprint(BOOK);
    let pinned = |hash: &str| format!("overlay: one\nfor: {{ runbook: book, sha256: \"{hash}\" }}\n");
    merged(&[&pinned(&right)]);
    merged(&[&pinned(&right[..12])]);
    let Loaded { runbook, diagnostics } = with(&[&pinned("0123456789abcdef")]);
    assert!(runbook.is_some());
    insta::assert_snapshot!(places(&diagnostics));
}

#[test]
fn an_overlay_is_no_runbook() {
    let file = SourceFile::new("one.yaml", "overlay: one\nskip: { a: b }\n");
    let Loaded { diagnostics, .. } = load_with(&file, &[], &registry(), &Folder);
    insta::assert_snapshot!(places(&diagnostics));
}

#[test]
fn whatever_the_base_is_the_overlay_survives_it() {
    for base in [
        "",
        "- a\n",
        "runbook: x\n",
        "runbook: x\nsteps: 3\n",
        "steps: { a: 1, b: {} }\n",
    ] {
        let overlay = SourceFile::new(
            "one.yaml",
            "overlay: o\nskip: { a: why }\nadd: { c: { after: b } }\n",
        );
        let base = SourceFile::new("book.yaml", base);
        let loaded = load_with(&base, &[overlay], &registry(), &Folder);
        assert!(loaded.runbook.is_none() && !loaded.diagnostics.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Cut and torn overlays: no panic, and every place lies within the file that it names.
    #[test]
    fn no_overlay_breaks_the_program(cut in 0_usize..400, at in 0_usize..400, with_text in "[ -~\n]{0,12}") {
        let whole = "overlay: one\nfor: { runbook: book, sha256: \"0123456789ab\" }\nparams: { greeting: { default: x } }\nreplace: { print: { uses: command } }\nchange: { write: { timeout: 5m, needs: null } }\nmove: { read: { after: look } }\nadd: { a: { after: write, uses: command }, b: { before: [a, read] } }\nskip: { look: why }\n";
        let mut text = whole.to_owned();
        text.truncate(text.len().saturating_sub(cut));
        let at = at.min(text.len());
        text.insert_str(at, &with_text);
        let Loaded { runbook, diagnostics } = with(&[&text]);
        prop_assert_eq!(runbook.is_none(), diagnostics.iter().any(crate::diagnostic::Diagnostic::is_error));
        for label in diagnostics.iter().flat_map(|one| &one.labels) {
            prop_assert!(label.span.end <= label.file.text.len() + 1, "{:?} in {}", label.span, label.file.name);
        }
    }
}
