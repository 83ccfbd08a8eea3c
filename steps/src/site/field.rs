//! An input or output of a site step: what its values are, and whether a value fits.

use runbook_engine::diagnostic::{Span, closest};
use runbook_engine::id::ParamName;
use runbook_engine::runbook::{Param, ParamError, ParamKind, Pattern};
use serde_json::{Value, json};

use super::declaration::{Reader, get};
use super::literal::Entry;
use crate::script::mistakes::Problem;

const KEYS: &[&str] = &[
    "type", "of", "values", "schemes", "doc", "default", "example", "optional", "pattern", "min", "max",
];

/// The type of values of any shape.
const DATA: &str = "data";

/// An input or output.
#[derive(Debug)]
pub(super) struct Field {
    /// Its name, meaning, default and example, and the rules for its values.
    param: Param,
    /// Any value fits.
    is_data: bool,
}

impl Field {
    /// Reads the declaration of an input or output.
    pub(super) fn read(entry: &Entry, is_input: bool, reader: &mut Reader) -> Option<Self> {
        let problems = reader.problems.len();
        let name = entry.name.parse::<ParamName>();
        if let Err(error) = &name {
            let problem = Problem::new(error.to_string(), entry.at).word(&entry.name);
            reader.problems.push(problem);
        }
        let whose = format!("`{}`", entry.name);
        let keys = reader.map(&entry.name, &entry.value, KEYS)?;
        let doc = reader
            .required(&whose, entry.at, keys, "doc")
            .and_then(|doc| reader.text(doc));
        let kind = reader
            .required(&whose, entry.at, keys, "type")
            .and_then(|kind| Kind::read(kind, keys, reader));
        let pattern = get(keys, "pattern").and_then(|entry| pattern(entry, reader));
        let optional = get(keys, "optional").and_then(|entry| reader.flag(entry));
        let (min, max) = (
            get(keys, "min").and_then(|entry| reader.number(entry)),
            get(keys, "max").and_then(|entry| reader.number(entry)),
        );
        let kind = kind?;
        if kind.param == ParamKind::Secret && !is_input {
            let problem = Problem::new(
                "an output cannot be a secret: outputs are kept in the journal",
                entry.at,
            )
            .help("declare it as a `string`; the step of the runbook then says `sensitive: NAME`");
            reader.problems.push(problem.word(&entry.name));
        }
        let mut field = Self {
            param: Param {
                name: name.ok()?,
                kind: kind.param,
                prompt: None,
                description: doc,
                default: None,
                example: None,
                optional: optional.unwrap_or_default(),
                pattern,
                min,
                max,
                span: Span::default(),
            },
            is_data: kind.is_data,
        };
        for key in ["default", "example"] {
            field.preset(key, get(keys, key), is_input, reader);
        }
        (reader.problems.len() == problems).then_some(field)
    }

    /// Takes a value that the declaration itself gives.
    fn preset(&mut self, key: &str, entry: Option<&Entry>, is_input: bool, reader: &mut Reader) {
        let Some(entry) = entry else { return };
        let value = entry.value.value();
        let problem = |message: String| Problem::new(message, entry.value.at);
        let problem = if self.param.is_secret() {
            problem(format!(
                "a secret has no `{key}`: the script is kept in every run's journal"
            ))
            .help(format!(
                "remove `{key}`, and say in `doc` what is meant; a runbook gives the secret as `${{{{ params.NAME }}}}`, \
                 a parameter of `type: secret`"
            ))
        } else if key == "default" && !is_input {
            problem("an output has no `default`".to_owned())
                .help("remove it; an output that may be missing has `optional: true`")
        } else if value.to_string().contains("${{") {
            problem(format!(
                "`{key}` is a plain value: `${{{{ … }}}}` is not filled in here"
            ))
            .help("write the value itself; a runbook that uses the step may write `${{ … }}`")
        } else {
            match self.check(value) {
                Ok(value) if key == "default" => {
                    self.param.default = Some(value);
                    return;
                }
                Ok(value) => {
                    self.param.example = Some(value);
                    return;
                }
                Err(why) => {
                    let message = format!("`{key}` does not fit the type `{}`: {}", self.kind(), why.message);
                    why.help.into_iter().fold(problem(message), Problem::help)
                }
            }
        };
        reader.problems.push(problem);
    }

    /// What it means.
    pub(super) fn doc(&self) -> &str {
        self.param.description.as_deref().unwrap_or_default()
    }

    pub(super) fn example(&self) -> Option<&Value> {
        self.param.example.as_ref()
    }

    pub(super) fn default(&self) -> Option<&Value> {
        self.param.default.as_ref()
    }

    pub(super) fn is_secret(&self) -> bool {
        self.param.is_secret()
    }

    /// Whether a value must be given.
    pub(super) fn is_required(&self) -> bool {
        !self.param.optional && self.param.default.is_none()
    }

    /// The type of its values; none where they may have any shape.
    pub(super) fn param_kind(&self) -> Option<&ParamKind> {
        (!self.is_data).then_some(&self.param.kind)
    }

    /// What its values are, in words.
    pub(super) fn kind(&self) -> String {
        if self.is_data {
            DATA.to_owned()
        } else {
            self.param.kind_name()
        }
    }

