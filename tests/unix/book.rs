//! The book: every command in it is carried out, in the order of its page, and what it shows is compared.
//!
//! A page's commands share a folder with the runbooks that ship. The names of runs that a page shows stand for the runs
//! that its commands start. Remarks, which no reader sees, say what a command needs or does otherwise:
//!
//! | remark | meaning |
//! | --- | --- |
//! | `<!-- before: COMMAND -->` | this is carried out here, and not shown |
//! | `<!-- exits: 3, 0 -->` | how the commands of the next block end; 0 where nothing is said |
//! | `<!-- not run: WHY -->` | the next block is not carried out |
//! | `<!-- file: NAME -->` | the next block is the text of this file |
//! | `<!-- fresh -->` | from here on in a new folder, without runs |
//!
//! Where a block shows what a command prints, a line `...` stands for any lines, and `[..]` for anything in a line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::documents::{documents, name_of, root};
use crate::support::browser::program;
use crate::support::{Outcome, Project};

/// A part of a page that means something here.
enum Part {
    Before(String),
    File(String, String),
    Fresh,
    Block(Block),
}

/// A block of commands.
struct Block {
    line: usize,
    exits: Vec<i32>,
    calls: Vec<Call>,
}

/// A command, and what the page says that it prints; nothing where it does not say.
struct Call {
    command: String,
    shown: Vec<String>,
}

/// The parts of a page, or what is wrong with its remarks.
fn parts(text: &str) -> Result<Vec<Part>, String> {
    let remark = Regex::new(r"^<!-- (before|exits|file|not run|fresh)(?:: (.*))? -->$").unwrap();
    let (mut parts, mut exits, mut skipped) = (Vec::new(), Vec::new(), false);
    let mut file: Option<String> = None;
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        if let Some(found) = remark.captures(line.trim()) {
            let told = found.get(2).map_or("", |told| told.as_str());
            match &found[1] {
                "before" => parts.push(Part::Before(told.to_owned())),
                "fresh" => parts.push(Part::Fresh),
                "file" => file = Some(told.to_owned()),
                "exits" => {
                    let numbers = told.split(", ").map(str::parse).collect::<Result<_, _>>();
                    exits = numbers.map_err(|error| format!("line {}: {error}", at + 1))?;
                }
                _ if told.len() < 10 => return Err(format!("line {}: say why", at + 1)),
                _ => skipped = true,
            }
        } else if line.trim_start().starts_with("```") {
            let is_console = line.trim() == "```console";
            let indent = line.len() - line.trim_start().len();
            let inside: Vec<&str> = lines
                .by_ref()
                .map(|(_, line)| line.get(indent..).unwrap_or_default())
                .take_while(|line| !line.trim_start().starts_with("```"))
                .collect();
            if let Some(name) = file.take() {
                parts.push(Part::File(name, inside.join("\n") + "\n"));
            } else if is_console && !std::mem::take(&mut skipped) {
                let (line, calls) = (at + 1, calls(&inside));
                let exits = std::mem::take(&mut exits);
                parts.push(Part::Block(Block { line, exits, calls }));
            }
        }
    }
    Ok(parts)
}

fn calls(lines: &[&str]) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    for line in lines.iter().map(|line| line.trim_end()) {
        if let Some(command) = line.strip_prefix("$ ") {
            let (command, shown) = (command.to_owned(), Vec::new());
            calls.push(Call { command, shown });
        } else if let Some(call) = calls.last_mut() {
            // A command goes on in the next line behind `\`.
            if call.shown.is_empty() && call.command.ends_with('\\') {
                call.command.pop();
                call.command += line.trim_start();
            } else {
                call.shown.push(line.to_owned());
            }
        }
    }
    calls
}

/// Where the commands of a page are carried out.
struct Stage {
    project: Project,
    /// The runs that the page's names stand for.
    runs: BTreeMap<String, String>,
}

