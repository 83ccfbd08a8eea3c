//! A kind of step of one's own: written, checked, carried out, killed, resumed, undone.

use std::path::Path;

use regex::Regex;
use serde_json::json;

use crate::documents::{blocks, commands};
use crate::support::helper::in_yaml;
use crate::support::{Project, until};

/// A step that writes a text in two halves, and waits for `go` in between.
const NOTE: &str = r#"// Puts a note into a file.
const STEP = #{
    summary: "puts a note into a file",
    inputs: #{
        path: #{ type: "path", doc: "The file", example: "/srv/note" },
        text: #{ type: "string", doc: "What it says" },
        gate: #{ type: "path", optional: true, doc: "A file to wait for, half-way" },
    },
    outputs: #{ file: #{ type: "path", doc: "The file", example: "/srv/note" } },
    changes: ["the file `path`"],
};

fn validate(input, cx) {
    let found = if exists(input.path) { read_file(input.path) };
    #{
        satisfied: found == input.text,
        reason: "there is no such note",
        observed: #{ text: found },
        outputs: #{ file: input.path },
    }
}

fn run(input, cx) {
    write_file(input.path, "half");
    while input.gate != () && !exists(input.gate) { sleep(0.01); }
    write_file(input.path, input.text);
    log("wrote " + input.path);
    #{ file: input.path }
}

fn rollback(input, cx) {
    if cx.before.text == () { remove_file(input.path) } else { write_file(input.path, cx.before.text) }
}
"#;

const RUNBOOK: &str = "runbook: farm
params: { text: { type: string, default: hello } }
steps:
  note:
    uses: site.note
    with: { path: DIR/note, text: '${{ params.text }}', gate: DIR/go, allow: { folders: [DIR] } }
  after:
    needs: note
    uses: site.note
    with: { path: DIR/after, text: 'after ${{ steps.note.outputs.file }}', allow: { folders: [DIR] } }
";

impl Project {
    /// A runbook and its site steps; `DIR` stands for the project's folder.
    fn with_site(runbook: &str, scripts: &[(&str, &str)]) -> Self {
        let project = Self::new();
        let folder = in_yaml(project.path());
        project.write("farm.yaml", &runbook.replace("DIR", &folder));
        for (name, script) in scripts {
            project.write(&format!("steps/{name}.rhai"), script);
        }
        project
    }
}

/// What was told, with `DIR` for the folder and without what differs from run to run.
fn told(project: &Project, text: &str) -> String {
    let text = text.replace(&in_yaml(project.path()), "DIR");
    crate::support::stable(&text.replace(&project.path().display().to_string(), "DIR"))
}

#[test]
fn it_is_listed_and_documented_like_a_built_in_kind() {
    let project = Project::with_site(RUNBOOK, &[("note", NOTE), ("broken", "fn")]);
    for args in [&["steps"][..], &["steps", "--runbook", "farm.yaml"]] {
        let listed = project.run(args).code(0);
        let line = |kind: &str| {
            listed
                .stdout
                .lines()
                .find(|line| line.starts_with(kind))
                .unwrap()
                .to_owned()
        };
        assert!(line("site.note").ends_with("puts a note into a file"));
        assert!(line("site.broken").contains("cannot be used"));
        assert!(!line("command").is_empty(), "with the built-in ones");
    }
    let page = project
        .run(["steps", "site.note", "--runbook", "farm.yaml"])
        .code(0);
    insta::assert_snapshot!(page.stdout);
    let json = project.run(["steps", "site.note", "--json"]).code(0).json();
    assert_eq!(json["inputs"]["required"], json!(["path", "text"]));
    project
        .run(["steps", "site.broken"])
        .code(2)
        .tells("RB0034")
        .tells("steps/broken.rhai:1:3");
    project
        .run(["steps", "site.nota"])
        .code(2)
        .tells("RB0033")
        .tells("did you mean `site.note`?");
    project
        .run(["steps", "--runbook", "nowhere.yaml"])
        .code(2)
        .tells("RB0001");
    project
        .run(["schema", "--runbook", "nowhere.yaml"])
        .code(2)
        .tells("RB0001");
    let schema = project
        .run(["schema", "--runbook", "farm.yaml"])
        .code(2)
        .tells("RB0034");
    assert_eq!(schema.stdout, "");
    std::fs::remove_file(project.path().join("steps/broken.rhai")).unwrap();
    let schema = project.run(["schema", "--runbook", "farm.yaml"]).code(0).json();
    assert!(
        schema["$defs"]["with.site.note"]["properties"]["path"].is_object(),
        "{schema}"
    );
    // Elsewhere there is none.
    let elsewhere = Project::new();
    elsewhere.run(["steps"]).code(0).keeps_quiet_of("site.");
}

