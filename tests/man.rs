//! Manual pages: one for each command, which the usual readers of such pages understand.

use std::path::PathBuf;

use crate::support::Project;

/// All pages, written to a folder of the project.
fn pages(project: &Project) -> Vec<PathBuf> {
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

/// What a program says of a page.
#[cfg(unix)]
fn said(program: &str, args: &[&str], page: &std::path::Path) -> String {
    let output = std::process::Command::new(program)
        .args(args)
        .arg(page)
        .env("MANWIDTH", "100")
        .output();
    let output = output.unwrap_or_else(|_| panic!("this test needs `{program}`: scripts/setup installs it"));
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8(said).unwrap()
}

#[cfg(unix)]
#[test]
fn mandoc_finds_no_mistake_and_renders_them() {
    let project = Project::new();
    for page in pages(&project) {
        let lint = said("mandoc", &["-T", "lint", "-W", "error"], &page);
        assert_eq!(lint, "", "{}", page.display());
    }
    let text = said(
        "mandoc",
        &["-T", "utf8"],
        &project.path().join("man/man1/runbook-exec.1"),
    );
    // Written over itself, a letter is bold.
    let text = regex::Regex::new(".\u{8}").unwrap().replace_all(&text, "");
    assert!(text.contains("--rehearse"), "{text}");
    assert!(
        text.contains("runbook exec hybrid-s2s.yaml --rehearse\n"),
        "{text}"
    );
}
