//! The database of runs that `--journal` names, and where its password comes from.

use std::path::{Path, PathBuf};

use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::journal::postgres::{Address, Notice};
use runbook_engine::platform::private;

use crate::commands::read_bytes;
use crate::error::Failed;
use crate::hush;
use crate::render::plain;
use crate::render::style::{CARE, DIM, GOOD, Look, paint};
use crate::secrets::Source;
use crate::setting::Setting;

/// The variable that names the database.
pub(crate) const VARIABLE: &str = "RUNBOOK_JOURNAL";

/// The variable that says where the password comes from, as any other secret's source.
const PASSWORD: &str = "RUNBOOK_JOURNAL_PASSWORD";

/// The variables of PostgreSQL's own programs: the password, and the file with passwords.
const PGPASSWORD: &str = "PGPASSWORD";
const PGPASSFILE: &str = "PGPASSFILE";

/// Whether a variable says how to get at the journal: no program that is started is told.
pub(crate) fn is_private(variable: &str) -> bool {
    match variable {
        VARIABLE | PASSWORD => true,
        // Without a database, it is meant for those programs.
        PGPASSWORD => {
            let mut args = std::env::args_os();
            filled(VARIABLE).is_some() || args.any(|arg| arg.to_string_lossy().starts_with("--journal"))
        }
        _ => false,
    }
}

/// The largest file of passwords, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// The database that is named, with the password for it, where there is one to be found.
pub(crate) async fn address(named: &str, setting: &Setting) -> Result<Address, Failed> {
    let mut address: Address = named.parse().map_err(|error| unclear(&error))?;
    if let Some(password) = address.password() {
        hush::learn(&password);
        if std::env::var(VARIABLE).as_deref() != Ok(named) {
            let message =
                "the password of the database stands on the command line, where other accounts see it";
            return Err(Diagnostic::error(Code::SecretOnCommandLine, message)
                .help(format!(
                    "change it, and name the database in the variable {VARIABLE}, or its password by one of:"
                ))
                .help(format!(
                    "{PASSWORD}=file:PATH (or command:, keystore:, env:), {PGPASSWORD}, ~/.pgpass"
                ))
                .into());
        }
        return Ok(address);
    }
    if let Some(password) = password(&address, &setting.look).await? {
        hush::learn(&password);
        address.set_password(&password);
    }
    Ok(address)
}

/// The database that is named, with a password that is at hand: no program is asked for it, and nobody is told.
pub(crate) fn quick_address(named: &str) -> Option<Address> {
    let mut address: Address = named.parse().ok()?;
    if address.password().is_none() {
        let password = filled(PGPASSWORD).or_else(|| from_usual_file(&address).ok().flatten());
        if let Some(password) = password {
            address.set_password(&password);
        }
    }
    Some(address)
}

/// What is wrong with an address; none of it is repeated.
fn unclear(error: &dyn std::error::Error) -> Diagnostic {
    let message = format!("`--journal` or {VARIABLE} names no database of runs: {error}");
    Diagnostic::error(Code::DatabaseAddress, message)
        .help("write `postgres://USER@HOST/DATABASE`; leave it out for the journal in the state folder")
}

/// The password, from the first place that has one.
async fn password(address: &Address, look: &Look) -> Result<Option<String>, Failed> {
    if let Some(text) = filled(PASSWORD) {
        let failed = |why: String| {
            let message = format!("the password of the database could not be had: {why}");
            Diagnostic::error(Code::SecretSource, message).help(format!(
                "{PASSWORD} names its source: `file:PATH`, `command:[PROGRAM, ARGUMENT]`, `keystore:SERVICE` or `env:VARIABLE`"
            ))
        };
        let source: Source = text.parse().map_err(failed)?;
        let say = |line: &str| look.tell_always(&paint(DIM, format!("    {PASSWORD} │ {}", plain(line))));
        let found = source
            .read(say)
            .await
            .map_err(|why| failed(format!("{source}: {why}")))?;
        if found.is_some() {
            return Ok(found);
        }
    }
    if let Some(password) = filled(PGPASSWORD) {
        return Ok(Some(password));
    }
    from_usual_file(address)
}

/// The password from PostgreSQL's file of passwords.
fn from_usual_file(address: &Address) -> Result<Option<String>, Failed> {
    let file = filled(PGPASSFILE).map(PathBuf::from);
    match file.or_else(|| dirs::home_dir().map(|home| home.join(".pgpass"))) {
        Some(file) => from_file(&file, address),
        None => Ok(None),
    }
}

fn filled(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.is_empty())
}

/// The password that PostgreSQL's file of passwords has for a database. One that others can read is not used, as
/// PostgreSQL's own programs do not.
fn from_file(file: &Path, address: &Address) -> Result<Option<String>, Failed> {
    if !file.is_file() {
        return Ok(None);
    }
    let failed = |why: &dyn std::fmt::Display| {
        let message = format!("the file of passwords `{}` cannot be used: {why}", file.display());
        Diagnostic::error(Code::SecretFileOpen, message).help(format!(
            "let only your own account read it: `{}`",
            private::how_to_close(file)
        ))
    };
    if !private::is_private(file).map_err(|error| failed(&error))? {
        return Err(failed(&"others can read it").into());
    }
    let bytes = read_bytes(file, LARGEST).map_err(|error| failed(&error))?;
    let user = address.user().unwrap_or_default();
    let database = address.database().unwrap_or(user);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let found = address.places().into_iter().find_map(|(host, port)| {
        let host = if host.starts_with('/') {
            "localhost".to_owned()
        } else {
            host
        };
        matching(&text, &[&host, &port.to_string(), database, user])
    });
    Ok(found)
}

/// The password on the first line whose fields fit these.
fn matching(text: &str, wanted: &[&str; 4]) -> Option<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(fields).find_map(|fields| {
        let [named @ .., password] = <[String; 5]>::try_from(fields).ok()?;
        let fits = named
            .iter()
            .zip(wanted)
            .all(|(field, wanted)| field == "*" || field == wanted);
        fits.then_some(password)
    })
}

/// The fields of a line: `:` stands between them, `\` before one that belongs to a field.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (c, fields.last_mut()) {
            (':', _) => fields.push(String::new()),
            ('\\', Some(field)) => field.extend(chars.next()),
            (c, Some(field)) => field.push(c),
            (_, None) => {}
        }
    }
    fields
}

/// Tells the person that the database is waited for, or that it is back.
pub(crate) fn tell(look: &Look, shown: &str, notice: &Notice) {
    let text = match notice {
        Notice::Away(why) => {
            let text = format!(
                "the database {shown} does not answer ({why}); waiting for it. Steps under way go on, and are recorded when it is back"
            );
            paint(CARE, plain(&text))
        }
        Notice::Back => paint(GOOD, plain(&format!("the database {shown} is back"))),
    };
    look.tell_always(&text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_found_by_the_first_line_that_fits() {
        let text = "# ours\ndb:5432:runs:anna:one\\:two\ndb:*:*:ben:three\n*:*:*:*:rest\nshort:line\n";
        let found = |host, user| matching(text, &[host, "5432", "runs", user]);
        assert_eq!(found("db", "anna").as_deref(), Some("one:two"));
        assert_eq!(found("db", "ben").as_deref(), Some("three"));
        assert_eq!(found("other", "anna").as_deref(), Some("rest"));
        assert_eq!(matching("db:1:a:b:c", &["db", "2", "a", "b"]), None);
    }
}
