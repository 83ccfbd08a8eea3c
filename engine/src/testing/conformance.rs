//! The conformance kit: what the [contract of the plugins](crate::step) promises, tried out on one of them.
//!
//! [`conformance`] panics with a sentence that says which promise was broken. A plugin's test gives it a
//! [`Case`]: inputs, and the small [`World`] that they change.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::doubles::{Recorder, context};
use crate::platform::process::{GRACE, is_alive, orphans};
use crate::step::{
    Abilities, Check, Context, Failure, FailureKind, Observation, Outputs, Plugin, Purpose, Verdict,
};

/// The value of the parameter `canary` in every context: a secret that must not get out.
pub const CANARY: &str = "canary-7c1f-must-never-be-seen";

/// How soon a call must return after it was cancelled: processes have [`GRACE`] to end, and are then killed.
pub const SOON: Duration = Duration::from_secs(GRACE.as_secs() * 2 + 5);

/// What a step changes, small enough to be compared as a whole.
pub trait World: Send + Sync {
    /// Puts everything back to where the case starts.
    fn reset(&self);

    /// All there is; equal exactly when nothing differs.
    fn fingerprint(&self) -> Vec<u8>;

    /// Whether a run of [`Case::slow`] has done half of its work.
    fn is_halfway(&self, recorder: &Recorder) -> bool;

    /// Completes a context, for instance with parameters or plugins that the inputs rely on.
    fn complete(&self, context: Context) -> Context {
        context
    }
}

/// A plugin's inputs to try, and the world that they change.
pub struct Case {
    /// The step's `with:`, templates filled in.
    pub with: Value,
    /// The same step so slow, or stopping half-way, that it must be cancelled.
    pub slow: Value,
    /// What it changes.
    pub world: Arc<dyn World>,
}

/// Tries all promises of the contract.
///
/// # Panics
/// When the plugin breaks one of them.
pub async fn conformance(plugin: Arc<dyn Plugin>, case: Case) {
    let trial = Trial { plugin, case };
    let abilities = trial.inputs_are_checked();
    trial.looking_changes_nothing(abilities).await;
    trial.twice_is_as_once(abilities).await;
    if abilities.undoes {
        trial.undoing_restores(abilities).await;
    }
    trial.stopped_half_way(abilities).await;
    trial.stopped_before_it_began().await;
}

struct Trial {
    plugin: Arc<dyn Plugin>,
    case: Case,
}

impl Trial {
    fn context(&self, purpose: Purpose) -> (Context, Arc<Recorder>) {
        let recorder = Recorder::new();
        let params = Arc::new(json!({ "canary": CANARY }));
        let context = Context {
            purpose,
            params,
            ..context(&recorder)
        };
        (self.case.world.complete(context), recorder)
    }

    fn name(&self) -> &str {
        self.plugin.name()
    }

    fn inputs_are_checked(&self) -> Abilities {
        let (context, _) = self.context(Purpose::Plan);
        let mut check = Check::new(context.files.as_ref(), &context.registry);
        let abilities = self.plugin.check(&self.case.with, &mut check);
        let (problems, _) = check.finish();
        assert!(
            problems.is_empty(),
            "`{}` refuses the case's own inputs: {problems:?}",
            self.name()
        );

        let mut strange = self.case.with.clone();
        strange["no-such-input"] = json!(1);
        let mut check = Check::new(context.files.as_ref(), &context.registry);
        let _ = self.plugin.check(&strange, &mut check);
        let (problems, _) = check.finish();
        assert!(
            !problems.is_empty(),
            "`{}` passes over an input that it does not know",
            self.name()
        );
        abilities.unwrap_or_default()
    }

    async fn looking_changes_nothing(&self, abilities: Abilities) {
        let world = &self.case.world;
        world.reset();
        let start = world.fingerprint();
        let seen = self.validate(Purpose::Before).await;
        assert_eq!(
            world.fingerprint(),
            start,
            "`validate` of `{}` changed the world",
            self.name()
        );
        if !abilities.validates {
            assert_eq!(
                seen.verdict,
                Verdict::Unknown,
                "`{}` says that it cannot tell, and tells",
                self.name()
            );
        } else if !abilities.read_only {
            let found = matches!(seen.verdict, Verdict::Satisfied);
            assert!(
                !found,
                "`{}` finds an outcome that nobody brought about",
                self.name()
            );
        }
    }

