//! Times and durations as people read them.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ZonedDateTime};

/// A moment in the local time of the machine: `2026-11-23 22:40:05`.
pub(crate) fn local(at: Timestamp) -> String {
    ZonedDateTime::new(at, TimeZone::system())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// The same with how far local time is from UTC, for those who read it elsewhere: `2026-11-23 22:40:05 +01:00`.
pub(crate) fn stamp(at: Timestamp) -> String {
    ZonedDateTime::new(at, TimeZone::system())
        .strftime("%Y-%m-%d %H:%M:%S %:z")
        .to_string()
}

/// How long something took: `0.3 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`.
pub(crate) fn took(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    match seconds {
        0..10 => format!("{:.1} s", duration.as_secs_f64().max(0.0)),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// The same without parts of a second, for what still goes on.
pub(crate) fn whole(duration: SignedDuration) -> String {
    match duration.as_secs().max(0) {
        seconds @ 0..10 => format!("{seconds} s"),
        _ => took(duration),
    }
}

/// How long something took, in seconds.
pub(crate) fn lasted(seconds: f64) -> String {
    took(SignedDuration::try_from_secs_f64(seconds).unwrap_or_default())
}
