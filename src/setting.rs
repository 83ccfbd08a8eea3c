//! Where the program runs, and as whom: the state folder, the operator, the terminal.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use runbook_engine::diagnostic::{Code, Diagnostic, closest};
use runbook_engine::id::{Host, Operator, RunId};
use runbook_engine::journal::postgres::Address;
use runbook_engine::journal::{Journal, JournalError, Listed, PostgresJournal, SledJournal};
use runbook_engine::platform::account;
use runbook_engine::runbook::Runbook;
use runbook_engine::runtime::{Author, Doors, Engine, SystemClock};
use runbook_engine::step::Registry;
use runbook_steps::Settings;
use tokio_util::sync::CancellationToken;

use crate::cli::Global;
use crate::database;
use crate::error::Failed;
use crate::identity;
use crate::observe::{Observer, RunLog, start_tracing};
use crate::programs;
use crate::render::layout::Width;
use crate::render::style::{CARE, Look, count, paint};
use crate::render::{authors, time};

/// What to do where runs that should be there are not.
pub(crate) const ELSEWHERE: &str = "for runs that were started elsewhere, name their state folder (`--state-dir`, RUNBOOK_STATE_DIR) or database (`--journal`)";

/// Everything that a command needs to know of its surroundings.
pub(crate) struct Setting {
    pub(crate) global: Global,
    pub(crate) look: Look,
    pub(crate) registry: Registry,
    /// The log of the run that is carried out.
    pub(crate) log: RunLog,
    /// Those who watch that run from outside.
    pub(crate) observer: OnceLock<Arc<Observer>>,
    /// Ends all waiting for a database that is away.
    pub(crate) hurry: CancellationToken,
    /// The database that holds the runs, if one does.
    pub(crate) database: OnceLock<Address>,
}

impl Setting {
    pub(crate) fn new(global: Global, look: Look) -> Self {
        Self {
            log: start_tracing(global.verbose, &look),
            observer: OnceLock::new(),
            hurry: CancellationToken::new(),
            database: OnceLock::new(),
            global,
            look,
            registry: runbook_steps::builtin_with(programs::settings()),
        }
    }

    /// The kinds of step, which ask PowerShell's own parser about scripts that the check does not understand.
    pub(crate) fn registry_that_reads() -> Registry {
        runbook_steps::builtin_with(Settings {
            powershell_reads: true,
            ..programs::settings()
        })
    }

    /// Warns where roles stand in a runbook that nothing enforces, and somebody could rely on them.
    pub(crate) fn tell_of_roles(&self, runbook: &Runbook) {
        if let Some(warning) = authors::unenforced_approvals(runbook, runbook.workflow().operators()) {
            self.look
                .tell(&paint(CARE, Width::of_talk().wrap("", 2, &warning)));
        }
    }

    /// Whether somebody is there to be asked.
    pub(crate) fn interactive(&self) -> bool {
        let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        terminal && !self.global.non_interactive && !self.global.json
    }

    /// Who acts, and where.
    pub(crate) fn author(&self) -> Author {
        let ours = || account::name().unwrap_or_else(|_| "unknown".to_owned());
        let operator = self
            .global
            .operator
            .clone()
            .filter(|name| !name.trim().is_empty())
            .unwrap_or_else(ours);
        let host = gethostname::gethostname().to_string_lossy().into_owned();
        Author {
            operator: Operator::new(&operator),
            host: Host::new(&host),
            pid: std::process::id(),
            signer: None,
        }
    }

    /// Finds out which database holds the runs, if one does, and what is needed to get in.
    pub(crate) async fn find_database(&self) -> Result<(), Failed> {
        if let Some(named) = self.global.journal.as_deref().filter(|named| !named.is_empty()) {
            let address = database::address(named, self).await?;
            self.database.get_or_init(|| address);
        }
        Ok(())
    }

    /// Where runs are kept, for messages: the database, or the state folder.
    pub(crate) fn place(&self) -> Result<String, Failed> {
        match self.database.get() {
            Some(database) => Ok(format!("the database {database}")),
            None => Ok(self.state_dir()?.display().to_string()),
        }
    }