#[test]
fn all_mistakes_are_told_where_they_are() {
    let runbook = "runbook: farm
steps:
  note: { uses: site.note, with: { text: 5, allow: { folders: [here] }, pth: DIR/note } }
  again: { uses: site.note, with: { path: DIR/note, text: x } }
  other: { uses: site.noet }
  mine: { uses: site.mine }
  also: { uses: site.mine }
";
    let script = "const STEP = #{\n    summary: \"does\",\n    inputs: #{ a: #{ type: \"txt\", doc: \"A\" } },\n};\nfn run(input, cx) {\n    lgo(\"x\")\n}\nfn validate(input, cx) {\n    let a = ;\n}\n";
    let project = Project::with_site(runbook, &[("note", NOTE), ("mine", script)]);
    let outcome = project.run(["check", "farm.yaml"]).code(2);
    insta::assert_snapshot!(told(&project, &outcome.stderr));
}

#[test]
fn it_is_planned_carried_out_and_undone() {
    let project = Project::with_site(RUNBOOK, &[("note", NOTE)]);
    project.write("note", "mine");
    project.write("go", "");
    project
        .run(["check", "farm.yaml"])
        .code(0)
        .tells("sound: 2 steps");
    project
        .run(["plan", "farm.yaml"])
        .code(0)
        .prints("there is no such note");
    assert_eq!(
        project.read("note").as_deref(),
        Some("mine"),
        "a plan touches nothing"
    );
    project.run(["exec", "farm.yaml", "--rehearse"]).code(0);
    assert_eq!(
        project.read("note").as_deref(),
        Some("mine"),
        "a rehearsal touches nothing"
    );
    assert!(!project.has("after"));
    let rehearsed = project.run_name();
    assert_eq!(
        project.show(&rehearsed)["steps"][0]["outputs"]["file"],
        "/srv/note",
        "a rehearsal gives the examples"
    );
    let done = project.run(["exec", "farm.yaml", "--json"]).code(0);
    let run = done.json_lines()[0]["run"].as_str().unwrap().to_owned();
    let after = format!("after {}/note", in_yaml(project.path()));
    assert_eq!(
        project.read("after").as_deref(),
        Some(after.as_str()),
        "the output reaches the next step"
    );
    let pinned = project
        .events(&run)
        .into_iter()
        .find(|event| event["event"] == "file_pinned")
        .unwrap();
    assert_eq!(
        (&pinned["name"], &pinned["text"]),
        (&json!("steps/note.rhai"), &json!(NOTE))
    );
    project
        .run(["log", &run])
        .code(0)
        .prints("kept the file `steps/note.rhai`")
        .prints("sha256");
    project.run(["log", &run]).code(0).prints("wrote ");
    project.run(["rollback", &run, "--yes"]).code(0);
    assert_eq!(project.read("note").as_deref(), Some("mine"));
    assert!(!project.has("after"));
}

/// Starts the run and kills the program while the script is half-way.
fn killed(project: &Project) -> String {
    let mut running = project.start(["exec", "farm.yaml", "--json"]);
    running.until_event("attempt_started", "note");
    until("the script is half-way", || {
        project.read("note").as_deref() == Some("half")
    });
    running.kill();
    project.run_name()
}

#[test]
fn a_run_goes_on_with_the_script_that_it_began_with() {
    let project = Project::with_site(RUNBOOK, &[("note", NOTE)]);
    let run = killed(&project);
    project.write("go", "");
    project.write(
        "steps/note.rhai",
        &NOTE
            .replace("\"half\"", "\"spoilt\"")
            .replace("input.text", "\"spoilt\""),
    );
    let resumed = project.run(["resume", &run, "--operator", "bob"]).code(0);
    let resumed = resumed
        .tells("RB0036")
        .tells("`steps/note.rhai` was changed since the run began");
    resumed.keeps_quiet_of("spoilt");
    assert_eq!(project.read("note").as_deref(), Some("hello"));
    project.run(["rollback", &run, "--yes"]).code(0);
    assert!(!project.has("note") && !project.has("after"));
}

#[test]
fn a_run_needs_no_file_to_go_on_elsewhere() {
    let project = Project::with_site(RUNBOOK, &[("note", NOTE)]);
    let run = killed(&project);
    project.write("go", "");
    std::fs::remove_dir_all(project.path().join("steps")).unwrap();
    std::fs::remove_file(project.path().join("farm.yaml")).unwrap();
    let elsewhere = Project::new();
    let mut resume = elsewhere.command(["resume", &run]);
    let resumed = resume
        .env("RUNBOOK_STATE_DIR", project.state_dir())
        .output()
        .unwrap();
    let resumed = crate::support::Outcome::from(resumed).code(0);
    resumed.keeps_quiet_of("RB0036");
    assert_eq!(project.read("note").as_deref(), Some("hello"));
}

