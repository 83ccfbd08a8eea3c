//! The check of expressions, templates and plugins' inputs, when all names are known.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::fields::Field;
use super::report::first_line;
use super::steps::Draft;
use super::told::{MOST_TRIES, Told};
use super::{Checker, Declared, Sessions, words};
use crate::diagnostic::{Code, Diagnostic, SourceFile, Span};
use crate::id::{PluginName, StepId};
use crate::runbook::expr::{self, Expression, Known, Names, Part, Site};
use crate::runbook::yaml::Node;
use crate::secret::SecretName;
use crate::step::{Abilities, Check, Definition, InputProblem};

/// A step that an expression reads, and where.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) step: StepId,
    pub(super) span: Span,
    /// Whether more is read than its status.
    pub(super) outputs: bool,
    /// The outputs that are named.
    pub(super) named: Vec<String>,
}

/// What the second look at a step gave.
pub(super) struct Checked {
    pub(super) when: Option<Expression>,
    pub(super) for_each: Option<Expression>,
    pub(super) with: Value,
    pub(super) abilities: Option<Abilities>,
    pub(super) files: Vec<String>,
    pub(super) reads: Vec<Read>,
    pub(super) secrets: Vec<SecretName>,
}

/// What expressions name.
#[derive(Default)]
pub(super) struct Seen {
    reads: Vec<Read>,
    names: Vec<Names>,
}

impl Seen {
    fn add(&mut self, names: &Names) {
        self.reads.extend(reads_of(names));
        self.names.push(names.clone());
    }

    fn secrets(&self, declared: &Declared<'_>) -> BTreeSet<SecretName> {
        self.names
            .iter()
            .flat_map(|names| declared.secrets.in_names(names))
            .collect()
    }
}

