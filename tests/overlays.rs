//! Overlays: a site changes a runbook without editing it, and a run needs neither file afterwards.

use serde_json::json;

use crate::support::{Project, stable, until};

const BOOK: &str = "runbook: book
params:
  name: { type: string, default: nobody }
steps:
  first:
    uses: command
    with: { run: [HELPER, append, DIR/log, first] }
  second:
    needs: first
    uses: command
    with: { run: [HELPER, append, DIR/log, \"second ${{ params.name }}\"] }
  third:
    needs: second
    uses: command
    with: { run: [HELPER, append, DIR/log, third] }
";

const CONTOSO: &str = "overlay: contoso
params: { name: { default: contoso } }
replace:
  third:
    uses: command
    with: { run: [HELPER, append, DIR/log, \"another third\"] }
add:
  between:
    title: What only we do
    after: first
    uses: command
    with: { run: [HELPER, append, DIR/log, between] }
";

fn project() -> Project {
    let project = Project::new();
    project.runbook("book.yaml", BOOK);
    project.runbook("contoso.yaml", CONTOSO);
    project
}

#[test]
fn an_overlay_changes_what_is_carried_out_and_everybody_says_so() {
    let project = project();
    project
        .run(["exec", "book.yaml", "--overlay", "contoso.yaml"])
        .code(0)
        .tells("with contoso (1 added, 1 replaced)");
    assert_eq!(
        project.lines("log"),
        ["first", "between", "second contoso", "another third"]
    );
    let run = project.run_name();
    project
        .run(["show", &run])
        .code(0)
        .prints("with contoso (1 added, 1 replaced)");
    project.run(["list"]).code(0).prints("with contoso");
    assert_eq!(project.only_run()["overlays"], json!(["contoso"]));
    let shown = project.show(&run);
    assert_eq!(shown["overlaid"]["overlays"][0]["name"], "contoso");
    let changes = shown["overlaid"]["overlays"][0]["changes"]
        .as_array()
        .unwrap()
        .clone();
    assert!(
        changes
            .contains(&json!({ "of": "step", "name": "between", "act": "added", "detail": "after `first`" }))
    );
}

#[test]
fn check_and_plan_show_what_the_overlay_changes() {
    let project = project();
    project.write(
        "more.yaml",
        "overlay: more\nmove: { third: { before: second } }\nskip: { between: Not today }\n",
    );
    let overlays = ["--overlay", "contoso.yaml", "--overlay", "more.yaml"];
    let check = project
        .run(["check", "book.yaml"].into_iter().chain(overlays))
        .code(0);
    let hash = regex::Regex::new("[0-9a-f]{64}").unwrap();
    insta::assert_snapshot!(hash.replace_all(&stable(&check.stderr), "<hash>"), @r"
    book.yaml: sound: 4 steps
    contoso (contoso.yaml):
      ~ params.name  changed: default
      ~ third        replaced
      + between      added after `first`
    more (more.yaml):
      > third        moved before `second`
      - between      skipped: Not today
    the runbook without them has the fingerprint <hash>
    ");
    let plan = project
        .run(["plan", "book.yaml"].into_iter().chain(overlays))
        .code(0);
    plan.prints("  - between  skipped: What only we do\n             Not today\n             + contoso: added after `first`\n")
        .prints("             > more: moved before `second`\n")
        .tells("\nwith contoso (1 added, 1 replaced), more (1 moved, 1 skipped)\n");
    let rows = project
        .run(["plan", "book.yaml", "--json"].into_iter().chain(overlays))
        .code(0)
        .json_lines();
    let between = rows.iter().find(|row| row["step"] == "between").unwrap();
    assert_eq!(between["forecast"], "skipped");
    assert_eq!(
        between["overlaid"],
        json!([
            { "overlay": "contoso", "act": "added", "detail": "after `first`" },
            { "overlay": "more", "act": "skipped", "detail": "Not today" },
        ])
    );
    let checked = project
        .run(["check", "book.yaml", "--json"].into_iter().chain(overlays))
        .code(0)
        .json();
    let text = project.read("book.yaml").unwrap();
    let hash = checked["overlaid"]["runbook"]["sha256"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(hash.len(), 64);
    project.write(
        "pinned.yaml",
        &format!("overlay: pinned\nfor: {{ runbook: book, sha256: \"{hash}\" }}\n"),
    );
    project
        .run(["check", "book.yaml", "--overlay", "pinned.yaml"])
        .code(0)
        .keeps_quiet_of("RB0043");
    project.write("book.yaml", &format!("{text}# a new version\n"));
    project
        .run(["check", "book.yaml", "--overlay", "pinned.yaml"])
        .code(0)
        .tells("RB0043");
}

#[test]
fn the_overlay_beside_a_runbook_is_found_and_announced() {
    let project = project();
    std::fs::rename(
        project.path().join("contoso.yaml"),
        project.path().join("book.site.yaml"),
    )
    .unwrap();
    project
        .run(["exec", "book.yaml"])
        .code(0)
        .tells("with the overlay book.site.yaml beside the runbook");
    assert_eq!(project.lines("log").len(), 4);
    std::fs::remove_file(project.path().join("log")).unwrap();
    project
        .run(["exec", "book.yaml", "--no-site"])
        .code(0)
        .keeps_quiet_of("overlay");
    assert_eq!(project.lines("log"), ["first", "second nobody", "third"]);
    // Asked for as well, it goes on once.
    project
        .run(["check", "book.yaml", "--overlay", "book.site.yaml"])
        .code(0);
}

#[test]
fn a_runbook_that_ships_takes_an_overlay() {
    let project = Project::new();
    project.write(
        "contoso.yaml",
        "overlay: contoso
for: { runbook: hybrid-s2s }
params: { proxy_name: { default: ACS Contoso } }
add:
  tell-the-desk:
    title: Tell the service desk
    before: set-realm
    uses: manual
    with: { instructions: 'Tell the desk that the realm of ${{ params.public_domain }} changes' }
    rehearse: { outputs: {} }
",
    );
    project
        .run(["exec", "hybrid-s2s", "--overlay", "contoso.yaml", "--rehearse"])
        .code(0)
        .tells("with contoso (1 added)");
    let run = project.run_name();
    let statuses = project.statuses(&run);
    let at = |step: &str| statuses.iter().position(|row| row.starts_with(step)).unwrap();
    assert!(statuses[at("tell-the-desk:")].ends_with("succeeded"));
    assert_eq!(at("tell-the-desk:") + 1, at("set-realm:"));
    assert_eq!(project.show(&run)["params"]["proxy_name"], "ACS Contoso");
    let events = project.events(&run);
    let ended = |step: &str| {
        let done = |event: &serde_json::Value| event["step"] == step && event["event"] == "verified";
        events.iter().position(done).unwrap()
    };
    assert!(ended("tell-the-desk") < ended("set-realm"));
}

#[test]
fn a_run_that_was_killed_goes_on_though_both_files_are_gone_or_changed() {
    let project = Project::new();
    project.runbook("book.yaml", BOOK);
    project.runbook(
        "contoso.yaml",
        "overlay: contoso
change:
  second:
    idempotent: true
    with: { run: [HELPER, append, DIR/log, begun, then, until, DIR/go, then, append, DIR/log, ended] }
add:
  last:
    after: third
    uses: rhai
    with: { file: last.rhai }
",
    );
    project.runbook("last.rhai", "fn run(cx) { #{ said: \"as it was\" } }\n");
    let mut running = project.start(["exec", "book.yaml", "--overlay", "contoso.yaml", "--json"]);
    running.until_event("process_started", "second");
    until("the child is at work", || {
        project.lines("log") == ["first", "begun"]
    });
    running.kill();
    project.write("go", "");
    project.write("contoso.yaml", "overlay: contoso\nskip: { third: no longer }\n");
    project.write("last.rhai", "fn run(cx) { throw \"another\" }\n");
    std::fs::remove_file(project.path().join("book.yaml")).unwrap();

    let run = project.run_name();
    project
        .run_as("bob", &["resume", &run])
        .code(0)
        .tells("with contoso (1 added, 1 changed)");
    let log = project.lines("log");
    assert_eq!(log.first().map(String::as_str), Some("first"));
    assert_eq!(log.last().map(String::as_str), Some("third"));
    let shown = project.show(&run);
    let last = shown["steps"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&last["step"], &last["outputs"]["said"]),
        (&json!("last"), &json!("as it was"))
    );
    let started = &project.events(&run)[0];
    let overlaid = &started["overlaid"];
    assert!(overlaid["text"].as_str().unwrap().starts_with("runbook: book"));
    assert!(
        overlaid["overlays"][0]["text"]
            .as_str()
            .unwrap()
            .contains("idempotent")
    );
    assert!(
        started["text"].as_str().unwrap().contains("last.rhai"),
        "the merged definition"
    );
    project.run(["journal", "verify", &run]).code(0);
}

#[test]
fn what_is_wrong_is_told_in_the_file_where_it_stands_and_nothing_starts() {
    let project = project();
    project.write(
        "wrong.yaml",
        "overlay: wrong
skip: { secnd: We do not }
change: { first: { with: { run: [say, \"${{ params.nmae }}\"] } } }
",
    );
    let outcome = project
        .run(["exec", "book.yaml", "--overlay", "wrong.yaml"])
        .code(2);
    outcome
        .tells("wrong.yaml:2:9")
        .tells("did you mean `second`?")
        .tells("wrong.yaml:3")
        .tells("there is no parameter `nmae`");
    project.run(["list"]).code(0).tells("no runs");
    project
        .run(["exec", "book.yaml", "--overlay", "nowhere.yaml"])
        .code(2)
        .tells("the overlay `nowhere.yaml` cannot be read");
    project.write("garbage.yaml", "\u{0}\u{1} {[");
    project
        .run(["check", "book.yaml", "--overlay", "garbage.yaml"])
        .code(2)
        .tells("garbage.yaml");
    project
        .run(["check", "contoso.yaml"])
        .code(2)
        .tells("RB0040")
        .tells("--overlay");
}

#[test]
fn files_beside_the_overlay_are_found_and_two_of_one_name_are_told_apart() {
    let project = Project::new();
    project.write(
        "book.yaml",
        "runbook: book\nsteps:\n  a: { uses: rhai, with: { file: a.rhai } }\n",
    );
    project.write("a.rhai", "fn run(cx) { #{ from: \"the runbook\" } }\n");
    project.write(
        "site/contoso.yaml",
        "overlay: contoso\nadd:\n  b: { after: a, uses: rhai, with: { file: b.rhai } }\n",
    );
    project.write("site/b.rhai", "fn run(cx) { #{ from: \"the site\" } }\n");
    let args = ["exec", "book.yaml", "--overlay", "site/contoso.yaml"];
    project.run(args).code(0);
    let shown = project.show(&project.run_name());
    assert_eq!(shown["steps"][1]["outputs"]["from"], "the site");
    project.write("site/a.rhai", "fn run(cx) { #{} }\n");
    project.run(args).code(2).tells("rename one of them");
}

#[test]
fn a_report_tells_what_overlays_changed() {
    let project = project();
    project
        .run(["exec", "book.yaml", "--overlay", "contoso.yaml"])
        .code(0);
    let run = project.run_name();
    project
        .run(["report", &run, "--format", "md"])
        .code(0)
        .prints("- contoso: between added after");
    project
        .run(["report", &run, "--format", "html"])
        .code(0)
        .prints("contoso: between added after");
}
