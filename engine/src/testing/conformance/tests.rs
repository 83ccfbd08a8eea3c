//! The kit itself: it lets a right plugin pass, and names the promise that a wrong one breaks.

use std::sync::Mutex;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;

use super::*;
use crate::step::{KindDoc, StepKind, Typed};

/// Which promise the plugin breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    ChangesWhenLooking,
    RunsTwice,
    ForgetsToUndo,
    UndoesTwice,
    LeavesHalf,
    IgnoresCancel,
    TellsSecrets,
}

/// A list of words as a world, and a plugin that adds one.
struct Words {
    world: Arc<Mutex<Vec<String>>>,
    fault: Fault,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Inputs {
    word: String,
    #[serde(default)]
    slow: bool,
}

impl Words {
    fn change(&self, change: impl FnOnce(&mut Vec<String>)) {
        change(&mut self.world.lock().unwrap());
    }
}

#[async_trait]
impl StepKind for Words {
    type Inputs = Inputs;

    const NAME: &'static str = "words";

    fn doc(&self) -> KindDoc {
        KindDoc {
            summary: "adds a word",
            text: "",
            scripts: &[],
        }
    }

    fn abilities(&self, _: &Inputs) -> Abilities {
        Abilities {
            validates: self.fault != Fault::RunsTwice,
            undoes: true,
            ..Abilities::default()
        }
    }

    async fn validate(&self, inputs: &Inputs, _: &Context) -> Result<Observation, Failure> {
        if self.fault == Fault::ChangesWhenLooking {
            self.change(|words| words.push("seen".to_owned()));
        }
        let found = self.world.lock().unwrap().contains(&inputs.word);
        let verdict = match (self.fault, found) {
            (Fault::RunsTwice, _) => Verdict::Unknown,
            (_, true) => Verdict::Satisfied,
            (_, false) => Verdict::Unsatisfied("it is missing".to_owned()),
        };
        Ok(Observation {
            verdict,
            ..Observation::unknown()
        })
    }

    async fn run(&self, inputs: &Inputs, cx: &Context) -> Result<Outputs, Failure> {
        if cx.cancel.is_cancelled() {
            return Err(Failure::new(FailureKind::Failed, "stopped"));
        }
        self.change(|words| words.push(inputs.word.clone()));
        if inputs.slow {
            if self.fault == Fault::LeavesHalf {
                self.change(|words| words.push("half".to_owned()));
            }
            cx.cancel.cancelled().await;
            if self.fault != Fault::IgnoresCancel {
                return Err(Failure::new(FailureKind::Failed, "stopped"));
            }
        }
        if self.fault == Fault::TellsSecrets {
            cx.transcript.write("log", cx.params.to_string().as_bytes());
        }
        Ok(Outputs::new())
    }

    async fn rollback(&self, inputs: &Inputs, _: &Context) -> Result<(), Failure> {
        match self.fault {
            Fault::ForgetsToUndo => {}
            Fault::UndoesTwice => self.change(|words| drop(words.pop())),
            _ => self.change(|words| words.retain(|word| *word != inputs.word)),
        }
        Ok(())
    }
}

struct WordsWorld(Arc<Mutex<Vec<String>>>);

impl World for WordsWorld {
    fn reset(&self) {
        *self.0.lock().unwrap() = vec!["first".to_owned()];
    }

    fn fingerprint(&self) -> Vec<u8> {
        self.0.lock().unwrap().join(" ").into_bytes()
    }

    fn is_halfway(&self, _: &Recorder) -> bool {
        self.0.lock().unwrap().len() > 1
    }
}

async fn try_out(fault: Fault) {
    let world = Arc::new(Mutex::new(Vec::new()));
    let plugin = Arc::new(Typed(Words {
        world: Arc::clone(&world),
        fault,
    }));
    let world = Arc::new(WordsWorld(world));
    let (with, slow) = (json!({ "word": "new" }), json!({ "word": "new", "slow": true }));
    conformance(plugin, Case { with, slow, world }).await;
}

#[tokio::test]
async fn a_right_plugin_passes() {
    try_out(Fault::None).await;
}

macro_rules! is_found {
    ($($name:ident $fault:ident $said:literal;)*) => {$(
        #[tokio::test]
        #[should_panic(expected = $said)]
        async fn $name() {
            try_out(Fault::$fault).await;
        }
    )*};
}

is_found! {
    looking_must_not_change ChangesWhenLooking "`validate` of `words` changed the world";
    running_twice_must_be_as_once RunsTwice "run twice leaves another world than run once";
    undoing_must_restore ForgetsToUndo "undone once leaves another world";
    undoing_twice_must_be_harmless UndoesTwice "undone twice leaves another world";
    half_done_work_must_be_undone LeavesHalf "half done and undone once, leaves another world";
    who_is_stopped_must_say_so IgnoresCancel "was stopped half-way and says that it succeeded";
    secrets_must_stay_in TellsSecrets "lets a secret out";
}