    fn check(&self, value: Value) -> Result<Value, ParamError> {
        if self.is_data {
            Ok(value)
        } else {
            self.param.check(value)
        }
    }

    /// The value that counts, in its normal form; `null` where it may be left out and is.
    pub(super) fn settle(&self, given: Option<Value>) -> Result<Value, ParamError> {
        match given.filter(|value| !value.is_null()) {
            Some(value) => self.check(value),
            None => match &self.param.default {
                Some(default) => Ok(default.clone()),
                None if self.param.optional => Ok(Value::Null),
                None => Err(ParamError {
                    message: "it is missing".to_owned(),
                    help: None,
                }),
            },
        }
    }

    /// What is wrong with a value of the runbook, whose templates are not filled in yet.
    pub(super) fn misfit(&self, value: &Value) -> Option<ParamError> {
        if value.to_string().contains("${{") {
            return None;
        }
        if self.is_secret() && !value.is_null() {
            return Some(ParamError {
                message: "a secret stands in the runbook, which every run keeps in its journal".to_owned(),
                help: Some(
                    "declare a parameter of `type: secret`, and write `${{ params.NAME }}` here".to_owned(),
                ),
            });
        }
        self.settle(Some(value.clone())).err()
    }

    /// The JSON Schema of its values.
    pub(super) fn schema(&self) -> Value {
        let mut values = if self.is_data {
            json!({})
        } else {
            schema_of(&self.param.kind)
        };
        let is_text = values["type"] == "string" && values["enum"].is_null();
        let mut schema = if is_text || self.is_data {
            values.take()
        } else {
            json!({ "anyOf": [values, { "type": "string", "pattern": r"\$\{\{.*\}\}" }] })
        };
        let default = self
            .default()
            .map_or_else(String::new, |value| format!(" (if left out: {value})"));
        schema["description"] = format!("{}{default}", self.doc()).into();
        schema
    }
}

fn schema_of(kind: &ParamKind) -> Value {
    match kind {
        ParamKind::String => json!({ "type": "string" }),
        ParamKind::Integer => json!({ "type": "integer" }),
        ParamKind::Number => json!({ "type": "number" }),
        ParamKind::Boolean => json!({ "type": "boolean" }),
        ParamKind::Enum(values) => json!({ "type": "string", "enum": values }),
        ParamKind::List(of) => json!({ "type": "array", "items": schema_of(of) }),
        ParamKind::Url(_)
        | ParamKind::Domain
        | ParamKind::Host
        | ParamKind::Guid
        | ParamKind::Path
        | ParamKind::Secret => json!({ "type": "string", "format": kind.name() }),
    }
}

/// The type of a field.
struct Kind {
    param: ParamKind,
    is_data: bool,
}

impl Kind {
    fn read(entry: &Entry, keys: &[Entry], reader: &mut Reader) -> Option<Self> {
        let name = reader.text(entry)?;
        if name == DATA {
            let (param, is_data) = (ParamKind::String, true);
            return Some(Self { param, is_data });
        }
        let param = if name == "list" {
            let of = reader.required("a list", entry.value.at, keys, "of")?;
            let item = reader.text(of)?;
            if matches!(item.as_str(), "list" | "secret" | DATA) {
                let message = format!("a list cannot be of `{item}`; a list of anything is `data`");
                reader.problems.push(Problem::new(message, of.value.at));
                return None;
            }
            ParamKind::List(Box::new(plain(&item, of, keys, reader)?))
        } else {
            plain(&name, entry, keys, reader)?
        };
        Some(Self {
            param,
            is_data: false,
        })
    }
}

fn plain(name: &str, entry: &Entry, keys: &[Entry], reader: &mut Reader) -> Option<ParamKind> {
    let kind = match name {
        "string" => ParamKind::String,
        "integer" => ParamKind::Integer,
        "number" => ParamKind::Number,
        "boolean" => ParamKind::Boolean,
        "enum" => {
            let entry = reader.required("an `enum`", entry.value.at, keys, "values")?;
            let values = reader.texts(entry)?;
            if values.is_empty() {
                reader.wrong(entry, "a list of at least one text");
            }
            ParamKind::Enum(values)
        }
        "url" => {
            let schemes = get(keys, "schemes").and_then(|entry| reader.texts(entry));
            let schemes = schemes.unwrap_or_default().into_iter();
            ParamKind::Url(schemes.map(|scheme| scheme.to_ascii_lowercase()).collect())
        }
        "domain" => ParamKind::Domain,
        "host" => ParamKind::Host,
        "guid" => ParamKind::Guid,
        "path" => ParamKind::Path,
        "secret" => ParamKind::Secret,
        _ => {
            let names = || ParamKind::NAMES.into_iter().chain([DATA]);
            let problem = Problem::new(format!("there is no type `{name}`"), entry.value.at);
            let list = names()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", ");
            reader.problems.push(match closest(name, names()) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem.help(format!("the types are {list}")),
            });
            return None;
        }
    };
    Some(kind)
}

fn pattern(entry: &Entry, reader: &mut Reader) -> Option<Pattern> {
    let text = reader.text(entry)?;
    let pattern = Pattern::new(&text).ok();
    if pattern.is_none() {
        reader.wrong(entry, "a regular expression");
    }
    pattern
}
