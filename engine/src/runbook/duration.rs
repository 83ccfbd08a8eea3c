//! Durations as people write them: `10s`, `5m`, `1h30m`, `2d`.

use std::time::Duration;

/// The longest duration: ten years.
const LONGEST: u64 = 10 * 365 * 86_400;

/// Units in the order in which they must come, with their length in milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// A text that is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDuration {
    /// There is no number where one should be.
    #[error("`{0}` is not a duration")]
    NoNumber(String),
    /// A number without a unit.
    #[error("`{0}` does not say which unit of time is meant")]
    NoUnit(String),
    /// A unit that does not exist.
    #[error("`{0}` is not a unit of time")]
    UnknownUnit(String),
    /// A unit that stands twice, or after a smaller one.
    #[error("the units of `{0}` are not in order")]
    Order(String),
    /// More than ten years.
    #[error("`{0}` is longer than ten years")]
    TooLong(String),
}

impl InvalidDuration {
    /// What to write instead.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::NoUnit(text) => format!("write `{text}s` for seconds, `{text}m` for minutes, `{text}h` for hours"),
            Self::UnknownUnit(_) | Self::NoNumber(_) | Self::Order(_) | Self::TooLong(_) => {
                "write whole numbers with `d`, `h`, `m`, `s` or `ms`, the longest first: `10s`, `5m`, `1h30m`, `2d`"
                    .to_owned()
            }
        }
    }
}

/// Reads a duration.
///
/// # Errors
/// When the text is not one; `help` says what to write.
pub fn parse(text: &str) -> Result<Duration, InvalidDuration> {
    let mut rest = text;
    let mut millis = 0_u64;
    let mut units = UNITS.iter();
    if text.is_empty() {
        return Err(InvalidDuration::NoNumber(text.to_owned()));
    }
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits == 0 {
            return Err(InvalidDuration::NoNumber(text.to_owned()));
        }
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        if unit.is_empty() {
            return Err(InvalidDuration::NoUnit(text.to_owned()));
        }
        if !UNITS.iter().any(|(name, _)| *name == unit) {
            return Err(InvalidDuration::UnknownUnit(unit.to_owned()));
        }
        let Some((_, length)) = units.find(|(name, _)| *name == unit) else {
            return Err(InvalidDuration::Order(text.to_owned()));
        };
        let part = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(*length));
        let sum = part
            .and_then(|part| millis.checked_add(part))
            .filter(|sum| *sum <= LONGEST * 1_000);
        millis = sum.ok_or_else(|| InvalidDuration::TooLong(text.to_owned()))?;
        rest = after;
    }
    Ok(Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_strictly() {
        let good = [
            ("0s", 0),
            ("10s", 10_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
            ("1s500ms", 1_500),
        ];
        for (text, millis) in good {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        let no_number = InvalidDuration::NoNumber;
        for (text, wrong) in [
            ("", no_number("".into())),
            ("s", no_number("s".into())),
            ("-5s", no_number("-5s".into())),
            ("10", InvalidDuration::NoUnit("10".into())),
            ("1h30", InvalidDuration::NoUnit("1h30".into())),
            ("5 m", InvalidDuration::UnknownUnit(" m".into())),
            ("5min", InvalidDuration::UnknownUnit("min".into())),
            ("1.5h", InvalidDuration::UnknownUnit(".".into())),
            ("30m1h", InvalidDuration::Order("30m1h".into())),
            ("1m1m", InvalidDuration::Order("1m1m".into())),
            ("99999d", InvalidDuration::TooLong("99999d".into())),
            (
                "99999999999999999999s",
                InvalidDuration::TooLong("99999999999999999999s".into()),
            ),
        ] {
            assert_eq!(parse(text), Err(wrong), "{text}");
        }
    }
}
