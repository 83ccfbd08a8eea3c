//! The check of `on:`: the machine that a step is carried out on, known without evaluating anything.

use super::fields::Field;
use super::{Checker, Declared};
use crate::core::Place;
use crate::diagnostic::Code;
use crate::id::{Host, ParamName};
use crate::runbook::expr::is_template;

/// What `on:` may be, for people.
const FORMS: &str = "name a machine (`on: web1`), or where its name is to be found: `${{ item }}`, `${{ params.NAME }}`, or a \
                     field in one of these; `any`, or no `on`, lets every machine do it";

/// The name for all machines.
const ANY: &str = "any";

/// The longest name of a machine.
const LONGEST: usize = 253;

impl Checker<'_> {
    /// `on: HOST`, `on: any`, or an expression that is no more than a name.
    pub(super) fn place(
        &mut self,
        field: Field<'_>,
        declared: &Declared<'_>,
        fans_out: bool,
    ) -> Option<Place> {
        let named = field.named(self.report)?;
        let text = named.name.trim();
        if text == ANY {
            return None;
        }
        let place = match path(text) {
            Ok(Some(path)) => self.found_at(&path, declared, fans_out),
            Ok(None) => host(text).map(Place::Host),
            Err(NotAPath) => Err(format!("`{text}` is more than a name")),
        };
        place
            .map_err(|message| {
                let problem = self.report.error(Code::InvalidValue, named.span, message);
                self.report.push(problem.help(FORMS));
            })
            .ok()
    }

    /// Where an expression of these names finds the machine's.
    fn found_at(&self, path: &[String], declared: &Declared<'_>, fans_out: bool) -> Result<Place, String> {
        match path {
            [item, fields @ ..] if item == "item" && fans_out => Ok(Place::Item(fields.to_vec())),
            [item, ..] if item == "item" => {
                Err("`item` is there only where the step has a `for_each`".to_owned())
            }
            [params, name, fields @ ..] if params == "params" => {
                let missing = || format!("there is no parameter `{name}`, or it is a secret");
                let param: ParamName = name.parse().map_err(|_| missing())?;
                if declared.is_open_param(name) {
                    Ok(Place::Param(param, fields.to_vec()))
                } else {
                    Err(missing())
                }
            }
            _ => Err("it names neither `item` nor a parameter".to_owned()),
        }
    }
}

fn host(text: &str) -> Result<Host, String> {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    if text.is_empty() || text.len() > LONGEST || !text.chars().all(fits) {
        return Err(format!("`{text}` is no name of a machine"));
    }
    Ok(Host::new(text))
}

/// It holds an expression, and more than the way to a value.
struct NotAPath;

/// The names of `${{ a.b.c }}`; none where there is no expression.
fn path(text: &str) -> Result<Option<Vec<String>>, NotAPath> {
    if !is_template(text) {
        return Ok(None);
    }
    let inner = text.strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}"));
    let names: Vec<String> = inner
        .ok_or(NotAPath)?
        .trim()
        .split('.')
        .map(str::to_owned)
        .collect();
    let is_name =
        |name: &String| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if names.iter().all(is_name) {
        Ok(Some(names))
    } else {
        Err(NotAPath)
    }
}
