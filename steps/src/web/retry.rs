//! When a request is sent again, and after how long.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// How often one request is sent at most.
pub const MOST_TRIES: u32 = 6;

/// The longest pause between two tries; a server that asks for more has the step fail and say so.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

/// The pause after the first try, where the server says nothing.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// How a try ended that may be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Nobody answered: whether the request arrived is not known.
    Unanswered,
    /// It was answered with this status, and a pause if one was asked for.
    Answered {
        /// The status.
        status: u16,
        /// The pause.
        retry_after: Option<Duration>,
    },
}

impl Ended {
    /// Whether it was answered with this status.
    #[must_use]
    pub fn is(self, status: u16) -> bool {
        matches!(self, Self::Answered { status: given, .. } if given == status)
    }

    /// Whether what was asked may have been done all the same.
    #[must_use]
    pub fn may_be_done(self) -> bool {
        match self {
            Self::Unanswered => true,
            Self::Answered { status, .. } => status >= 500,
        }
    }
}

/// What to do after a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Send it again after this pause.
    Again(Duration),
    /// It stands as it is.
    Stands,
    /// The server asks for a pause that is too long.
    TooLong(Duration),
}

/// What to do after try number `tries` (from 1) of a request that may be done twice or not.
#[must_use]
pub fn next(is_repeatable: bool, tries: u32, ended: Ended) -> Next {
    let (repeatable, asked) = match ended {
        // It may have arrived, so that only what may be done twice is sent again.
        Ended::Unanswered => (is_repeatable, None),
        // Not taken: it may be sent again, whatever it is.
        Ended::Answered {
            status: 429,
            retry_after,
        } => (true, retry_after),
        Ended::Answered {
            status: 503 | 504,
            retry_after,
        } => (is_repeatable, retry_after),
        Ended::Answered { .. } => (false, None),
    };
    if !repeatable || tries >= MOST_TRIES {
        return Next::Stands;
    }
    match asked {
        Some(pause) if pause > LONGEST_PAUSE => Next::TooLong(pause),
        Some(pause) => Next::Again(pause),
        None => Next::Again((FIRST_PAUSE * 2_u32.pow(tries.saturating_sub(1).min(8))).min(LONGEST_PAUSE)),
    }
}

/// The pause that `Retry-After` asks for: seconds, or a date, which is compared with the server's own `Date`.
#[must_use]
pub fn retry_after(header: Option<&str>, date: Option<&str>, now: Timestamp) -> Option<Duration> {
    let header = header?.trim();
    if let Ok(seconds) = header.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = http_date(header)?;
    let from = date.and_then(http_date).unwrap_or(now);
    // A moment that has passed asks for no pause.
    Some(Duration::try_from(until.duration_since(from)).unwrap_or_default())
}

fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::parse(text.trim()).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Ended, LONGEST_PAUSE, MOST_TRIES, Next, next, retry_after};

    fn answered(status: u16, seconds: Option<u64>) -> Ended {
        let retry_after = seconds.map(Duration::from_secs);
        Ended::Answered { status, retry_after }
    }

    #[test]
    fn the_server_says_how_long_to_wait() {
        let again = Next::Again(Duration::from_secs(7));
        assert_eq!(next(false, 1, answered(429, Some(7))), again);
        assert_eq!(next(true, 1, answered(503, Some(7))), again);
        assert_eq!(
            next(true, 1, answered(429, Some(3600))),
            Next::TooLong(Duration::from_secs(3600))
        );
    }

    #[test]
    fn the_pauses_grow_and_end() {
        let pauses: Vec<Next> = (1..=MOST_TRIES)
            .map(|tries| next(true, tries, answered(504, None)))
            .collect();
        let seconds = |seconds| Next::Again(Duration::from_secs(seconds));
        assert_eq!(
            pauses,
            [
                seconds(1),
                seconds(2),
                seconds(4),
                seconds(8),
                seconds(16),
                Next::Stands
            ]
        );
    }

    #[test]
    fn what_may_have_been_done_is_not_done_twice() {
        assert_eq!(next(false, 1, Ended::Unanswered), Next::Stands);
        assert_eq!(next(false, 1, answered(503, None)), Next::Stands);
        assert_ne!(next(false, 1, answered(429, None)), Next::Stands);
        assert_ne!(next(true, 1, Ended::Unanswered), Next::Stands);
        assert_eq!(next(true, 1, answered(500, None)), Next::Stands);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = "2026-11-23T04:00:00Z".parse().unwrap();
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(retry_after(Some(" 10 "), None, now), seconds(10));
        assert_eq!(
            retry_after(Some("Mon, 23 Nov 2026 04:01:30 GMT"), None, now),
            seconds(90)
        );
        assert_eq!(
            retry_after(
                Some("Mon, 23 Nov 2026 04:01:30 GMT"),
                Some("Mon, 23 Nov 2026 04:01:00 GMT"),
                now
            ),
            seconds(30),
            "by the server's own clock"
        );
        assert_eq!(
            retry_after(Some("Mon, 23 Nov 2026 03:00:00 GMT"), None, now),
            seconds(0)
        );
        assert_eq!(retry_after(Some("soon"), None, now), None);
        assert_eq!(retry_after(Some("-1"), None, now), None);
        assert!(retry_after(Some("999999999"), None, now).unwrap() > LONGEST_PAUSE);
    }
}
