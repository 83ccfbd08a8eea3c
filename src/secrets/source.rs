//! Where a secret comes from: a file, a program, the system's key store, a variable; read only when a step needs it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use runbook_engine::diagnostic::{Code, Diagnostic, closest};
use runbook_engine::platform::keystore::{self, Lookup};
use runbook_engine::platform::private::{self, Readers};
use serde::{Deserialize, Deserializer};

use super::program;
use crate::commands::read_bytes;

/// The longest secret, in bytes.
pub(super) const LONGEST: u64 = 64 * 1024;

/// Where a secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// The content of a file.
    File(PathBuf),
    /// What a program prints: the program and its arguments, which no shell reads.
    Command(Vec<String>),
    /// What the system's key store holds for a service, and for an account where one is named.
    Keystore(String, Option<String>),
    /// A variable of the environment.
    Env(String),
    /// The person, even where a variable is set.
    Prompt,
}

/// How sources are written, for messages.
pub(crate) const WRITTEN: &str = "`file:PATH`, `command:[PROGRAM, ARGUMENT]`, `keystore:SERVICE`, `keystore:SERVICE/ACCOUNT`, `env:VARIABLE` or `prompt`";

/// How sources begin, and what each is.
pub(crate) const KINDS: [(&str, &str); 5] = [
    ("env:", "a variable of the environment"),
    ("file:", "the content of a file"),
    ("keystore:", "the system's key store"),
    ("command:", "what a program prints"),
    ("prompt", "asked for at the terminal"),
];

impl FromStr for Source {
    type Err = String;

    /// The error never repeats the text, which may be the secret itself.
    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        match (kind.trim(), rest.trim()) {
            ("prompt", "") => Ok(Self::Prompt),
            ("file" | "command" | "keystore" | "env", "") => Err(format!("`{}:` names nothing", kind.trim())),
            ("file", path) => Ok(Self::File(path.into())),
            ("env", name) => Ok(Self::Env(name.to_owned())),
            ("keystore", name) => Ok(match name.rsplit_once('/') {
                Some((service, account)) => Self::Keystore(service.to_owned(), Some(account.to_owned())),
                None => Self::Keystore(name.to_owned(), None),
            }),
            ("command", argv) => {
                let argv: Option<Vec<String>> = serde_yaml::from_str(argv).ok();
                let argv = argv.filter(|argv| argv.first().is_some_and(|program| !program.is_empty()));
                let example =
                    "`command:` takes a list, such as `command:[pass, show, farm/token]`: no shell reads it";
                argv.map(Self::Command).ok_or_else(|| example.to_owned())
            }
            // More than the kind may be the secret itself.
            (kind, _) => Err(
                match closest(kind, KINDS.map(|(begin, _)| begin.trim_end_matches(':'))) {
                    Some(near) if text.contains(':') => {
                        format!("did you mean `{near}:`?")
                    }
                    Some(_) | None => "it names no source".to_owned(),
                },
            ),
        }
    }
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the file `{}`", path.display()),
            // Its arguments may be nobody's business.
            Self::Command(argv) => write!(f, "the program `{}`", argv.first().map_or("", String::as_str)),
            Self::Keystore(service, None) => write!(f, "`{service}` in the system's key store"),
            Self::Keystore(service, Some(account)) => {
                write!(f, "`{account}` of `{service}` in the system's key store")
            }
            Self::Env(name) => write!(f, "the variable `{name}`"),
            Self::Prompt => f.write_str("the person at the terminal"),
        }
    }
}

impl Source {
    /// Paths are meant from this folder on.
    pub(super) fn beside(self, folder: &Path) -> Self {
        match self {
            Self::File(path) => Self::File(folder.join(path)),
            other => other,
        }
    }

    /// What can be said against the source before the secret is needed.
    pub(super) fn look(&self) -> Result<Option<Diagnostic>, Diagnostic> {
        match self {
            Self::File(path) => look_at(path),
            Self::Command(_) | Self::Keystore(..) | Self::Env(_) | Self::Prompt => Ok(None),
        }
    }

