//! The first hour with the program: what somebody is told who has read only the README.

use std::path::MAIN_SEPARATOR;

use serde_json::json;

use crate::platform;
use crate::support::Project;

const ONE: &str = "  one: { uses: command, with: { run: [HELPER, append, DIR/log, one] } }\n";

#[test]
fn a_relative_path_is_refused_and_told_in_full() {
    let project = Project::new();
    let book = "runbook: book\nparams: { file: { type: path } }\nsteps:\n";
    project.runbook("book.yaml", &format!("{book}{ONE}"));
    let path = platform::whole(project.path()).join("notices").join("a.txt");
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
fn the_name_of_the_program_alone_tells_what_it_can_do() {
    Project::new()
        .run([""; 0])
        .code(2)
        .tells("Carries out long administrative procedures")
        .tells("runbook exec hybrid-s2s.yaml --rehearse");
}

#[test]
fn a_state_folder_that_does_not_exist_is_named_and_not_made() {
    let project = Project::new();
    project
        .run(["list", "--state-dir", "sate"])
        .code(0)
        .tells("no runs")
        .tells(&format!("{MAIN_SEPARATOR}sate does not exist"))
        .tells("--state-dir");
    let empty = project.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    project
        .run(["list", "--state-dir", "empty"])
        .code(0)
        .tells("looked in empty")
        .tells("--state-dir");
    project
        .run(["show", "a-1234", "--state-dir", "empty"])
        .code(2)
        .tells("RB0401")
        .tells("--state-dir");
    let listed = project.run(["list", "--json", "--state-dir", "sate"]);
    let listed = listed
        .code(0)
        .tells(&format!("{MAIN_SEPARATOR}sate does not exist"));
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
            .tells(&format!("{MAIN_SEPARATOR}sate` does not exist"))
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

#[test]
fn a_name_in_full_comes_before_one_that_only_begins_so() {
    let project = Project::new();
    for name in ["notices", "notices-again"] {
        project.runbook(
            &format!("{name}.yaml"),
            &format!("runbook: {name}\nsteps:\n{ONE}"),
        );
        project.run(["exec", &format!("{name}.yaml")]).code(0);
    }
    assert_eq!(project.show("notices")["runbook"], "notices");
    project.run(["exec", "notices.yaml"]).code(0);
    let several = project.run(["show", "notices"]).code(2).tells("RB0402");
    let several = several.tells("`notices` may mean 2 runs").tells("started 20");
    several.keeps_quiet_of("notices-again");
}

#[test]
fn what_was_probably_meant_is_offered_for_every_name() {
    let project = Project::new();
    project.runbook(
        "notices.yaml",
        "runbook: notices\nparams: { token: { type: secret, optional: true } }\nsteps:
  door: { uses: manual, with: { instructions: Look } }\n",
    );
    project.run(["exec", "notices.yaml"]).code(3);
    let run = project.run_name();
    let wrong_last = format!(
        "{}{}",
        &run[..run.len() - 1],
        if run.ends_with('0') { '1' } else { '0' }
    );
    let (run, short) = (run.as_str(), &wrong_last[run.len() - 4..]);
    let cases: [(&[&str], &str); 12] = [
        (&["show", &wrong_last], run),
        (&["show", short], run),
        (&["show", &run.replace("notices", "notcies")], run),
        (&["exec", "notcies.yaml"], "notices.yaml"),
        (&["exec", "hybird-s2s.yaml"], "hybrid-s2s"),
        (&["exec", "hybird-s2s"], "hybrid-s2s"),
        (&["confirm", run, "dor"], "door"),
        (&["decide", run, "dor", "again", "--why", "x"], "door"),
        (&["rollback", run, "--step", "dor", "--yes"], "door"),
        (&["log", run, "--step", "dor"], "door"),
        (&["exec", "notices.yaml", "--secret", "token=fil:/x"], "file:"),
        (&["explain", "RB0999"], "RB0009"),
    ];
    for (args, meant) in cases {
        let outcome = project.run(args).code(2);
        assert!(
            outcome.stderr.contains(&format!("did you mean `{meant}`?")),
            "{args:?}: {}",
            outcome.stderr
        );
    }
    for code in ["rb108", "108", "RB0108"] {
        project.run(["explain", code]).code(0).prints("# RB0108");
    }
}

#[test]
fn everything_that_is_wrong_with_inputs_is_told_in_one_round() {
    let project = Project::new();
    project.runbook(
        "wrong.yaml",
        "runbook: wrong
sessions:
  farm: { uses: powershell, with: { edition: deskto, setupp: x } }
steps:
  a: { uses: command, with: { run: [HELPER], stdout: jsn, cwd: here, envv: {} } }
  b: { uses: manual, with: { instructions: x, collect: { c: { type: text } } } }
  e: { uses: http, with: { run: { method: FETCH, url: 'ftp://x' }, validate: { url: x, satisfied: ')' } } }
",
    );
    let told = project.run(["check", "wrong.yaml"]).code(2).stderr;
    for wrong in [
        "`edition` cannot be `deskto`",
        "no input `setupp`",
        "`stdout` cannot be `jsn`",
        "`cwd`: an absolute path is expected",
        "no input `envv`",
        "`collect.c.type` cannot be `text`",
        "`run.method` cannot be `FETCH`",
        "`ftp://x` must start with",
        "the address `x` must start with",
        "`validate.satisfied`: this is not an expression",
    ] {
        assert!(told.contains(wrong), "`{wrong}` is not told:\n{told}");
    }
    // What is missing only because its value was wrong is not told as missing.
    assert!(!told.contains("is missing"), "{told}");
}

#[test]
fn parameters_that_do_not_fit_and_those_that_are_missing_are_told_in_one_round() {
    let project = Project::new();
    let params = "runbook: book\nparams: { size: { type: integer }, zone: { type: string } }\nsteps:\n";
    project.runbook("book.yaml", &format!("{params}{ONE}"));
    project
        .run(["exec", "book.yaml", "--set", "size=x", "--set", "y"])
        .code(2)
        .tells("`--set y` gives no value")
        .tells("a whole number expected")
        .tells("the parameter `zone` has no value");
}

#[test]
fn a_rehearsal_finds_the_outputs_that_are_missing_below_rehearse() {
    let project = Project::new();
    let steps = |rehearse: &str| {
        project.runbook(
            "steps.yaml",
            &format!(
                "runbook: steps\nparams: {{ token: {{ type: secret }}, key: {{ type: secret, optional: true }} }}\nsteps:
  first: {{ uses: command, with: {{ run: [HELPER] }}{rehearse} }}
  second:
    needs: first
    uses: command
    with:
      run: [HELPER, append, DIR/log, '${{{{ steps.first.outputs.stdout }}}}']
      env: {{ TOKEN: '${{{{ params.token + params.key ?? \"\" }}}}' }}
"
            ),
        )
    };
    steps("");
    project
        .run(["exec", "steps.yaml", "--rehearse"])
        .code(1)
        .tells("there is no `stdout`")
        .tells("what stands below their `rehearse:`");
    steps(", rehearse: { outputs: { stdout: x } }");
    project.run(["exec", "steps.yaml", "--rehearse"]).code(0);
    assert!(!project.has("log"));
}

#[test]
fn a_plan_counts_every_line_once() {
    let project = Project::new();
    project.runbook(
        "book.yaml",
        "runbook: book
steps:
  there: { uses: command, with: { validate: [HELPER, end, '0'] } }
  check: { uses: command, with: { validate: [HELPER, end, '1'] } }
  each: { for_each: '[1, 2]', uses: command, with: { run: [HELPER] } }
  person: { uses: manual, with: { instructions: Look } }
  later: { needs: each, uses: command, with: { validate: [HELPER, '${{ steps.each.outputs[\"1\"].x }}'] } }
  never: { when: 'false', uses: command, with: { run: [HELPER] } }
",
    );
    let plan = project.run(["plan", "book.yaml"]).code(0);
    let plan = plan.prints("would fail: check");
    plan.tells(
        "6 steps, 7 with their items: 1 in place, 2 to do, 1 needs a person, 1 would fail, 1 cannot tell, 1 skipped",
    );
}

#[test]
fn names_stand_in_columns_however_long_they_are() {
    let project = Project::new();
    let listed = project.run(["new", "--list"]).code(0).stdout;
    let column = |line: &str| {
        line.find("  ")
            .map(|at| at + line[at..].len() - line[at..].trim_start().len())
    };
    let columns: Vec<_> = listed.lines().map(column).collect();
    assert!(
        columns.iter().all(|at| at.is_some() && *at == columns[0]),
        "{listed}"
    );
    project
        .run(["new", "nul"])
        .code(2)
        .tells("is a device on Windows")
        .tells("choose a name");
    let next = project.run(["new", "a"]).code(0).stderr;
    let abouts = ["find mistakes", "play it through", "carry it out"];
    let lines = next
        .lines()
        .filter_map(|line| abouts.iter().find_map(|about| line.find(about)));
    let lines: Vec<usize> = lines.collect();
    assert!(
        lines.len() == 3 && lines.iter().all(|at| *at == lines[0]),
        "{next}"
    );
}
