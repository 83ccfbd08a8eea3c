//! Starting out: runbooks that ship in the program, and new ones.

use std::path::Path;

use crate::support::Project;

#[test]
fn every_runbook_that_ships_is_in_the_program() {
    let project = Project::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut seen = 0;
    let is_runbook = |path: &std::path::PathBuf| {
        let name = path.to_str().unwrap();
        name.ends_with(".yaml") && !name.ends_with(".test.yaml")
    };
    for file in files.filter(is_runbook) {
        let name = file.file_stem().unwrap().to_str().unwrap();
        project.run(["new", "--list"]).code(0).prints(name);
        project.run(["check", name]).code(0);
        let readme = std::fs::read_to_string(file.with_extension("README.md")).unwrap();
        let told = project.run(["new", "--readme", name]).code(0).stdout;
        // Without the links, which lead to files that the reader does not have.
        for line in readme.lines().filter(|line| !line.contains(['[', ']', '<', '`'])) {
            assert!(told.contains(line), "{name}: {line}");
        }
        assert!(!told.contains(".md)"), "{told}");
        seen += 1;
    }
    assert!(seen > 1);
    project.run(["exec", "quickstart", "--rehearse"]).code(0);
    assert_eq!(project.only_run()["status"], "completed");
}

#[test]
fn a_file_comes_before_a_runbook_that_ships() {
    let project = Project::new();
    project.write("quickstart", "runbook: mine\ntitle: 7\n");
    project.run(["check", "quickstart"]).code(2);
    project
        .run(["check", "quikstart"])
        .code(2)
        .tells("did you mean `quickstart`?");
}

#[test]
fn a_new_runbook_passes_the_check_and_can_be_carried_out_at_once() {
    let project = Project::new();
    let folder = format!("folder={}", project.path().display());
    project
        .run(["new", "greeting"])
        .code(0)
        .tells("runbook exec greeting.yaml --rehearse");
    project.run(["check", "greeting.yaml"]).code(0);
    project.run(["exec", "greeting.yaml", "--set", &folder]).code(3);
    assert!(project.read("note.txt").unwrap().starts_with("Hello from "));
    assert!(project.run_name().starts_with("greeting-"));
}

#[test]
fn a_copy_of_a_runbook_that_ships_has_its_readme_and_a_name_of_its_own() {
    let project = Project::new();
    project.run(["new", "farm", "--from", "hybrid-s2s"]).code(0);
    assert!(project.read("farm.README.md").is_some());
    project.run(["exec", "farm.yaml", "--rehearse"]).code(0);
    assert!(project.run_name().starts_with("farm-"));
}

#[test]
fn nothing_is_overwritten_and_a_refusal_leaves_nothing_behind() {
    let project = Project::new();
    project.write("farm.README.md", "mine");
    project
        .run(["new", "farm", "--from", "quickstart"])
        .code(2)
        .tells("`farm.README.md` exists already");
    assert_eq!(project.read("farm.README.md").unwrap(), "mine");
    assert!(project.read("farm.yaml").is_none());
    project.run(["new", "Not A Name"]).code(2).tells("RB0008");
    project
        .run(["new", "farm", "--from", "quikstart"])
        .code(2)
        .tells("did you mean `quickstart`?");
}

#[test]
fn the_tutorial_shows_what_new_writes() {
    let project = Project::new();
    project.run(["new", "hello"]).code(0);
    let written = project.read("hello.yaml").unwrap();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tutorial/first-runbook.md");
    let page = std::fs::read_to_string(page).unwrap();
    let runbook = written.split_once("\nrunbook:").unwrap().1;
    assert!(page.contains(runbook), "the tutorial shows another runbook");
}

#[test]
fn editors_find_the_schema_beside_a_new_runbook_and_beside_those_that_ship() {
    let project = Project::new();
    project
        .run(["new", "hello"])
        .code(0)
        .tells("wrote runbook.schema.json for editors");
    let schema = project.run(["schema"]).code(0).stdout;
    assert_eq!(project.read("runbook.schema.json").unwrap(), schema);
    let ships = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks/runbook.schema.json");
    let current = std::fs::read_to_string(ships).unwrap() == schema;
    assert!(current, "cargo run -- schema -o runbooks/runbook.schema.json");
    project.run(["new", "farm", "--from", "hybrid-s2s"]).code(0);
    for runbook in ["hello.yaml", "farm.yaml"] {
        let text = project.read(runbook).unwrap();
        let first = "# yaml-language-server: $schema=runbook.schema.json";
        assert_eq!(text.lines().next(), Some(first), "{runbook}");
    }
}

#[test]
fn a_schema_replaces_an_older_one_and_nothing_else() {
    let project = Project::new();
    let output = ["schema", "--output", "here.json"];
    project.run(output).code(0);
    let schema = project.read("here.json").unwrap();
    project.write("here.json", &schema.replace("What it does", "What it did"));
    project.run(output).code(0);
    assert_eq!(project.read("here.json").unwrap(), schema);
    project.write("here.json", "{\"mine\": 1}");
    project
        .run(output)
        .code(2)
        .tells("is no schema of ours")
        .tells("RB0503");
    assert_eq!(project.read("here.json").unwrap(), "{\"mine\": 1}");
}

#[test]
fn a_runbook_that_ships_brings_its_site_steps() {
    let project = Project::new();
    let folder = format!("folder={}", project.path().display());
    project.run(["exec", "site-notice", "--set", &folder]).code(0);
    let run = project.run_name();
    assert_eq!(project.read("door.txt").as_deref(), Some("Closed on Saturday\n"));
    project.run(["rollback", &run, "--yes"]).code(0);
    assert_eq!(project.read("door.txt"), None);
    project
        .run(["new", "sub/mine", "--from", "site-notice"])
        .code(2)
        .tells("cannot be");
    project
        .run(["new", "mine", "--from", "site-notice"])
        .code(0)
        .tells("notice.rhai");
    project.run(["check", "mine.yaml"]).code(0);
    project
        .run(["steps", "site.notice"])
        .code(0)
        .prints("puts a notice into a file");
    project
        .run(["new", "other", "--from", "site-notice"])
        .code(2)
        .tells("notice.rhai` exists already");
}
