//! Manual pages, as a reader of such pages takes them.

use crate::man::pages;
use crate::support::Project;

/// What a program says of a page.
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
