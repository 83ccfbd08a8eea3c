//! Reports: the record of a run for people who were not there, in every state of a run, as files for others.

use crate::platform;
use crate::support::browser::browser;
use crate::support::{Project, Running, stable, until};

const RUNBOOK: &str = "runbook: change
title: Move the relay
params:
  relay: { type: host, example: relay1 }
  token: { type: secret, optional: true }
steps:
  look:
    uses: command
    with: { validate: [HELPER, exists, DIR/runbook.yaml] }
  agree:
    needs: look
    uses: manual
    with: { instructions: Ask., collect: { ticket: { type: string } }, attach: [{ name: proof, optional: true }] }
  switch:
    title: Switch it over
    needs: agree
    secrets: token
    uses: command
    with:
      run: [HELPER, say, switching now, then, complain, careful, then, fail-first, DIR/tries, '1', then, leak, token]
      rollback: [HELPER, say, switching back]
";

const SECRET: &str = "hunter2-hunter2";

/// A run with evidence, a failure, a decision and a rollback, by two people.
fn finished() -> Project {
    let project = Project::new();
    project.runbook("runbook.yaml", RUNBOOK);
    project.write("proof.txt", "they agreed");
    let carry_out = |args: &[&str], operator: &str, code: i32| {
        let mut command = project.command(args);
        command
            .env("RUNBOOK_SECRET_TOKEN", SECRET)
            .args(["--operator", operator]);
        Running::of(command).wait().code(code);
    };
    carry_out(&["exec", "runbook.yaml", "--set", "relay=relay7"], "alice", 3);
    let confirm = [
        "confirm",
        "change",
        "agree",
        "--value",
        "ticket=CHG-4711",
        "--attach",
        "proof.txt",
    ];
    project
        .run_as("bob", &[&confirm[..], &["--note", "on the telephone"]].concat())
        .code(0);
    carry_out(&["resume", "change"], "bob", 1);
    let decide = [
        "decide",
        "change",
        "switch",
        "again",
        "--why",
        "the cable was loose",
    ];
    project.run_as("bob", &decide).code(0);
    carry_out(&["resume", "change"], "bob", 0);
    carry_out(
        &["rollback", "change", "--why", "the window is over", "--yes"],
        "alice",
        0,
    );
    project
}

#[test]
fn a_report_tells_who_did_what_and_why_with_proof() {
    let project = finished();
    let page = project
        .run(["report", "change", "--format", "html"])
        .code(0)
        .stdout;
    let text = project.run(["report", "change"]).code(0).stdout.replace('\\', "");
    let told = [
        "Move the relay",
        "rolled back",
        "alice",
        "bob",
        "relay7",
        "CHG-4711",
        "proof.txt",
        "on the telephone",
        "the cable was loose",
        "the window is over",
        "switching now",
        "switching back",
        "careful",
        "attempt failed",
        "The journal holds",
        "a secret, which is kept nowhere",
        "title: Move the relay",
    ];
    for told in told {
        assert!(page.contains(told), "`{told}` is not in the page:\n{page}");
        assert!(text.contains(told), "`{told}` is not in the Markdown:\n{text}");
    }
    for found in [&page, &text] {
        assert!(!found.contains(SECRET));
    }
    assert!(page.contains("<svg"), "the picture of the steps is in the page");
}

#[test]
fn a_report_for_programs_holds_every_entry_and_the_hash_of_the_last() {
    let project = finished();
    let report = project.run(["report", "change", "--format", "json"]).code(0);
    assert!(!report.stdout.contains(SECRET));
    let report = report.json();
    assert_eq!(report["report"], 1);
    assert_eq!(report["run"]["status"], "rolled_back");
    let entries = project.events("change");
    assert_eq!(report["proof"]["entries"], entries.len());
    assert_eq!(report["proof"]["last_hash"].as_str().unwrap().len(), 64);
    assert_eq!(report["params"][1]["secret"], true);
    assert_eq!(report["params"][1]["value"], serde_json::Value::Null);
    let steps = report["steps"].as_array().unwrap();
    let told: usize = steps
        .iter()
        .map(|step| step["history"].as_array().unwrap().len())
        .sum();
    let of_steps = entries.iter().filter(|entry| entry["step"].is_string()).count();
    assert_eq!(told, of_steps);
    assert_eq!(steps[1]["evidence"][0]["values"]["ticket"], "CHG-4711");
    assert_eq!(steps[1]["evidence"][0]["operator"], "bob");
    assert!(steps[1]["waited"].is_number());
    let printed = steps[2]["printed"][0]["pieces"].as_array().unwrap();
    assert!(
        printed.iter().any(|piece| piece["text"] == "switching now"),
        "{printed:?}"
    );
    assert_eq!(
        project.run(["report", "change", "--json"]).code(0).json()["report"],
        1
    );
}