    /// The secret, unless a person is to be asked; `say` is told what a program prints as errors.
    pub(crate) async fn read(&self, say: impl Fn(&str)) -> Result<Option<String>, String> {
        let bytes = match self {
            Self::Prompt => return Ok(None),
            Self::Env(name) => match std::env::var(name) {
                Ok(value) => return Ok(Some(value)),
                Err(error) => return Err(error.to_string()),
            },
            Self::File(path) => {
                if let Err(diagnostic) = look_at(path) {
                    return Err(diagnostic.message);
                }
                read_bytes(path, LONGEST).map_err(|error| error.to_string())?
            }
            Self::Command(argv) => program::printed(argv, say).await?,
            Self::Keystore(service, account) => {
                match keystore::look_up(service, account.as_deref()).map_err(|error| error.to_string())? {
                    Lookup::Found(found) => return found.map(Some),
                    Lookup::Program(argv) => program::printed(&argv, say).await.map_err(|why| {
                        format!("{why}; it does not hold it, it is locked, or `secret-tool` of libsecret is missing")
                    })?,
                }
            }
        };
        let text = String::from_utf8(bytes).map_err(|_| "it is not text in UTF-8".to_owned())?;
        Ok(Some(one_text(&text).to_owned()))
    }
}

/// The text without the mark that editors put before it, and without the end of its last line.
fn one_text(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let line = text.strip_suffix('\n').unwrap_or(text);
    line.strip_suffix('\r').unwrap_or(line)
}

/// Looks at a file without reading it: whether it is there, and who can read it.
fn look_at(path: &Path) -> Result<Option<Diagnostic>, Diagnostic> {
    let unreadable = |error: &io::Error| {
        let message = format!("the file `{}` with a secret cannot be read", path.display());
        Diagnostic::error(Code::SecretSource, message).caused_by(error)
    };
    // Opening anything else, such as a pipe, could wait for ever.
    if !std::fs::metadata(path)
        .map_err(|error| unreadable(&error))?
        .is_file()
    {
        return Err(unreadable(&io::Error::other("it is not a file")));
    }
    let help = format!("let only its owner read it: `{}`", private::how_to_close(path));
    match private::readers(path).map_err(|error| unreadable(&error))? {
        Readers::Nobody => Ok(None),
        Readers::Group => {
            let message = format!(
                "the accounts of its group can read the file `{}` with a secret",
                path.display()
            );
            Ok(Some(
                Diagnostic::warning(Code::SecretFileOpen, message).help(help),
            ))
        }
        Readers::Everyone => {
            let message = format!(
                "every account can read the file `{}` with a secret",
                path.display()
            );
            Err(Diagnostic::error(Code::SecretFileOpen, message).help(help))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Source, one_text};

    fn source(text: &str) -> Result<Source, String> {
        text.parse()
    }

    #[test]
    fn sources_are_read() {
        assert_eq!(source("file:/run/token"), Ok(Source::File("/run/token".into())));
        assert_eq!(source("prompt"), Ok(Source::Prompt));
        assert_eq!(source("env:TOKEN"), Ok(Source::Env("TOKEN".into())));
        assert_eq!(source("keystore:farm"), Ok(Source::Keystore("farm".into(), None)));
        assert_eq!(
            source("keystore:https://farm/bob"),
            Ok(Source::Keystore("https://farm".into(), Some("bob".into())))
        );
        let argv = ["pass", "show", "farm/token, old"].map(str::to_owned).to_vec();
        assert_eq!(
            source("command:[pass, show, 'farm/token, old']"),
            Ok(Source::Command(argv))
        );
    }

    #[test]
    fn what_is_no_source_is_not_repeated() {
        for text in [
            "hunter2",
            "file:",
            "command:pass show x",
            "command:[]",
            "hunter2:x",
            "",
        ] {
            let why = source(text).unwrap_err();
            assert!(!why.contains("hunter2"), "{why}");
        }
    }

    #[test]
    fn the_end_of_the_last_line_does_not_belong_to_the_secret() {
        assert_eq!(one_text("token\n"), "token");
        assert_eq!(one_text("\u{feff}token\r\n"), "token");
        assert_eq!(one_text("two\nlines\n\n"), "two\nlines\n");
        assert_eq!(one_text(" token "), " token ");
    }
}