impl Stage {
    fn new() -> Self {
        let project = Project::new();
        let ships = root().join("runbooks");
        std::os::unix::fs::symlink(ships, project.path().join("runbooks")).unwrap();
        Self {
            project,
            runs: BTreeMap::new(),
        }
    }

    fn carry_out(&mut self, command: &str) -> Result<Outcome, String> {
        let command = self.with_real_names(command)?;
        // A reader sits at a terminal, and says there that it is meant so.
        let command = match command.contains("--yes") {
            true => command,
            false => command.replace("runbook rollback ", "runbook rollback --yes "),
        };
        let program = PathBuf::from(env!("CARGO_BIN_EXE_runbook"));
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}", program.parent().unwrap().display());
        let like = self.project.command([""; 0]);
        let mut shell = std::process::Command::new("timeout");
        shell.args(["60", "sh", "-c", &format!("exec 2>&1; {command}")]);
        shell.current_dir(self.project.path());
        for (name, value) in like.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        shell.env("PATH", path).env("HOME", self.project.path());
        shell.stdin(std::process::Stdio::null());
        Ok(shell.output().unwrap().into())
    }

    /// Puts the runs' real names where the page has its own. One that was not mentioned before is the newest run of
    /// its runbook.
    fn with_real_names(&mut self, text: &str) -> Result<String, String> {
        let name = Regex::new(r"\b([a-z][a-z0-9-]*)-([0-9a-f]{4})\b(\.\w)?").unwrap();
        for found in name.captures_iter(text) {
            // With an ending, it is the name of a file.
            if found.get(3).is_some() || self.runs.contains_key(&found[0]) {
                continue;
            }
            let runs = self.project.run(["list", "--json"]).json();
            let runs = runs
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|run| run["name"].as_str());
            let mut free = runs
                .filter(|run| {
                    run.rsplit_once('-')
                        .is_some_and(|(runbook, _)| runbook == &found[1])
                })
                .filter(|run| !self.runs.values().any(|known| known == run));
            let real = free
                .next()
                .ok_or_else(|| format!("no run that `{}` could be", &found[0]))?;
            let real = real.to_owned();
            self.runs.insert(found[0].to_owned(), real);
        }
        let swap = |text: String, (shown, real): (&String, &String)| text.replace(shown, real);
        Ok(self.runs.iter().fold(text.to_owned(), swap))
    }

    /// What is printed, as the page would show it.
    fn with_shown_names(&self, text: &str) -> String {
        let swap = |text: String, (shown, real): (&String, &String)| text.replace(real, shown);
        self.runs.iter().fold(text.to_owned(), swap)
    }

    fn call(&mut self, call: &Call, expected: i32) -> Result<(), String> {
        let outcome = self.carry_out(&call.command)?;
        let printed = self.with_shown_names(&outcome.stdout);
        if outcome.code != expected {
            return Err(format!("ends with {}, not {expected}:\n{printed}", outcome.code));
        }
        let printed: Vec<&str> = printed.trim_end().lines().map(str::trim_end).collect();
        let shown: Vec<&str> = call.shown.iter().map(String::as_str).collect();
        if shown.is_empty() || fits(&shown, &printed) {
            return Ok(());
        }
        Err(format!("prints something else:\n{}", printed.join("\n")))
    }
}

