//! The rules of the house that a compiler does not check: the size of files, their first lines, which part may
//! name which, and where the system may show through.

use std::path::{Path, PathBuf};

use regex::Regex;

/// The most lines of code that a file may have.
const LONGEST: usize = 400;

/// A file of the program, without its tests.
struct Source {
    /// Its path from the repository's root, with slashes.
    path: String,
    /// Its lines before its tests.
    code: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files below a folder, sorted.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The path of a file from the repository's root, with slashes, and its text.
fn read(file: &Path) -> (String, String) {
    let path = file.strip_prefix(root()).unwrap().to_str().unwrap();
    (path.replace('\\', "/"), std::fs::read_to_string(file).unwrap())
}

/// The files of the program and its libraries, tests aside.
fn sources() -> Vec<Source> {
    let folders = ["src", "engine/src", "engine/win32/src", "steps/src"];
    let files = folders.iter().flat_map(|folder| rust_files(&root().join(folder)));
    let sources = files.map(|file| {
        let (path, text) = read(&file);
        let code = text
            .split("\n#[cfg(test)]\nmod tests {")
            .next()
            .unwrap()
            .to_owned();
        Source { path, code }
    });
    let sources: Vec<Source> = sources
        .filter(|source| !source.path.ends_with("/tests.rs") && !source.path.contains("/tests/"))
        .collect();
    assert!(sources.len() > 50, "the sources are not where they were");
    sources
}

impl Source {
    fn is_below(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }

