//! `runbook export`

use std::io::BufWriter;
use std::path::{Path, PathBuf};

use runbook_engine::core::Act;
use runbook_engine::core::event::Handing;
use runbook_engine::core::operators::OPERATORS_FILE;
use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::id::{Operator, RunId};
use runbook_engine::identity::PublicKey;
use runbook_engine::journal::bundle::envelope::Locking;
use runbook_engine::journal::bundle::{BundleError, Manifest};
use runbook_engine::platform::private;
use runbook_engine::runtime::Engine;
use serde_json::json;
use tempfile::NamedTempFile;

use super::journal::verify::from_file;
use super::output::{folder_of, no_folder, not_written};
use super::{act_on, close, give_up};
use crate::error::Failed;
use crate::exit::Exit;
use crate::render;
use crate::render::hint::{self, For};
use crate::render::layout::Width;
use crate::render::plain;
use crate::render::style::{count, entries};
use crate::setting::{Setting, find_run};

/// Write a whole run into one file: to hand it over, to archive it, to prove it
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  runbook export hybrid-s2s-7f3a -o hybrid-s2s.tar.zst
  runbook export hybrid-s2s-7f3a -o for-kim.tar.zst --handoff --to kim --note \"consent is given\"
  runbook export hybrid-s2s-7f3a -o for-kim.bundle --handoff --to kim --encrypt-for kim
  runbook journal verify hybrid-s2s.tar.zst")]
pub(crate) struct Args {
    /// The run
    #[arg(value_name = "RUN")]
    run: String,
    /// The file to write, which only you can read; never one that is there already
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Move the run: it goes on where the file is imported, and can only be read here
    #[arg(long, requires = "to")]
    handoff: bool,
    /// The operator who goes on with it there
    #[arg(long, value_name = "NAME", value_parser = super::operator, requires = "handoff")]
    to: Option<Operator>,
    /// Let only this operator open the file, by the key that the run's operators.yaml gives them
    #[arg(long, value_name = "NAME", value_parser = super::operator)]
    encrypt_for: Option<Operator>,
    /// Take that key from this file
    #[arg(long, value_name = "FILE", requires = "encrypt_for")]
    operators: Option<PathBuf>,
    /// What they should know; it stands in the journal
    #[arg(long, value_name = "TEXT", requires = "handoff")]
    note: Option<String>,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    // What would be refused in the end is refused before anything is recorded.
    let file = begin(&args.output)?;
    let engine = setting.acting_with(&args.run).await?;
    let id = find_run(&engine, &args.run).await?;
    let recipient = recipient(&engine, id, args).await?;
    let target = Target {
        file: &args.output,
        recipient,
    };
    let manifest = match &args.to {
        None => write(&engine, id, file, target).await?,
        Some(to) => hand_off(&engine, id, file, target, to, args, setting).await?,
    };
    tell(&manifest, &args.output, setting);
    let name = manifest.name();
    let then = match &args.to {
        Some(to) => format!(
            "{name} is moved: {} goes on with it after `{}`; here it can only be read",
            plain(to.as_str()),
            hint::command("runbook import FILE", For::Operator(to))
        ),
        None => format!(
            "the file is a copy, to be read and verified wherever it is imported: {name} itself stays here; \
             `--handoff --to NAME` moves it"
        ),
    };
    setting.look.tell(&Width::of_talk().wrap("", 2, &then));
    Ok(Exit::Done)
}

/// What a bundle becomes.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) file: &'a Path,
    /// The key for which it is encrypted, if it is.
    pub(super) recipient: Option<PublicKey>,
}

/// The key of whoever alone is to open the file.
async fn recipient(engine: &Engine, id: RunId, args: &Args) -> Result<Option<PublicKey>, Failed> {
    let Some(name) = &args.encrypt_for else {
        return Ok(None);
    };
    let (team, source) = match &args.operators {
        Some(path) => (Some(from_file(path)?.operators), path.display().to_string()),
        None => {
            let story = engine.read(id).await;
            let story = story.map_err(|error| Failed::runtime(&args.run, error))?;
            let team = story.runbook.workflow().operators().cloned();
            (team, format!("the run's own {OPERATORS_FILE}"))
        }
    };
    let key = team.and_then(|team| team.key_of(name, engine.clock.now()));
    key.map(Some).ok_or_else(|| {
        let message = format!("`{}` has no key in {source} now", plain(name.as_str()));
        Diagnostic::error(Code::KeyUnusable, message)
            .help("nothing was written; what `runbook identity export` prints on their desk belongs into operators.yaml")
            .help("`--operators FILE` takes the key from another file than that of the run")
            .into()
    })
}

