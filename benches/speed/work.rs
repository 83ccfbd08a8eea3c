//! The same work, written down for `runbook`, make and Ninja.

use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Outcome;

/// A step that starts a program.
pub(crate) const TRUE: &str = "uses: command, with: { run: [/bin/true] }";

/// A step that starts none: the cheapest that the program has.
pub(crate) const IN_PROCESS: &str = "uses: rhai, with: { script: 'fn run(cx) { #{} }' }";

/// How many steps a layer has, and how many of the one before each of them needs.
const LAYER: usize = 100;
const NEEDS: usize = 3;

/// Which step needs which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Chain,
    Independent,
    Layers,
}

impl Shape {
    fn needs(self, at: usize) -> Vec<usize> {
        match self {
            Self::Chain => at.checked_sub(1).into_iter().collect(),
            Self::Independent => Vec::new(),
            Self::Layers => match (at / LAYER).checked_sub(1) {
                Some(layer) => (0..NEEDS).map(|n| layer * LAYER + (at * 7 + n) % LAYER).collect(),
                None => Vec::new(),
            },
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Chain => "chain",
            Self::Independent => "independent",
            Self::Layers => "layers",
        })
    }
}

/// A folder with the three files, and a state folder.
#[derive(Debug)]
pub(crate) struct Work {
    folder: PathBuf,
    name: String,
}

impl Work {
    pub(crate) fn new(within: &Path, name: &str, shape: Shape, count: usize, step: &str) -> Outcome<Self> {
        let folder = within.join(name);
        std::fs::create_dir(&folder)?;
        let work = Self {
            folder,
            name: name.to_owned(),
        };
        work.write(shape, count, step)?;
        Ok(work)
    }

    fn write(&self, shape: Shape, count: usize, step: &str) -> Outcome {
        let mut yaml = format!("runbook: {}\nsteps:\n", self.name);
        let mut make = String::from("all:");
        let mut rules = String::new();
        let mut ninja = String::from("rule true\n  command = /bin/true\n");
        for at in 0..count {
            let needs: Vec<String> = shape.needs(at).iter().map(|need| format!("s{need}")).collect();
            writeln!(yaml, "  s{at}: {{ needs: [{}], {step} }}", needs.join(", "))?;
            write!(make, " s{at}")?;
            writeln!(rules, ".PHONY: s{at}\ns{at}: {}\n\t@/bin/true", needs.join(" "))?;
            writeln!(ninja, "build s{at}: true {}", needs.join(" "))?;
        }
        if shape == Shape::Layers {
            let last = count - 1;
            writeln!(
                yaml,
                "  look: {{ needs: [s{last}], uses: manual, with: {{ instructions: Look. }} }}"
            )?;
        }
        std::fs::write(self.folder.join("work.yaml"), yaml)?;
        std::fs::write(self.folder.join("Makefile"), make + "\n" + &rules)?;
        std::fs::write(self.folder.join("build.ninja"), ninja)?;
        Ok(())
    }

    pub(crate) fn name(&self) -> String {
        self.name.clone()
    }

    pub(crate) fn runbook(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runbook"));
        command
            .arg("--state-dir")
            .arg(self.folder.join("state"))
            .args(words)
            .current_dir(&self.folder);
        command
    }

    pub(crate) fn exec(&self, jobs: usize) -> Command {
        let mut command = self.runbook(&["exec", "work.yaml", "--non-interactive", "--jobs"]);
        command.arg(jobs.to_string());
        command
    }

    pub(crate) fn make(&self) -> Command {
        let mut command = Command::new("make");
        command.args(["-s", "-j2"]).current_dir(&self.folder);
        command
    }

    pub(crate) fn ninja(&self) -> Command {
        let mut command = Command::new("ninja");
        command.arg("-j2").current_dir(&self.folder);
        command
    }
}
