//! Where the program runs, and as whom: the state folder, the operator, the terminal.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::id::{Host, Operator, RunId};
use runbook_engine::journal::postgres::Address;
use runbook_engine::journal::{Journal, JournalError, Listed, PostgresJournal, SledJournal};
use runbook_engine::runtime::{Author, Doors, Engine, SystemClock};
use runbook_engine::step::Registry;
use tokio_util::sync::CancellationToken;

use crate::cli::Global;
use crate::database;
use crate::error::Failed;
use crate::identity;
use crate::observe::{Observer, RunLog, start_tracing};
use crate::programs;
use crate::render::style::Look;

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
    database: OnceLock<Address>,
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

    /// Whether somebody is there to be asked.
    pub(crate) fn interactive(&self) -> bool {
        let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        terminal && !self.global.non_interactive && !self.global.json
    }

    /// Who acts, and where.
    pub(crate) fn author(&self) -> Author {
        let account = || whoami::username().unwrap_or_else(|_| "unknown".to_owned());
        let operator = self
            .global
            .operator
            .clone()
            .filter(|name| !name.trim().is_empty())
            .unwrap_or_else(account);
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
        let help = "name the state folder that the run was started with: `--state-dir` or RUNBOOK_STATE_DIR";
        Err(Diagnostic::error(Code::RunNotFound, message).help(help).into())
    }

    /// The state folder, if it is needed and does not exist: only a new run makes it.
    pub(crate) fn missing_state_dir(&self) -> Result<Option<PathBuf>, Failed> {
        if self.database.get().is_some() {
            return Ok(None);
        }
        let folder = self.state_dir()?;
        let missing = matches!(folder.try_exists(), Ok(false));
        Ok(missing.then_some(folder))
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
    let usual = || dirs::state_dir().or_else(dirs::data_local_dir);
    named.or_else(|| usual().map(|folder| folder.join("runbook")))
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
    let exact: Vec<&Listed> = runs.iter().filter(|row| names(row).contains(&wanted)).collect();
    let begins =
        |row: &&Listed| !wanted.is_empty() && names(row).iter().any(|name| name.starts_with(&wanted));
    let found = if exact.is_empty() {
        runs.iter().filter(begins).collect()
    } else {
        exact
    };
    match found.as_slice() {
        [one] => Ok(one.run),
        [] => {
            let message = format!("there is no run `{text}`");
            let near = runs
                .iter()
                .filter_map(|row| names(row).into_iter().next())
                .collect::<Vec<_>>();
            let diagnostic = Diagnostic::error(Code::RunNotFound, message);
            Err(diagnostic
                .did_you_mean(text, near.iter().map(String::as_str))
                .help("`runbook list` shows the runs")
                .into())
        }
        many => {
            let all: Vec<String> = many
                .iter()
                .map(|row| format!("`{}` ({})", names(row)[0], row.run))
                .collect();
            let message = format!("`{text}` may mean {} runs: {}", all.len(), all.join(", "));
            Err(Diagnostic::error(Code::RunAmbiguous, message)
                .help("give more of its name, or its whole id")
                .into())
        }
    }
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