    async fn twice_is_as_once(&self, abilities: Abilities) {
        let world = &self.case.world;
        world.reset();
        let start = world.fingerprint();
        self.run(&self.case.with).await;
        let once = world.fingerprint();
        let after = self.validate(Purpose::After).await;
        if abilities.validates {
            assert_eq!(
                after.verdict,
                Verdict::Satisfied,
                "`{}` does not find what it brought about",
                self.name()
            );
        }
        if abilities.read_only {
            assert_eq!(
                once,
                start,
                "`{}` says that it changes nothing, and does",
                self.name()
            );
        }
        self.run(&self.case.with).await;
        let told_apart = after.verdict == Verdict::Satisfied;
        assert!(
            world.fingerprint() == once || told_apart,
            "`{}` run twice leaves another world than run once, and `validate` does not tell",
            self.name()
        );
    }

    async fn undoing_restores(&self, abilities: Abilities) {
        let world = &self.case.world;
        world.reset();
        let start = world.fingerprint();
        let before = self.validate(Purpose::Before).await.observed;
        let outputs = self.run(&self.case.with).await;
        for time in ["once", "twice"] {
            self.rollback(&self.case.with, &before, Some(outputs.clone()))
                .await;
            assert_eq!(
                world.fingerprint(),
                start,
                "`{}` undone {time} leaves another world",
                self.name()
            );
        }
        if abilities.validates {
            let seen = self.validate(Purpose::AfterRollback).await;
            let found = matches!(seen.verdict, Verdict::Satisfied);
            assert!(!found, "`{}` still finds what was undone", self.name());
        }
    }

    async fn stopped_half_way(&self, abilities: Abilities) {
        let world = &self.case.world;
        world.reset();
        let start = world.fingerprint();
        let before = self.validate(Purpose::Before).await.observed;
        let (context, recorder) = self.context(Purpose::Run);
        let halfway = async {
            until(|| world.is_halfway(&recorder)).await;
            context.cancel.cancel();
        };
        let run = self.plugin.run(&self.case.slow, &context);
        let bounded = tokio::time::timeout(SOON * 2, async { tokio::join!(run, halfway).0 });
        let result = bounded.await;
        assert!(
            result.is_ok(),
            "`{}` goes on after it was told to stop",
            self.name()
        );
        if let Ok(result) = result {
            assert!(
                result.is_err(),
                "`{}` was stopped half-way and says that it succeeded",
                self.name()
            );
            no_canary(self.name(), &result, &recorder);
        }
        no_process_left(self.name(), &context, &recorder);
        if abilities.undoes {
            for time in ["once", "twice"] {
                self.rollback(&self.case.slow, &before, None).await;
                let now = world.fingerprint();
                assert_eq!(
                    now,
                    start,
                    "`{}`, half done and undone {time}, leaves another world",
                    self.name()
                );
            }
        }
    }

    async fn stopped_before_it_began(&self) {
        self.case.world.reset();
        let (context, recorder) = self.context(Purpose::Run);
        context.cancel.cancel();
        let result = tokio::time::timeout(SOON, self.plugin.run(&self.case.slow, &context)).await;
        assert!(
            matches!(result, Ok(Err(_))),
            "`{}` starts although it was told to stop",
            self.name()
        );
        no_process_left(self.name(), &context, &recorder);
    }

    async fn validate(&self, purpose: Purpose) -> Observation {
        let (context, recorder) = self.context(purpose);
        let result = self.plugin.validate(&self.case.with, &context).await;
        no_canary(self.name(), &result, &recorder);
        no_process_left(self.name(), &context, &recorder);
        let seen = self.right(result, "validate");
        assert!(
            survives(&seen.observed),
            "what `{}` observes does not survive being stored",
            self.name()
        );
        assert!(
            survives(&Value::Object(seen.outputs.clone())),
            "outputs of `{}` do not survive",
            self.name()
        );
        seen
    }

