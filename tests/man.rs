//! Manual pages: one for each command, which the usual readers of such pages understand.

use std::path::PathBuf;

use crate::support::Project;

/// All pages, written to a folder of the project.
pub(crate) fn pages(project: &Project) -> Vec<PathBuf> {
    project
        .run(["man", "--dir", "man/man1"])
        .code(0)
        .tells("pages to");
    let found = std::fs::read_dir(project.path().join("man/man1")).unwrap();
    let mut found: Vec<PathBuf> = found.map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

#[test]
fn every_command_has_its_page() {
    let project = Project::new();
    let names: Vec<String> = pages(&project)
        .iter()
        .map(|page| page.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let help = project.run(["--help"]).code(0).stdout;
    let commands = help.split("Commands:").nth(1).unwrap().lines().skip(1);
    let commands: Vec<&str> = commands
        .take_while(|line| !line.is_empty())
        // What goes on in a second line is indented further.
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.len() > 15, "{commands:?}");
    for command in commands {
        assert!(
            names.contains(&format!("runbook-{command}")),
            "{command}: {names:?}"
        );
    }
    assert!(names.contains(&"runbook".to_owned()));
    assert!(names.contains(&"runbook-journal-verify".to_owned()));
    let exec = project.read("man/man1/runbook-exec.1").unwrap();
    assert!(
        exec.contains("runbook exec hybrid\\-s2s.yaml \\-\\-rehearse\n"),
        "{exec}"
    );
}
