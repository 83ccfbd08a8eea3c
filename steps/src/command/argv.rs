//! Argument vectors: a program and its arguments, each as it is.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use runbook_engine::step::{Check, InputProblem};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::text::{FromText, Text, text};

/// A program and its arguments. No shell reads them: each item reaches the program as it is.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(transparent)]
pub struct Argv(#[schemars(length(min = 1))] Vec<Item>);

/// One item of an argument vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// The text itself.
    Text(Text),
    /// The path of a file of `secret_files`.
    SecretFile(SecretFile),
}

/// The path of a file of `secret_files`, as one item.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SecretFile {
    /// Which file.
    pub(super) secret_file: String,
    /// What stands before the path, such as `--password-file=`.
    #[serde(default)]
    pub(super) after: String,
}

impl Argv {
    /// The items, and the places of those that are texts.
    pub fn texts(&self) -> impl Iterator<Item = (usize, &str)> {
        self.0.iter().enumerate().filter_map(|(at, item)| match item {
            Item::Text(text) => Some((at, text.as_str())),
            Item::SecretFile(_) => None,
        })
    }

    /// The program's name.
    #[must_use]
    pub fn program(&self) -> &str {
        match self.0.first() {
            Some(Item::Text(text)) => text.as_str(),
            Some(Item::SecretFile(_)) | None => "",
        }
    }

    /// The vector, with the paths of these files.
    ///
    /// # Errors
    /// When it names a file that is not there.
    pub fn with_files(&self, files: &BTreeMap<&str, PathBuf>) -> Result<Vec<String>, String> {
        let item = |item: &Item| match item {
            Item::Text(text) => Ok(text.as_str().to_owned()),
            Item::SecretFile(file) => match files.get(file.secret_file.as_str()) {
                Some(path) => Ok(format!("{}{}", file.after, path.display())),
                None => Err(missing(&file.secret_file)),
            },
        };
        self.0.iter().map(item).collect()
    }

    /// What is wrong with it: the item meant, if it is one, and why.
    #[must_use]
    pub fn problem(&self) -> Option<(Option<usize>, &'static str)> {
        if self.program().is_empty() {
            return Some((None, "it must begin with the program to carry out"));
        }
        let (at, _) = self.texts().find(|(_, text)| text.contains('\0'))?;
        Some((Some(at), "a NUL character cannot be part of an argument"))
    }

    /// Reports what is wrong with it.
    pub fn check<T>(&self, name: &str, files: &BTreeMap<String, T>, check: &mut Check<'_>) {
        match self.problem() {
            None => {}
            Some((None, why)) => check.problem(&[name], why),
            Some((Some(at), why)) => check.problem(&[name, &at.to_string()], why),
        }
        check_batch(name, self, check);
        for (at, item) in self.0.iter().enumerate() {
            if let Item::SecretFile(file) = item
                && !files.contains_key(&file.secret_file)
            {
                check.problem(
                    &[name, &at.to_string(), "secret_file"],
                    missing(&file.secret_file),
                );
            }
        }
    }
}

/// Reports values that a batch file would get as arguments: `cmd.exe` reads these as parts of commands, and no way to
/// quote them holds when the file's own commands put them in their text.
fn check_batch(name: &str, argv: &Argv, check: &mut Check<'_>) {
    let program = argv.program().trim_end_matches(['.', ' ']).to_ascii_lowercase();
    if !(program.ends_with(".bat") || program.ends_with(".cmd")) {
        return;
    }
    let is_literal = |item: &Item| matches!(item, Item::Text(text) if !text.as_str().contains("${{"));
    if let Some(at) = argv.0.iter().position(|item| !is_literal(item)) {
        let message = format!(
            "`{}` is a batch file, whose arguments `cmd.exe` reads as parts of commands: a value could become one",
            argv.program()
        );
        check.report(InputProblem {
            path: vec![name.to_owned(), at.to_string()],
            help: Some(
                "do the work in a `powershell` step, which gets values as data, or start a program that is no batch file"
                    .to_owned(),
            ),
            ..InputProblem::new(message)
        });
    }
}

fn missing(file: &str) -> String {
    format!("there is no file `{file}` under `secret_files`")
}

impl From<Text> for Item {
    fn from(text: Text) -> Self {
        Self::Text(text)
    }
}

impl<'de> FromText<'de> for Item {
    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        SecretFile::deserialize(MapAccessDeserializer::new(map)).map(Self::SecretFile)
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer)
    }
}

impl JsonSchema for Item {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Item".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (text, file) = (
            generator.subschema_for::<Text>(),
            generator.subschema_for::<SecretFile>(),
        );
        json_schema!({ "anyOf": [text, file] })
    }
}

struct ArgvVisitor;

impl<'de> Visitor<'de> for ArgvVisitor {
    type Value = Argv;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list: the program and its arguments, such as [ls, -l] (no shell reads them)")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Argv, A::Error> {
        let mut argv = Vec::new();
        while let Some(item) = items.next_element()? {
            argv.push(item);
        }
        Ok(Argv(argv))
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Argv, E> {
        // Whoever writes one text expects a shell to take it apart.
        Err(E::custom(
            "a list is expected: the program and its arguments, such as [ls, -l]; there is no shell",
        ))
    }
}

impl<'de> Deserialize<'de> for Argv {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ArgvVisitor)
    }
}
