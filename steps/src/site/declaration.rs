//! What a site step says of itself: its constant `STEP`.

use indexmap::IndexMap;
use rhai::{AST, ASTFlags, Position, Stmt};
use runbook_engine::diagnostic::closest;

use super::ALLOW;
use super::field::Field;
use super::literal::{Data, Entry, Literal};
use crate::script::gives::Declared;
use crate::script::mistakes::Problem;

const KEYS: &[&str] = &["summary", "doc", "inputs", "outputs", "changes"];

/// The longest summary, in characters.
const LONGEST_SUMMARY: usize = 80;

/// The most inputs, and the most outputs.
const MOST_FIELDS: usize = 100;

/// What a site step is for, takes, gives and changes.
#[derive(Debug)]
pub(super) struct Declaration {
    pub(super) summary: String,
    pub(super) doc: String,
    pub(super) inputs: IndexMap<String, Field>,
    pub(super) outputs: IndexMap<String, Field>,
    /// What it changes in the world, for people.
    pub(super) changes: Vec<String>,
}

impl Declaration {
    /// Reads the constant `STEP` of a script, of which these parts compile.
    pub(super) fn read(parts: &[AST], is_whole: bool) -> Result<Self, Vec<Problem>> {
        let mut statements = parts.iter().flat_map(AST::statements);
        let step = statements.find_map(|statement| match statement {
            Stmt::Var(variable, flags, _)
                if variable.0.name == "STEP" && flags.contains(ASTFlags::CONSTANT) =>
            {
                Some(&variable.1)
            }
            _ => None,
        });
        let Some(step) = step else {
            let message = "the script has no constant `STEP`, which says what the step is";
            let begin = "const STEP = #{ summary: \"what it does\", inputs: #{} };";
            let missing = Problem::new(message, Position::NONE).help(format!("begin with `{begin}`"));
            // It may stand in a part that does not compile.
            return Err(is_whole.then_some(missing).into_iter().collect());
        };
        let literal = Literal::read(step).map_err(|problem| vec![problem])?;
        let mut reader = Reader::default();
        let declared = reader.declaration(&literal);
        match declared {
            Some(declared) if reader.problems.is_empty() => Ok(declared),
            Some(_) | None => Err(reader.problems),
        }
    }
}

impl Declaration {
    /// The outputs, for those who look whether they are given.
    pub(super) fn declared(&self) -> impl Iterator<Item = Declared<'_>> {
        self.outputs.iter().map(|(name, field)| Declared {
            name,
            is_required: field.is_required(),
        })
    }
}

/// Reads literals, and collects all that is wrong with them.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) problems: Vec<Problem>,
}

impl Reader {
    fn declaration(&mut self, step: &Literal) -> Option<Declaration> {
        let entries = self.map("STEP", step, KEYS)?;
        let summary = self.required("`STEP`", step.at, entries, "summary");
        let summary = summary.and_then(|entry| Some((entry.value.at, self.text(entry)?)));
        if let Some((at, summary)) = &summary {
            let fits =
                summary.chars().count() <= LONGEST_SUMMARY && !summary.contains('\n') && !summary.is_empty();
            if !fits {
                let message = format!("`summary` is one line of at most {LONGEST_SUMMARY} characters");
                self.problems
                    .push(Problem::new(message, *at).help("the rest belongs in `doc`"));
            }
        }
        let doc = get(entries, "doc").and_then(|entry| self.text(entry));
        let changes = get(entries, "changes").and_then(|entry| self.texts(entry));
        let inputs = self.fields(entries, "inputs");
        let outputs = self.fields(entries, "outputs");
        Some(Declaration {
            summary: summary?.1,
            doc: doc.unwrap_or_default(),
            inputs,
            outputs,
            changes: changes.unwrap_or_default(),
        })
    }

    fn fields(&mut self, entries: &[Entry], name: &str) -> IndexMap<String, Field> {
        let Some(entry) = get(entries, name) else {
            return IndexMap::new();
        };
        let Some(declared) = entry.value.entries() else {
            self.wrong(entry, "a map from names to their declarations");
            return IndexMap::new();
        };
        if declared.len() > MOST_FIELDS {
            let message = format!("there are more than {MOST_FIELDS} {name}");
            self.problems.push(Problem::new(message, entry.at).word(name));
        }
        let fields = declared.iter().take(MOST_FIELDS).filter_map(|entry| {
            if name == "inputs" && entry.name == ALLOW {
                let message = "`allow` cannot be an input: it is what the runbook grants the step";
                self.problems.push(Problem::new(message, entry.at).word(ALLOW));
                return None;
            }
            Some((entry.name.clone(), Field::read(entry, name == "inputs", self)?))
        });
        fields.collect()
    }

    /// The entries of a map that has no others than `keys`.
    pub(super) fn map<'a>(&mut self, name: &str, literal: &'a Literal, keys: &[&str]) -> Option<&'a [Entry]> {
        let Some(entries) = literal.entries() else {
            let message = format!("`{name}` must be a map: `#{{ … }}`");
            self.problems.push(Problem::new(message, literal.at));
            return None;
        };
        for entry in entries
            .iter()
            .filter(|entry| !keys.contains(&entry.name.as_str()))
        {
            let problem = Problem::new(format!("`{}` means nothing in `{name}`", entry.name), entry.at);
            let problem = problem.word(&entry.name);
            let list = keys
                .iter()
                .map(|key| format!("`{key}`"))
                .collect::<Vec<_>>()
                .join(", ");
            self.problems
                .push(match closest(&entry.name, keys.iter().copied()) {
                    Some(near) => problem.help(format!("did you mean `{near}`?")),
                    None => problem.help(format!("the keys here are {list}")),
                });
        }
        Some(entries)
    }

    pub(super) fn required<'a>(
        &mut self,
        whose: &str,
        at: Position,
        entries: &'a [Entry],
        name: &str,
    ) -> Option<&'a Entry> {
        let found = get(entries, name);
        if found.is_none() {
            self.problems
                .push(Problem::new(format!("{whose} lacks `{name}`"), at));
        }
        found
    }

    pub(super) fn wrong(&mut self, entry: &Entry, expected: &str) {
        let message = format!("`{}` must be {expected}", entry.name);
        self.problems.push(Problem::new(message, entry.value.at));
    }

    pub(super) fn text(&mut self, entry: &Entry) -> Option<String> {
        match &entry.value.data {
            Data::Plain(serde_json::Value::String(text)) => Some(text.trim().to_owned()),
            Data::Plain(_) | Data::List(_) | Data::Map(_) => {
                self.wrong(entry, "a text");
                None
            }
        }
    }

    pub(super) fn texts(&mut self, entry: &Entry) -> Option<Vec<String>> {
        let texts = match entry.value.value() {
            serde_json::Value::Array(items) => items
                .into_iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect(),
            _ => None,
        };
        if texts.is_none() {
            self.wrong(entry, "a list of texts");
        }
        texts
    }

    pub(super) fn flag(&mut self, entry: &Entry) -> Option<bool> {
        let flag = entry.value.value().as_bool();
        if flag.is_none() {
            self.wrong(entry, "`true` or `false`");
        }
        flag
    }

    pub(super) fn number(&mut self, entry: &Entry) -> Option<f64> {
        let number = entry.value.value().as_f64();
        if number.is_none() {
            self.wrong(entry, "a number");
        }
        number
    }
}

pub(super) fn get<'a>(entries: &'a [Entry], name: &str) -> Option<&'a Entry> {
    entries.iter().find(|entry| entry.name == name)
}
