//! Whatever is done to a file: no panic, places inside the text, errors exactly when there is no runbook.

use proptest::prelude::*;

use super::read;
use crate::diagnostic::Diagnostic;
use crate::id::StepId;

const SEED: &str = r##"runbook: hybrid
title: "Tä\tst"
params:
  host: { type: host, default: web1 }
  list: { type: list, of: domain, example: [a.com] }
roles: { admin: Someone }
sessions:
  farm: { uses: site.cloud, role: admin, with: { a: "${{ params.host }}" } }
steps:
  one: &one
    uses: command
    with: { run: [a, 'it''s ${{ params.list }}'], validate: [b] }
    retry: { attempts: 3, delay: 1s }
  two:
    needs: [one]
    when: params.host != "x" && steps.one.status == "succeeded"
    for_each: params.list
    session: farm
    timeout: 1h30m
    uses: script
    with:
      run: |
        first ${{ x }}
          second
  three:
    needs: two
    uses: command
    with:
      run:
        - >-
          folded ${{ steps.two.outputs }}
          text
"##;

#[track_caller]
fn assert_sound(text: &str) {
    let loaded = read(text);
    let errors = loaded
        .diagnostics
        .iter()
        .filter(|problem| problem.is_error())
        .count();
    assert_eq!(loaded.runbook.is_none(), errors > 0, "{:?}", loaded.diagnostics);
    for label in loaded.diagnostics.iter().flat_map(|problem| &problem.labels) {
        assert!(
            text.get(label.span.start..label.span.end).is_some(),
            "{label:?} in {text:?}"
        );
    }
    let sorted: Vec<_> = loaded
        .diagnostics
        .iter()
        .map(|problem| problem.labels[0].span)
        .collect();
    assert!(sorted.is_sorted(), "{sorted:?}");
}

#[derive(Debug, Clone)]
struct Edit {
    at: prop::sample::Index,
    remove: usize,
    insert: String,
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let pieces = prop_oneof![
        "[ -~\n]{0,5}",
        Just("\n".to_owned()),
        Just("  ".to_owned()),
        Just("${{".to_owned()),
        Just(": ".to_owned()),
        Just("*one".to_owned()),
        Just("ä\u{2028}😀".to_owned()),
        Just("\r\n\t".to_owned()),
    ];
    let edit = (any::<prop::sample::Index>(), 0_usize..6, pieces);
    prop::collection::vec(
        edit.prop_map(|(at, remove, insert)| Edit { at, remove, insert }),
        1..6,
    )
}

fn edited(edits: &[Edit]) -> String {
    let mut chars: Vec<char> = SEED.chars().collect();
    for edit in edits {
        let at = edit.at.index(chars.len() + 1);
        let end = (at + edit.remove).min(chars.len());
        chars.splice(at..end, edit.insert.chars());
    }
    chars.into_iter().collect()
}

#[test]
fn the_seed_is_right() {
    let loaded = read(SEED);
    assert!(loaded.runbook.is_some() && !loaded.diagnostics.iter().any(Diagnostic::is_error));
}

#[test]
fn every_beginning_of_a_file_is_told_of_properly() {
    SEED.char_indices().for_each(|(at, _)| assert_sound(&SEED[..at]));
}

proptest! {
    #[test]
    fn an_edited_file_is_told_of_properly(edits in edits()) {
        assert_sound(&edited(&edits));
    }

    #[test]
    fn any_text_is_told_of_properly(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        assert_sound(&String::from_utf8_lossy(&bytes));
    }

    /// Needs at random: either there is a circle, or the order keeps to all of them, and a step may read
    /// exactly what it needs, directly or not.
    #[test]
    fn a_step_may_read_what_comes_before(needs in prop::collection::vec((0_usize..8, 0_usize..8), 0..14), reader in 0_usize..8, read_step in 0_usize..8) {
        let mut text = "runbook: a\nsteps:\n".to_owned();
        for step in 0..8 {
            let own: Vec<String> = needs.iter().filter(|(from, _)| *from == step).map(|(_, to)| format!("s{to}")).collect();
            let reads = if step == reader { format!(", \"${{{{ steps.s{read_step}.outputs }}}}\"") } else { String::new() };
            text.push_str(&format!("  s{step}: {{ needs: [{}], uses: command, with: {{ run: [a{reads}] }} }}\n", own.join(", ")));
        }
        let mut before = [[false; 8]; 8];
        needs.iter().for_each(|&(from, to)| before[from][to] = true);
        for middle in 0..8 {
            for from in 0..8 {
                for to in 0..8 {
                    before[from][to] |= before[from][middle] && before[middle][to];
                }
            }
        }
        let circle = (0..8).any(|step| before[step][step]);
        let loaded = read(&text);
        prop_assert_eq!(loaded.runbook.is_some(), !circle && before[reader][read_step], "{}", text);
        if let Some(runbook) = loaded.runbook {
            let order: Vec<StepId> = {
                let workflow = runbook.workflow();
                workflow.dag().order().iter().map(|&at| workflow.step(at).id.clone()).collect()
            };
            let place = |step: usize| order.iter().position(|id| id.as_str() == format!("s{step}"));
            prop_assert!(needs.iter().all(|&(from, to)| place(to) < place(from)));
        }
    }
}
