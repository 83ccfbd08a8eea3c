//! Carrying runbooks out: order, conditions, fan-outs, outputs, retries, failures.

use serde_json::{Value, json};

use crate::support::entries::{find, of_step};
use crate::support::{Project, until};

/// The status of a run and of its instances after carrying `steps` out.
#[track_caller]
fn carried(project: &Project, steps: &str, code: i32) -> Vec<String> {
    project.steps(steps);
    project.run(["exec", "steps.yaml"]).code(code);
    project.sound_entries("steps");
    project.statuses("steps")
}

fn outputs(project: &Project, at: usize) -> Value {
    project.show("steps")["steps"][at]["outputs"].clone()
}

#[test]
fn what_is_in_place_already_is_not_done_again() {
    let project = Project::new();
    project.write("outcome", "new");
    let statuses = carried(
        &project,
        "
  one:
    uses: command
    with:
      run: [HELPER, append, DIR/log, one, then, write, DIR/outcome, new]
      validate: [HELPER, has, DIR/outcome, new]
",
        0,
    );
    assert_eq!(statuses, ["one: satisfied"]);
    assert!(!project.has("log"));
}

#[test]
fn success_that_validate_contradicts_is_a_failure() {
    let project = Project::new();
    let statuses = carried(
        &project,
        "
  one:
    uses: command
    with:
      run: [HELPER, append, DIR/log, one]
      validate: [HELPER, say, it is missing, then, has, DIR/outcome, new]
",
        1,
    );
    assert_eq!(statuses, ["one: failed"]);
    let reason = project.show("steps")["steps"][0]["reason"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        reason.contains("`validate` does not find the outcome: it is missing"),
        "{reason}"
    );
}

#[test]
fn conditions_skip_steps_and_those_that_need_them_go_on() {
    let project = Project::new();
    let statuses = carried(
        &project,
        "
  one: { uses: command, with: { run: [HELPER, say, 'yes'] } }
  two: { needs: one, when: steps.one.outputs.stdout == `no`, uses: command, with: { run: [HELPER, append, DIR/log, two] } }
  three: { needs: [one, two], when: steps.one.outputs.stdout == `yes`, uses: command, with: { run: [HELPER, append, DIR/log, three] } }
",
        0,
    );
    assert_eq!(statuses, ["one: succeeded", "two: skipped", "three: succeeded"]);
    assert_eq!(project.lines("log"), ["three"]);
}

#[test]
fn a_condition_that_cannot_be_worked_out_fails_its_step_only() {
    let project = Project::new();
    let statuses = carried(
        &project,
        "
  one: { uses: command, with: { run: [HELPER, say, '7'] } }
  two: { needs: one, when: steps.one.outputs.stdout, uses: command, with: { run: [HELPER, append, DIR/log, two] } }
",
        1,
    );
    assert_eq!(statuses, ["one: succeeded", "two: failed"]);
    assert!(!project.has("log"));
    project
        .run(["show", "steps"])
        .code(0)
        .prints("its `when` could not be worked out");
}

