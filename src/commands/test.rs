//! `runbook test`

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use runbook_engine::diagnostic::{Code, Diagnostic, SourceFile};
use runbook_engine::id::StepId;
use runbook_engine::runbook::Runbook;
use runbook_engine::runbook::cases::{Case, Cases, read_cases};
use runbook_engine::runtime::trial::{Stage, Verdict, try_case};
use runbook_engine::step::Outputs;
use runbook_steps::manual::ManualInputs;
use serde_json::{Value, json};

use super::{load, pages, read_bounded};
use crate::error::Failed;
use crate::exit::Exit;
use crate::overlays::Wanted;
use crate::render::layout::{Width, pad, widest};
use crate::render::style::{BAD, CARE, DIM, GOOD, count, paint};
use crate::render::{self, diagnostic, page, plain};
use crate::setting::Setting;
use crate::shipped;

/// The largest file of tests, in bytes.
const LARGEST: u64 = 4 * 1024 * 1024;

/// The widest column of names.
const WIDEST_NAME: usize = 40;

/// Carry out a runbook's own tests; touches nothing
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The tests of NAME.yaml stand beside it in NAME.test.yaml, such as

  tests: farm.yaml
  cases:
    all-goes-well:
      expect: { run: completed }
    the-copy-fails:
      steps: { copy: { fails: the disk is full } }
      expect: { run: failed, steps: { announce: blocked } }

`runbook test --keys` tells all that such a file can say.

Examples:
  runbook test farm.yaml
  runbook test contoso.test.yaml --filter refused
  runbook test hybrid-s2s --overlay contoso.yaml"
)]
pub(crate) struct Args {
    /// Files of tests, or runbooks that have one
    #[arg(required_unless_present = "keys", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Show all that a file of tests can say
    #[arg(long, conflicts_with_all = ["files", "filter"])]
    keys: bool,
    /// Only cases whose name holds this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    #[command(flatten)]
    overlays: Wanted,
}

/// Tests, and where what they name is looked for.
struct Suite {
    cases: Cases,
    folder: PathBuf,
    /// The runbook, where its name is known: it ships with the tests.
    ships: Option<&'static str>,
}

pub(crate) fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    if args.keys {
        page::print(pages::TESTS);
        return Ok(Exit::Done);
    }
    let suites: Vec<Suite> = args
        .files
        .iter()
        .map(|path| suite(path))
        .collect::<Result<_, _>>()?;
    let chosen = |case: &Case| {
        let filter = args.filter.as_deref().unwrap_or_default();
        case.name.value.contains(filter)
    };
    if !suites.iter().any(|suite| suite.cases.cases.iter().any(chosen)) {
        return Err(nothing_chosen(&suites, args.filter.as_deref().unwrap_or_default()).into());
    }
    let (mut passed, mut failed) = (0, 0);
    for suite in &suites {
        let mut loaded = Vec::new();
        let cases: Vec<&Case> = suite.cases.cases.iter().filter(|case| chosen(case)).collect();
        let names = widest(cases.iter().map(|case| plain(&case.name.value)), WIDEST_NAME);
        if !setting.global.json && !cases.is_empty() {
            setting.look.tell(&plain(&suite.cases.file.name));
        }
        for case in cases {
            let runbook = once(&mut loaded, case, || {
                runbook(suite, case, &args.overlays, setting)
            })?;
            let verdict = carry_out(suite, case, runbook)?;
            match verdict.failures.is_empty() {
                true => passed += 1,
                false => failed += 1,
            }
            tell(suite, case, &verdict, names, setting);
        }
        if args.filter.is_none() {
            tell_untried(suite, &loaded, setting);
        }
    }
    let word = if failed == 0 {
        paint(GOOD, format!("{passed} passed"))
    } else {
        format!("{passed} passed, {}", paint(BAD, format!("{failed} failed")))
    };
    setting
        .look
        .tell(&format!("{}: {word}", count(passed + failed, "case")));
    Ok(if failed == 0 { Exit::Done } else { Exit::Failed })
}

