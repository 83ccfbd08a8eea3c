//! The check of `sessions:`.

use serde_json::Value;

use super::fields::{Field, Fields};
use super::told::{MOST_TRIES, Told, is_of_type};
use super::{Checker, Declared, Sessions};
use crate::diagnostic::{Code, Span};
use crate::id::{LockName, PluginName, RoleName, SessionName};
use crate::runbook::expr::Site;
use crate::runbook::model::Session;
use crate::step::Check;

/// The keys of a session.
pub(super) const KEYS: &[&str] = &["uses", "role", "with"];

/// The lock that a session's steps hold.
pub(super) fn lock_of(session: &str) -> String {
    format!("session-{session}")
}

impl Checker<'_> {
    /// The sessions, by name.
    pub(super) fn sessions(&mut self, field: Option<Field<'_>>, declared: &Declared<'_>) -> Sessions {
        let entries = self.entries(field);
        entries
            .into_iter()
            .filter_map(|entry| self.session(entry, declared))
            .collect()
    }

    fn session(&mut self, entry: Field<'_>, declared: &Declared<'_>) -> Option<(SessionName, Session)> {
        let name = entry.key_as::<SessionName>(self.report);
        if name.is_some() && lock_of(entry.key.name).parse::<LockName>().is_err() {
            let message = format!("the session's name `{}` is too long", entry.key.name);
            let problem = self.report.error(Code::InvalidName, entry.key.span, message);
            self.report.push(problem.help("use at most 92 letters"));
        }
        let fields = Fields::read(entry, KEYS, self.report)?;
        let uses = fields.required(
            "uses",
            "say which plugin opens it, as `uses: powershell`",
            self.report,
        );
        let uses = uses.and_then(|field| self.plugin(field));
        let role = fields.get("role").and_then(|field| self.role(field, declared));
        let with = fields.get("with");
        if let Some(with) = with {
            if with.node.value().is_object() {
                let kind = uses.as_ref().and_then(|(name, _)| self.kind_of(name));
                let scripts = kind.as_ref().map_or(&[][..], |kind| kind.doc().scripts);
                self.templates(with.node, scripts, &declared.known.at(Site::Session));
            } else {
                self.report.wrong_type(with, "a map");
            }
        }
        let (name, (uses, place)) = (name?, uses?);
        self.session_inputs(&uses, place, with);
        let with = with.map_or_else(
            || Value::Object(serde_json::Map::new()),
            |with| with.node.value().clone(),
        );
        Some((
            name.clone(),
            Session {
                name,
                uses,
                role,
                with,
                span: entry.key.span,
            },
        ))
    }

    /// Checks a session's inputs with its plugin.
    fn session_inputs(&mut self, uses: &PluginName, place: Span, with: Option<Field<'_>>) {
        let Some(plugin) = self.kind_of(uses) else {
            return;
        };
        let given = match with.map(|field| field.node.value()) {
            Some(given) if !given.is_object() => return,
            Some(given) => given.clone(),
            None => Value::Object(serde_json::Map::new()),
        };
        let mut told = Told::new(&given);
        for _ in 0..MOST_TRIES {
            let mut check = Check::new(self.files, &self.registry);
            plugin.check_session(&told.tried, &mut check);
            let problems = check.finish().0;
            let read = !problems.iter().any(is_of_type);
            let (new, again) = told.take(&problems, read);
            for problem in &new {
                let problem = self.input_problem(uses, place, with, problem);
                self.report.push(problem);
            }
            if !again {
                return;
            }
        }
    }

    /// The role that `role:` names.
    pub(super) fn role(&mut self, field: Field<'_>, declared: &Declared<'_>) -> Option<RoleName> {
        let named = field.named(self.report)?;
        if declared.roles.contains(named.name) {
            return named.name.parse().ok();
        }
        let message = format!("there is no role `{}`", named.name);
        let problem = self.report.error(Code::UnknownRole, named.span, message);
        let problem = problem.did_you_mean(named.name, declared.roles.iter().copied());
        let problem = if problem.help.is_empty() {
            problem.help("declare it below `roles:`")
        } else {
            problem
        };
        self.report.push(problem);
        None
    }
}