#[test]
fn a_step_fans_out_over_a_list_that_another_step_gave() {
    let project = Project::new();
    project.write("found.json", r#"{"servers": ["web1", "web2"], "count": 2}"#);
    let steps = "
  find:
    uses: command
    with: { run: [HELPER, say, '{\"servers\": [\"web1\", \"web2\"], \"count\": 2}'], stdout: json }
  each:
    needs: find
    for_each: steps.find.outputs.servers
    uses: command
    with: { run: [HELPER, say, 'on ${{ item }} of ${{ steps.find.outputs.count }}'] }
  all:
    needs: each
    uses: command
    with: { run: [HELPER, say, '${{ steps.each.outputs.web2.stdout }}'] }
";
    let statuses = carried(&project, steps, 0);
    assert_eq!(
        statuses,
        [
            "find: succeeded",
            "each[web1]: succeeded",
            "each[web2]: succeeded",
            "all: succeeded"
        ]
    );
    assert_eq!(outputs(&project, 1)["stdout"], "on web1 of 2");
    assert_eq!(outputs(&project, 3)["stdout"], "on web2 of 2");
}

#[test]
fn a_fan_out_over_nothing_is_settled_at_once() {
    let project = Project::new();
    let statuses = carried(
        &project,
        "
  each: { for_each: '[]', uses: command, with: { run: [HELPER, append, DIR/log, '${{ item }}'] } }
  after: { needs: each, uses: command, with: { run: [HELPER, append, DIR/log, after] } }
",
        0,
    );
    assert_eq!(statuses.last().map(String::as_str), Some("after: succeeded"));
    assert_eq!(project.lines("log"), ["after"]);
}

#[test]
fn a_template_alone_keeps_its_type_and_a_program_is_told_all_it_may_know() {
    let project = Project::new();
    project.runbook(
        "steps.yaml",
        "
runbook: steps
params:
  servers: { type: list, of: host, default: [web1, web2] }
  size: { type: integer, default: 3 }
steps:
  give:
    uses: rhai
    with:
      script: |
        fn validate(cx) { #{ satisfied: true, outputs: #{ list: cx.params.servers, size: cx.params.size + 1, yes: true, none: () } } }
        fn run(cx) { #{} }
  take:
    needs: give
    uses: command
    with:
      run: [HELPER, save-input, DIR/input.json, then, say, 'size ${{ steps.give.outputs.size }}, list ${{ steps.give.outputs.list }}']
",
    );
    project.run(["exec", "steps.yaml"]).code(0);
    let expected = json!({ "list": ["web1", "web2"], "size": 4, "yes": true, "none": null });
    assert_eq!(outputs(&project, 0), expected);
    let told: Value = serde_json::from_str(&project.read("input.json").unwrap()).unwrap();
    assert_eq!(told["params"], json!({ "servers": ["web1", "web2"], "size": 3 }));
    assert_eq!(told["steps"]["give"]["outputs"], expected);
    assert_eq!(told["steps"]["give"]["status"], "satisfied");
    assert_eq!((&told["step"], &told["attempt"]), (&json!("take"), &json!(1)));
    assert_eq!(told["run"]["operator"], "alice");
    assert_eq!(outputs(&project, 1)["stdout"], r#"size 4, list ["web1","web2"]"#);
}

#[test]
fn a_step_that_fails_is_tried_again_with_longer_and_longer_waits() {
    let project = Project::new();
    let statuses = carried(
        &project,
        "
  flaky:
    uses: command
    retry: { attempts: 4, delay: 20ms, backoff: 3 }
    with: { run: [HELPER, fail-first, DIR/tries, 3] }
",
        0,
    );
    assert_eq!(statuses, ["flaky: succeeded"]);
    assert_eq!(project.lines("tries").len(), 4);
    assert_eq!(project.show("steps")["steps"][0]["attempts"], 4);
    let entries = project.events("steps");
    let time = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let failed = entries.iter().filter(|entry| entry["event"] == "attempt_failed");
    let waits: Vec<i64> = failed
        .clone()
        .map(|entry| time(&entry["retry_at"]).duration_since(time(&entry["time"])))
        .map(|wait| i64::try_from(wait.as_millis()).unwrap())
        .collect();
    assert_eq!(waits, [20, 60, 180]);
    let started = entries
        .iter()
        .filter(|entry| entry["event"] == "attempt_started")
        .skip(1);
    for (failed, started) in failed.zip(started) {
        assert!(
            time(&started["time"]) >= time(&failed["retry_at"]),
            "not before its time"
        );
    }
}

#[test]
fn a_step_that_fails_every_time_fails_after_its_last_attempt() {
    let project = Project::new();
    let statuses = carried(
        &project,
        "
  flaky:
    uses: command
    retry: { attempts: 3, delay: 1ms }
    with: { run: [HELPER, complain, no luck, then, fail-first, DIR/tries, 9] }
",
        1,
    );
    assert_eq!(statuses, ["flaky: failed"]);
    assert_eq!(project.lines("tries").len(), 3);
    project.run(["show", "steps"]).code(0).prints("no luck");
    project
        .run(["log", "steps", "--step", "flaky"])
        .code(0)
        .prints("│ stderr no luck");
}

const FAILING: &str = "
  good: { uses: command, with: { run: [HELPER, write, DIR/good, x], rollback: [HELPER, append, DIR/log, undo-good] } }
  bad:
    needs: good
    on_failure: HOW
    uses: command
    with: { run: [HELPER, write, DIR/half, x, then, end, '7'], rollback: [HELPER, append, DIR/log, undo-bad] }
  after: { needs: bad, uses: command, with: { run: [HELPER, append, DIR/log, after] } }
  beside: { needs: good, uses: command, with: { run: [HELPER, until, DIR/half, then, append, DIR/log, beside] } }
  later: { needs: beside, uses: command, with: { run: [HELPER, append, DIR/log, later] } }
";

#[test]
fn a_failure_stops_the_run_once_what_is_under_way_has_ended() {
    let project = Project::new();
    let statuses = carried(&project, &FAILING.replace("HOW", "stop"), 1);
    assert_eq!(
        statuses[..3],
        ["good: succeeded", "bad: failed", "after: blocked"]
    );
    assert_eq!(statuses[3], "beside: succeeded");
    assert!(!project.lines("log").contains(&"after".to_owned()));
    assert_eq!(project.only_run()["status"], "failed");
}

#[test]
fn a_failure_may_leave_the_rest_of_the_run_alone() {
    let project = Project::new();
    let statuses = carried(&project, &FAILING.replace("HOW", "continue"), 1);
    assert_eq!(
        statuses,
        [
            "good: succeeded",
            "bad: failed",
            "after: blocked",
            "beside: succeeded",
            "later: succeeded"
        ]
    );
    assert_eq!(project.lines("log"), ["beside", "later"]);
    assert_eq!(project.only_run()["status"], "failed");
}

#[test]
fn a_failure_may_roll_the_run_back() {
    let project = Project::new();
    let statuses = carried(&project, &FAILING.replace("HOW", "rollback"), 1);
    assert_eq!(
        statuses[..3],
        ["good: rolled_back", "bad: rolled_back", "after: blocked"]
    );
    let log = project.lines("log");
    let undone: Vec<_> = log.iter().filter(|line| line.starts_with("undo")).collect();
    assert_eq!(undone, ["undo-bad", "undo-good"]);
    assert_eq!(project.only_run()["status"], "rolled_back");
}

#[test]
fn a_failed_step_goes_on_after_a_person_has_mended_the_cause() {
    let project = Project::new();
    project.steps(
        "
  needs-file: { uses: command, with: { run: [HELPER, append, DIR/log, tried, then, exists, DIR/file] } }
  after: { needs: needs-file, uses: command, with: { run: [HELPER, append, DIR/log, after] } }
",
    );
    project
        .run(["exec", "steps.yaml"])
        .code(1)
        .tells("runbook decide steps-")
        .tells("once the cause is mended");
    project.run(["resume", "steps"]).code(1);
    assert_eq!(project.lines("log"), ["tried"], "resume alone does not repeat it");
    project.write("file", "");
    let args = [
        "decide",
        "steps",
        "needs-file",
        "again",
        "--why",
        "the file is there now",
    ];
    project.run_as("bob", &args).code(0);
    project.run(["resume", "steps"]).code(0);
    assert_eq!(project.lines("log"), ["tried", "tried", "after"]);
    let entries = project.sound_entries("steps");
    assert_eq!(find(&entries, "decided", "needs-file")["operator"], "bob");
}

#[test]
fn every_line_of_json_says_when_who_where_and_what() {
    let project = Project::new();
    project.steps("\n  one: { uses: command, with: { run: [HELPER, say, hello] } }\n");
    let lines = project.run(["exec", "steps.yaml", "--json"]).code(0).json_lines();
    assert_eq!(lines, project.events("steps"), "what was said is what is kept");
    crate::support::entries::sound(&lines);
    assert_eq!(lines[0]["event"], "run_started");
    assert_eq!(
        of_step(&lines, "one"),
        [
            "step_opened",
            "attempt_started",
            "process_started",
            "attempt_returned",
            "verified"
        ]
    );
    assert_eq!(
        find(&lines, "attempt_returned", "one")["outputs"]["stdout"],
        "hello"
    );
}

#[test]
fn a_file_that_is_edited_or_deleted_during_a_run_changes_nothing_in_it() {
    let project = Project::new();
    let script = "fn validate(cx) { #{ satisfied: false, reason: \"not yet\" } }\nfn run(cx) { #{ said: \"first\" } }\n";
    project.write(
        "step.rhai",
        &script.replace("satisfied: false", "satisfied: cx.attempt > 9"),
    );
    project.steps(
        "
  wait: { uses: command, with: { run: [HELPER, append, DIR/log, begun, then, until, DIR/go] }, idempotent: true }
  script: { needs: wait, uses: rhai, with: { script: 'fn run(cx) { #{ said: \"first\" } }' } }
  say: { needs: script, uses: command, with: { run: [HELPER, append, DIR/log, '${{ steps.script.outputs.said }}'] } }
",
    );
    let running = project.start(["exec", "steps.yaml"]);
    until("it has begun", || project.has("log"));
    project.steps("\n  other: { uses: command, with: { run: [HELPER, append, DIR/log, other] } }\n");
    running.kill();
    std::fs::remove_file(project.path().join("steps.yaml")).unwrap();
    project.write("go", "");
    project.run(["resume", "steps"]).code(0);
    assert_eq!(project.lines("log"), ["begun", "begun", "first"]);
    assert_eq!(
        project.statuses("steps"),
        ["wait: succeeded", "script: succeeded", "say: succeeded"]
    );
}
