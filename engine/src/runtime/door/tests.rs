//! What a visitor signs, and what not, whoever holds the run.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;
use tempfile::TempDir;

use super::{Access, Door, Doors};
use crate::core::event::{Entry, Failure, Outputs};
use crate::core::{self, Act, Lacking, Turn};
use crate::diagnostic::SourceFile;
use crate::id::{Host, Operator, RunId, Seq};
use crate::identity::{PrivateKey, Signature, Signer, SigningFailed, Statement};
use crate::journal::{Digest, Draft, Head, Kept, SledJournal};
use crate::runbook;
use crate::runtime::{Asked, Author, Engine, NewRun, PinnedFiles, Run, RuntimeError, SystemClock};
use crate::step::{Abilities, Context, KindDoc, Observation, Registry, StepKind};

const ID: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoInputs {}

/// A kind of step that nobody carries out here.
struct Idle;

#[async_trait]
impl StepKind for Idle {
    type Inputs = NoInputs;

    const NAME: &'static str = "idle";

    fn doc(&self) -> KindDoc {
        KindDoc {
            summary: "does nothing",
            text: "",
            scripts: &[],
        }
    }

    fn abilities(&self, _: &NoInputs) -> Abilities {
        Abilities::default()
    }

    async fn validate(&self, _: &NoInputs, _: &Context) -> Result<Observation, Failure> {
        unreachable!()
    }

    async fn run(&self, _: &NoInputs, _: &Context) -> Result<Outputs, Failure> {
        unreachable!()
    }

    async fn rollback(&self, _: &NoInputs, _: &Context) -> Result<(), Failure> {
        unreachable!()
    }
}

/// Somebody who says that they have another's key.
#[derive(Debug)]
struct Pretender {
    says: Arc<PrivateKey>,
    has: Arc<PrivateKey>,
}

impl Signer for Pretender {
    fn key(&self) -> crate::identity::PublicKey {
        self.says.key()
    }

    fn sign(&self, what: &Statement<'_>) -> Result<Signature, SigningFailed> {
        self.has.sign(what)
    }
}

fn key() -> Arc<PrivateKey> {
    Arc::new(PrivateKey::generate().unwrap())
}

fn cancel(why: &str) -> Act {
    Act::Cancel { why: why.to_owned() }
}

/// A run that alice holds, and bob's way to it.
struct House {
    run: Run,
    door: Door,
    bob: Engine,
    _folder: TempDir,
}

impl House {
    async fn new(bob: Arc<dyn Signer>) -> Self {
        let folder = TempDir::new().unwrap();
        let engine = |name: &str, key: Arc<dyn Signer>| Engine {
            journal: Arc::new(Doors(Arc::new(SledJournal::open(folder.path()).unwrap()))),
            registry: Registry::default().with(Idle),
            clock: Arc::new(SystemClock::default()),
            author: Author {
                operator: Operator::new(name),
                host: Host::new("here"),
                pid: 1,
                signer: Some(key),
            },
        };
        let (alice, bob) = (engine("alice", key()), engine("bob", bob));
        let file = SourceFile::new("house.yaml", "runbook: house\nsteps:\n  a: { uses: idle }\n");
        let loaded = runbook::load(&file, &alice.registry, &PinnedFiles(Arc::default()));
        let new = NewRun {
            id: ID.parse().unwrap(),
            params: BTreeMap::new(),
            rehearsal: None,
            jobs: 1,
            program: "test".to_owned(),
        };
        let run = alice.start(loaded.runbook.unwrap(), new).await.unwrap();
        Self {
            door: Door::open(&run).unwrap(),
            run,
            bob,
            _folder: folder,
        }
    }

    /// Bob comes and wants the run cancelled; who holds it answers so.
    async fn cancelled(
        &mut self,
        mut answer: impl AsyncFnMut(&mut Run, Asked),
    ) -> Result<Vec<Entry>, RuntimeError> {
        let mut access = self.bob.access(ID.parse().unwrap()).await.unwrap();
        assert!(matches!(access, Access::Through(_)), "alice holds it");
        let act = async move { access.seat_mut().act(cancel("the window is over")).await };
        let mut bob = tokio::spawn(act);
        loop {
            tokio::select! {
                result = &mut bob => return result.unwrap(),
                asked = self.door.next() => answer(&mut self.run, asked).await,
            }
        }
    }

    async fn kept(&self) -> Vec<Kept> {
        let run: RunId = ID.parse().unwrap();
        self.run.engine.journal.kept(run, Seq(0)).await.unwrap()
    }
}