/// The tests that a path means: a file of them, or those of a runbook.
fn suite(path: &Path) -> Result<Suite, Failed> {
    let typed = path.to_string_lossy();
    if !path.is_file()
        && let Some(shipped) = shipped::find(&typed)
    {
        let file = SourceFile::new(format!("{}.test.yaml (ships)", shipped.name), shipped.tests);
        return Ok(Suite {
            cases: read_cases(&file).map_err(Failed::input)?,
            folder: PathBuf::new(),
            ships: Some(shipped.name),
        });
    }
    let is_tests = typed.ends_with(".test.yaml") || typed.ends_with(".test.yml");
    let file = if is_tests { path.to_owned() } else { beside(path)? };
    let text = read_bounded(&file, LARGEST).map_err(|error| {
        let message = format!("the tests `{}` cannot be read", file.display());
        let problem = Diagnostic::error(Code::UnreadableFile, message).caused_by(&error);
        problem.help("give the path of a file of tests, or of a runbook that has NAME.test.yaml beside it")
    })?;
    let source = SourceFile::new(file.display().to_string(), text);
    Ok(Suite {
        cases: read_cases(&source).map_err(Failed::input)?,
        folder: file.parent().map(Path::to_owned).unwrap_or_default(),
        ships: None,
    })
}

/// The tests that stand beside a runbook.
fn beside(runbook: &Path) -> Result<PathBuf, Failed> {
    if !runbook.is_file() {
        return Ok(runbook.to_owned());
    }
    let mut name = runbook.file_stem().unwrap_or_default().to_owned();
    name.push(".test.yaml");
    let file = runbook.with_file_name(name);
    if file.is_file() {
        return Ok(file);
    }
    let message = format!("the runbook `{}` has no tests", runbook.display());
    let problem = Diagnostic::error(Code::NoTests, message);
    let help = format!(
        "write them in `{}`: `runbook explain RB0061` shows how",
        file.display()
    );
    Err(problem.help(help).into())
}

fn nothing_chosen(suites: &[Suite], filter: &str) -> Diagnostic {
    let names = suites.iter().flat_map(|suite| &suite.cases.cases);
    let names: Vec<&str> = names.map(|case| case.name.value.as_str()).collect();
    let problem = Diagnostic::error(Code::NoTests, format!("no case is named like `{filter}`"));
    problem
        .did_you_mean(filter, names.iter().copied())
        .help(format!("the cases are {}", render::style::names(&names)))
}

/// Runbooks that were read already, by the overlays on them.
type Read = Vec<(Vec<String>, Runbook)>;

/// The runbook of a case; one with the same overlays is read once, and what is said of it is said once.
fn once(
    read: &mut Read,
    case: &Case,
    load: impl FnOnce() -> Result<Runbook, Failed>,
) -> Result<Runbook, Failed> {
    let overlays: Vec<String> = case.overlays.iter().map(|file| file.value.clone()).collect();
    if let Some((_, runbook)) = read.iter().find(|(known, _)| *known == overlays) {
        return Ok(runbook.clone());
    }
    let runbook = load()?;
    read.push((overlays, runbook.clone()));
    Ok(runbook)
}

/// The runbook of a case, with its overlays.
fn runbook(suite: &Suite, case: &Case, overlays: &Wanted, setting: &Setting) -> Result<Runbook, Failed> {
    let wanted = &suite.cases.runbook;
    let overlays = overlays.after(case.overlays.iter().map(|file| suite.folder.join(&file.value)));
    if let Some(name) = suite.ships {
        return load::runbook(Path::new(name), &overlays, setting);
    }
    let file = suite.folder.join(&wanted.value);
    if file.is_file() {
        return load::runbook(&file, &overlays, setting);
    }
    if shipped::find(&wanted.value).is_some() {
        return load::runbook(Path::new(&wanted.value), &overlays, setting);
    }
    let message = format!("there is no runbook `{}`", file.display());
    let problem = Diagnostic::error(Code::UnreadableFile, message).at(&suite.cases.file, wanted.span, "");
    let problem = problem.did_you_mean(&wanted.value, shipped::names());
    Err(problem
        .help("name a file, from the folder of the tests, or a runbook that ships")
        .into())
}

