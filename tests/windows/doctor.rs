//! `doctor --windows-selftest`: what it tries, and that it leaves nothing.

use crate::doctor::is;
use crate::support::Project;

/// What wine says. Windows itself may say more of it is well.
#[test]
fn the_self_test_tries_everything_and_writes_a_report_without_names() {
    let project = Project::new();
    let before = folders_of_self_tests();
    let outcome = project.run(["doctor", "--windows-selftest", "--json", "--report", "report.txt"]);
    for (check, text) in [
        ("private files", "this account's and the system's alone"),
        ("locks", "one has it, another is refused, and gets it afterwards"),
        ("flushing", "ms for each write"),
        ("long paths", "was written, renamed and read"),
        ("named pipe", "a visitor was told something, and told it back"),
        ("job objects", "ended together"),
        ("kill on close", "ended with the program that had started them"),
        ("journal", "the step was in doubt, and the run went on"),
        ("key store", "a secret was kept, read and removed"),
        ("code pages", "own 65001"),
        ("time", "time zone"),
        ("folder", "gone again"),
    ] {
        is(&outcome, check, "good", text);
    }
    is(&outcome, "console", "absent", "without a window");
    let report = project.read("report.txt").unwrap();
    assert!(report.contains("good    locks: one has it"), "{report}");
    for name in ["USERNAME", "COMPUTERNAME"] {
        let name = std::env::var(name).unwrap();
        let words: Vec<&str> = report.split(|letter: char| !letter.is_alphanumeric()).collect();
        assert!(!words.contains(&name.as_str()), "{name} is in {report}");
    }
    assert_eq!(folders_of_self_tests(), before, "something is left");
}

/// What stands in the folder for temporary files of this self-test and of earlier ones, which may have been killed.
fn folders_of_self_tests() -> Vec<String> {
    let found = std::fs::read_dir(std::env::temp_dir()).unwrap();
    let names = found.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| name.starts_with("runbook-selftest-"))
        .collect()
}
