//! The key of the person who acts: where it is, and how it is opened.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::identity::{PrivateKey, PublicKey, Signer};
use runbook_engine::platform::private::{self, Readers};
use runbook_engine::portable::{self, Unportable};

use crate::commands::{output, read_bounded};
use crate::error::Failed;
use crate::hush;
use crate::prompt::Asker;
use crate::render::plain;
use crate::render::style::{DIM, paint};
use crate::secrets::{SOURCES, Source};
use crate::setting::{Setting, own_folder};

/// The largest file with a key that is read, in bytes.
const LARGEST: u64 = 64 * 1024;

/// The shortest passphrase that a new key is closed with.
const SHORTEST_PASSPHRASE: usize = 8;

/// What stands before the public half of a key, in the file of the private one.
const PUBLIC: &str = "public: ";
const OPERATOR: &str = "operator: ";

/// A key as it lies in its file.
pub(crate) struct KeyFile {
    pub(crate) path: PathBuf,
    /// Whose it is, and by what others know it.
    pub(crate) operator: String,
    pub(crate) public: PublicKey,
    pem: String,
}

impl KeyFile {
    /// The key of whoever acts, if they have one; one that is named must be there.
    pub(crate) fn find(setting: &Setting) -> Result<Option<Self>, Failed> {
        let Some(path) = place(setting) else {
            return Ok(None);
        };
        match read_bounded(&path, LARGEST) {
            Ok(text) => Self::read(path, text).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound && setting.global.identity.is_none() => {
                Ok(None)
            }
            Err(error) => {
                let message = format!("the key `{}` cannot be read", path.display());
                Err(Diagnostic::error(Code::KeyUnusable, message)
                    .caused_by(&error)
                    .help("`runbook identity new` makes one; nothing was done without it")
                    .into())
            }
        }
    }

    fn read(path: PathBuf, text: String) -> Result<Self, Failed> {
        let said = |what: &str| text.lines().find_map(|line| line.strip_prefix(what));
        let public = said(PUBLIC).and_then(|key| key.trim().parse().ok());
        let Some(public) = public else {
            let why = "it is no file that `runbook identity new` made";
            return Err(unusable(&path, why).into());
        };
        let help = format!("let only its owner read it: `{}`", private::how_to_close(&path));
        match private::readers(&path) {
            Ok(Readers::Nobody) => {}
            Ok(Readers::Group | Readers::Everyone) => {
                return Err(unusable(&path, "other accounts can read it").help(help).into());
            }
            Err(error) => {
                return Err(unusable(&path, "who can read it cannot be told")
                    .caused_by(&error)
                    .into());
            }
        }
        let operator = said(OPERATOR).unwrap_or_default().trim().to_owned();
        let pem = text;
        Ok(Self {
            path,
            operator,
            public,
            pem,
        })
    }

    /// Whether a passphrase opens it.
    pub(crate) fn is_locked(&self) -> bool {
        PrivateKey::is_locked(&self.pem)
    }

    /// Opens it.
    async fn open(&self, setting: &Setting) -> Result<PrivateKey, Failed> {
        let key = if self.is_locked() {
            self.unlock(setting).await?
        } else {
            PrivateKey::from_pem(&self.pem, None).map_err(|error| unusable(&self.path, &error.to_string()))?
        };
        if key.key() != self.public {
            let why = "its private half does not belong to the public one that stands above it";
            return Err(unusable(&self.path, why).into());
        }
        Ok(key)
    }

    async fn unlock(&self, setting: &Setting) -> Result<PrivateKey, Failed> {
        let open = |passphrase: &str| PrivateKey::from_pem(&self.pem, Some(passphrase));
        if let Some(passphrase) = passphrase(setting).await? {
            return open(&passphrase).map_err(|error| unusable(&self.path, &error.to_string()).into());
        }
        if !setting.interactive() {
            let why = "it is locked, and nobody is there to be asked for its passphrase";
            let help = format!("say where that comes from: `--passphrase SOURCE`, with {SOURCES}");
            return Err(unusable(&self.path, why).help(help).into());
        }
        let question = format!("Passphrase of the key of {}", plain(&self.operator));
        let check = |text: &str| open(text).map(drop).map_err(|error| error.to_string());
        let passphrase = Asker::default()
            .secret(&question, check)
            .map_err(|unanswered| unanswered.ends("nothing was done without your key"))?;
        hush::learn(&passphrase);
        open(&passphrase).map_err(|error| unusable(&self.path, &error.to_string()).into())
    }
}

/// What whoever acts signs with, if they have a key.
pub(crate) async fn signer(setting: &Setting) -> Result<Option<Arc<dyn Signer>>, Failed> {
    match KeyFile::find(setting)? {
        None => Ok(None),
        Some(file) => {
            let key = file.open(setting).await?;
            Ok(Some(Arc::new(key)))
        }
    }
}

/// The key of whoever acts, if it is this one; else which one they have.
pub(crate) async fn opening(
    key: PublicKey,
    setting: &Setting,
) -> Result<Result<PrivateKey, Option<PublicKey>>, Failed> {
    match KeyFile::find(setting)? {
        Some(file) if file.public == key => file.open(setting).await.map(Ok),
        other => Ok(Err(other.map(|file| file.public))),
    }
}

