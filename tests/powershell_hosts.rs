//! `powershell` steps on other machines, from outside: one at a time, killed and resumed, undone.

use std::path::Path;
use std::process::Command;

use crate::server::{ADDRESSES, Server};
use crate::support::pwsh::{pwsh, with_pwsh};
use crate::support::{Outcome, Project, Running, until};

const BOOK: &str = r#"
runbook: everywhere
params:
  hosts: { type: list, of: host, example: [web1] }
  folder: { type: path, example: /srv }
  port: { type: integer, example: 22 }
  text: { type: string, example: closed }
sessions:
  web:
    uses: powershell
    with:
      process: fresh
      through:
        by: ssh
        port: ${{ params.port }}
        key: FOLDER/user
        known_hosts: FOLDER/known
        program: PWSH
      setup: |
        $at = $env:SSH_CONNECTION.Split(' ')[2]
        $file = Join-Path $Run.params.folder "$at.txt"
steps:
  banner:
    for_each: params.hosts
    lock: web
    session: web
    uses: powershell
    with:
      on: ${{ item }}
      validate: |
        if ((Test-Path $file) -and [IO.File]::ReadAllText($file) -ceq $Run.params.text) { Set-Satisfied } else { Set-Unsatisfied -Reason 'it is not up' }
      run: |
        $order = Join-Path $Run.params.folder 'order.txt'
        Add-Content $order "begin $at"
        if (Test-Path (Join-Path $Run.params.folder 'slow')) {
            sh -c 'echo $PPID $$ end > "$0"; exec sleep 600' (Join-Path $Run.params.folder 'pids.txt')
        }
        [IO.File]::WriteAllText($file, $Run.params.text)
        Add-Content $order "end $at"
      rollback: |
        Remove-Item $file -Confirm:$false
"#;

struct Bench {
    project: Project,
    server: Server,
    pwsh: std::path::PathBuf,
}

impl Bench {
    fn new() -> Option<Self> {
        let pwsh = pwsh()?;
        let server = Server::start(pwsh.to_str().unwrap())?;
        let project = Project::new();
        let keys = server.file("");
        let book = BOOK
            .replace("FOLDER", keys.trim_end_matches('/'))
            .replace("PWSH", pwsh.to_str().unwrap());
        project.write("everywhere.yaml", &book);
        Some(Self {
            project,
            server,
            pwsh,
        })
    }

    fn exec(&self) -> Command {
        let sets = [
            format!("hosts={}", ADDRESSES.join(",")),
            format!("folder={}", self.project.path().display()),
            format!("port={}", self.server.port),
            "text=it’s; New-Item harm ’ #".to_owned(),
        ];
        let args = ["exec", "everywhere.yaml"].map(str::to_owned);
        let sets = sets.into_iter().flat_map(|set| ["--set".to_owned(), set]);
        with_pwsh(&self.project, &self.pwsh, args.into_iter().chain(sets))
    }

    fn run(&self, args: &[&str]) -> Outcome {
        with_pwsh(&self.project, &self.pwsh, args)
            .output()
            .unwrap()
            .into()
    }

    fn banner(&self, at: &str) -> Option<String> {
        self.project.read(&format!("{at}.txt"))
    }
}

#[test]
fn every_host_has_its_own_instance_and_one_goes_at_a_time() {
    let Some(bench) = Bench::new() else { return };
    Outcome::from(bench.exec().output().unwrap()).code(0);
    for at in ADDRESSES {
        assert_eq!(bench.banner(at).as_deref(), Some("it’s; New-Item harm ’ #"));
    }
    let name = bench.project.run_name();
    assert_eq!(
        bench.project.statuses(&name),
        ADDRESSES.map(|at| format!("banner[{at}]: succeeded"))
    );
    let order = bench.project.read("order.txt").unwrap();
    let lines: Vec<&str> = order.lines().collect();
    for pair in lines.chunks(2) {
        assert_eq!(
            pair[0].strip_prefix("begin "),
            pair[1].strip_prefix("end "),
            "{order}"
        );
    }
    let log = bench.run(&["log", &name, "--step", "banner[127.0.0.2]"]).code(0);
    log.prints("`127.0.0.2` answers: PowerShell");
    bench.run(&["rollback", &name, "--yes"]).code(0);
    assert_eq!(ADDRESSES.map(|at| bench.banner(at)), [None, None]);
}

#[test]
fn a_killed_run_leaves_nothing_running_there_and_goes_on() {
    let Some(bench) = Bench::new() else { return };
    let slow = bench.project.write("slow", "");
    let running = Running::of(bench.exec());
    let mut told = String::new();
    until("the first host is under way", || {
        told = bench.project.read("pids.txt").unwrap_or_default();
        told.contains("end")
    });
    let name = bench.project.run_name();
    running.kill();
    until("what ran there has ended", || {
        let mut pids = told.split_whitespace().filter(|word| *word != "end");
        pids.all(|pid| !Path::new("/proc").join(pid).exists())
    });
    assert_eq!(bench.banner(ADDRESSES[0]), None);
    std::fs::remove_file(slow).unwrap();
    bench.run(&["resume", &name]).code(0);
    for at in ADDRESSES {
        assert!(bench.banner(at).is_some(), "{at}");
    }
}
