//! What `runbook steps KIND` prints can be relied on.

use runbook_engine::step::Plugin;
use serde_json::Value;

use crate::support::check_in_session;

/// The example at the end of a plugin's documentation.
fn example(plugin: &dyn Plugin) -> Value {
    let text = plugin.doc().text;
    let (_, block) = text
        .rsplit_once("```yaml\n")
        .expect("an example in a fenced YAML block");
    let (yaml, rest) = block.split_once("```").expect("the block's end");
    assert_eq!(rest.trim(), "", "`{}`: the example comes last", plugin.name());
    serde_yaml::from_str(yaml).expect("the example is YAML")
}

#[test]
fn every_example_passes_its_own_check() {
    for plugin in runbook_steps::builtin().iter() {
        let example = example(plugin.as_ref());
        let steps = example["steps"].as_object().expect("steps");
        assert!(!steps.is_empty());
        for step in steps.values().filter(|step| step["uses"] == plugin.name()) {
            let session = step["session"].as_str();
            let session = session.map(|name| &example["sessions"][name]["with"]);
            let (problems, abilities) = check_in_session(plugin.name(), &step["with"], session);
            assert_eq!(problems, [], "the example of `{}`", plugin.name());
            assert!(abilities.is_some());
        }
    }
}

#[test]
fn every_input_is_explained() {
    for plugin in runbook_steps::builtin().iter() {
        let schema = plugin.schema();
        let inputs = schema["properties"].as_object().expect("inputs");
        for (name, input) in inputs {
            assert!(
                input["description"].is_string(),
                "`{name}` of `{}` is not explained",
                plugin.name()
            );
        }
        for script in plugin.doc().scripts {
            assert!(
                inputs.contains_key(*script),
                "`{script}` of `{}` is no input",
                plugin.name()
            );
        }
        assert_eq!(
            schema["additionalProperties"],
            false,
            "`{}` refuses unknown inputs",
            plugin.name()
        );
    }
}

#[test]
fn summaries_are_short_fragments() {
    for plugin in runbook_steps::builtin().iter() {
        let summary = plugin.doc().summary;
        assert!(summary.len() <= 80 && !summary.ends_with('.'), "{summary}");
        assert!(summary.starts_with(char::is_lowercase), "{summary}");
    }
}

#[test]
fn the_reference_tells_every_function_of_the_host() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference/scripts.md");
    let page = std::fs::read_to_string(page).unwrap();
    let table = runbook_steps::script::as_markdown(runbook_steps::script::functions());
    assert!(
        page.contains(&table),
        "docs/reference/scripts.md should hold this table:\n{table}"
    );
}
