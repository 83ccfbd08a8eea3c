//! `runbook man`

use std::path::{Path, PathBuf};

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use jiff::Timestamp;

use super::output::unwritable;
use crate::cli;
use crate::error::Failed;
use crate::exit::Exit;
use crate::render::style::count;
use crate::setting::Setting;

/// Write manual pages, one for each command
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  runbook man --dir ~/.local/share/man/man1      then: man runbook, man runbook-exec")]
pub(crate) struct Args {
    /// The folder to write them to; pages of an older version there are replaced
    #[arg(long, value_name = "FOLDER")]
    dir: PathBuf,
}

pub(crate) fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    std::fs::create_dir_all(&args.dir).map_err(|error| unwritable(&args.dir, &error))?;
    let mut command = cli::command().disable_help_subcommand(true);
    command.build();
    let written = write(&command, "runbook", &args.dir)?;
    setting.look.tell(&format!(
        "wrote {} to {}",
        count(written, "page"),
        args.dir.display()
    ));
    Ok(Exit::Done)
}

/// Writes the page of a command and those of the commands below it; gives how many.
fn write(command: &Command, name: &str, folder: &Path) -> Result<usize, Failed> {
    let path = folder.join(format!("{name}.1"));
    page(command, name)
        .and_then(|page| std::fs::write(&path, page))
        .map_err(|error| unwritable(&path, &error))?;
    let mut written = 1;
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        written += write(below, &format!("{name}-{}", below.get_name()), folder)?;
    }
    Ok(written)
}

/// A page. What the help says at its end keeps its lines.
fn page(command: &Command, name: &str) -> std::io::Result<Vec<u8>> {
    let man = Man::new(command.clone())
        .title(name)
        .date(Timestamp::now().strftime("%Y-%m-%d").to_string())
        .source(concat!("runbook ", env!("CARGO_PKG_VERSION")))
        .manual("runbook");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    if let Some(end) = command.get_after_long_help().or(command.get_after_help()) {
        let mut roff = Roff::new();
        roff.control("SH", ["NOTES"]).control("nf", []);
        for line in end.to_string().lines() {
            roff.text([roman(line)]);
        }
        roff.control("fi", []).to_writer(&mut page)?;
    }
    man.render_version_section(&mut page)?;
    Ok(page)
}
