//! The command line: its doc comments are the help.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::Resettable;
use clap::{Args, ColorChoice, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use runbook_engine::platform::process;

use crate::commands::{
    accept, amend, approve, cancel, check, completions, confirm, decide, doctor, exec, explain, export,
    handoff, identity, import, journal, list, log, man, new, plan, practice, prune, reference, reject,
    report, resume, rollback, schema, show, steps, test, work,
};
use crate::error::Failed;
use crate::exit::Exit;
use crate::render;
use crate::render::hint::Given;
use crate::render::style::Look;
use crate::setting::Setting;
use crate::signals;
use crate::usage;

/// Carries out long administrative procedures, and never forgets where they stand.
///
/// A runbook is a YAML file of steps. `exec` starts a run and carries it out; a journal remembers every
/// step, so that `resume` goes on tomorrow, after a crash, or as another person.
#[derive(Debug, Parser)]
#[command(
    // As everything else calls it, whatever the file is called.
    bin_name = "runbook",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "Examples:
  runbook check hybrid-s2s.yaml                     find every mistake in a runbook
  runbook exec hybrid-s2s.yaml --rehearse           play it through; nothing is touched
  runbook exec hybrid-s2s.yaml                      carry it out
  runbook show hybrid-s2s-7f3a                      what is done, what comes next
  runbook resume hybrid-s2s-7f3a                    go on

Exit codes: 0 done, 1 failed, stuck or cancelled, 2 bad input, 3 waiting for a person, 4 in doubt: a person must
decide, 5 the run is held by someone else, 70 a fault of the program, 130 interrupted (journal intact)."
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// The folder that holds the runs
    #[arg(long, global = true, value_name = "FOLDER", env = "RUNBOOK_STATE_DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    /// The database that holds the runs instead, where a team shares them: postgres://USER@HOST/DATABASE
    #[arg(
        long,
        global = true,
        value_name = "ADDRESS",
        env = "RUNBOOK_JOURNAL",
        hide_env_values = true
    )]
    pub(crate) journal: Option<String>,
    /// Who acts, if not the account that the system names
    #[arg(long, global = true, value_name = "NAME", env = "RUNBOOK_OPERATOR", value_parser = named)]
    pub(crate) operator: Option<String>,
    /// The file of your key, if not the one that `runbook identity new` made
    #[arg(long, global = true, value_name = "FILE", env = "RUNBOOK_IDENTITY")]
    pub(crate) identity: Option<PathBuf>,
    /// Where the passphrase of your key comes from: file:PATH, command:[PROGRAM, ARGUMENT], keystore:SERVICE[/ACCOUNT],
    /// env:VARIABLE or prompt
    #[arg(
        long,
        global = true,
        value_name = "SOURCE",
        env = "RUNBOOK_PASSPHRASE",
        hide_env_values = true
    )]
    pub(crate) passphrase: Option<String>,
    /// Ask nothing; a run that needs a person stops as `waiting`
    #[arg(long, global = true)]
    pub(crate) non_interactive: bool,
    /// Print results for programs: JSON on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,
    /// Tell more: what steps print (-v), what the program does (-vv)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// An operator's name; an empty one, in a variable too, names nobody.
