//! The time, and waiting.

use std::time::Duration;

use jiff::Timestamp;
use rhai::{Engine, FLOAT, INT, ImmutableString};
use runbook_engine::step::Context;
use tokio::runtime::Handle;

use super::{Answer, Function, refused, stopped};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::pure("now()", "the time in UTC, such as `2026-01-31T08:00:00Z`"),
    Function::pure(
        "to_seconds(time)",
        "a time such as `now()` gives, in seconds since 1970, to calculate with",
    ),
    Function::pure(
        "to_time(seconds)",
        "the time that is so many seconds after 1970 began",
    ),
    Function::pure(
        "sleep(seconds)",
        "waits, at most an hour; ends at once when the step is stopped",
    ),
];

const LONGEST_SLEEP: Duration = Duration::from_secs(60 * 60);

pub(super) fn register(engine: &mut Engine, cx: &Context) {
    let world = cx.world.clone();
    engine.register_fn("now", move || -> String {
        #[expect(
            clippy::disallowed_methods,
            reason = "a script asks for the time of the world that it changes"
        )]
        let now = world.as_ref().map_or_else(Timestamp::now, |world| world.now());
        now.round(jiff::Unit::Second).unwrap_or_default().to_string()
    });
    engine.register_fn("to_seconds", |time: ImmutableString| -> Answer<INT> {
        match time.parse::<Timestamp>() {
            Ok(time) => Ok(time.as_second()),
            Err(_) => refused("this is not a time such as `2026-01-31T08:00:00Z`"),
        }
    });
    engine.register_fn("to_time", |seconds: INT| -> Answer<String> {
        match Timestamp::from_second(seconds) {
            Ok(time) => Ok(time.to_string()),
            Err(_) => refused("there is no such time"),
        }
    });
    let (handle, cancel, world) = (Handle::current(), cx.cancel.clone(), cx.world.clone());
    let sleep = move |seconds: f64| -> Answer<()> {
        let Ok(duration) = Duration::try_from_secs_f64(seconds) else {
            return refused("`sleep` needs a number of seconds");
        };
        let duration = LONGEST_SLEEP.min(duration);
        if let Some(world) = &world {
            world.pass(duration);
            return Ok(());
        }
        let asleep = handle.block_on(async { tokio::time::timeout(duration, cancel.cancelled()).await });
        match asleep {
            Err(_) => Ok(()),
            Ok(()) => stopped(),
        }
    };
    let whole = sleep.clone();
    engine.register_fn("sleep", move |seconds: INT| {
        // More than the longest sleep is the longest sleep.
        whole(f64::from(i32::try_from(seconds.max(-1)).unwrap_or(i32::MAX)))
    });
    engine.register_fn("sleep", move |seconds: FLOAT| sleep(seconds));
}
