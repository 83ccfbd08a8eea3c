//! The documents tell the truth: their runbooks can be used, their links lead somewhere, and the codes, commands
//! and options that they name exist.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::support::Project;

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A fenced block of a document.
pub(crate) struct Block {
    /// Where it begins, as `file:line`.
    place: String,
    /// What stands behind the opening fence.
    pub(crate) tag: String,
    pub(crate) text: String,
}

/// All Markdown files that belong to the project.
pub(crate) fn documents() -> Vec<PathBuf> {
    fn below(folder: &Path, deep: bool, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && deep {
                below(&path, deep, found);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    below(root(), false, &mut found);
    below(&root().join("docs"), true, &mut found);
    below(&root().join("runbooks"), true, &mut found);
    found.sort();
    assert!(found.len() > 20, "the documents are not where they were");
    found
}

pub(crate) fn name_of(document: &Path) -> String {
    document.strip_prefix(root()).unwrap().display().to_string()
}

pub(crate) fn blocks(document: &Path) -> Vec<Block> {
    let text = std::fs::read_to_string(document).unwrap();
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<(usize, Block)> = None;
    for (at, line) in text.lines().enumerate() {
        let (indent, rest) = (line.len() - line.trim_start().len(), line.trim_start());
        match (&mut open, rest.strip_prefix("```")) {
            (None, Some(tag)) => {
                let place = format!("{}:{}", name_of(document), at + 1);
                let (tag, text) = (tag.trim().to_owned(), String::new());
                open = Some((indent, Block { place, tag, text }));
            }
            (Some(_), Some(_)) => blocks.extend(open.take().map(|(_, block)| block)),
            (Some((indent, block)), None) => {
                block.text += line.get(*indent..).unwrap_or_default();
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{}: a block is not closed", name_of(document));
    blocks
}

#[track_caller]
fn nothing_is_wrong(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_runbook_in_the_documents_passes_the_check() {
    let project = Project::new();
    let mut wrong = Vec::new();
    let mut checked = 0;
    // The pages of the error codes show mistakes.
    let mistakes = |document: &PathBuf| {
        document
            .parent()
            .is_some_and(|folder| folder.ends_with("docs/errors"))
    };
    for document in documents().into_iter().filter(|document| !mistakes(document)) {
        for block in blocks(&document).into_iter().filter(|block| block.tag == "yaml") {
            let file = project.write("block.yaml", &block.text);
            let outcome = project.run([Path::new("check"), &file]);
            checked += 1;
            if outcome.code != 0 {
                wrong.push(format!("{}:\n{}", block.place, outcome.stderr));
            }
        }
    }
    nothing_is_wrong(&wrong);
    assert!(checked > 0, "no document shows a runbook");
}

#[test]
fn every_overlay_in_the_documents_goes_on_its_runbook() {
    let project = Project::new();
    let (mut wrong, mut checked) = (Vec::new(), 0);
    for block in documents().iter().flat_map(|document| blocks(document)) {
        let Some(runbook) = block.tag.strip_prefix("yaml overlay of ") else {
            continue;
        };
        project.write("overlay.yaml", &block.text);
        let outcome = project.run(["check", runbook, "--overlay", "overlay.yaml"]);
        checked += 1;
        if outcome.code != 0 || outcome.stderr.contains("warning") {
            wrong.push(format!("{}:\n{}", block.place, outcome.stderr));
        }
    }
    nothing_is_wrong(&wrong);
    assert!(checked > 0, "no document shows an overlay");
}

#[test]
fn every_test_in_the_documents_passes() {
    let project = Project::new();
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for block in documents().iter().flat_map(|document| blocks(document)) {
        if block.tag == "yaml tests" {
            project.write("block.test.yaml", &block.text);
            let outcome = project.run(["test", "block.test.yaml"]);
            tried += 1;
            if outcome.code != 0 {
                wrong.push(format!("{}:\n{}{}", block.place, outcome.stdout, outcome.stderr));
            }
        }
    }
    nothing_is_wrong(&wrong);
    assert!(tried > 0, "no document shows tests");
}

#[test]
fn every_runbook_that_ships_passes_the_check_and_a_rehearsal() {
    let entries = std::fs::read_dir(root().join("runbooks")).unwrap();
    let runbooks = entries.map(|entry| entry.unwrap().path());
    let is_runbook = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.ends_with(".yaml") && !name.ends_with(".test.yaml")
    };
    let runbooks = runbooks.filter(is_runbook);
    let mut played = 0;
    for runbook in runbooks {
        let project = Project::new();
        let file = runbook.to_str().unwrap();
        project.run(["check", file]).code(0);
        project.run(["exec", file, "--rehearse"]).code(0);
        assert_eq!(project.only_run()["status"], "completed", "{file}");
        played += 1;
    }
    assert!(played > 0, "no runbook ships");
}

#[test]
fn every_code_has_its_page_and_every_page_its_code() {
    let project = Project::new();
    let listed = project.run(["explain"]).code(0).stdout;
    let titles: BTreeMap<&str, &str> = listed
        .lines()
        .map(|line| line.split_once("  ").unwrap())
        .collect();
    assert!(titles.len() > 20, "{listed}");
    for (code, title) in &titles {
        let page = std::fs::read_to_string(root().join(format!("docs/errors/{code}.md"))).unwrap();
        assert_eq!(page.lines().next(), Some(format!("# {code}: {title}").as_str()));
        let explained = project.run(["explain", code]).code(0).stdout;
        // Without the links, which lead to files that the reader does not have.
        let shown: Vec<&str> = explained.lines().collect();
        let for_readers = |line: &&str| {
            !line.contains("](") && !line.starts_with("<!--") && !line.trim_start().starts_with("```")
        };
        let kept = page.lines().filter(for_readers);
        for line in kept {
            assert!(shown.contains(&line), "{code}: {line}");
        }
        assert!(!explained.contains(".md)"), "{explained}");
    }
    let pages = std::fs::read_dir(root().join("docs/errors")).unwrap();
    let pages = pages.map(|page| page.unwrap().path());
    let strays: Vec<String> = pages
        .map(|page| page.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name.starts_with("RB") && !titles.contains_key(name.as_str()))
        .collect();
    nothing_is_wrong(&strays);
}

#[test]
fn every_link_between_documents_leads_to_a_file_and_its_heading() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let code = Regex::new(r"`[^`\n]*`").unwrap();
    let mut wrong = Vec::new();
    for document in documents() {
        let prose = prose(&std::fs::read_to_string(&document).unwrap());
        let prose = code.replace_all(&prose, "");
        for target in link.captures_iter(&prose).map(|found| found[1].to_owned()) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let file = if path.is_empty() {
                document.clone()
            } else {
                document.parent().unwrap().join(path)
            };
            let there = match std::fs::read_to_string(&file) {
                Ok(text) => anchor.is_empty() || anchors(&text).iter().any(|one| one == anchor),
                Err(_) => file.is_dir() && anchor.is_empty(),
            };
            if !there {
                wrong.push(format!("{}: {target}", name_of(&document)));
            }
        }
    }
    nothing_is_wrong(&wrong);
}

/// A document without its blocks of code.
fn prose(text: &str) -> String {
    let mut in_code = false;
    let lines = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !in_code && !fence
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The anchors of a document's headings, as the usual renderers make them.
fn anchors(text: &str) -> Vec<String> {
    let prose = prose(text);
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    let anchors = headings.map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    });
    anchors.collect()
}

#[test]
fn the_help_and_the_reference_name_the_same_exit_codes() {
    let project = Project::new();
    let help = project.run(["--help"]).code(0).stdout;
    let told = help
        .split("Exit codes:")
        .nth(1)
        .expect("the help names the exit codes");
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    let number = Regex::new(r"(?:^|, )(\d+) ").unwrap();
    let told: Vec<&str> = number
        .captures_iter(&told)
        .map(|found| found.get(1).unwrap().as_str())
        .collect();

    let page = std::fs::read_to_string(root().join("docs/reference/exit-codes.md")).unwrap();
    let row = Regex::new(r"(?m)^\| (\d+) \|").unwrap();
    let documented: Vec<&str> = row
        .captures_iter(&page)
        .map(|found| found.get(1).unwrap().as_str())
        .collect();
    assert_eq!(told, documented);
    assert_eq!(documented.len(), 8);
}

#[test]
fn every_command_in_the_documents_exists_with_its_options() {
    let project = Project::new();
    let mut helps: BTreeMap<Vec<String>, String> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for document in documents() {
        for block in blocks(&document)
            .into_iter()
            .filter(|block| block.tag == "console")
        {
            for line in commands(&block.text) {
                seen += 1;
                let words: Vec<&str> = line.split_whitespace().collect();
                if let Err(why) = is_understood(&project, &mut helps, &words) {
                    wrong.push(format!("{}: {line}\n  {why}", block.place));
                }
            }
        }
    }
    nothing_is_wrong(&wrong);
    assert!(seen > 10, "the documents name {seen} commands");
}

/// The lines of a console block that call the program; a line that ends with `\` goes on.
pub(crate) fn commands(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    let typed = joined.lines().filter_map(|line| line.trim().strip_prefix("$ "));
    let calls = typed.filter_map(|line| Some(format!("runbook {}", line.split_once("runbook ")?.1)));
    let calls = calls.filter(|call| !call.starts_with("runbook |"));
    calls.collect()
}

/// Whether the program has the subcommand, and the subcommand every option, that a line names.
fn is_understood(
    project: &Project,
    helps: &mut BTreeMap<Vec<String>, String>,
    words: &[&str],
) -> Result<(), String> {
    let bare = |word: &&&str| word.chars().all(|c| c.is_ascii_lowercase());
    let mut path: Vec<String> = words[1..]
        .iter()
        .take_while(bare)
        .take(1)
        .map(|&word| word.to_owned())
        .collect();
    if path == ["journal"] || path == ["practice"] {
        path.extend(words.get(2).filter(bare).map(|&word| word.to_owned()));
    }
    let help = helps.entry(path.clone()).or_insert_with(|| {
        let args = path.iter().map(String::as_str).chain(["--help"]);
        let outcome = project.run(args);
        if outcome.code == 0 {
            outcome.stdout
        } else {
            String::new()
        }
    });
    if help.is_empty() {
        return Err(format!("there is no command `{}`", path.join(" ")));
    }
    let option = Regex::new(r"^--?[a-zA-Z][a-z-]*").unwrap();
    // Quoted texts may hold anything.
    let mut quoted = false;
    for word in words {
        let was_quoted = quoted;
        quoted ^= word.matches(['"', '\'']).count() % 2 == 1;
        let Some(name) = option.find(word).filter(|_| !was_quoted) else {
            continue;
        };
        let named = Regex::new(&format!(
            r"(?m)(^|[\s,]){}([\s,<.]|$)",
            regex::escape(name.as_str())
        ))
        .unwrap();
        if !named.is_match(help) {
            return Err(format!("`{}` has no option `{}`", path.join(" "), name.as_str()));
        }
    }
    Ok(())
}
