//! The check of `params:`.

use indexmap::IndexMap;
use serde_json::Value;

use super::Checker;
use super::fields::{Field, Fields};
use super::report::{describe, first_line};
use crate::diagnostic::{Code, Diagnostic};
use crate::id::ParamName;
use crate::runbook::param::{Param, ParamKind, Pattern};

/// The keys of a parameter.
pub(super) const KEYS: &[&str] = &[
    "type",
    "of",
    "values",
    "schemes",
    "prompt",
    "description",
    "default",
    "example",
    "optional",
    "pattern",
    "min",
    "max",
];

impl Checker<'_> {
    pub(super) fn params(&mut self, field: Option<Field<'_>>) -> IndexMap<ParamName, Param> {
        let entries = self.entries(field);
        let params = entries.into_iter().filter_map(|entry| self.param(entry));
        params.map(|param| (param.name.clone(), param)).collect()
    }

    fn param(&mut self, entry: Field<'_>) -> Option<Param> {
        let name = entry.key_as::<ParamName>(self.report);
        if let Value::String(kind) = entry.node.value()
            && ParamKind::NAMES.contains(&kind.as_str())
        {
            let message = format!("the parameter `{}` must be a map, not a text", entry.key.name);
            let problem = self.report.error(Code::WrongType, entry.node.span(), message);
            self.report
                .push(problem.help(format!("write `{{ type: {kind} }}`")));
            return None;
        }
        let fields = Fields::read(entry, KEYS, self.report)?;
        let kind = self.kind(&fields);
        let pattern = fields.get("pattern").and_then(|field| self.pattern(field));
        let (min, max) = (
            fields.number("min", self.report),
            fields.number("max", self.report),
        );
        if min.zip(max).is_some_and(|(min, max)| min > max) {
            self.out_of_range(fields.get("max"), "at least `min`");
        }
        let mut param = Param {
            prompt: fields.owned("prompt", self.report),
            description: fields.owned("description", self.report),
            optional: fields.flag("optional", self.report).unwrap_or_default(),
            name: name?,
            kind: kind?,
            default: None,
            example: None,
            pattern,
            min,
            max,
            span: entry.key.span,
        };
        self.without_effect(&fields, &param.kind);
        param.default = self.fitting(&fields, "default", &param);
        param.example = self.fitting(&fields, "example", &param);
        Some(param)
    }

    fn kind(&mut self, fields: &Fields<'_>) -> Option<ParamKind> {
        let help = "say what its values are, as `type: string`";
        let field = fields.required("type", help, self.report)?;
        let kind = self.kind_named(field)?;
        if kind != "list" {
            return Some(self.plain_kind(kind, fields));
        }
        let of = fields.required("of", "say what the items are, as `of: host`", self.report)?;
        let item = self.kind_named(of)?;
        if matches!(item, "list" | "secret") {
            let message = format!("a list cannot be of `{item}`");
            let problem = self.report.error(Code::InvalidValue, of.node.span(), message);
            self.report.push(problem.help("declare a parameter for each"));
            return None;
        }
        Some(ParamKind::List(Box::new(self.plain_kind(item, fields))))
    }

    fn kind_named<'a>(&mut self, field: Field<'a>) -> Option<&'a str> {
        let text = field.text(self.report)?;
        if ParamKind::NAMES.contains(&text) {
            return Some(text);
        }
        let message = format!("there is no type `{text}`");
        let problem = self.report.error(Code::InvalidValue, field.node.span(), message);
        let problem = match text {
            "str" | "text" => problem.help("did you mean `string`?"),
            "int" => problem.help("did you mean `integer`?"),
            "bool" => problem.help("did you mean `boolean`?"),
            "password" => problem.help("did you mean `secret`?"),
            "array" => problem.help("did you mean `list`?"),
            _ => problem.did_you_mean(text, ParamKind::NAMES),
        };
        let list = ParamKind::NAMES.map(|name| format!("`{name}`")).join(", ");
        self.report.push(problem.help(format!("the types are {list}")));
        None
    }

    fn plain_kind(&mut self, name: &str, fields: &Fields<'_>) -> ParamKind {
        match name {
            "integer" => ParamKind::Integer,
            "number" => ParamKind::Number,
            "boolean" => ParamKind::Boolean,
            "enum" => {
                let help = "list what it can be, as `values: [\"2016\", \"2019\"]`";
                fields.required("values", help, self.report);
                let values = fields.names("values", self.report);
                if fields
                    .get("values")
                    .is_some_and(|field| field.node.value().as_array().is_some_and(Vec::is_empty))
                {
                    self.out_of_range(fields.get("values"), "a list of at least one text");
                }
                ParamKind::Enum(values.into_iter().map(|value| value.name.to_owned()).collect())
            }
            "url" => {
                let schemes = fields.names("schemes", self.report);
                ParamKind::Url(
                    schemes
                        .into_iter()
                        .map(|scheme| scheme.name.to_ascii_lowercase())
                        .collect(),
                )
            }
            "domain" => ParamKind::Domain,
            "host" => ParamKind::Host,
            "guid" => ParamKind::Guid,
            "path" => ParamKind::Path,
            "secret" => ParamKind::Secret,
            _ => ParamKind::String,
        }
    }

    fn pattern(&mut self, field: Field<'_>) -> Option<Pattern> {
        let text = field.text(self.report)?;
        match Pattern::new(text) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                let error = error.to_string();
                let reason = error
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .trim_start_matches("error: ");
                let message = format!("`pattern` is not a regular expression: {reason}");
                let problem = self.report.error(Code::InvalidValue, field.node.span(), message);
                self.report
                    .push(problem.help("single quotes keep every `\\` as it is: `pattern: '\\d+'`"));
                None
            }
        }
    }

    /// Keys that mean something for other types only.
    fn without_effect(&mut self, fields: &Fields<'_>, kind: &ParamKind) {
        let inner = match kind {
            ParamKind::List(of) => of,
            other => other,
        };
        let is_text = !matches!(
            inner,
            ParamKind::Integer | ParamKind::Number | ParamKind::Boolean | ParamKind::Enum(_)
        );
        let is_sized = !matches!(kind, ParamKind::Boolean | ParamKind::Enum(_) | ParamKind::Guid);
        let checks = [
            ("of", matches!(kind, ParamKind::List(_)), "a list"),
            ("values", matches!(inner, ParamKind::Enum(_)), "an `enum`"),
            ("schemes", matches!(inner, ParamKind::Url(_)), "a `url`"),
            ("pattern", is_text, "text"),
            ("min", is_sized, "numbers, texts and lists"),
            ("max", is_sized, "numbers, texts and lists"),
        ];
        for (name, allowed, whose) in checks {
            if let Some(field) = fields.get(name).filter(|_| !allowed) {
                let message = format!("`{name}` means nothing for the type `{kind}`");
                let problem = self.report.error(Code::UnknownKey, field.key.span, message);
                self.report
                    .push(problem.help(format!("remove it; it belongs to {whose}")));
            }
        }
        if let Some(field) = fields.get("default").filter(|_| *kind == ParamKind::Secret) {
            let problem = self.report.error(
                Code::InvalidValue,
                field.key.span,
                "a secret cannot have a default",
            );
            self.report
                .push(problem.help("remove it: the file is kept in every run's journal"));
        }
    }

    /// A value of the file that must fit the parameter itself.
    fn fitting(&mut self, fields: &Fields<'_>, name: &str, param: &Param) -> Option<Value> {
        let field = fields
            .get(name)
            .filter(|_| !(param.is_secret() && name == "default"))?;
        if field.node.value().is_null() {
            self.report.wrong_type(field, "a value that fits");
            return None;
        }
        match param.check(field.node.value().clone()) {
            Ok(value) => Some(value),
            Err(mut error) => {
                // The error knows only what YAML made of the text.
                let value = field.node.value();
                if error.help.as_ref().is_some_and(|help| help.contains("quotes")) && !value.is_array() {
                    error.message = format!("a text expected, not {}", describe(field.node));
                    error.help = Some(format!("put quotes around it: `\"{}\"`", field.node.raw()));
                }
                let span = first_line(&self.report.file, field.node.span());
                let message = format!(
                    "`{name}` does not fit the type `{}`: {}",
                    param.kind, error.message
                );
                let problem = self.report.error(Code::ParameterInvalid, span, message);
                self.report
                    .push(error.help.into_iter().fold(problem, Diagnostic::help));
                None
            }
        }
    }
}
