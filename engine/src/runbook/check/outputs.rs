//! The check of outputs by name, of steps whose kind says which they give.

use serde_json::Value;

use super::Checker;
use super::fields::Field;
use super::inputs::Read;
use super::steps::Draft;
use crate::diagnostic::{Code, Span, closest};

impl Checker<'_> {
    /// Tells every output that is read, or that a rehearsal gives, and that its step never gives.
    pub(super) fn outputs(&mut self, drafts: &[Draft<'_>], reads: &[(usize, Read)]) {
        for draft in drafts.iter().filter(|draft| draft.skip.is_none()) {
            let Some(given) = self.gives(draft) else {
                continue;
            };
            let rehearsed = draft.rehearse_field.and_then(|field| entry(field, "outputs"));
            for (key, _) in rehearsed.into_iter().flat_map(|field| field.node.entries()) {
                self.given(draft, &given, key.name, key.span);
            }
            // What a step gives that fans out stands below each item.
            let is_one = draft.for_each.is_none();
            for (_, read) in reads.iter().filter(|(_, read)| is_one && read.step == draft.id) {
                for name in &read.named {
                    self.given(draft, &given, name, read.span);
                }
            }
        }
    }

    /// The names of all outputs that a step may give, where its kind says them.
    fn gives(&self, draft: &Draft<'_>) -> Option<Vec<String>> {
        let (uses, _) = draft.uses.as_ref()?;
        let with = draft.with.map_or(&Value::Null, |field| field.node.value());
        self.kind_of(uses)?.gives(with)
    }

    fn given(&mut self, draft: &Draft<'_>, given: &[String], name: &str, span: Span) {
        if given.iter().any(|output| output == name) {
            return;
        }
        let message = format!("the step `{}` gives no output `{name}`", draft.id);
        let problem = self.report.error(Code::ExpressionUnknownName, span, message);
        let list: Vec<String> = given.iter().map(|output| format!("`{output}`")).collect();
        let help = match closest(name, given.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None if given.is_empty() => "it gives none".to_owned(),
            None => format!("it gives {}", list.join(", ")),
        };
        self.report.push(problem.help(help));
    }
}

fn entry<'a>(field: Field<'a>, name: &str) -> Option<Field<'a>> {
    let found = field.node.entries().find(|(key, _)| key.name == name);
    found.map(|(key, node)| Field { key, node })
}
