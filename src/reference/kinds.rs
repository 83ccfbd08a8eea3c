//! Every kind of step: what it does and its inputs, from the plugins themselves.

use runbook_engine::step::Registry;

use super::keys::{parts, table};

/// The page of all kinds of step.
pub(super) fn text(registry: &Registry) -> String {
    let mut text = String::new();
    for plugin in registry.iter() {
        let (doc, schema) = (plugin.doc(), plugin.schema());
        // An example of the step alone is no runbook that could be checked.
        let about = doc.text.trim().replace("```yaml", "```yaml fragment");
        let inputs = table(&schema, &schema["$defs"]) + parts(&schema["$defs"], "###").as_str();
        text += &format!("\n## {}\n\n{}\n\n{about}\n\n{inputs}", plugin.name(), doc.summary);
    }
    text
}