/// What an honest holder would write, and after what.
async fn honest(run: &Run, asked: &Asked) -> (Entry, Head) {
    let turn = Turn {
        operator: asked.operator.clone(),
        key: asked.signs.as_ref().map(|signs| signs.key),
        host: asked.host.clone(),
        now: run.engine.clock.now(),
        draining: true,
        lacking: Lacking::nothing(),
    };
    let entry = core::act(&mut run.state.clone(), &asked.act, &turn).unwrap();
    let kept = run.engine.journal.kept(run.claim.run, Seq(0)).await.unwrap();
    (entry, Head::of(kept.last().unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_visitor_asks_for_is_signed_with_the_visitors_key() {
    let bob = key();
    let mut house = House::new(bob.clone()).await;
    let entries = house.cancelled(async |run, asked| drop(run.answer(asked).await.unwrap()));
    assert_eq!(entries.await.unwrap().len(), 1);
    let kept = house.kept().await;
    let last = kept.last().unwrap();
    assert_eq!(last.entry.operator.as_str(), "bob");
    assert_eq!(last.entry.event.name(), "cancel_requested");
    assert_eq!(last.seal.signer(), Some(bob.key()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_signs_nothing_else_than_they_asked_for() {
    type Alter = fn(&mut Entry, &mut Head);
    let other: [(&str, Alter, &str); 7] = [
        (
            "another reason",
            |entry, _| entry.event = core::Event::CancelRequested { why: "x".to_owned() },
            "something else",
        ),
        (
            "another act",
            |entry, _| entry.event = core::Event::RunResumed { jobs: 1 },
            "something else",
        ),
        (
            "another name",
            |entry, _| entry.operator = Operator::new("eve"),
            "something else",
        ),
        (
            "another machine",
            |entry, _| entry.host = Host::new("there"),
            "something else",
        ),
        ("another place", |entry, _| entry.seq = Seq(7), "something else"),
        (
            "another history",
            |_, head| head.hash = Digest::of(b"another run"),
            "does not come after",
        ),
        (
            "another time",
            |entry, _| entry.time = Timestamp::now() + SignedDuration::from_hours(1),
            "bears the time",
        ),
    ];
    for (what, alter, why) in other {
        let mut house = House::new(key()).await;
        let result = house.cancelled(async |run, mut asked| {
            let (mut entry, mut head) = honest(run, &asked).await;
            alter(&mut entry, &mut head);
            let signs = asked.signs.take().unwrap();
            let draft = Draft::of(&entry, head.hash, signs.key).unwrap();
            assert!(signs.sign(&draft, head.hash).await.is_err(), "{what} was signed");
        });
        match result.await {
            Err(RuntimeError::NotAsked(told)) => assert!(told.contains(why), "{what}: {told}"),
            other => panic!("{what}: {other:?}"),
        }
        assert_eq!(house.kept().await.len(), 1, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_only_says_that_it_was_recorded_is_found_out() {
    let mut house = House::new(key()).await;
    let result = house.cancelled(async |_, asked| asked.tell(&Ok(Vec::new())));
    let result = result.await;
    assert!(
        matches!(&result, Err(RuntimeError::Holder(why)) if why.contains("does not hold it")),
        "{result:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_without_the_key_that_they_name_is_found_out() {
    let (bob, eve) = (key(), key());
    let mut house = House::new(Arc::new(Pretender { says: bob, has: eve })).await;
    let result = house.cancelled(async |run, asked| drop(run.answer(asked).await.unwrap()));
    let result = result.await;
    assert!(
        matches!(&result, Err(RuntimeError::Holder(why)) if why.contains("not signed with the key that it names")),
        "{result:?}"
    );
    assert_eq!(house.kept().await.len(), 1);
    assert!(house.run.state().cancelled().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_appended_since_the_visitor_looked_is_what_they_sign_after() {
    let bob = key();
    let mut house = House::new(bob.clone()).await;
    let entries = house.cancelled(async |run, asked| {
        let other = Act::Hand(core::event::Handing::Offered {
            to: Operator::new("carol"),
            note: None,
        });
        run.act(other).await.unwrap();
        let back = Act::Hand(core::event::Handing::TakenBack);
        run.act(back).await.unwrap();
        drop(run.answer(asked).await.unwrap());
    });
    let entries = entries.await.unwrap();
    let names: Vec<_> = entries.iter().map(|entry| entry.event.name()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert_eq!(house.kept().await.last().unwrap().seal.signer(), Some(bob.key()));
}
