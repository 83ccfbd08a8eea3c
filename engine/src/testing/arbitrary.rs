//! Generated values of the engine's types, for properties (proptest): any that can be made at all.

use jiff::Timestamp;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::string::string_regex;
use serde_json::Value;
use uuid::Uuid;

use self::amended::amended;
use self::handing::handing;
use self::manual::manual_event;
use self::overlaid::overlaid;
use crate::core::event::{
    Attachment, DoubtRuling, Entry, Event, Failure, FailureKind, Item, LeftProcess, Need, Outputs, Place,
    ProcessMark, Rehearsal, RehearsedFailure, RollbackScope, Ruling, RunStarted, StopReason, Transcript,
    Verdict,
};
use crate::id::{
    AttemptNo, Host, InstanceId, ItemKey, LONGEST_NAME, Operator, ParamName, RunId, RunbookName, Seq, StepId,
};
use crate::journal::Chunk;

mod amended;
mod handing;
mod manual;
mod overlaid;

fn parsed<T>(text: &str) -> T
where
    T: std::str::FromStr,
    T::Err: std::fmt::Debug,
{
    #[expect(clippy::expect_used, reason = "the strategies give only what the type takes")]
    text.parse().expect("a name that follows the rules")
}

/// A name of letters, digits and what else its kind allows; now and then the longest there may be.
fn name(also: &str) -> impl Strategy<Value = String> {
    #[expect(clippy::expect_used, reason = "the patterns are written here")]
    let pattern = |more: String| {
        string_regex(&format!("[a-zA-Z][a-zA-Z0-9{also}]{{{more}}}"))
            .expect("a pattern that can be generated")
    };
    let long = LONGEST_NAME - 1;
    prop_oneof![9 => pattern("0,9".to_owned()), 1 => pattern(long.to_string())]
}

/// The id of a run.
pub fn run_id() -> impl Strategy<Value = RunId> {
    any::<[u8; 16]>().prop_map(|bytes| RunId::new(Uuid::from_bytes(bytes)))
}

/// The name of a step.
pub fn step_id() -> impl Strategy<Value = StepId> {
    name("_-").prop_map(|text| parsed(&text))
}

/// The key of an item of a fan-out.
pub fn item_key() -> impl Strategy<Value = ItemKey> {
    "\\PC{1,50}".prop_map(|text| parsed(&text))
}

/// The id of an instance.
pub fn instance_id() -> impl Strategy<Value = InstanceId> {
    let of_item = (step_id(), item_key()).prop_map(|(step, item)| InstanceId::of_item(step, item));
    prop_oneof![step_id().prop_map(InstanceId::from), of_item]
}

/// The number of an attempt.
pub fn attempt_no() -> impl Strategy<Value = AttemptNo> {
    any::<u32>().prop_map(AttemptNo)
}

/// A moment, to the nanosecond.
pub fn time() -> impl Strategy<Value = Timestamp> {
    let seconds = Timestamp::MIN.as_second() + 1..Timestamp::MAX.as_second();
    #[expect(clippy::expect_used, reason = "the strategies give only what the type takes")]
    (seconds, 0..1_000_000_000).prop_map(|(s, ns)| Timestamp::new(s, ns).expect("within range"))
}

/// Any text that people may write, several lines of it at times.
pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "\\PC{0,40}", any::<String>()]
}

/// Any JSON value of moderate depth.
pub fn value() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number,
        text().prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            btree_map(text(), inner, 0..5).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Named values.
pub fn outputs() -> impl Strategy<Value = Outputs> {
    btree_map(text(), value(), 0..4).prop_map(|map| map.into_iter().collect())
}

/// Any failure.
pub fn failure() -> impl Strategy<Value = Failure> {
    use FailureKind::{Decided, Failed, Fault, Final, Inputs, Mistake, NotVerified, Rejected, TimedOut};
    let known = [
        Failed,
        TimedOut,
        NotVerified,
        Final,
        Inputs,
        Mistake,
        Decided,
        Rejected,
        Fault,
    ];
    let kind = prop::sample::select(known.to_vec());
    let place = (text(), any::<u32>(), any::<u32>());
    let place = place.prop_map(|(file, line, column)| Place { file, line, column });
    let failure = (kind, text(), proptest::option::of(place));
    failure.prop_map(|(kind, message, place)| Failure { kind, message, place })
}

/// Any verdict.
pub fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        Just(Verdict::Satisfied),
        Just(Verdict::Unknown),
        text().prop_map(Verdict::Unsatisfied)
    ]
}