#[test]
fn a_time_limit_ends_an_endless_script() {
    let script = "const STEP = #{ summary: \"never ends\" };\nfn run(input, cx) { loop { sleep(1) } }\n";
    let runbook = "runbook: farm\nsteps:\n  note: { uses: site.note, timeout: 200ms }\n";
    let project = Project::with_site(runbook, &[("note", script)]);
    project.run(["exec", "farm.yaml"]).code(1).tells("its time is up");
    let endless = script.replace("sleep(1)", "");
    let project = Project::with_site(
        "runbook: farm\nsteps:\n  note: { uses: site.note }\n",
        &[("note", &endless)],
    );
    project
        .run(["exec", "farm.yaml"])
        .code(1)
        .tells("it did not end within 50000000 operations");
}

/// The failure of a step whose `run` has this body, with these grants.
fn fails(body: &str, allow: &str) -> String {
    let script = format!("const STEP = #{{ summary: \"tries\" }};\nfn run(input, cx) {{\n    {body};\n}}\n");
    let runbook =
        format!("runbook: farm\nsteps:\n  note: {{ uses: site.note, with: {{ allow: {allow} }} }}\n");
    let project = Project::with_site(&runbook, &[("note", &script)]);
    std::fs::write(project.path().with_extension("outside"), "hunter2").unwrap();
    let body_of = in_yaml(project.path());
    let script = script.replace("DIR", &body_of);
    project.write("steps/note.rhai", &script);
    let outcome = project.run(["exec", "farm.yaml"]).code(1);
    std::fs::remove_file(project.path().with_extension("outside")).unwrap();
    told(&project, &outcome.stderr)
}

#[test]
fn an_error_points_into_the_script() {
    let text = fails(
        "let path = \"DIR.outside\";\n    read_file(path)",
        "{ folders: [DIR] }",
    );
    insta::assert_snapshot!(text);
}

#[test]
fn nothing_is_reached_that_is_not_granted() {
    for (body, allow, why) in [
        (
            "read_file(\"DIR.outside\")",
            "{ folders: [DIR] }",
            "not below a folder of `allow.folders`",
        ),
        (
            "read_file(\"DIR/../x\")",
            "{ folders: [DIR] }",
            "must not go through `..`",
        ),
        (
            "write_file(\"x\", \"\")",
            "{ folders: [DIR] }",
            "must be an absolute path",
        ),
        (
            "list_files(\"DIR.outside\")",
            "{ folders: [DIR] }",
            "not below a folder",
        ),
        (
            "command([\"/usr/bin/hostname\"])",
            "{ commands: [hostname] }",
            "`/usr/bin/hostname` is not allowed",
        ),
        (
            "command([\"hostname\"])",
            "{ commands: [/usr/bin/hostname] }",
            "`hostname` is not allowed",
        ),
        (
            "http(#{ url: \"http://127.0.0.1:9/\" })",
            "{ hosts: [localhost] }",
            "`127.0.0.1:9` is not allowed",
        ),
    ] {
        let text = fails(body, allow);
        assert!(text.contains(why) && text.contains("RB0035"), "{body}: {text}");
        assert!(!text.contains("hunter2"));
    }
}

#[test]
fn a_link_leads_out_of_no_folder() {
    let project = Project::with_site(
        "runbook: farm\nsteps:\n  note: { uses: site.note, with: { path: DIR/in/link, text: x, allow: { folders: [DIR/in] } } }\n",
        &[("note", NOTE)],
    );
    project.write("out", "hunter2");
    project.write("in/there", "");
    if !link(&project.path().join("out"), &project.path().join("in/link")) {
        return;
    }
    let outcome = project
        .run(["exec", "farm.yaml"])
        .code(1)
        .tells("not below a folder of `allow.folders`");
    outcome.keeps_quiet_of("hunter2");
    assert_eq!(project.read("out").as_deref(), Some("hunter2"));
}

/// Makes a link, where the system lets us.
fn link(to: &Path, at: &Path) -> bool {
    crate::platform::link(to, at).is_ok()
}

#[test]
fn a_secret_stays_out_of_all_that_is_kept_or_shown() {
    let script = r#"const STEP = #{
    summary: "uses a secret",
    inputs: #{ key: #{ type: "secret", doc: "The key" } },
    outputs: #{ said: #{ type: "string", doc: "What it said" } },
};
fn run(input, cx) {
    log("the key is " + input.key);
    if input.key.ends_with("fails") { throw "no: " + input.key }
    #{ said: "key " + input.key }
}
"#;
    let runbook = "runbook: farm