#[test]
fn a_run_is_reported_while_another_process_carries_it_out() {
    let project = Project::new();
    project.steps(
        "
  slow: { uses: command, with: { run: [HELPER, say, on my way, then, append, DIR/log, x, then, until, DIR/go] } }
  last: { needs: slow, uses: command, with: { run: [HELPER, say, done] } }
",
    );
    let running = project.start(["exec", "steps.yaml"]);
    until("the step is under way", || !project.lines("log").is_empty());
    until("what it printed is told", || {
        let report = project.run(["report", "steps", "--format", "html"]).code(0);
        report.stdout.contains("It was being carried out by alice") && report.stdout.contains("on my way")
    });
    project.write("go", "");
    running.wait().code(0);
    project
        .run(["report", "steps"])
        .code(0)
        .prints("**completed**, 2 of 2 settled")
        .keeps_quiet_of("It was being carried out");
}

#[test]
fn a_run_whose_process_was_killed_is_reported_as_it_stands() {
    let project = Project::new();
    project.steps(
        "\n  slow: { uses: command, with: { run: [HELPER, append, DIR/log, x, then, until, DIR/go] } }\n",
    );
    let running = project.start(["exec", "steps.yaml"]);
    until("the step is under way", || !project.lines("log").is_empty());
    running.kill();
    let report = project
        .run(["report", "steps", "--format", "json"])
        .code(0)
        .json();
    assert_eq!(report["steps"][0]["status"], "in_doubt");
    assert_eq!(report["run"]["held_by"], serde_json::Value::Null);
    project.write("go", "");
}

#[test]
fn a_file_is_private_and_never_overwritten_silently() {
    let project = finished();
    project
        .run(["report", "change", "-o", "change.html"])
        .code(0)
        .tells("wrote change.html");
    let page = project.read("change.html").unwrap();
    assert!(
        page.starts_with("<!DOCTYPE html>"),
        "the name tells the form: {page}"
    );
    assert!(platform::is_private(&project.path().join("change.html")));
    project.write("change.html", "mine");
    project
        .run(["report", "change", "-o", "change.html"])
        .code(2)
        .tells("RB0520");
    assert_eq!(project.read("change.html").unwrap(), "mine");
    project
        .run(["report", "change", "-o", "change.html", "--overwrite"])
        .code(0);
    // Only when it was made differs.
    let again = project.read("change.html").unwrap();
    assert_eq!(stable(&again), stable(&page), "the same page");
    assert!(again.ends_with("</html>\n"), "the whole of it");
    project
        .run(["report", "change", "-o", "nowhere/change.html"])
        .code(2)
        .tells("RB0521");
}

#[test]
fn a_run_that_does_not_exist_has_no_report() {
    let project = finished();
    project.run(["report", "chanje"]).code(2).tells("RB0401");
}

/// What a browser finds in a page of which everything is unfolded.
const LOOK: &str = r#"
    for (const one of page.querySelectorAll("details")) one.open = true;
    const root = page.documentElement;
    const ids = [...page.querySelectorAll("[aria-labelledby]")].map(one => one.getAttribute("aria-labelledby"));
    return {
        overflow: Math.max(root.scrollWidth, page.body.scrollWidth) - root.clientWidth,
        scripts: page.scripts.length,
        pictures: page.querySelectorAll("svg").length,
        foreign: page.querySelectorAll("iframe,object,embed,img,link,form,input").length,
        unnamed: ids.filter(id => !page.getElementById(id)).length,
        heading: page.querySelector("h1").textContent,
    };"#;

#[test]
fn a_browser_shows_the_page_at_every_width_and_runs_nothing() {
    let Some(browser) = browser() else { return };
    let project = Project::new();
    let long = "a-word-that-does-not-end-".repeat(40);
    let title = "The <script>alert(1)</script> & \\\"change\\\"";
    let steps: String = (0..12)
        .map(|n| format!("  side-{n}: {{ needs: one, uses: manual, with: {{ instructions: x }} }}\n"))
        .collect();
    project.runbook(
        "wide.yaml",
        &format!(
            "runbook: wide\ntitle: \"{title}\"\nsteps:\n  one:\n    title: \"{long}\"\n    uses: command\n    \
             with: {{ run: [HELPER, say, \"{long}\"] }}\n{steps}"
        ),
    );
    project.run(["exec", "wide.yaml"]).code(3);
    project.run(["report", "wide", "-o", "wide.html"]).code(0);
    for width in [320, 375, 1280] {
        let found = project.looked_at(browser, "wide.html", width, LOOK);
        assert_eq!(found["overflow"], 0, "at {width} pixels: {found}");
        assert_eq!(found["scripts"], 0, "{found}");
        assert_eq!(found["foreign"], 0, "{found}");
        assert_eq!(found["unnamed"], 0, "{found}");
        assert_eq!(found["pictures"], 1, "{found}");
        assert_eq!(found["heading"], "The <script>alert(1)</script> & \"change\"");
    }
}
