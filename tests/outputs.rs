//! Outputs by name: what is read, rehearsed or tested must be what the step gives, where that is known beforehand.

use crate::support::Project;

const KIND: &str = r#"const STEP = #{
    summary: "asks for the realm",
    outputs: #{ realm: #{ type: "guid", doc: "The realm", example: "8f6a5f0c-58bf-4a6c-8a33-2f9d2a3f1a11" } },
};

fn validate(input, cx) { #{ satisfied: true, outputs: #{ realm: "8f6a5f0c-58bf-4a6c-8a33-2f9d2a3f1a11" } } }
"#;

fn project(steps: &str) -> Project {
    let project = Project::new();
    project.write("steps/realm.rhai", KIND);
    project.runbook("book.yaml", &format!("runbook: book\nsteps:\n{steps}"));
    project
}

#[test]
fn an_output_that_a_step_never_gives_is_found_before_anything_runs() {
    project(
        "  realm: { uses: site.realm }
  ask: { uses: manual, with: { instructions: Ask., collect: { reader: { type: string } } } }
  each: { for_each: '[`a`, `b`]', uses: site.realm }
  say:
    needs: [realm, ask, each]
    when: steps.ask.outputs.raeder == `Kim`
    uses: command
    with: { run: [HELPER, say, '${{ steps.realm.outputs.relam }}', '${{ steps[\"realm\"].outputs.id }}'] }
",
    )
    .run(["check", "book.yaml"])
    .code(2)
    .tells("the step `realm` gives no output `relam`")
    .tells("did you mean `realm`?")
    .tells("the step `realm` gives no output `id`")
    .tells("it gives `realm`")
    .tells("the step `ask` gives no output `raeder`")
    .tells("did you mean `reader`?");
}

#[test]
fn what_a_step_gives_or_may_give_is_let_pass() {
    project(
        "  realm: { uses: site.realm }
  each: { for_each: '[`a`, `b`]', uses: site.realm }
  free: { uses: rhai, with: { script: 'fn run(cx) { #{ anything: 1 } }' }, rehearse: { outputs: { anything: 1 } } }
  say:
    needs: [realm, each, free]
    uses: command
    with:
      run:
        - HELPER
        - say
        - ${{ steps.realm.outputs.realm }} ${{ steps.realm.outputs.get(`other`) ?? `none` }} ${{ steps.each.outputs.a.realm }} ${{ steps.free.outputs.anything }}
",
    )
    .run(["exec", "book.yaml"])
    .code(0);
}

#[test]
fn rehearsals_and_tests_give_what_the_step_gives() {
    project("  realm: { uses: site.realm, rehearse: { outputs: { relam: x } } }\n")
        .run(["check", "book.yaml"])
        .code(2)
        .tells("the step `realm` gives no output `relam`");
    let project = project("  realm: { uses: site.realm }\n");
    project.write(
        "book.test.yaml",
        "tests: book.yaml\ncases:\n  one:\n    steps: { realm: { outputs: { relam: x } } }\n    expect: { run: completed }\n",
    );
    project
        .run(["test", "book.yaml"])
        .code(1)
        .tells("RB0062")
        .tells("the step `realm` gives no output `relam`")
        .tells("did you mean `realm`?");
}

#[test]
fn it_is_said_of_which_scripts_no_case_shows_whether_they_work() {
    let project = project("  realm: { uses: site.realm }\n");
    let case = |name: &str, steps: &str| {
        format!("  {name}:\n    steps: {steps}\n    expect: {{ run: completed }}\n")
    };
    let untried = "no case carries out the script of `site.realm`";
    project.write(
        "book.test.yaml",
        &format!("tests: book.yaml\ncases:\n{}", case("one", "{}")),
    );
    project
        .run(["test", "book.yaml"])
        .code(0)
        .tells(untried)
        .tells("`steps: { realm: { world: {} } }`");
    let tried = case("two", "{ realm: { world: {} } }");
    project.write(
        "book.test.yaml",
        &format!("tests: book.yaml\ncases:\n{}{tried}", case("one", "{}")),
    );
    let told = project.run(["test", "book.yaml"]).code(0);
    assert!(!told.stderr.contains(untried), "{}", told.stderr);
    let one = project.run(["test", "book.yaml", "--filter", "one"]).code(0);
    assert!(
        !one.stderr.contains(untried),
        "only what was left out: {}",
        one.stderr
    );
}
