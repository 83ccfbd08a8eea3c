//! `runbook completions`

use std::path::Path;

use clap::ValueEnum;

use crate::complete;
use crate::error::Failed;
use crate::exit::Exit;
use crate::render;
use crate::render::style::{BOLD, paint};

/// Let a shell complete commands, options, runs, steps, parameters and runbooks
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without SHELL, says how to install it. Shells call the program for what may come next, so that an
installation stays right when runs come and go.

Examples:
  source <(runbook completions bash)        for this shell, now
  runbook completions                       for all to come"
)]
pub(crate) struct Args {
    /// The shell whose script to print
    #[arg(value_name = "SHELL")]
    shell: Option<Shell>,
}

/// A shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// Bash, 4.4 or newer for the best
    Bash,
    /// Zsh
    Zsh,
    /// fish
    Fish,
    /// PowerShell 5.1 and 7
    #[value(alias = "pwsh")]
    Powershell,
    /// Elvish
    Elvish,
}

impl Shell {
    fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
            Self::Powershell => "powershell",
            Self::Elvish => "elvish",
        }
    }

    /// The file that the shell reads when it starts, and the line to add to it.
    fn line(self) -> (&'static str, &'static str) {
        match self {
            Self::Bash => ("~/.bashrc", "source <(runbook completions bash)"),
            Self::Zsh => (
                "~/.zshrc, below the line with compinit",
                "source <(runbook completions zsh)",
            ),
            Self::Fish => (
                "~/.config/fish/completions/runbook.fish",
                "runbook completions fish | source",
            ),
            Self::Powershell => (
                "the file that $PROFILE names",
                "runbook completions powershell | Out-String | Invoke-Expression",
            ),
            Self::Elvish => (
                "~/.config/elvish/rc.elv",
                "eval (runbook completions elvish | slurp)",
            ),
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failed> {
    let Some(shell) = args.shell else {
        for shell in Shell::value_variants() {
            let (file, line) = shell.line();
            render::result(&format!(
                "{}: add to {file}\n    {line}",
                paint(BOLD, shell.name())
            ));
        }
        return Ok(Exit::Done);
    };
    match complete::registration(shell.name(), &program()) {
        Some(script) => render::result(script.trim()),
        None => {
            let error = std::io::Error::other("the library for completion does not know it");
            return Err(Failed::fault("the script could not be made", &error));
        }
    }
    Ok(Exit::Done)
}

/// How a shell calls this program: by its name where it was found by it, so that a newer one takes its place.
fn program() -> String {
    let called = std::env::args_os().next().unwrap_or_default();
    let called = Path::new(&called);
    let named = called.components().count() == 1;
    let path = if named { None } else { std::env::current_exe().ok() };
    path.map_or_else(|| "runbook".to_owned(), |path| path.display().to_string())
}