fn sha256() -> impl Strategy<Value = String> {
    "[0-9a-f]{64}"
}

/// What an entry says of a transcript.
pub fn transcript() -> impl Strategy<Value = Transcript> {
    (any::<u64>(), any::<u32>(), any::<u64>(), sha256()).prop_map(|(of, chunks, bytes, sha256)| Transcript {
        of: Seq(of),
        chunks,
        bytes,
        sha256,
    })
}

/// A chunk of a transcript.
pub fn chunk() -> impl Strategy<Value = Chunk> {
    let stream = prop_oneof![
        Just("stdout".to_owned()),
        Just("stderr".to_owned()),
        "[a-z]{0,20}"
    ];
    (time(), stream, vec(any::<u8>(), 0..200)).prop_map(|(time, stream, bytes)| Chunk { time, stream, bytes })
}

fn attachment() -> impl Strategy<Value = Attachment> {
    (text(), any::<u64>(), sha256()).prop_map(|(name, bytes, sha256)| Attachment { name, bytes, sha256 })
}

fn rehearsal() -> impl Strategy<Value = Rehearsal> {
    let failed = (instance_id(), option::of(attempt_no()));
    let failed = failed.prop_map(|(instance, attempt)| RehearsedFailure { instance, attempt });
    (vec(failed, 0..3), vec(instance_id(), 0..3)).prop_map(|(failures, interruptions)| Rehearsal {
        failures,
        interruptions,
    })
}

/// What the first entry says.
pub fn run_started() -> impl Strategy<Value = RunStarted> {
    let param = name("_").prop_map(|text| parsed::<ParamName>(&text));
    let runbook = name("_-").prop_map(|text| parsed::<RunbookName>(&text));
    let params = btree_map(param, value(), 0..4);
    (
        run_id(),
        runbook,
        text(),
        text(),
        option::of(overlaid()),
        params,
        option::of(rehearsal()),
        any::<u32>(),
        text(),
    )
        .prop_map(
            |(run, runbook, file, text, overlaid, params, rehearsal, jobs, program)| RunStarted {
                run,
                runbook,
                file,
                text,
                overlaid,
                params,
                rehearsal,
                jobs,
                program,
            },
        )
}

/// Any event, each variant as often as every other.
pub fn event() -> impl Strategy<Value = Event> {
    prop_oneof![7 => run_event(), 9 => attempt_event(), 6 => outcome_event(), 2 => manual_event(), 5 => rollback_event()]
}

/// What happens to a run or to a whole step.
fn run_event() -> BoxedStrategy<Event> {
    let item = (item_key(), value()).prop_map(|(key, value)| Item { key, value });
    prop_oneof![
        run_started().prop_map(|started| Event::RunStarted(Box::new(started))),
        (text(), text()).prop_map(|(name, text)| Event::FilePinned { name, text }),
        amended().prop_map(Event::Amended),
        any::<u32>().prop_map(|jobs| Event::RunResumed { jobs }),
        (step_id(), option::of(vec(item, 0..4))).prop_map(|(step, items)| Event::StepOpened { step, items }),
        (step_id(), text()).prop_map(|(step, reason)| Event::StepSkipped { step, reason }),
        (step_id(), failure()).prop_map(|(step, error)| Event::StepUnclear { step, error }),
        handing(),
        super::approving::approving_event(),
        text().prop_map(|why| Event::CancelRequested { why }),
    ]
    .boxed()
}

/// What happens until an attempt has ended.
fn attempt_event() -> BoxedStrategy<Event> {
    let process = (any::<u32>(), any::<u64>()).prop_map(|(pid, started)| ProcessMark { pid, started });
    let reason = prop::sample::select(vec![StopReason::TimedOut, StopReason::Cancelled]);
    prop_oneof![
        instance_id().prop_map(|instance| Event::ObservationStarted { instance }),
        (
            instance_id(),
            verdict(),
            value(),
            outputs(),
            option::of(transcript())
        )
            .prop_map(
                |(instance, verdict, observed, outputs, transcript)| Event::Observed {
                    instance,
                    verdict,
                    observed,
                    outputs,
                    transcript,
                }
            ),
        (
            instance_id(),
            failure(),
            option::of(time()),
            option::of(transcript())
        )
            .prop_map(
                |(instance, error, retry_at, transcript)| Event::ObservationFailed {
                    instance,
                    error,
                    retry_at,
                    transcript,
                }
            ),
        (instance_id(), attempt_no())
            .prop_map(|(instance, attempt)| Event::AttemptStarted { instance, attempt }),
        (instance_id(), process).prop_map(|(instance, process)| Event::ProcessStarted { instance, process }),
        (instance_id(), reason).prop_map(|(instance, reason)| Event::StopRequested { instance, reason }),
        (instance_id(), outputs(), option::of(transcript())).prop_map(|(instance, outputs, transcript)| {
            Event::AttemptReturned {
                instance,
                outputs,
                transcript,
            }
        }),
        (
            instance_id(),
            failure(),
            option::of(transcript()),
            option::of(time())
        )
            .prop_map(|(instance, error, transcript, retry_at)| {
                Event::AttemptFailed {
                    instance,
                    error,
                    transcript,
                    retry_at,
                }
            }),
    ]
    .boxed()
}