    async fn run(&self, with: &Value) -> Outputs {
        let (context, recorder) = self.context(Purpose::Run);
        let result = self.plugin.run(with, &context).await;
        no_canary(self.name(), &result, &recorder);
        no_process_left(self.name(), &context, &recorder);
        let outputs = self.right(result, "run");
        assert!(
            survives(&Value::Object(outputs.clone())),
            "outputs of `{}` do not survive",
            self.name()
        );
        outputs
    }

    async fn rollback(&self, with: &Value, before: &Value, outputs: Option<Outputs>) {
        let (context, recorder) = self.context(Purpose::Rollback);
        let context = Context {
            before: Some(before.clone()),
            outputs,
            ..context
        };
        let result = self.plugin.rollback(with, &context).await;
        no_canary(self.name(), &result, &recorder);
        no_process_left(self.name(), &context, &recorder);
        self.right(result, "rollback");
    }

    #[expect(clippy::panic, reason = "the kit reports by panicking, as tests do")]
    fn right<T>(&self, result: Result<T, Failure>, function: &str) -> T {
        result.unwrap_or_else(|Failure { kind, message, .. }| {
            let hint = if kind == FailureKind::Inputs {
                " (its inputs do not fit)"
            } else {
                ""
            };
            panic!("`{function}` of `{}` failed{hint}: {message}", self.name())
        })
    }
}

fn no_canary(name: &str, result: &impl std::fmt::Debug, recorder: &Recorder) {
    let said = format!("{result:?}\n{}", recorder.all());
    assert!(!said.contains(CANARY), "`{name}` lets a secret out");
}

fn no_process_left(name: &str, context: &Context, recorder: &Recorder) {
    let left: Vec<_> = recorder.processes().into_iter().filter(is_alive).collect();
    assert!(left.is_empty(), "`{name}` leaves processes behind: {left:?}");
    let left = orphans(&context.token);
    assert!(left.is_empty(), "`{name}` leaves processes behind: {left:?}");
}

fn survives(value: &Value) -> bool {
    let text = value.to_string();
    serde_json::from_str::<Value>(&text).is_ok_and(|again| again == *value)
}

async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        #[expect(
            clippy::disallowed_methods,
            reason = "a world has no way to tell when it changes"
        )]
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A folder as a world: its files with their content, and what must stand in it at the start.
pub struct Folder {
    path: PathBuf,
    start: BTreeMap<String, Vec<u8>>,
    halfway: (String, Vec<u8>),
}

impl Folder {
    /// The folder at `path`, which starts with these files; a slow run is half-way when it has written the
    /// file `halfway`.
    #[must_use]
    pub fn new(path: &Path, start: &[(&str, &str)], halfway: (&str, &str)) -> Self {
        let owned = |&(name, text): &(&str, &str)| (name.to_owned(), text.as_bytes().to_vec());
        Self {
            path: path.to_owned(),
            start: start.iter().map(owned).collect(),
            halfway: owned(&halfway),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the world of a test is a real folder")]
    fn content(&self) -> std::io::Result<BTreeMap<String, Vec<u8>>> {
        std::fs::read_dir(&self.path)?
            .map(|entry| {
                let entry = entry?;
                Ok((
                    entry.file_name().to_string_lossy().into_owned(),
                    std::fs::read(entry.path())?,
                ))
            })
            .collect()
    }

    #[expect(clippy::disallowed_methods, reason = "the world of a test is a real folder")]
    fn restore(&self) -> std::io::Result<()> {
        for name in self.content()?.keys() {
            std::fs::remove_file(self.path.join(name))?;
        }
        self.start
            .iter()
            .try_for_each(|(name, bytes)| std::fs::write(self.path.join(name), bytes))
    }
}

impl World for Folder {
    #[expect(clippy::expect_used, reason = "a test cannot go on without its world")]
    fn reset(&self) {
        self.restore().expect("the test's folder can be written");
    }

    #[expect(clippy::expect_used, reason = "a test cannot go on without its world")]
    fn fingerprint(&self) -> Vec<u8> {
        format!("{:?}", self.content().expect("the test's folder can be read")).into_bytes()
    }

    fn is_halfway(&self, _: &Recorder) -> bool {
        let (name, text) = &self.halfway;
        self.content()
            .is_ok_and(|content| content.get(name) == Some(text))
    }
}

#[cfg(test)]
mod tests;
