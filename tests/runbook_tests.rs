//! `runbook test`: a runbook's own tests, and what they find.

use crate::support::Project;

const BOOK: &str = "runbook: book
params:
  who: { type: string, example: nobody }
  key: { type: secret }
steps:
  look:
    uses: command
    with: { validate: [HELPER, append, DIR/touched, look], run: [HELPER, append, DIR/touched, look] }
    rehearse: { outputs: { stdout: found } }
  work:
    needs: look
    timeout: 10m
    retry: { attempts: 3, delay: 1h }
    uses: command
    with:
      stdin: ${{ params.key }}
      run: [HELPER, append, DIR/touched, \"${{ steps.look.outputs.stdout }}\"]
      validate: [HELPER, has, DIR/touched]
      rollback: [HELPER, append, DIR/touched, undone]
  agree:
    needs: work
    uses: manual
    with:
      instructions: Agree.
      rollback: Take it back.
      collect: { name: { type: string } }
  blind:
    needs: agree
    uses: command
    with: { run: [HELPER, append, DIR/touched, blind] }
";

/// A project with the runbook and these cases of it.
fn tested(cases: &str) -> Project {
    let project = Project::new();
    project.runbook("book.yaml", BOOK);
    let people = "people: { agree: { confirm: { name: Ada } } }";
    project.write(
        "book.test.yaml",
        &format!("tests: book.yaml\n{people}\ncases:\n{cases}"),
    );
    project
}

#[test]
fn a_case_is_a_whole_run_in_which_nothing_is_touched() {
    let project = tested(
        "  usual:
    params: { who: Kim }
    expect:
      run: completed
      steps:
        look: { status: succeeded, outputs: { stdout: found } }
        work: { status: succeeded, attempts: 1 }
        agree: { status: succeeded, outputs: { name: Ada } }
        blind: succeeded
      order: [look, work, agree, blind]
",
    );
    let outcome = project.run(["test", "book.yaml"]).code(0);
    outcome
        .prints("✓ usual  completed, 4 steps")
        .tells("1 case: 1 passed");
    assert!(
        !project.has("touched") && !project.state_dir().exists(),
        "nothing is touched"
    );
}

#[test]
fn retries_time_outs_and_doubts_are_played_without_waiting() {
    let project = tested(
        "  fails-twice:
    steps: { work: { fails: 2 } }
    expect: { run: completed, steps: { work: { attempts: 3 } } }
  always:
    steps: { work: { fails: { message: no room left } } }
    expect:
      run: failed
      says: no room left
      steps: { work: { status: failed, attempts: 3, reason: no room }, agree: blocked }
  too-long:
    steps: { work: { takes: 11m } }
    expect: { run: failed, steps: { work: { status: failed, attempts: 3 } } }
  in-time:
    steps: { work: { takes: 9m } }
    expect: { run: completed, steps: { work: { attempts: 1 } } }
  no-effect:
    steps: { work: { takes_effect: false } }
    expect: { run: failed, says: it took no effect }
  power-cut-after:
    steps: { work: { interrupted: satisfied } }
    expect: { run: completed, steps: { work: { attempts: 1 } } }
  power-cut-before:
    steps: { work: { interrupted: unsatisfied } }
    expect: { run: completed, steps: { work: { attempts: 2 } } }
  nobody-can-tell:
    steps: { blind: { interrupted: true } }
    expect: { run: waiting, waits_for: [blind], steps: { blind: in_doubt } }
  a-person-decides:
    steps: { blind: { interrupted: true } }
    people: { blind: { decide: done } }
    expect: { run: completed }
  mended:
    steps: { work: { fails: 3 } }
    people: { work: { decide: again } }
    expect: { run: completed, steps: { work: { attempts: 4 } } }
  in-place:
    steps: { work: { satisfied: true } }
    expect: { steps: { work: { status: satisfied, attempts: 0 } } }
",
    );
    project
        .run(["test", "book.test.yaml"])
        .code(0)
        .tells("11 cases: 11 passed");
}

#[test]
fn a_rollback_follows_and_can_fail() {
    let project = tested(
        "  undone:
    rollback: true
    expect: { run: rolled_back, undone: [agree, work] }
  stuck:
    steps: { work: { undo_fails: it is locked } }
    rollback: true
    expect: { run: stuck, says: it is locked, steps: { work: rollback_failed } }
",
    );
    project
        .run(["test", "book.yaml"])
        .code(0)
        .tells("2 cases: 2 passed");
}

#[test]
fn what_is_not_as_expected_is_told_where_it_is_expected() {
    let project = tested(
        "  wrong:
    steps: { work: { fails: out of paper } }
    people: { blind: { decide: done } }
    expect:
      run: completed
      steps:
        work: { status: succeeded, attempts: 1, outputs: { stdout: x } }
      order: [work, look, blind]
      waits_for: [agree]
      says: out of ink
  right:
    expect: { run: completed }
",
    );
    let outcome = project.run(["test", "book.yaml"]).code(1);
    assert!(outcome.stdout.contains("✗ wrong") && outcome.stdout.contains("✓ right"));
    insta::assert_snapshot!(outcome.stderr);
    let lines = project.run(["test", "book.yaml", "--json"]).code(1).json_lines();
    assert_eq!(
        (&lines[0]["case"], &lines[0]["ok"]),
        (&"wrong".into(), &false.into())
    );
    assert_eq!(lines[0]["failures"][0]["places"][0]["line"], 8);
    assert_eq!(
        (&lines[1]["ok"], &lines[1]["status"]),
        (&true.into(), &"completed".into())
    );
    project
        .run(["test", "book.yaml", "--filter", "righ"])
        .code(0)
        .tells("1 case: 1 passed");
    project
        .run(["test", "book.yaml", "--filter", "nothing"])
        .code(2)
        .tells("RB0061");
}

#[test]
fn names_that_do_not_exist_and_files_that_are_wrong_are_told() {
    let project = tested(
        "  astray:
    params: { hwo: Kim }
    steps: { wrok: { fails: 1 } }
    expect: { run: completed, order: [lok] }
",
    );
    let outcome = project.run(["test", "book.yaml"]).code(1);
    outcome
        .tells("RB0062")
        .tells("did you mean `who`?")
        .tells("did you mean `work`?")
        .tells("did you mean `look`?");
    project.write(
        "x.test.yaml",
        "tests: nowhere.yaml\ncases: { a: { expect: { run: compleeted }, stepz: {} } }\n",
    );
    let outcome = project.run(["test", "x.test.yaml"]).code(2);
    outcome
        .tells("did you mean `completed`?")
        .tells("`a` has no key `stepz`");
    project.write(
        "x.test.yaml",
        "tests: nowhere.yaml\ncases: { a: { expect: { run: completed } } }\n",
    );
    project
        .run(["test", "x.test.yaml"])
        .code(2)
        .tells("there is no runbook `nowhere.yaml`");
    project.write(
        "y.yaml",
        "runbook: y\nsteps: { a: { uses: command, with: { run: [x] } } }\n",
    );
    project.run(["test", "y.yaml"]).code(2).tells("RB0061");
    project.write("x.test.yaml", "\u{0}[");
    project.run(["test", "x.test.yaml"]).code(2).tells("x.test.yaml");
    project.run(["check", "book.test.yaml"]).code(2).tells("RB0040");
}

#[test]
fn a_case_can_put_overlays_on_and_so_can_the_command_line() {
    let project = tested(
        "  with-ours:
    overlays: [ours.yaml]
    expect: { run: completed, steps: { blind: skipped, ours: succeeded }, order: [work, ours, agree] }
  without:
    expect: { steps: { blind: succeeded } }
",
    );
    project.write(
        "ours.yaml",
        "overlay: ours
skip: { blind: We do not }
add: { ours: { after: work, uses: command, with: { run: [never, carried, out] } } }
",
    );
    project
        .run(["test", "book.yaml"])
        .code(0)
        .tells("2 cases: 2 passed");
    project
        .run(["test", "book.yaml", "--overlay", "ours.yaml"])
        .code(1)
        .prints("✓ with-ours")
        .prints("✗ without");
}

#[test]
fn the_tests_of_the_runbooks_that_ship_pass() {
    let project = Project::new();
    for name in [
        "quickstart",
        "site-notice",
        "hybrid-s2s",
        "hybrid-s2s-remove",
        "sts-certificate-rotation",
    ] {
        let outcome = project.run(["test", name]).code(0);
        assert!(outcome.stderr.contains("passed"), "{}", outcome.stderr);
    }
    assert!(!project.state_dir().exists(), "nothing is touched");
}
