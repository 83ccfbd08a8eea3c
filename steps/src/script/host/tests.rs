use std::any::TypeId;
use std::collections::BTreeSet;
use std::sync::Arc;

use runbook_engine::testing::doubles::{Recorder, context};

use super::*;

/// The functions of an engine: their names, and the types of their arguments, which tell them from Rhai's own.
fn of(engine: &Engine) -> BTreeSet<(String, Vec<TypeId>)> {
    let all = engine.collect_fn_metadata(
        None,
        |function| {
            let types = function.metadata.param_types.to_vec();
            Some((function.metadata.name.to_string(), types))
        },
        true,
    );
    all.into_iter().collect()
}

#[tokio::test]
async fn the_table_tells_exactly_what_scripts_can_call() {
    let recorder: Arc<Recorder> = Recorder::new();
    let registered = of(&engine(&Allow::default(), &context(&recorder)));
    let plain = of(&sandbox());
    let added = registered.difference(&plain);
    let added: BTreeSet<(String, usize)> = added.map(|(name, types)| (name.clone(), types.len())).collect();
    let told = functions().map(|function| (function.name().to_owned(), function.arity()));
    let told: BTreeSet<(String, usize)> = told.collect();
    let untold: Vec<_> = added.difference(&told).collect();
    assert!(untold.is_empty(), "{untold:?}");
    // These stand in for Rhai's own of the same names and types; `print` leads to the transcript.
    let ours = ["parse_json", "print", "sleep"];
    let missing = told
        .difference(&added)
        .filter(|(name, _)| !ours.contains(&name.as_str()));
    let missing: Vec<_> = missing.collect();
    assert!(missing.is_empty(), "{missing:?}");
}