    /// The engine over the database or the state folder.
    pub(crate) fn engine(&self) -> Result<Engine, Failed> {
        let folder = self.state_dir()?;
        let journal: Arc<dyn Journal> = match self.database.get() {
            Some(address) => Arc::new(self.shared(address, &folder)),
            None => Arc::new(
                SledJournal::open(&folder)
                    .map_err(|error| unusable(&folder, &error))?
                    .with_scratch(std::env::temp_dir()),
            ),
        };
        Ok(Engine {
            journal: Arc::new(Doors(journal)),
            registry: self.registry.clone(),
            clock: Arc::new(SystemClock::default()),
            author: self.author(),
        })
    }

    /// The journal in a database; what concerns this machine alone stays in the state folder.
    fn shared(&self, address: &Address, folder: &Path) -> PostgresJournal {
        let (look, shown) = (self.look.clone(), address.to_string());
        let listener = Arc::new(move |notice: &_| database::tell(&look, &shown, notice));
        PostgresJournal::new(
            address.clone(),
            folder.join("shared"),
            listener,
            self.hurry.clone(),
        )
    }

    /// The engine over the state folder in which the run `name` is to be found: it must be there.
    pub(crate) fn engine_with(&self, name: &str) -> Result<Engine, Failed> {
        let Some(folder) = self.missing_state_dir()? else {
            return self.engine();
        };
        let message = format!(
            "there is no run `{name}`: the state folder `{}` does not exist",
            folder.display()
        );
        Err(Diagnostic::error(Code::RunNotFound, message)
            .help(ELSEWHERE)
            .into())
    }

    /// The state folder, if it is needed and does not exist: only a new run makes it.
    pub(crate) fn missing_state_dir(&self) -> Result<Option<PathBuf>, Failed> {
        if self.database.get().is_some() {
            return Ok(None);
        }
        // Whether what is relative to a folder that is gone exists cannot be told: opening it says so.
        let folder = std::path::absolute(self.state_dir()?).ok();
        Ok(folder.filter(|folder| matches!(folder.try_exists(), Ok(false))))
    }

    /// The engine over the state folder, for whoever acts: with their key, if they have one.
    pub(crate) async fn acting(&self) -> Result<Engine, Failed> {
        self.signing(self.engine()?).await
    }

    /// The same, where the run `name` is to be found.
    pub(crate) async fn acting_with(&self, name: &str) -> Result<Engine, Failed> {
        self.signing(self.engine_with(name)?).await
    }

    async fn signing(&self, engine: Engine) -> Result<Engine, Failed> {
        let author = Author {
            signer: identity::signer(self).await?,
            ..engine.author
        };
        Ok(Engine { author, ..engine })
    }

    /// The state folder, there or not.
    pub(crate) fn state_dir(&self) -> Result<PathBuf, Failed> {
        state_dir(self.global.state_dir.clone()).ok_or_else(|| {
            let message = "the system names no folder in which to keep runs";
            Diagnostic::error(Code::StateFolder, message)
                .help("name one with `--state-dir` or RUNBOOK_STATE_DIR")
                .into()
        })
    }
}

/// The state folder: the one that is named, or the system's place for such data.
pub(crate) fn state_dir(named: Option<PathBuf>) -> Option<PathBuf> {
    let named = named.filter(|folder| !folder.as_os_str().is_empty());
    let usual = || own_folder(|| dirs::state_dir().or_else(dirs::data_local_dir));
    named.or_else(|| usual().map(|folder| folder.join("runbook")))
}

/// The folder of what belongs to this account on this machine. Where a variable names it, as on Windows, it counts: it
/// is what people are told of, and a service may have another one than its account.
pub(crate) fn own_folder(otherwise: impl FnOnce() -> Option<PathBuf>) -> Option<PathBuf> {
    let named = account::own_folder_variable().and_then(std::env::var_os);
    let named = named.map(PathBuf::from).filter(|folder| folder.is_absolute());
    named.or_else(otherwise)
}

