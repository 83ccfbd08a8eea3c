//! What of `practice` is about Unix: signals, shells, and modes of files.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use nix::sys::signal::Signal;

use crate::practice::bench::Bench;
use crate::support::{Project, until};

#[test]
fn it_says_what_to_set_and_ends_when_it_is_told_to() {
    let project = Project::new();
    let mut running = project.start(["practice", "--approve-all"]);
    until("the folder is there", || {
        project.read("practice/practice.json").is_some()
    });
    let settings = project.run(["practice", "env", "--shell", "sh"]).code(0);
    for name in [
        "RUNBOOK_GRAPH_URL",
        "RUNBOOK_LOGIN_URL",
        "RUNBOOK_POWERSHELL_DESKTOP",
        "RUNBOOK_POWERSHELL_STAND_IN",
        "RUNBOOK_STATE_DIR",
        "PSModulePath",
    ] {
        assert!(
            settings.stdout.contains(&format!("export {name}=")),
            "{}",
            settings.stdout
        );
    }
    assert!(running.is_alive());
    running.send(Signal::SIGINT);
    let said = running.wait().code(0).tells("the tenant is gone");
    assert!(said.stdout.contains(settings.stdout.trim()), "{}", said.stdout);
    said.prints("practice/practice.yaml")
        .prints("Practising proves nothing");
}

#[test]
fn a_shell_carries_the_settings_out_whatever_the_folder_is_called() {
    let project = Project::new();
    let odd = "it's $(here) \u{2019}x";
    let running = project.start(["practice", "--folder", odd, "--json"]);
    until("the folder is there", || {
        project.path().join(odd).join("practice.json").exists()
    });
    let settings = project
        .run(["practice", "env", "--folder", odd, "--shell", "sh"])
        .code(0)
        .stdout;
    let shell = std::process::Command::new("sh")
        .args(["-c", &format!("{settings}\nprintf %s \"$RUNBOOK_STATE_DIR\"")])
        .output()
        .unwrap();
    let expected = project.path().join(odd).join("runs");
    assert_eq!(Path::new(&String::from_utf8(shell.stdout).unwrap()), expected);
    let settings = project
        .run(["practice", "env", "--folder", odd, "--shell", "powershell"])
        .code(0);
    assert!(
        settings.stdout.contains("it''s $(here) \u{2019}\u{2019}x"),
        "{}",
        settings.stdout
    );
    drop(running);
}

#[test]
fn everything_is_for_its_owner_only() {
    fn all(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
        found.push(folder.to_owned());
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                all(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    // One that others may enter is closed to them, and that is said.
    let project = Project::new();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let open = project.path().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).unwrap();
    let running = project.start(["practice", "--folder", "open"]);
    until("it is said", || {
        running.told().contains("could be entered by others")
    });
    assert_eq!(mode(&open), 0o700);
    drop(running);

    let bench = Bench::new(&[]);
    bench.fault(&["slow-down"]);
    let names = serde_json::json!({ "servicePrincipalNames": [] });
    bench.sign_in().patch(&names).unwrap().status(204);
    let script = "Set-SPAuthenticationRealm -Realm x -Confirm:$false; iisreset; Install-Module Microsoft.Graph.Applications";
    let made = ["tenant-calls.jsonl", "faults/slow-down", "sts-old.pfx", "app.pem"];
    let by_script = ["farm-calls.jsonl", "services.json"];
    let ran = bench.powershell(script).map(|outcome| outcome.code(0));
    let expected = made.iter().chain(by_script.iter().filter(|_| ran.is_some()));
    for file in expected {
        assert!(bench.folder().join(file).is_file(), "{file} is not looked at");
    }
    let mut found = Vec::new();
    all(&bench.folder(), &mut found);
    let installed = bench.folder().join("modules/Microsoft.Graph.Applications");
    for path in found {
        // What a module's installer writes is below a folder that nobody else enters.
        assert!(
            mode(&path).trailing_zeros() >= 6 || path.starts_with(&installed),
            "{}: {:o}",
            path.display(),
            mode(&path)
        );
    }
}