/// What settles an instance.
fn outcome_event() -> BoxedStrategy<Event> {
    use Ruling::{Again, Done, Fail, Skip};
    let doubt = prop::sample::select(vec![
        DoubtRuling::TookEffect,
        DoubtRuling::Again,
        DoubtRuling::Repeat,
    ]);
    let need = prop::sample::select(vec![Need::ManualWork, Need::Decision]);
    let left = prop::sample::select(vec![LeftProcess::None, LeftProcess::Awaited, LeftProcess::Ended]);
    let ruling = prop::sample::select(vec![Done, Again, Fail, Skip]);
    prop_oneof![
        (instance_id(), verdict(), outputs(), option::of(transcript())).prop_map(
            |(instance, verdict, outputs, transcript)| Event::Verified {
                instance,
                verdict,
                outputs,
                transcript
            }
        ),
        (instance_id(), left).prop_map(|(instance, found)| Event::ProcessCleared { instance, found }),
        (instance_id(), option::of(transcript()))
            .prop_map(|(instance, transcript)| Event::Interrupted { instance, transcript }),
        (instance_id(), doubt, outputs()).prop_map(|(instance, ruling, outputs)| Event::DoubtSettled {
            instance,
            ruling,
            outputs
        }),
        (instance_id(), need).prop_map(|(instance, need)| Event::PersonNeeded { instance, need }),
        (instance_id(), ruling, text()).prop_map(|(instance, ruling, why)| Event::Decided {
            instance,
            ruling,
            why
        }),
    ]
    .boxed()
}

fn rollback_event() -> BoxedStrategy<Event> {
    let scope = prop_oneof![
        Just(RollbackScope::Run),
        vec(step_id(), 0..4).prop_map(RollbackScope::Steps),
    ];
    let instances = || vec(instance_id(), 0..4);
    let failed = (instance_id(), failure());
    prop_oneof![
        (scope, instances(), instances(), text()).prop_map(|(scope, plan, left, why)| {
            Event::RollbackStarted {
                scope,
                plan,
                left,
                why,
            }
        }),
        (instance_id(), attempt_no())
            .prop_map(|(instance, attempt)| Event::RollbackAttemptStarted { instance, attempt }),
        (instance_id(), outputs()).prop_map(|(instance, what)| Event::RollbackKept {
            instance,
            what: Value::Object(what)
        }),
        (instance_id(), option::of(transcript()))
            .prop_map(|(instance, transcript)| Event::RollbackReturned { instance, transcript }),
        (instance_id(), verdict(), option::of(transcript())).prop_map(|(instance, verdict, transcript)| {
            Event::RolledBack {
                instance,
                verdict,
                transcript,
            }
        }),
        (failed, option::of(transcript()), option::of(time())).prop_map(|(failed, transcript, retry_at)| {
            let (instance, error) = failed;
            Event::RollbackFailed {
                instance,
                error,
                transcript,
                retry_at,
            }
        }),
    ]
    .boxed()
}

/// Any entry. Its number is any: see [`numbered`].
pub fn entry() -> impl Strategy<Value = Entry> {
    (any::<u64>(), time(), text(), text(), event()).prop_map(|(seq, time, operator, host, event)| Entry {
        seq: Seq(seq),
        time,
        operator: Operator::new(&operator),
        host: Host::new(&host),
        event,
    })
}

/// The same entries, numbered from `from` on, as a journal takes them.
#[must_use]
pub fn numbered(from: Seq, mut entries: Vec<Entry>) -> Vec<Entry> {
    for (seq, entry) in (from.0..).zip(&mut entries) {
        entry.seq = Seq(seq);
    }
    entries
}