params: { key: { type: secret } }
steps:
  note: { uses: site.note, with: { key: '${{ params.key }}' } }
";
    let typed = "runbook: farm\nsteps:\n  note: { uses: site.note, with: { key: hunter2-typed } }\n";
    let project = Project::with_site(runbook, &[("note", script)]);
    project.write("typed.yaml", typed);
    project
        .run(["check", "typed.yaml"])
        .code(2)
        .tells("a secret stands in the runbook");
    for (secret, code) in [("hunter2-works", 0), ("hunter2-fails", 1)] {
        let mut exec = project.command(["exec", "farm.yaml", "-v"]);
        let outcome = crate::support::Outcome::from(exec.env("RUNBOOK_SECRET_KEY", secret).output().unwrap());
        outcome
            .code(code)
            .tells("the key is ******")
            .keeps_quiet_of("hunter2");
    }
    let runs = project.run(["list", "--json"]).code(0).json();
    for run in runs.as_array().unwrap() {
        let name = run["name"].as_str().unwrap();
        project
            .run(["log", name, "--json"])
            .code(0)
            .keeps_quiet_of("hunter2");
        project
            .run(["show", name, "--json"])
            .code(0)
            .keeps_quiet_of("hunter2");
    }
}

#[test]
fn the_how_to_works_as_it_is_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = blocks(&root.join("docs/how-to/write-a-site-step.md"));
    let project = Project::new();
    for block in &page {
        if let Some((_, file)) = block.tag.split_once(' ') {
            project.write(file, &block.text);
        }
    }
    let shipped = std::fs::read_to_string(root.join("runbooks/steps/notice.rhai")).unwrap();
    assert_eq!(
        project.read("steps/notice.rhai"),
        Some(shipped),
        "the example is the one that ships"
    );
    let example = Regex::new("notices-7f3a").unwrap();
    let mut done = Vec::new();
    for command in page
        .iter()
        .filter(|block| block.tag == "console")
        .flat_map(|block| commands(&block.text))
    {
        let command = command.replace("\"folder=$PWD\"", &format!("folder={}", project.path().display()));
        let command = if example.is_match(&command) {
            let runs = project.run(["list", "--json"]).code(0).json();
            let real = runs
                .as_array()
                .unwrap()
                .iter()
                .find(|run| run["rehearsal"] == false)
                .unwrap();
            example
                .replace_all(&command, real["name"].as_str().unwrap())
                .into_owned()
        } else {
            command
        };
        // A reader sits at a terminal, and says there that it is meant so.
        let command = command.replace("runbook rollback ", "runbook rollback --yes ");
        project.run(command.split(' ').skip(1)).code(0);
        done.push(command);
    }
    assert_eq!(done.len(), 8, "{done:?}");
    assert!(!project.has("door.txt"), "it was rolled back");
}

#[test]
fn a_wait_asks_a_site_step_which_the_run_keeps() {
    let runbook = "runbook: farm
steps:
  note:
    uses: wait
    with:
      every: 10ms
      deadline: 1m
      for: { uses: site.note, with: { path: DIR/note, text: there, allow: { folders: [DIR] } } }
";
    let project = Project::with_site(runbook, &[("note", NOTE)]);
    let mut running = project.start(["exec", "farm.yaml", "--json"]);
    running.until_event("attempt_started", "note");
    running.kill();
    std::fs::remove_dir_all(project.path().join("steps")).unwrap();
    project.write("note", "there");
    project.run(["resume", "farm"]).code(0);
    assert_eq!(project.statuses("farm"), ["note: succeeded"]);
    let broken = runbook.replace("site.note", "site.noet");
    let project = Project::with_site(&broken, &[("note", NOTE)]);
    project
        .run(["check", "farm.yaml"])
        .code(2)
        .tells("`site.noet` is not defined")
        .tells("did you mean `site.note`?");
}

#[test]
fn an_output_that_only_run_gives_reaches_later_steps() {
    let script = NOTE
        .replace(
            "outputs: #{ file: #{",
            "outputs: #{ id: #{ type: \"string\", optional: true, doc: \"Its number\" }, file: #{",
        )
        .replace(
            "    #{ file: input.path }\n}\n\nfn rollback",
            "    #{ file: input.path + \".half\", id: \"n7\" }\n}\n\nfn rollback",
        );
    let runbook = RUNBOOK.replace("after ${{", "${{ steps.note.outputs.id }} ${{");
    let project = Project::with_site(&runbook, &[("note", &script)]);
    project.write("go", "");
    project.run(["exec", "farm.yaml"]).code(0);
    assert_eq!(
        project.read("after"),
        Some(format!("n7 {}/note", in_yaml(project.path()))),
        "`run` gave the number, and `validate` saw the file later"
    );
}