/// The passphrase from where it was said to come from; none where a person is to be asked.
async fn passphrase(setting: &Setting) -> Result<Option<String>, Failed> {
    let Some(text) = setting
        .global
        .passphrase
        .as_deref()
        .filter(|text| !text.is_empty())
    else {
        return Ok(None);
    };
    let source: Source = text.parse().map_err(|why| {
        // What was typed may be the passphrase itself.
        let message = format!("where the passphrase comes from is not clear: {why}");
        let help = format!("a source is {SOURCES}; the passphrase itself must not stand here");
        Diagnostic::error(Code::Usage, message).help(help)
    })?;
    let say = |line: &str| {
        let line = plain(line);
        setting
            .look
            .tell_always(&paint(DIM, format!("    passphrase │ {line}")));
    };
    let found = source.read(say).await.map_err(|why| {
        let message = format!("the passphrase could not be had from {source}: {why}");
        Diagnostic::error(Code::SecretSource, message)
    })?;
    if let Some(passphrase) = &found {
        hush::learn(passphrase);
    }
    Ok(found)
}

/// The passphrase that a new key is to be closed with, if one is wanted.
async fn new_passphrase(setting: &Setting) -> Result<Option<String>, Failed> {
    let long_enough = |text: &str| match text.chars().count() {
        0 => Ok(()),
        count if count < SHORTEST_PASSPHRASE => {
            Err(format!("it needs at least {SHORTEST_PASSPHRASE} characters"))
        }
        _ => Ok(()),
    };
    if let Some(passphrase) = passphrase(setting).await? {
        return match long_enough(&passphrase) {
            Ok(()) if passphrase.is_empty() => Err(too_short("it is empty")),
            Ok(()) => Ok(Some(passphrase)),
            Err(why) => Err(too_short(&why)),
        };
    }
    if !setting.interactive() {
        return Ok(None);
    }
    let (asker, ends) = (Asker::default(), "no key was made");
    let passphrase = asker
        .secret("A passphrase for the new key, or none", long_enough)
        .map_err(|unanswered| unanswered.ends(ends))?;
    if passphrase.is_empty() {
        return Ok(None);
    }
    let same = |text: &str| {
        if text == passphrase {
            Ok(())
        } else {
            Err("it is not the same".to_owned())
        }
    };
    asker
        .secret("The same once more", same)
        .map_err(|unanswered| unanswered.ends(ends))?;
    Ok(Some(passphrase))
}

fn too_short(why: &str) -> Failed {
    let message = format!("the passphrase for the new key cannot be used: {why}");
    Diagnostic::error(Code::SecretUnfit, message).into()
}

/// Makes a key for whoever acts. One that is there is left as it is.
pub(crate) async fn make(setting: &Setting) -> Result<KeyFile, Failed> {
    let Some(path) = place(setting) else {
        let message = "the system names no folder in which to keep a key";
        let diagnostic = Diagnostic::error(Code::KeyUnusable, message);
        return Err(diagnostic.help("name its file with `--identity FILE`").into());
    };
    if path.symlink_metadata().is_ok() {
        return Err(there_already(&path));
    }
    let operator = setting.author().operator;
    let passphrase = new_passphrase(setting).await?;
    let failed = |error: &(dyn std::error::Error + 'static)| Failed::fault("no key could be made", error);
    let key = PrivateKey::generate().map_err(|error| failed(&error))?;
    let pem = key
        .to_pem(passphrase.as_deref())
        .map_err(|error| failed(&error))?;
    let public = key.key();
    let text = format!("{OPERATOR}{operator}\n{PUBLIC}{public}\n{pem}");
    match write(&path, &text) {
        Ok(()) => KeyFile::read(path, text),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(there_already(&path)),
        Err(error) => {
            let message = format!("the key `{}` could not be written", path.display());
            let diagnostic = Diagnostic::error(Code::OutputNotWritten, message).caused_by(&error);
            Err(diagnostic
                .help("name another place with `--identity FILE`")
                .into())
        }
    }
}

/// Writes a file that only its owner can read, and that appears when it is complete and durable.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    private::create_folders(folder)?;
    output::write(path, text, false)?;
    private::sync_folder(folder)
}

fn there_already(path: &Path) -> Failed {
    let message = format!(
        "there is a key already: `{}`, which was left as it is",
        path.display()
    );
    let diagnostic = Diagnostic::error(Code::OutputExists, message);
    let help = "to make another, move that one away, or name another file with `--identity FILE`";
    diagnostic.help(help).into()
}

fn unusable(path: &Path, why: &str) -> Diagnostic {
    let message = format!("the key `{}` cannot be used: {why}", path.display());
    Diagnostic::error(Code::KeyUnusable, message)
}

/// Where the key of whoever acts is, or would be: one account may serve several people, each under a name.
pub(crate) fn place(setting: &Setting) -> Option<PathBuf> {
    let named = setting.global.identity.clone();
    let named = named.filter(|path| !path.as_os_str().is_empty());
    let usual = || {
        let folder = own_folder(dirs::config_local_dir)?
            .join("runbook")
            .join("identities");
        let operator = setting.author().operator;
        Some(folder.join(format!("{}.key", file_name(operator.as_str()))))
    };
    named.or_else(usual)
}

/// A person's name as that of a file, on every system, and not that of anybody else's.
fn file_name(name: &str) -> String {
    let is_device = portable::check(name) == Err(Unportable::Device(name.to_owned()));
    name.bytes()
        .enumerate()
        .fold(String::new(), |mut text, (at, byte)| {
            match byte {
                b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' if at > 0 || !is_device => {
                    text.push(char::from(byte));
                }
                // Writing to a string cannot fail.
                other => drop(write!(text, "%{other:02x}")),
            }
            text
        })
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn names_of_people_become_names_of_files_that_differ_where_they_do() {
        assert_eq!(file_name("alice"), "alice");
        assert_eq!(file_name("CONTOSO\\bob"), "%43%4f%4e%54%4f%53%4f%5cbob");
        assert_eq!(file_name("../x"), "%2e%2e%2fx");
        assert_ne!(file_name("Alice"), file_name("alice"));
        assert_eq!(file_name("con"), "%63on");
    }
}