fn named(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() {
        Err("it is empty: say who acts, or leave it out")
    } else {
        Ok(text.to_owned())
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    New(new::Args),
    Check(check::Args),
    Plan(plan::Args),
    Exec(exec::Args),
    Resume(resume::Args),
    Work(work::Args),
    List(list::Args),
    Show(show::Args),
    Log(log::Args),
    Report(report::Args),
    Confirm(confirm::Args),
    Decide(decide::Args),
    Approve(approve::Args),
    Reject(reject::Args),
    Handoff(handoff::Args),
    Accept(accept::Args),
    Export(export::Args),
    Import(import::Args),
    Prune(prune::Args),
    Rollback(rollback::Args),
    Amend(amend::Args),
    Cancel(cancel::Args),
    Journal(journal::Args),
    Identity(identity::Args),
    Explain(explain::Args),
    Steps(steps::Args),
    Test(test::Args),
    Schema(schema::Args),
    Practice(practice::Args),
    Doctor(doctor::Args),
    Completions(completions::Args),
    Man(man::Args),
    Reference(reference::Args),
}

impl Command {
    /// Whether it may need the journal.
    fn uses_runs(&self) -> bool {
        !matches!(
            self,
            Self::New(_)
                | Self::Check(_)
                | Self::Explain(_)
                | Self::Steps(_)
                | Self::Test(_)
                | Self::Schema(_)
                | Self::Practice(_)
                | Self::Completions(_)
                | Self::Man(_)
                | Self::Reference(_)
        )
    }
}

/// The command line as a whole: what shells complete, and what manual pages describe.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

/// Reads the command line; what it says of place and person, all hints heed.
fn parse() -> Result<Cli, clap::Error> {
    let args: Vec<OsString> = std::env::args_os().collect();
    let mut command = Cli::command().color(usage::colours(&args));
    if args.len() == 1 {
        // Who types nothing is shown what there is, also where variables say where the runs are.
        command = command.mut_args(|argument| argument.env(Resettable::Reset));
    }
    let parsed = command.try_get_matches_from_mut(args).and_then(|matches| {
        Given::of(&matches).keep();
        Cli::from_arg_matches(&matches)
    });
    parsed.map_err(|error| usage::plainly(error, &command))
}

/// Reads the command line, does what it says, and gives the exit code.
pub(crate) fn main() -> Exit {
    let cli = match parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are results; the rest is a usage error. A closed pipe is nobody's error.
            let _closed = error.print();
            return if error.use_stderr() {
                Exit::BadInput
            } else {
                Exit::Done
            };
        }
    };
    let look = Look::new(&cli.global);
    let setting = Setting::new(cli.global, look);
    // One thread is enough: what takes long waits, or has a thread to itself; and no thread need wake another.
    let result = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let result = runtime.block_on(dispatch(cli.command, &setting));
            // What a step left behind on a blocking thread must not keep the program from ending.
            runtime.shutdown_background();
            // A program that was just being started has nobody left who would end it later.
            process::settle();
            result
        }
        Err(error) => Err(Failed::fault(
            "the program could not start its own threads",
            &error,
        )),
    };
    let exit = result.unwrap_or_else(|failed| failed.tell(&setting));
    match render::lost() {
        Some(error) => Failed::output(error, exit).tell(&setting),
        None => exit,
    }
}

async fn dispatch(command: Command, setting: &Setting) -> Result<Exit, Failed> {
    signals::heed_pauses(&setting.look)?;
    if command.uses_runs() {
        setting.find_database().await?;
    }
    match command {
        Command::New(args) => new::run(&args, setting),
        Command::Check(args) => check::run(&args, setting),
        Command::Plan(args) => plan::run(&args, setting).await,
        Command::Exec(args) => Box::pin(exec::run(args, setting)).await,
        Command::Resume(args) => resume::run(&args, setting).await,
        Command::Work(args) => Box::pin(work::run(&args, setting)).await,
        Command::List(args) => list::run(&args, setting).await,
        Command::Show(args) => show::run(&args, setting).await,
        Command::Log(args) => log::run(&args, setting).await,
        Command::Report(args) => report::run(&args, setting).await,
        Command::Confirm(args) => Box::pin(confirm::run(&args, setting)).await,
        Command::Decide(args) => Box::pin(decide::run(&args, setting)).await,
        Command::Approve(args) => approve::run(&args, setting).await,
        Command::Reject(args) => reject::run(&args, setting).await,
        Command::Handoff(args) => handoff::run(&args, setting).await,
        Command::Accept(args) => accept::run(&args, setting).await,
        Command::Export(args) => export::run(&args, setting).await,
        Command::Import(args) => import::run(&args, setting).await,
        Command::Prune(args) => prune::run(&args, setting).await,
        Command::Rollback(args) => Box::pin(rollback::run(&args, setting)).await,
        Command::Amend(args) => Box::pin(amend::run(&args, setting)).await,
        Command::Cancel(args) => cancel::run(&args, setting).await,
        Command::Journal(args) => journal::run(&args, setting).await,
        Command::Identity(args) => identity::run(&args, setting).await,
        Command::Explain(args) => explain::run(&args),
        Command::Steps(args) => steps::run(&args, setting),
        Command::Test(args) => test::run(&args, setting),
        Command::Schema(args) => schema::run(&args, setting),
        Command::Practice(args) => practice::run(args, setting).await,
        Command::Doctor(args) => doctor::run(&args, setting).await,
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args, setting),
        Command::Reference(args) => reference::run(&args, setting),
    }
}
