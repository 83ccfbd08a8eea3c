//! `runbook new`

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::id::{InvalidName, RunbookName};
use runbook_engine::portable;
use serde_json::json;

use super::output::unwritable;
use super::schema;
use crate::error::Failed;
use crate::exit::Exit;
use crate::render::layout::{Width, pad, widest};
use crate::render::{self, page};
use crate::setting::Setting;
use crate::shipped::{self, Shipped};

/// Begin a runbook: from a template, or with a copy of one that ships
#[derive(Debug, clap::Args)]
#[command(after_help = "Nothing is overwritten.

Examples:
  runbook new hello                          a small runbook to begin with, in hello.yaml
  runbook new farm --from hybrid-s2s         a copy of a runbook that ships, and its README
  runbook new --list                         the runbooks that ship
  runbook new --readme hybrid-s2s            what one of them is for, and what it needs")]
pub(crate) struct Args {
    /// The name of the new runbook, or the path of its file
    #[arg(value_name = "NAME", required_unless_present_any = ["list", "readme"])]
    name: Option<PathBuf>,
    /// Copy this runbook that ships, with its README
    #[arg(long, value_name = "SHIPPED", requires = "name")]
    from: Option<String>,
    /// List the runbooks that ship
    #[arg(long, conflicts_with_all = ["name", "readme"])]
    list: bool,
    /// Print the README of a runbook that ships
    #[arg(long, value_name = "SHIPPED", conflicts_with = "name")]
    readme: Option<String>,
}

pub(crate) fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    if let Some(wanted) = &args.readme {
        page::print(find(wanted)?.readme);
    } else if let Some(name) = &args.name {
        create(name, args.from.as_deref(), setting)?;
    } else {
        list(setting);
    }
    Ok(Exit::Done)
}

fn list(setting: &Setting) {
    let (names, width) = (widest(shipped::names(), usize::MAX), Width::of_results());
    for one in shipped::ALL {
        if setting.global.json {
            render::json(&json!({ "name": one.name, "about": one.about }));
        } else {
            let (name, indent) = match width.is_narrow() {
                true => (one.name.to_owned(), 4),
                false => (pad(one.name, names), names + 2),
            };
            render::result(&width.wrap(&format!("{name}  "), indent, one.about));
        }
    }
}

/// Writes the files of a new runbook, and says what to do next.
fn create(target: &Path, from: Option<&str>, setting: &Setting) -> Result<(), Failed> {
    let yaml = match target.extension() {
        Some(_) => target.to_owned(),
        None => target.with_extension("yaml"),
    };
    let name = name_of(&yaml)?;
    let mut files = Vec::new();
    match from {
        None => files.push((
            yaml.clone(),
            renamed(shipped::TEMPLATE, shipped::TEMPLATE_NAME, &name),
        )),
        Some(wanted) => {
            let shipped = find(wanted)?;
            files.push((yaml.clone(), renamed(shipped.yaml, shipped.name, &name)));
            files.push((yaml.with_extension("README.md"), shipped.readme.to_owned()));
            let beside = shipped.files.iter();
            files.extend(beside.map(|(name, text)| (yaml.with_file_name(name), (*text).to_owned())));
        }
    }
    // All are looked at before the first is written, so that a refusal leaves nothing behind.
    if let Some((there, _)) = files.iter().find(|(path, _)| path.symlink_metadata().is_ok()) {
        return Err(already(there));
    }
    for (path, text) in &files {
        make_folder_beside(&yaml, path)?;
        write(path, text)?;
        setting.look.tell(&format!("wrote {}", path.display()));
    }
    let beside = yaml.with_file_name(schema::FILE);
    if beside.symlink_metadata().is_err() {
        write(&beside, &(schema::text(schema::Kind::Runbook)? + "\n"))?;
        setting
            .look
            .tell(&format!("wrote {} for editors", beside.display()));
    }
    let file = yaml.display();
    let given = if from.is_none() {
        " --set \"folder=$PWD\""
    } else {
        ""
    };
    let next = [
        (format!("runbook check {file}"), "find mistakes"),
        (
            format!("runbook exec {file} --rehearse"),
            "play it through: nothing is touched",
        ),
        (format!("runbook exec {file}{given}"), "carry it out"),
    ];
    let commands = widest(next.iter().map(|(command, _)| command), usize::MAX);
    setting.look.tell("\nnext:");
    for (command, about) in next {
        setting
            .look
            .tell(&format!("  {}   {about}", pad(&command, commands)));
    }
    Ok(())
}

/// The name that the runbook in this file gets.
fn name_of(yaml: &Path) -> Result<RunbookName, Failed> {
    let stem = yaml.file_stem().unwrap_or_default().to_string_lossy();
    let refused = |why: String| -> Failed {
        let diagnostic = Diagnostic::error(Code::InvalidName, why);
        diagnostic.help("choose a name such as `farm-trust`").into()
    };
    let file = yaml.file_name().unwrap_or_default().to_string_lossy();
    portable::check(&file).map_err(|why| refused(why.to_string()))?;
    stem.parse()
        .map_err(|error: InvalidName| refused(error.to_string()))
}

/// The text of a runbook under another name.
fn renamed(text: &str, old: &str, new: &RunbookName) -> String {
    text.replacen(&format!("\nrunbook: {old}\n"), &format!("\nrunbook: {new}\n"), 1)
}

fn find(name: &str) -> Result<&'static Shipped, Failed> {
    shipped::find(name).ok_or_else(|| {
        let diagnostic = Diagnostic::error(Code::Usage, format!("no runbook `{name}` ships"));
        diagnostic
            .did_you_mean(name, shipped::names())
            .help("`runbook new --list` shows those that do")
            .into()
    })
}

fn already(path: &Path) -> Failed {
    let message = format!("`{}` exists already, and nothing was written", path.display());
    let diagnostic = Diagnostic::error(Code::Usage, message);
    diagnostic.help("choose another name, or move it away").into()
}

/// Makes the folder below the runbook's own in which one of its files stands.
fn make_folder_beside(yaml: &Path, file: &Path) -> Result<(), Failed> {
    match file.parent() {
        Some(folder) if Some(folder) != yaml.parent() => std::fs::create_dir_all(folder).map_err(|error| {
            let message = format!("the folder `{}` cannot be made", folder.display());
            let diagnostic = Diagnostic::error(Code::Usage, message).caused_by(&error);
            diagnostic.help("choose a folder that you may write to").into()
        }),
        Some(_) | None => Ok(()),
    }
}

/// Writes a file that does not exist.
fn write(path: &Path, text: &str) -> Result<(), Failed> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| unwritable(path, &error))
}