impl Checker<'_> {
    /// Checks a step's expressions and inputs; files that the inputs refer to are added to `files`.
    pub(super) fn inputs(
        &mut self,
        draft: &Draft<'_>,
        declared: &Declared<'_>,
        sessions: &Sessions,
        files: &mut BTreeMap<String, String>,
    ) -> Checked {
        let mut seen = Seen::default();
        let condition = declared.known.at(Site::Condition);
        let when = draft
            .when
            .and_then(|field| self.condition(field, &condition, &mut seen));
        let for_each = draft
            .for_each
            .and_then(|field| self.list(field, &condition, &mut seen));
        let mut secrets = seen.secrets(declared);
        let mut reads = seen.reads;
        let site = declared.known.at(Site::Step {
            fans_out: draft.for_each.is_some(),
        });
        if let Some(rehearse) = draft.rehearse_field {
            reads.extend(self.templates(rehearse.node, &[], &site).reads);
        }
        let mut given = self.listed_secrets(&draft.secrets, declared);
        if let (Some(with), Some((uses, _))) = (draft.with, &draft.uses) {
            let kind = self.kind_of(uses);
            let scripts = kind.as_ref().map_or(&[][..], |kind| kind.doc().scripts);
            let seen = self.templates(with.node, scripts, &site);
            given.extend(seen.secrets(declared));
            reads.extend(seen.reads);
        }
        let (with, abilities, mut used) = self.with(draft, declared, sessions);
        let uses = draft.uses.as_ref().map(|(uses, _)| uses.as_str());
        given.extend(self.secrets_in_scripts(&with, &used, uses, declared));
        // A person is shown no secret, and needs none to be known here.
        if !abilities.is_some_and(|abilities| abilities.by_person) {
            secrets.extend(given);
        }
        let kind = draft.uses.as_ref().and_then(|(uses, _)| self.kind_of(uses));
        if let Some(Definition { file, text }) = kind.as_ref().and_then(|kind| kind.definition()) {
            used.push((file.to_owned(), text.to_owned()));
        }
        let names = used.iter().map(|(name, _)| name.clone()).collect();
        files.extend(used);
        Checked {
            when,
            for_each,
            with,
            abilities,
            files: names,
            reads,
            secrets: secrets.into_iter().collect(),
        }
    }

    fn condition(&mut self, field: Field<'_>, known: &Known, seen: &mut Seen) -> Option<Expression> {
        match field.node.value() {
            Value::String(_) | Value::Bool(_) => self.expression(field, known, seen),
            Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                self.report
                    .wrong_type(field, "an expression that gives `true` or `false`");
                None
            }
        }
    }

    fn list(&mut self, field: Field<'_>, known: &Known, seen: &mut Seen) -> Option<Expression> {
        match field.node.value() {
            Value::String(_) => self.expression(field, known, seen),
            Value::Array(items) => {
                let message = "`for_each` must be an expression, not a list";
                let span = first_line(&self.report.file, field.node.span());
                let list = serde_json::to_string(items).unwrap_or_default();
                let problem = self.report.error(Code::WrongType, span, message);
                self.report
                    .push(problem.help(format!("write the list as an expression: `for_each: '{list}'`")));
                None
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
                self.report.wrong_type(field, "an expression that gives a list");
                None
            }
        }
    }

    fn expression(&mut self, field: Field<'_>, known: &Known, seen: &mut Seen) -> Option<Expression> {
        let alignment = field.node.alignment();
        match expr::compile_part(field.node.raw(), 0, &self.report.file, &alignment, known) {
            Ok(expression) => {
                seen.add(expression.names());
                Some(expression)
            }
            Err(problems) => {
                problems.into_iter().for_each(|problem| self.report.push(problem));
                None
            }
        }
    }

    /// Checks every `${{ … }}` below a map; in the fields named by `scripts` there should be none.
    pub(super) fn templates(&mut self, node: Node<'_>, scripts: &[&str], known: &Known) -> Seen {
        let mut seen = Seen::default();
        let mut open: Vec<(Node<'_>, bool)> = vec![(node, false)];
        for (key, below) in node.entries().filter(|(key, _)| scripts.contains(&key.name)) {
            self.script(key.name, below);
        }
        while let Some((node, inside)) = open.pop() {
            let is_script = |name: &str| !inside && scripts.contains(&name);
            open.extend(
                node.entries()
                    .filter(|(key, _)| !is_script(key.name))
                    .map(|(_, below)| (below, true)),
            );
            open.extend(node.items().map(|below| (below, true)));
            if let Value::String(text) = node.value()
                && expr::is_template(text)
            {
                self.template(node, text, known, &mut seen);
            }
        }
        seen
    }

    fn template(&mut self, node: Node<'_>, text: &str, known: &Known, seen: &mut Seen) {
        let alignment = node.alignment();
        let parts = match expr::parts(text) {
            Ok(parts) => parts,
            Err(expr::Unclosed(at)) => {
                let span = alignment.span(at, at + 3);
                let problem = self
                    .report
                    .error(Code::ExpressionSyntax, span, "`}}` is missing after this");
                self.report
                    .push(problem.help("close the expression with `}}`, after any quotes in it are closed"));
                return;
            }
        };
        for part in parts {
            let Part::Expression(range) = part else {
                continue;
            };
            match expr::compile_part(
                &text[range.clone()],
                range.start,
                &self.report.file,
                &alignment,
                known,
            ) {
                Ok(expression) => seen.add(expression.names()),
                Err(problems) => problems.into_iter().for_each(|problem| self.report.push(problem)),
            }
        }
    }

    fn script(&mut self, name: &str, node: Node<'_>) {
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            open.extend(node.entries().map(|(_, below)| below));
            open.extend(node.items());
            let Value::String(text) = node.value() else {
                continue;
            };
            let Some(at) = text.find("${{") else {
                continue;
            };
            let message = format!("`{name}` is a script, in which `${{{{ … }}}}` is not filled in");
            let warning = Diagnostic::warning(Code::TemplateInScript, message);
            let warning = warning.at(&self.report.file, node.alignment().span(at, at + 3), "");
            self.report.push(
                warning.help("scripts read parameters and outputs from the document that they are given"),
            );
        }
    }

    /// Checks a step's inputs with its plugin; also gives the files that they refer to.
    fn with(
        &mut self,
        draft: &Draft<'_>,
        declared: &Declared<'_>,
        sessions: &Sessions,
    ) -> (Value, Option<Abilities>, Vec<(String, String)>) {
        let empty = || Value::Object(serde_json::Map::new());
        let with = match draft.with {
            Some(field) if !field.node.value().is_object() => {
                self.report.wrong_type(field, "a map");
                return (empty(), None, Vec::new());
            }
            Some(field) => field.node.value().clone(),
            None => empty(),
        };
        let Some((uses, span)) = &draft.uses else {
            return (with, None, Vec::new());
        };
        let Some(plugin) = self.kind_of(uses) else {
            return (with, None, Vec::new());
        };
        let mut told = Told::new(&with);
        for _ in 0..MOST_TRIES {
            let session = draft.session.as_ref().and_then(|name| sessions.get(name));
            let session = session.map(|session| &session.with);
            let mut check = Check::new(self.files, &self.registry)
                .in_session(session)
                .with_secrets(&declared.secrets, &draft.id);
            let abilities = plugin.check(&told.tried, &mut check);
            let kinds = check.take_kinds();
            let (problems, used) = check.finish();
            kinds.iter().for_each(|kind| self.define(kind));
            let (new, again) = told.take(&problems, abilities.is_some());
            for problem in &new {
                self.report
                    .push(self.input_problem(uses, *span, draft.with, problem));
            }
            if !again {
                return (with, abilities, used);
            }
        }
        (with, None, Vec::new())
    }

    pub(super) fn input_problem(
        &self,
        plugin: &PluginName,
        uses: Span,
        with: Option<Field<'_>>,
        problem: &InputProblem,
    ) -> Diagnostic {
        let span = with.map_or(uses, |field| place(&self.report.file, field, problem));
        let (message, mut help) = words::of_problem(plugin, problem);
        help.extend(problem.help.clone());
        let found = if problem.warning {
            Diagnostic::warning(problem.code, message).at(&self.report.file, span, "")
        } else {
            self.report.error(problem.code, span, message)
        };
        help.into_iter().fold(found, Diagnostic::help)
    }
}

fn reads_of(names: &Names) -> impl Iterator<Item = Read> {
    names.places.iter().map(|(step, span)| Read {
        step: step.clone(),
        span: *span,
        outputs: names.outputs.iter().any(|(of, _)| of == step),
        named: names
            .outputs
            .iter()
            .filter(|(of, _)| of == step)
            .filter_map(|(_, name)| name.clone())
            .collect(),
    })
}

/// Where a problem with inputs lies in the file.
fn place(file: &SourceFile, with: Field<'_>, problem: &InputProblem) -> Span {
    let (node, key) = with.node.follow(&problem.path);
    let key = key.or(problem.path.is_empty().then_some(with.key.span));
    match (problem.inside, key) {
        (Some((start, end)), _) if node.value().is_string() => node.alignment().span(start, end),
        (_, Some(key)) if problem.at_key || node.value().is_object() || node.value().is_null() => key,
        _ => first_line(file, node.span()),
    }
}
