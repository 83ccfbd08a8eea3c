//! A machine whose clock is set while a run is carried out.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::journal::PostgresJournal;
use crate::journal::tests::server::Server;

/// The machine, with a clock that somebody sets.
#[derive(Clone, Default)]
struct Set {
    by: Arc<AtomicI64>,
}

impl Set {
    fn by_hours(&self, hours: i64) {
        self.by.store(hours, Ordering::SeqCst);
    }
}

impl Source for Set {
    fn shown(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_hours(self.by.load(Ordering::SeqCst))
    }

    fn uptime(&self) -> Duration {
        Machine.uptime()
    }
}

/// Rounded: the test itself takes its time.
fn hours_between(from: Timestamp, to: Timestamp) -> i64 {
    (to.duration_since(from) + SignedDuration::from_mins(30))
        .as_secs()
        .div_euclid(3600)
}

#[test]
fn a_clock_that_is_set_does_not_move_the_time_until_it_may() {
    let set = Set::default();
    let clock = SystemClock::new(set.clone());
    let start = clock.now();
    for hours in [5, -7] {
        set.by_hours(hours);
        assert_eq!(hours_between(start, clock.shown()), hours);
    }
    assert!(clock.now() >= start && hours_between(start, clock.now()) == 0);
    set.by_hours(5);
    clock.follow();
    assert_eq!(hours_between(start, clock.now()), 5);
}