/// Carries out a case on a thread of its own: the clock of a test needs a runtime for itself.
fn carry_out(suite: &Suite, case: &Case, runbook: Runbook) -> Result<Verdict, Failed> {
    let stage = Stage {
        check_values: &check_values,
        program: env!("CARGO_PKG_VERSION"),
    };
    let fault =
        |error: &(dyn std::error::Error + 'static)| Failed::fault("the test could not be begun", error);
    std::thread::scope(|scope| {
        let case = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            Ok(runtime.block_on(try_case(runbook, &suite.cases, case, &stage)))
        });
        let broke_off = || std::io::Error::other("it broke off: a fault of the program");
        let ended: std::io::Result<Verdict> = case.join().unwrap_or_else(|_| Err(broke_off()));
        ended.map_err(|error| fault(&error))
    })
}

/// What a person enters, held against what the manual step asks for.
fn check_values(inputs: &Value, values: &Outputs) -> Result<Outputs, Vec<String>> {
    let inputs: ManualInputs =
        serde_json::from_value(inputs.clone()).map_err(|error| vec![error.to_string()])?;
    inputs.check_values(values)
}

/// Says which scripts beside the runbook no case carries out: what is wrong with them, these tests do not find.
fn tell_untried(suite: &Suite, loaded: &Read, setting: &Setting) {
    let worlds = suite.cases.cases.iter().flat_map(|case| &case.steps);
    let worlds = worlds.filter(|(_, script)| script.value.world.is_some());
    let tried: BTreeSet<&StepId> = worlds.map(|(id, _)| id.step()).collect();
    let mut kinds: BTreeMap<&str, (&StepId, bool)> = BTreeMap::new();
    for (_, runbook) in loaded {
        let is_script = |kind: &str| {
            let found = runbook.registry().get(kind);
            found.is_ok_and(|kind| kind.definition().is_some())
        };
        for step in runbook
            .steps()
            .values()
            .filter(|step| is_script(step.uses.as_str()))
        {
            let (_, is_tried) = kinds.entry(step.uses.as_str()).or_insert((&step.id, false));
            *is_tried |= tried.contains(&step.id);
        }
    }
    for (kind, (step, _)) in kinds.iter().filter(|(_, (_, is_tried))| !is_tried) {
        let text = format!(
            "no case carries out the script of `{kind}`, so that nothing here shows whether it works: give one of its steps a \
             `world:`, as `steps: {{ {step}: {{ world: {{}} }} }}`"
        );
        setting
            .look
            .tell(&Width::of_talk().wrap(&paint(CARE, "  ! "), 4, &plain(&text)));
    }
}

fn tell(suite: &Suite, case: &Case, verdict: &Verdict, names: usize, setting: &Setting) {
    let ok = verdict.failures.is_empty();
    if setting.global.json {
        let failures: Vec<Value> = verdict.failures.iter().map(diagnostic::as_json).collect();
        return render::json(&json!({
            "file": suite.cases.file.name,
            "case": case.name.value,
            "title": case.title,
            "ok": ok,
            "status": verdict.status,
            "failures": failures,
        }));
    }
    let (sign, style) = if ok { ('✓', GOOD) } else { ('✗', BAD) };
    let name = pad(&plain(&case.name.value), names);
    let end = match verdict.status {
        Some(status) => format!("{status}, {}", count(verdict.steps, "step")),
        None => "not carried out".to_owned(),
    };
    let title = case.title.as_deref().map(|title| paint(DIM, plain(title)));
    let said = title.map_or_else(|| end.clone(), |title| format!("{end}  {title}"));
    let width = Width::of_results();
    render::result(
        width
            .wrap(&format!("  {} {name}  ", paint(style, sign)), 6, &said)
            .trim_end(),
    );
    diagnostic::print_all(&verdict.failures, setting);
}