    /// The lines that match, as `path:line: text`; comments do not count.
    fn lines_with<'a>(&'a self, pattern: &'a Regex) -> impl Iterator<Item = String> + 'a {
        let lines = self.code.lines().enumerate();
        let matching =
            lines.filter(|(_, line)| !line.trim_start().starts_with("//") && pattern.is_match(line));
        matching.map(|(at, line)| format!("{}:{}: {}", self.path, at + 1, line.trim()))
    }
}

/// Nothing that matches stands in the files that are chosen.
#[track_caller]
fn nowhere(rule: &str, pattern: &str, chosen: impl Fn(&Source) -> bool) {
    let pattern = Regex::new(pattern).unwrap();
    let sources = sources();
    let chosen: Vec<&Source> = sources.iter().filter(|source| chosen(source)).collect();
    assert!(!chosen.is_empty(), "{rule}: no file is meant");
    let found: Vec<String> = chosen
        .iter()
        .flat_map(|source| source.lines_with(&pattern))
        .collect();
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

#[test]
fn no_file_is_longer_than_can_be_kept_in_mind() {
    let too_long: Vec<String> = sources()
        .iter()
        .map(|source| (source, source.code.lines().count()))
        .filter(|(_, lines)| *lines > LONGEST)
        .map(|(source, lines)| format!("{}: {lines} lines", source.path))
        .collect();
    assert!(too_long.is_empty(), "{}", too_long.join("\n"));
}

#[test]
fn every_file_says_first_what_it_is_about() {
    let silent: Vec<String> = [
        "build",
        "src",
        "engine/src",
        "engine/win32/src",
        "engine/tests",
        "steps/src",
        "steps/tests",
        "tests",
    ]
    .iter()
    .map(|folder| root().join(folder))
    .filter(|folder| folder.is_dir())
    .flat_map(|folder| rust_files(&folder))
    // Tests beside a module are about that module.
    .filter(|file| !file.ends_with("tests.rs"))
    .filter(|file| !std::fs::read_to_string(file).unwrap().starts_with("//! "))
    .map(|file| file.display().to_string())
    .collect();
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

#[test]
fn the_engine_knows_no_plugin_no_terminal_and_no_surroundings() {
    let engine = |source: &Source| source.is_below("engine/src/");
    nowhere(
        "the engine names no built-in plugin",
        r"\brunbook_steps\b",
        engine,
    );
    nowhere(
        "the engine knows no terminal",
        r"\b(anstream|anstyle|inquire|crossterm|IsTerminal|clap)\b",
        engine,
    );
    // What starts programs hands the environment on to them as it is, and finds them by it.
    let starts = |source: &Source| {
        let of_systems = ["session.rs", "launch.rs"];
        of_systems
            .iter()
            .any(|file| source.is_below(&format!("engine/src/platform/{file}")))
    };
    nowhere(
        "the engine reads no environment",
        r"\bstd::env\b|\benv::(var|vars|args|current_dir)\b",
        |source| engine(source) && !starts(source),
    );
    nowhere(
        "the engine knows no home folder",
        r"\b(dirs|home_dir|whoami|gethostname)::",
        engine,
    );
}

#[test]
fn the_core_knows_neither_journal_nor_runtime() {
    let core = |source: &Source| source.is_below("engine/src/core/");
    nowhere(
        "the core is pure",
        r"\bcrate::(journal|runtime|platform)\b|\b(tokio|sled|async_trait)::|\basync fn\b|\.await\b",
        core,
    );
}

#[test]
fn no_plugin_knows_the_journal() {
    let steps = |source: &Source| source.is_below("steps/src/");
    nowhere(
        "plugins do not know the journal",
        r"\brunbook_engine::(journal|runtime)\b",
        steps,
    );
    nowhere(
        "plugins do not know the program",
        r"\b(anstream|inquire|clap)::",
        steps,
    );
}

/// What asks which system it is on.
const ASKS: &str = r#"\b(unix|windows)\b.*\bcfg\b|\bcfg!?\b.*\b(unix|windows|target_os|target_family)\b|\bstd::os::(unix|windows|linux)\b"#;

/// What one system alone can do.
const CAN: &str = r"\brunbook_win32\b|\bwindows_sys\b|\bnix::";

#[test]
fn what_differs_between_systems_stands_in_one_folder() {
    let elsewhere =
        |source: &Source| !source.is_below("engine/src/platform/") && !source.is_below("engine/win32/");
    nowhere(
        "differences between systems belong in `platform`",
        ASKS,
        elsewhere,
    );
    nowhere(
        "what Windows alone can do is asked for in `platform`",
        CAN,
        elsewhere,
    );
}

#[test]
fn what_differs_in_tests_stands_in_files_of_that_name() {
    let pattern = Regex::new(&format!("{ASKS}|{CAN}")).unwrap();
    let of_one_system = Regex::new(r"/(platform|unix|windows)(\.rs$|/)|/tidy\.rs$").unwrap();
    // Where such a file is named.
    let names = Regex::new(r"^(pub(\(crate\))? )?(mod|use self::)\W*(unix|windows)\b").unwrap();
    let folders = [
        "engine/src",
        "engine/tests",
        "src",
        "steps/src",
        "steps/tests",
        "tests",
    ];
    let files = folders.iter().flat_map(|folder| rust_files(&root().join(folder)));
    let (mut looked_at, mut found) = (0, Vec::new());
    for file in files {
        let (path, code) = read(&file);
        if of_one_system.is_match(&path) {
            continue;
        }
        looked_at += 1;
        let source = Source { path, code };
        let next = |line: &String| {
            let at: usize = line.split(':').nth(1).unwrap().parse().unwrap();
            source.code.lines().nth(at).unwrap_or_default()
        };
        found.extend(
            source
                .lines_with(&pattern)
                .filter(|line| !names.is_match(next(line))),
        );
    }
    assert!(looked_at > 200, "the tests are not where they were");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn one_package_alone_may_be_unsafe() {
    for package in [".", "engine", "steps"] {
        let text = std::fs::read_to_string(root().join(package).join("Cargo.toml")).unwrap();
        assert!(
            text.contains("[lints]\nworkspace = true\n"),
            "{package} has lints of its own"
        );
    }
    let workspace = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("unsafe_code = \"forbid\""));
    assert!(
        workspace.contains("members = [\"engine\", \"engine/win32\", \"steps\"]"),
        "a package is not looked at here"
    );
}

#[test]
fn nothing_ends_the_program_by_surprise() {
    // `#[expect(…)]` above a line is allowed where it gives its reason; clippy sees to that.
    let pattern = Regex::new(r"\.unwrap\(\)|\.expect\(|\b(panic|todo|unimplemented|unreachable)!").unwrap();
    let testing = |source: &Source| source.is_below("engine/src/testing/");
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| !testing(source)) {
        let excused = |line: &String| {
            let at: usize = line.split(':').nth(1).unwrap().parse().unwrap();
            let above: Vec<&str> = source.code.lines().skip(at.saturating_sub(8)).take(8).collect();
            above
                .iter()
                .any(|line| line.contains("expect(") && line.trim_start().starts_with("#["))
                || above
                    .iter()
                    .any(|line| line.trim_start().starts_with("#[expect("))
        };
        found.extend(source.lines_with(&pattern).filter(|line| !excused(line)));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn only_the_program_prints() {
    nowhere(
        "libraries do not print",
        r"\b(e?print(ln)?|dbg)!|\bio::(stdout|stderr)\(\)",
        |source| !source.is_below("src/"),
    );
}
