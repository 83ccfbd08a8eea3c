//! What these tests share: the child program, and calls of a plugin with inputs as a runbook gives them.

use std::sync::Arc;

use runbook_engine::step::{Abilities, Check, Context, Failure, InputProblem, Outputs, Plugin};
use runbook_engine::testing::doubles::{MemoryFiles, Recorder, context};
use serde_json::{Value, json};

pub(crate) mod server;

/// The child program: see `helper/main.rs`.
pub(crate) const HELPER: &str = env!("CARGO_BIN_EXE_steps-helper");

/// An argument vector of the child program.
pub(crate) fn helper(words: &[&str]) -> Value {
    let mut argv = vec![HELPER];
    argv.extend(words);
    json!(argv)
}

/// The built-in plugin of that name.
pub(crate) fn plugin(name: &str) -> Arc<dyn Plugin> {
    Arc::clone(runbook_steps::builtin().get(name).unwrap())
}

/// A context in which all built-in plugins can be used.
pub(crate) fn with_plugins(recorder: &Arc<Recorder>) -> Context {
    Context {
        registry: runbook_steps::builtin(),
        ..context(recorder)
    }
}

/// Runs a step.
pub(crate) async fn run(name: &str, with: Value) -> Result<Outputs, Failure> {
    plugin(name).run(&with, &with_plugins(&Recorder::new())).await
}

/// Checks inputs, and gives what is wrong with them.
pub(crate) fn check(name: &str, with: &Value) -> (Vec<InputProblem>, Option<Abilities>) {
    check_with_files(name, with, &MemoryFiles::default())
}

/// As [`check`], for inputs that refer to files.
pub(crate) fn check_with_files(
    name: &str,
    with: &Value,
    files: &MemoryFiles,
) -> (Vec<InputProblem>, Option<Abilities>) {
    let registry = runbook_steps::builtin();
    let mut check = Check::new(files, &registry);
    let abilities = plugin(name).check(with, &mut check);
    (check.finish().0, abilities)
}

/// As [`check`], for a step of a session with these inputs.
pub(crate) fn check_in_session(
    name: &str,
    with: &Value,
    session: Option<&Value>,
) -> (Vec<InputProblem>, Option<Abilities>) {
    let (files, registry) = (MemoryFiles::default(), runbook_steps::builtin());
    let mut check = Check::new(&files, &registry).in_session(session);
    let abilities = plugin(name).check(with, &mut check);
    (check.finish().0, abilities)
}

/// The only problem that inputs have: its place, dotted, and what is wrong.
#[track_caller]
pub(crate) fn problem(name: &str, with: &Value) -> (String, String) {
    let (problems, _) = check(name, with);
    assert_eq!(problems.len(), 1, "{problems:?}");
    (problems[0].path.join("."), problems[0].message.clone())
}