/// Why runs cannot be kept in this folder.
fn unusable(folder: &Path, error: &JournalError) -> Diagnostic {
    let folder = folder.display();
    match error {
        JournalError::Storage { source, .. } => {
            let message = format!("the state folder `{folder}` cannot be used");
            let help = "choose another with `--state-dir` or RUNBOOK_STATE_DIR, or mend its permissions";
            Diagnostic::error(Code::StateFolder, message)
                .caused_by(source)
                .help(help)
        }
        JournalError::Newer(what) => Diagnostic::error(
            Code::JournalNewer,
            format!("the state folder `{folder}` was made by a newer program ({what})"),
        )
        .help("use the version of `runbook` that made it, or a newer one; nothing was changed"),
        JournalError::Foreign(what) => Diagnostic::error(
            Code::StateFolderForeign,
            format!("the state folder `{folder}` is not yours to use: {what}"),
        )
        .help("use the account that it belongs to, or choose another folder with `--state-dir`"),
        other => other.diagnostic(&folder.to_string()),
    }
}

/// Finds the run that `text` means: any unambiguous beginning of its id or short name, or its last four digits.
pub(crate) async fn find_run(engine: &Engine, text: &str) -> Result<RunId, Failed> {
    let runs = engine
        .journal
        .list()
        .await
        .map_err(|error| Failed::journal(text, &error))?;
    let wanted = text.to_ascii_lowercase();
    let of_runbook = |row: &&Listed| {
        row.summary
            .as_ref()
            .is_ok_and(|run| run.runbook.as_str() == wanted)
    };
    let begins =
        |row: &&Listed| !wanted.is_empty() && names(row).iter().any(|name| name.starts_with(&wanted));
    let exact: Vec<&Listed> = runs.iter().filter(|row| names(row).contains(&wanted)).collect();
    // The only run of `notices` is meant, though there are runs of `notices-again`.
    let mut found = [exact, runs.iter().filter(of_runbook).collect()].into_iter();
    let found = found.find(|found| !found.is_empty());
    match found
        .unwrap_or_else(|| runs.iter().filter(begins).collect())
        .as_slice()
    {
        [one] => Ok(one.run),
        [] => {
            let message = format!("there is no run `{text}`");
            let near: Vec<String> = runs.iter().flat_map(names).collect();
            let near = closest(&wanted, near.iter().map(String::as_str));
            let row =
                near.and_then(|near| runs.iter().find(|row| names(row).iter().any(|name| name == near)));
            let problem = Diagnostic::error(Code::RunNotFound, message);
            let problem = match row {
                Some(row) => problem.help(format!("did you mean `{}`?", names(row)[0])),
                None => problem,
            };
            let list = "`runbook list` shows the runs that there are";
            let problem = if runs.is_empty() {
                problem
            } else {
                problem.help(list)
            };
            Err(problem.help(ELSEWHERE).into())
        }
        many => Err(ambiguous(text, many).into()),
    }
}

/// The most runs of which it is said that one may be meant.
const MOST_MEANT: usize = 8;

/// A name that may mean several runs: each with what tells it from the others.
fn ambiguous(text: &str, many: &[&Listed]) -> Diagnostic {
    let message = format!("`{text}` may mean {}", count(many.len(), "run"));
    let name = |row: &Listed| names(row).swap_remove(0);
    let mut problem = Diagnostic::error(Code::RunAmbiguous, message);
    for row in many.iter().take(MOST_MEANT) {
        let twice = many.iter().filter(|other| name(other) == name(row)).count() > 1;
        let called = if twice { row.run.to_string() } else { name(row) };
        problem = problem.help(match &row.summary {
            Ok(run) => format!(
                "`{called}`: started {}, last {} by {}",
                time::local(run.started),
                time::local(run.updated),
                run.operator
            ),
            Err(_) => format!("`{called}`: it cannot be read"),
        });
    }
    if many.len() > MOST_MEANT {
        problem = problem.help("there are more: `runbook list` shows them all");
    }
    problem.help("give more of its name")
}

/// The names that a run answers to, the one that people use first.
fn names(row: &Listed) -> Vec<String> {
    let id = row.run.to_string();
    match &row.summary {
        Ok(summary) => vec![
            format!("{}-{}", summary.runbook, row.run.short()).to_ascii_lowercase(),
            id,
            row.run.short(),
        ],
        Err(_) => vec![id, row.run.short()],
    }
}
