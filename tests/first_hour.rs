//! The first hour with the program: what somebody is told who has read only the README.

use serde_json::json;

use crate::support::Project;

const ONE: &str = "  one: { uses: command, with: { run: [HELPER, append, DIR/log, one] } }\n";

#[test]
fn a_relative_path_is_refused_and_told_in_full() {
    let project = Project::new();
    let book = "runbook: book\nparams: { file: { type: path } }\nsteps:\n";
    project.runbook("book.yaml", &format!("{book}{ONE}"));
    let path = project.path().canonicalize().unwrap().join("notices/a.txt");
    project
        .run(["exec", "book.yaml", "--set", "file=./notices/a.txt"])
        .code(2)
        .tells("RB0101")
        .tells(&format!("write `{}`", path.display()));
    assert!(!project.has("state"));
    project
        .run(["exec", "book.yaml", "--set", &format!("file={}", path.display())])
        .code(0);
    project.write(
        "wrong.yaml",
        &format!("{}{ONE}", book.replace("path }", "path, default: notices }")),
    );
    project
        .run(["check", "wrong.yaml"])
        .code(2)
        .tells("an absolute path expected");
}

#[test]
fn a_state_folder_that_does_not_exist_is_named_and_not_made() {
    let project = Project::new();
    project
        .run(["list", "--state-dir", "sate"])
        .code(0)
        .tells("no runs")
        .tells("the state folder sate does not exist");
    let listed = project.run(["list", "--json", "--state-dir", "sate"]);
    let listed = listed.code(0).tells("the state folder sate does not exist");
    assert_eq!(listed.json(), json!([]));
    let commands: [&[&str]; 6] = [
        &["show", "a-1234"],
        &["log", "a-1234"],
        &["report", "a-1234"],
        &["resume", "a-1234"],
        &["confirm", "a-1234", "one"],
        &["journal", "verify", "a-1234"],
    ];
    for command in commands {
        project
            .run(command.iter().copied().chain(["--state-dir", "sate"]))
            .code(2)
            .tells("RB0401")
            .tells("the state folder `sate` does not exist")
            .tells("RUNBOOK_STATE_DIR");
    }
    assert!(!project.has("sate"));
}

#[test]
fn an_overlay_that_stands_beside_no_file_is_not_passed_over_in_silence() {
    let project = Project::new();
    project.write("quickstart.site.yaml", "overlay: contoso\n");
    let plan = |more: &[&str]| project.run(["check", "quickstart"].into_iter().chain(more.iter().copied()));
    let hint = "`--overlay quickstart.site.yaml` takes it";
    plan(&[]).code(0).tells(hint);
    plan(&["--no-site"]).code(0).keeps_quiet_of(hint);
    plan(&["--overlay", "quickstart.site.yaml"]).keeps_quiet_of(hint);
}

#[test]
fn runs_are_listed_in_the_order_of_the_times_that_stand_there() {
    let project = Project::new();
    project.steps("  one: { uses: manual, with: { instructions: Look } }\n");
    project.run(["exec", "steps.yaml"]).code(3);
    let older = project.run_name();
    project.run(["exec", "steps.yaml"]).code(3);
    project.run(["confirm", &older, "one"]).code(0);
    let listed = project.run(["list"]).code(0);
    assert!(listed.stdout.starts_with(&older), "{}", listed.stdout);
    let rows = project.run(["list", "--json"]).code(0).json();
    let times = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["updated"].as_str().unwrap());
    assert!(times.is_sorted_by(|first, second| first > second), "{rows}");
}

#[test]
fn the_ending_of_a_file_tells_the_form_of_a_report() {
    let project = Project::new();
    project.steps(ONE);
    project.run(["exec", "steps.yaml"]).code(0);
    let run = project.run_name();
    let report = |name: &str| project.run(["report", &run, "-o", name]);
    report("page.HTML").code(0);
    assert!(project.read("page.HTML").unwrap().starts_with("<!DOCTYPE html>"));
    report("run.json").code(0);
    assert!(project.read("run.json").unwrap().starts_with('{'));
    report("run.markdown").code(0);
    assert!(project.read("run.markdown").unwrap().starts_with("# "));
    report("run.pdf")
        .code(2)
        .tells("a report is not written as `.pdf`")
        .tells(".html, .htm, .md, .markdown or .json")
        .tells("a browser prints");
    assert!(!project.has("run.pdf"));
    project
        .run(["report", &run, "-o", "run.txt", "--format", "md"])
        .code(0);
}