/// The file that becomes the bundle when it is complete.
pub(super) fn begin(file: &Path) -> Result<NamedTempFile, Failed> {
    if file.symlink_metadata().is_ok() {
        return Err(in_the_way(file));
    }
    if !folder_of(file).is_dir() {
        return Err(no_folder(file));
    }
    private::unfinished_file(folder_of(file), ".tmp").map_err(|error| not_written(file, &error))
}

/// A bundle replaces nothing: what is there may be the only proof of another run.
fn in_the_way(file: &Path) -> Failed {
    let message = format!("`{}` is there already, and was left as it is", file.display());
    Diagnostic::error(Code::OutputExists, message)
        .help("choose another name, or move the file away")
        .into()
}

/// Writes a bundle, which appears when it is complete and on the disk.
pub(super) async fn write(
    engine: &Engine,
    id: RunId,
    mut whole: NamedTempFile,
    Target { file, recipient }: Target<'_>,
) -> Result<Manifest, Failed> {
    let failed = |error: &std::io::Error| not_written(file, error);
    let broken = |error: BundleError| Failed::bundle(&file.display().to_string(), &error);
    let (out, program) = (BufWriter::new(whole.as_file_mut()), env!("CARGO_PKG_VERSION"));
    let (buffer, manifest) = match recipient {
        None => engine.export(id, out, program).await.map_err(broken)?,
        Some(key) => {
            let locking = Locking::begin(out, &key).map_err(|error| failed(&error))?;
            let (locking, manifest) = engine.export(id, locking, program).await.map_err(broken)?;
            (locking.finish().map_err(|error| failed(&error))?, manifest)
        }
    };
    buffer
        .into_inner()
        .map_err(|error| failed(error.error()))?
        .sync_all()
        .map_err(|error| failed(&error))?;
    whole.persist_noclobber(file).map_err(|error| {
        if error.error.kind() == std::io::ErrorKind::AlreadyExists {
            in_the_way(file)
        } else {
            failed(&error.error)
        }
    })?;
    private::sync_folder(folder_of(file)).map_err(|error| failed(&error))?;
    Ok(manifest)
}

/// Records that the run is moved, and writes it. Should that fail, the same can be asked for again.
async fn hand_off(
    engine: &Engine,
    id: RunId,
    file: NamedTempFile,
    target: Target<'_>,
    to: &Operator,
    args: &Args,
    setting: &Setting,
) -> Result<Manifest, Failed> {
    let opened = engine.open(id).await;
    let mut run = opened.map_err(|error| Failed::runtime(&args.run, error))?;
    let moved_already = run.state().hands().away().is_some_and(|away| away.to == *to);
    if !moved_already {
        let handing = Handing::MovedOut {
            to: to.clone(),
            note: args.note.clone(),
        };
        if let Err(failed) = act_on(&mut run, Act::Hand(handing), setting).await {
            return Err(give_up(run, failed).await);
        }
    }
    match write(engine, id, file, target).await {
        Ok(manifest) => close(run).await.map(|_| manifest),
        Err(failed) => {
            let name = run.name();
            let message =
                format!("the journal says that `{name}` was moved, and there is no bundle of it yet");
            let help = format!(
                "write it once that is put right: `runbook export {name} -o FILE --handoff --to {to}`"
            );
            let warning = Diagnostic::warning(Code::OutputNotWritten, message).help(help);
            render::diagnostic::print_all(&[warning], setting);
            Err(give_up(run, failed).await)
        }
    }
}

fn tell(manifest: &Manifest, file: &Path, setting: &Setting) {
    if setting.global.json {
        render::json(&json!({ "file": file, "manifest": manifest }));
        return;
    }
    render::result(&format!(
        "{}: {}, {}, {} in {}; the last entry is {}",
        manifest.name(),
        entries(manifest.entries),
        count(manifest.transcripts.len(), "transcript"),
        count(manifest.attachments.len(), "attachment"),
        file.display(),
        manifest.last,
    ));
}
