//! What a program's standard output means.

use runbook_engine::step::{Failure, FailureKind, Outputs};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::child::{Finished, MOST_STDOUT};

/// What becomes of a program's standard output, besides its transcript.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Stdout {
    /// It is the output `stdout`, without its last line's end.
    #[default]
    Text,
    /// It is one JSON object, whose fields are the outputs.
    Json,
    /// It is nothing but its transcript.
    Ignore,
}

/// The byte order mark with which some programs begin.
const MARK: char = '\u{feff}';

impl Stdout {
    /// The outputs that a program gives. None where it printed nothing at all.
    ///
    /// # Errors
    /// When it should have printed a JSON object and did not.
    pub fn outputs(self, program: &str, finished: &Finished) -> Result<Option<Outputs>, Failure> {
        match self {
            Self::Ignore => Ok(None),
            Self::Text => Ok(text(finished)),
            Self::Json => json(program, finished),
        }
    }
}

fn text(finished: &Finished) -> Option<Outputs> {
    let all = String::from_utf8_lossy(&finished.stdout);
    let all = all.strip_prefix(MARK).unwrap_or(&all);
    if all.is_empty() {
        return None;
    }
    // A cut may have gone through the middle of a character.
    let all = if finished.truncated {
        all.trim_end_matches(char::REPLACEMENT_CHARACTER)
    } else {
        all
    };
    let line = all
        .strip_suffix('\n')
        .map_or(all, |line| line.strip_suffix('\r').unwrap_or(line));
    let mut outputs = Outputs::new();
    outputs.insert("stdout".to_owned(), line.into());
    if finished.truncated {
        outputs.insert("stdout_truncated".to_owned(), true.into());
    }
    Some(outputs)
}

fn json(program: &str, finished: &Finished) -> Result<Option<Outputs>, Failure> {
    let failed = |why: String| {
        let message = format!("`{program}` should have printed one JSON object (`stdout: json`): {why}");
        Failure::new(FailureKind::Failed, message)
    };
    if finished.truncated {
        return Err(failed(format!("it printed more than {MOST_STDOUT} bytes")));
    }
    let all = std::str::from_utf8(&finished.stdout).map_err(|_| failed("it is not UTF-8".to_owned()))?;
    let all = all.strip_prefix(MARK).unwrap_or(all).trim();
    if all.is_empty() {
        return Ok(None);
    }
    match serde_json::from_str(all) {
        Ok(Value::Object(outputs)) => Ok(Some(outputs)),
        Ok(other) => Err(failed(format!("it is {}", kind(&other)))),
        // The parser's own words tell the place, and never what stands there.
        Err(error) => Err(failed(format!(
            "line {}, column {} is not JSON",
            error.line(),
            error.column()
        ))),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