#[test]
fn whoever_was_told_the_time_does_not_look_at_the_machine_clock_any_more() {
    let set = Set::default();
    let clock = SystemClock::new(set.clone());
    let told = clock.now() + SignedDuration::from_hours(3);
    clock.tell(told);
    for hours in [5, -7] {
        set.by_hours(hours);
        clock.follow();
        assert_eq!(hours_between(told, clock.now()), 0);
    }
    assert!(clock.now() >= told);
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_nobody_wait() {
    let set = Set::default();
    let clock = SystemClock::new(set.clone());
    let soon = clock.now() + SignedDuration::from_millis(20);
    set.by_hours(-2);
    let waited = tokio::time::timeout(Duration::from_secs(60), clock.sleep_until(soon)).await;
    assert!(waited.is_ok());
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Part {
    /// Waits until it is let go.
    Waits,
    /// Sets the clock two hours forward.
    Sets,
    /// Lets the other go.
    LetsGo,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Inputs {
    run: Part,
}

#[derive(Clone)]
struct Play {
    set: Set,
    gone: Arc<Notify>,
}

#[async_trait]
impl StepKind for Play {
    type Inputs = Inputs;

    const NAME: &'static str = "play";

    fn doc(&self) -> KindDoc {
        KindDoc {
            summary: "plays a part",
            text: "",
            scripts: &[],
        }
    }

    fn abilities(&self, _: &Inputs) -> Abilities {
        Abilities::default()
    }

    async fn validate(&self, _: &Inputs, _: &Context) -> Result<Observation, Failure> {
        Ok(Observation::unknown())
    }

    async fn run(&self, inputs: &Inputs, cx: &Context) -> Result<Outputs, Failure> {
        match inputs.run {
            Part::Waits => tokio::select! {
                () = self.gone.notified() => {}
                () = cx.cancel.cancelled() => return Err(Failure::new(FailureKind::Failed, "stopped")),
            },
            Part::Sets => self.set.by_hours(2),
            Part::LetsGo => self.gone.notify_one(),
        }
        Ok(Outputs::new())
    }

    async fn rollback(&self, _: &Inputs, _: &Context) -> Result<(), Failure> {
        Ok(())
    }
}

#[tokio::test]
async fn no_time_is_up_because_the_clock_was_set_and_the_journal_follows_it_afterwards() {
    let set = Set::default();
    let play = Play {
        set: set.clone(),
        gone: Arc::default(),
    };
    let trace = Trace::default();
    let mut bench = Bench::over(MemoryJournal::new(), Registry::default().with(play), trace);
    bench.engine.clock = Arc::new(SystemClock::new(set));
    let steps = "
  long: { uses: play, timeout: 1h, with: { run: waits } }
  set: { uses: play, with: { run: sets } }
  end: { uses: play, needs: set, with: { run: letsgo } }
  after: { uses: play, needs: [long, end], with: { run: sets } }
";
    let start = Timestamp::now();
    let mut run = bench.start(steps).await;
    let ended = carry_out(&mut run).await.unwrap();
    assert_eq!(ended.status, RunStatus::Completed, "{:?}", bench.trace.all());
    // While something is timed, its times belong together.
    let entries = run.entries().await.unwrap();
    let long = entries.iter().filter(|entry| to_json(entry)["step"] == "long");
    for entry in long {
        assert_eq!(hours_between(start, entry.time), 0, "{entry:?}");
    }
    run.engine.clock.follow();
    assert_eq!(hours_between(start, run.engine.clock.now()), 2);
}

/// A worker on a run in a database, whose clock is this one.
fn worker(name: &str, server: &Server, play: &Play, clock: Arc<dyn Clock>) -> (Bench, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let journal = PostgresJournal::new(
        server.address("runs").parse().unwrap(),
        folder.path().to_owned(),
        Arc::new(|_| ()),
        CancellationToken::new(),
    );
    let registry = Registry::default().with(play.clone());
    let mut bench = Bench::over(MemoryJournal::new(), registry, Trace::default());
    bench.engine.journal = Arc::new(journal);
    bench.engine.clock = clock;
    bench.engine.author.operator = Operator::new(name);
    (bench, folder)
}

async fn works(bench: &Bench) -> Worked {
    let service = Service { roles: None, jobs: 2 };
    let mut run = bench
        .engine
        .join(ID.parse().unwrap(), service)
        .await
        .unwrap()
        .unwrap();
    let (_orders, mut control) = unbounded_channel();
    let worked = run
        .work(Stay::ToTheEnd, Arc::new(Nobody), &mut control)
        .await
        .unwrap();
    run.close().await.unwrap();
    worked
}

#[tokio::test]
async fn a_clock_that_jumps_on_one_worker_ends_no_claim_and_no_time_and_shows_in_no_entry() {
    let Some(server) = Server::start() else { return };
    let _address = server.database("runs");
    for hours in [3, -3] {
        let set = Set::default();
        let play = Play {
            set: set.clone(),
            gone: Arc::default(),
        };
        let jumps = Arc::new(SystemClock::new(set.clone()));
        let (anna, _a) = worker("anna", &server, &play, jumps);
        let (ben, _b) = worker("ben", &server, &play, Arc::new(SystemClock::default()));
        let steps = "
  long: { uses: play, timeout: 1h, with: { run: waits } }
  set: { uses: play, with: { run: sets } }
  again: { uses: play, needs: set, with: { run: sets } }
  end: { uses: play, needs: again, with: { run: letsgo } }
  after: { uses: play, needs: [long, end], with: { run: letsgo } }
";
        let start = Timestamp::now();
        let run = anna.start(steps).await;
        run.close().await.unwrap();
        // Before it works, it is off already.
        set.by_hours(hours);
        let id: RunId = ID.parse().unwrap();
        anna.engine.share(id).await.unwrap();
        let (first, second) = tokio::join!(works(&anna), works(&ben));
        assert_eq!(
            (first.status, second.status),
            (RunStatus::Completed, RunStatus::Completed)
        );
        let entries = anna.engine.read(id).await.unwrap().entries;
        let worked = entries
            .iter()
            .skip_while(|entry| entry.event.name() != "step_opened");
        for entry in worked {
            assert_eq!(hours_between(start, entry.time), 0, "{entry:?}");
        }
        let count = |name: &str| entries.iter().filter(|entry| entry.event.name() == name).count();
        assert_eq!((count("attempt_started"), count("verified")), (5, 5));
        assert_eq!(
            (
                count("interrupted"),
                count("stop_requested"),
                count("attempt_failed")
            ),
            (0, 0, 0)
        );
        anna.engine.journal.remove(id).await.unwrap();
    }
}
