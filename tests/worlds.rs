//! `runbook test` with `world:`: scripts are carried out, in a world that the case describes, and reach nothing else.

use crate::support::Project;

const RESTART: &str = r#"
const STEP = #{
    summary: "lets a service read its settings again",
    inputs: #{
        service: #{ type: "string", doc: "its name" },
        settings: #{ type: "string", doc: "the file of its settings" },
        port: #{ type: "integer", doc: "where it listens", default: 80 },
    },
    outputs: #{ since: #{ type: "string", doc: "since when it runs so" } },
};

fn validate(input, cx) {
    if !exists(input.settings) { return "there are no settings"; }
    if read_file(input.settings) != "port=" + input.port + "\n" { return "it listens elsewhere"; }
    let answer = http(#{ url: `http://localhost:${input.port}/health` });
    if answer.status != 200 { return `it answers ${answer.status}`; }
    #{ satisfied: true, outputs: #{ since: answer.headers["x-since"] } }
}

fn run(input, cx) {
    write_file(input.settings, "port=" + input.port + "\n");
    let done = command(["systemctl", "restart", input.service], #{ input: "really" });
    if done.code != 0 { throw `${input.service} does not start: ${done.stderr}`; }
    sleep(60);
    write_file(input.settings + ".since", now());
    #{ since: now() }
}

fn rollback(input, cx) { remove_file(input.settings); }
"#;

const BOOK: &str = "runbook: book
steps:
  web:
    timeout: 5m
    uses: site.restart
    with:
      allow: { folders: [/etc/web], commands: [systemctl], hosts: ['localhost:8080'] }
      service: web
      settings: /etc/web/settings
      port: 8080
  other:
    needs: web
    uses: command
    with: { run: [HELPER, append, DIR/touched, x] }
";

const WORLD: &str = "world:
          time: 2026-01-31T08:00:00Z
          files: { /etc/web/settings: \"port=80\\n\" }
          commands:
            - { call: [systemctl, restart, web], with: really }
          http:
            - { call: 'GET http://localhost:8080/health', headers: { X-Since: today } }
";

fn tested(cases: &str) -> Project {
    let project = Project::new();
    std::fs::create_dir(project.path().join("steps")).unwrap();
    project.write("steps/restart.rhai", RESTART);
    project.runbook("book.yaml", BOOK);
    project.write("book.test.yaml", &format!("tests: book.yaml\ncases:\n{cases}"));
    project
}

#[test]
fn a_script_is_carried_out_and_judged_by_what_it_leaves() {
    let project = tested(&format!(
        "  usual:
    steps:
      web:
        {WORLD}
    expect:
      run: completed
      steps:
        web: {{ status: succeeded, outputs: {{ since: today }}, files: {{ /etc/web/settings.since: '2026-01-31T08:01:00Z', /etc/web/settings: \"port=8080\\n\" }} }}
  already:
    steps:
      web:
        world:
          files: {{ /etc/web/settings: \"port=8080\\n\" }}
          http:
            - {{ call: 'GET http://localhost:8080/health', headers: {{ X-Since: today }} }}
    expect:
      steps: {{ web: {{ status: satisfied, outputs: {{ since: today }} }} }}
  undone:
    rollback: true
    steps:
      web:
        {WORLD}
    expect:
      run: rolled_back
      steps: {{ web: {{ files: {{ /etc/web/settings: null }} }} }}
"
    ));
    let out = project.run(["test", "book.yaml"]).code(0);
    assert!(
        out.stdout.contains("✓ usual") && out.stdout.contains("✓ undone"),
        "{}",
        out.stdout
    );
    assert!(!project.has("touched"), "another step did something");
}

#[test]
fn a_script_that_fails_waits_or_is_cut_off_is_tried_as_in_a_run() {
    let project = tested(
        "  fails:
    steps:
      web:
        world:
          commands:
            - { call: [systemctl, restart, web], code: 5, stderr: no such unit }
    expect:
      run: failed
      steps: { web: { status: failed, reason: 'web does not start: no such unit' }, other: blocked }
  nobody-answers:
    steps:
      web:
        world:
          files: { /etc/web/settings: \"port=8080\\n\" }
          http:
            - { call: 'GET http://localhost:8080/health', fails: connection refused }
    expect:
      run: failed
      says: connection refused
  cut-off:
    steps:
      web:
        interrupted: true
        world:
          commands:
            - { call: [systemctl, restart, web] }
          http:
            - { call: 'GET http://localhost:8080/health', headers: { x-since: today } }
    expect:
      run: completed
      steps: { web: { attempts: 1, outputs: { since: today } } }
",
    );
    project.run(["test", "book.yaml"]).code(0);
}

#[test]
fn what_the_world_lacks_or_has_for_nothing_is_told() {
    let project = tested(
        "  silent:
    steps:
      web:
        world:
          http:
            - { call: 'GET http://localhost:9999/other' }
    expect:
      steps: { web: { status: succeeded, files: { /etc/web/settings: nothing } } }
",
    );
    let out = project.run(["test", "book.yaml"]).code(1);
    insta::assert_snapshot!(out.stdout + out.stderr.as_str());
}

#[test]
fn only_scripts_live_in_a_world_and_say_themselves_what_they_do() {
    let project = tested(
        "  wrong:
    steps:
      web: { fails: true, interrupted: unknown, world: { time: soon, commands: [{ call: systemctl }], http: [{ call: there }] } }
    expect: { run: completed }
",
    );
    let out = project.run(["test", "book.yaml"]).code(2);
    insta::assert_snapshot!(out.stderr);
    let project = tested("  wrong:\n    steps: { other: { world: {} } }\n    expect: { run: completed }\n");
    let out = project.run(["test", "book.yaml"]).code(1);
    insta::assert_snapshot!(out.stdout + out.stderr.as_str());
}