/// Whether lines are what a page shows of them.
fn fits(shown: &[&str], printed: &[&str]) -> bool {
    match (shown.split_first(), printed.split_first()) {
        (None, None) => true,
        (Some((&"...", rest)), _) => (0..=printed.len()).any(|skip| fits(rest, &printed[skip..])),
        (Some((line, shown)), Some((found, printed))) => is_line(line, found) && fits(shown, printed),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

fn is_line(shown: &str, printed: &str) -> bool {
    let parts: Vec<String> = shown.split("[..]").map(regex::escape).collect();
    Regex::new(&format!("^{}$", parts.join(".*")))
        .unwrap()
        .is_match(printed)
}

/// What is wrong with the commands of a page.
fn wrong_in(page: &Path) -> (usize, Vec<String>) {
    let text = std::fs::read_to_string(page).unwrap();
    let (mut stage, mut wrong, mut seen) = (Stage::new(), Vec::new(), 0);
    let parts = match parts(&text) {
        Ok(parts) => parts,
        Err(error) => return (0, vec![format!("{}: {error}", name_of(page))]),
    };
    for part in parts {
        match part {
            Part::Fresh => stage = Stage::new(),
            Part::File(name, text) => drop(stage.project.write(&name, &text)),
            Part::Before(command) => {
                if let Err(error) = stage.carry_out(&command) {
                    wrong.push(format!("{}: {command}\n{error}", name_of(page)));
                }
            }
            Part::Block(Block { line, exits, calls }) => {
                for (at, call) in calls.iter().enumerate() {
                    seen += 1;
                    let expected = exits.get(at).copied().unwrap_or(0);
                    if let Err(error) = stage.call(call, expected) {
                        wrong.push(format!("{}:{line}: {}\n{error}", name_of(page), call.command));
                    }
                }
            }
        }
    }
    (seen, wrong)
}

#[test]
fn every_command_of_the_book_does_what_its_page_says() {
    // The pages about errors show mistakes.
    let pages = documents().into_iter().filter(|page| {
        page.starts_with(root().join("docs")) && !page.starts_with(root().join("docs/errors"))
    });
    let pages: Vec<PathBuf> = pages.collect();
    // Side by side, since some commands wait.
    let found = std::thread::scope(|threads| {
        let pages = pages.iter().map(|page| threads.spawn(|| wrong_in(page)));
        let pages: Vec<_> = pages.collect();
        let found = pages.into_iter().map(|page| page.join().unwrap());
        found.collect::<Vec<_>>()
    });
    let (seen, wrong): (Vec<usize>, Vec<Vec<String>>) = found.into_iter().unzip();
    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let seen: usize = seen.iter().sum();
    assert!(seen > 40, "no more than {seen} commands were carried out");
}

#[test]
fn what_a_page_shows_is_compared() {
    let page = "<!-- exits: 2 -->\n```console\n$ runbook explain RB9999\nerror[RB0503]: `RB9999` [..]\n...\n$ echo a; \\\n    echo b\na\nc\n```\n";
    let Ok(parts) = parts(page) else {
        panic!("it is read")
    };
    let [Part::Block(block)] = parts.as_slice() else {
        panic!("one block")
    };
    let mut stage = Stage::new();
    stage.call(&block.calls[0], block.exits[0]).unwrap();
    stage.call(&block.calls[0], 0).unwrap_err();
    let other = stage.call(&block.calls[1], 0).unwrap_err();
    assert!(other.ends_with("a\nb"), "{other}");
    assert!(self::parts("<!-- not run: no -->\n").is_err());
    stage
        .call(
            &Call {
                command: "runbook show farm-7f3a".to_owned(),
                shown: Vec::new(),
            },
            0,
        )
        .unwrap_err();
}

#[test]
fn every_page_is_in_the_table_of_contents() {
    let contents = std::fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let link = Regex::new(r"\]\(([^)]+)\)").unwrap();
    let listed: Vec<PathBuf> = link
        .captures_iter(&contents)
        .map(|found| root().join("docs").join(&found[1]))
        .collect();
    let missing: Vec<String> = documents()
        .into_iter()
        .filter(|page| page.starts_with(root().join("docs")) && !page.ends_with("SUMMARY.md"))
        .filter(|page| !listed.contains(page))
        .map(|page| name_of(&page))
        .collect();
    assert!(missing.is_empty(), "docs/SUMMARY.md lacks {missing:?}");
}

#[test]
fn no_page_of_the_book_links_to_a_file_that_is_not_in_it() {
    let link = Regex::new(r"\]\(((?:\.\./)+[^)\s#]*)[^)]*\)").unwrap();
    let docs = root().join("docs").canonicalize().unwrap();
    let mut wrong = Vec::new();
    for page in documents()
        .into_iter()
        .filter(|page| page.starts_with(root().join("docs")))
    {
        let text = std::fs::read_to_string(&page).unwrap();
        for found in link.captures_iter(&text) {
            let target = page.parent().unwrap().join(&found[1]).canonicalize();
            if !target.is_ok_and(|target| target.starts_with(&docs)) {
                wrong.push(format!("{}: {}", name_of(&page), &found[1]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_made_from_the_program_is_as_it_makes_it() {
    let project = Project::new();
    let docs = root().join("docs");
    let mut pages = vec![docs.join("SUMMARY.md")];
    pages.extend(
        documents()
            .into_iter()
            .filter(|page| page.starts_with(docs.join("reference"))),
    );
    let copies: Vec<PathBuf> = pages
        .iter()
        .map(|page| project.write(&name_of(page), &std::fs::read_to_string(page).unwrap()))
        .collect();
    let words = std::iter::once(Path::new("reference")).chain(copies.iter().map(PathBuf::as_path));
    let told = project.run(words).code(0).stderr;
    let again = "cargo run -- reference docs/SUMMARY.md docs/reference/*.md";
    assert!(told.is_empty(), "{told}\nbring them up to date: {again}");

    project.write("page.md", "a\n<!-- made: nothing -->\n<!-- end -->\n");
    project
        .run(["reference", "page.md"])
        .code(2)
        .tells("nothing is made that is called `nothing`");
    assert_eq!(
        project.read("page.md").unwrap(),
        "a\n<!-- made: nothing -->\n<!-- end -->\n"
    );
}

#[test]
fn the_book_is_built_and_every_link_in_it_leads_somewhere() {
    let Some(mdbook) = program(&["mdbook"], "RUNBOOK_TEST_MDBOOK") else {
        return;
    };
    let project = Project::new();
    let mut mdbook = std::process::Command::new(mdbook);
    mdbook.arg("build").arg(root().join("docs"));
    mdbook.arg("--dest-dir").arg(project.path());
    let told: Outcome = mdbook.output().expect("mdbook is there").into();
    assert!(told.code == 0 && !told.stderr.contains("WARN"), "{}", told.stderr);
    let mut pages = BTreeMap::new();
    built(project.path(), &mut pages);
    assert!(pages.len() > 50, "{:?}", pages.keys());
    let link = Regex::new(r#"<a [^>]*?href="([^"]+)""#).unwrap();
    let mut wrong = Vec::new();
    for (page, text) in &pages {
        for found in link.captures_iter(text).map(|found| found[1].to_owned()) {
            let (path, anchor) = found.split_once('#').unwrap_or((&found, ""));
            let target = if path.is_empty() {
                page.clone()
            } else {
                page.parent().unwrap().join(path)
            };
            let there = target.canonicalize().is_ok_and(|target| {
                let id = format!("id=\"{anchor}\"");
                anchor.is_empty() || pages.get(&target).is_some_and(|text| text.contains(&id))
            });
            if !there && !found.contains("://") {
                wrong.push(format!("{}: {found}", page.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The pages of a book that was built, but for those that repeat others.
fn built(folder: &Path, pages: &mut BTreeMap<PathBuf, String>) {
    for entry in std::fs::read_dir(folder.canonicalize().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        let repeats = ["print.html", "404.html", "toc.html"]
            .iter()
            .any(|name| path.ends_with(name));
        if path.is_dir() {
            built(&path, pages);
        } else if path.extension().is_some_and(|extension| extension == "html") && !repeats {
            let text = std::fs::read_to_string(&path).unwrap();
            pages.insert(path, text);
        }
    }
}
