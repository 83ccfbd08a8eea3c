//! A world that a test describes: what programs and hosts answer in it, its files and its time. A script that is carried
//! out in one reaches nothing else.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::diagnostic::Span;

/// A world as it is described, and as it is at first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Described {
    /// What time it is.
    pub time: Timestamp,
    /// The texts of the files, by their paths.
    pub files: BTreeMap<String, String>,
    /// What programs answer, by their argument vectors.
    pub commands: Vec<Exchange<Vec<String>, ProgramAnswer>>,
    /// What hosts answer.
    pub http: Vec<Exchange<WebCall, WebAnswer>>,
}

/// A call, and what comes of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange<Call, Answer> {
    /// The call.
    pub call: Call,
    /// What must be sent with it: a text as it stands, anything else as JSON that means the same. None fits all.
    pub with: Option<Value>,
    /// The answer, or why there is none.
    pub answer: Result<Answer, String>,
    /// Where it is described.
    pub span: Span,
}

/// What a program leaves behind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProgramAnswer {
    /// Its exit code.
    pub code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// What is asked of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebCall {
    /// The method, in capitals.
    pub method: String,
    /// The URL, as it is normalised.
    pub url: String,
}

/// What a host answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebAnswer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
}

/// A world as it is now.
#[derive(Debug)]
pub struct World(Mutex<State>);

#[derive(Debug)]
struct State {
    time: Timestamp,
    files: BTreeMap<String, String>,
    commands: Exchanges<Vec<String>, ProgramAnswer>,
    http: Exchanges<WebCall, WebAnswer>,
}

impl World {
    /// The world that is described.
    #[must_use]
    pub fn new(described: Described) -> Self {
        Self(Mutex::new(State {
            time: described.time,
            files: described.files,
            commands: Exchanges::new(described.commands),
            http: Exchanges::new(described.http),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a program answers that is given this on standard input.
    ///
    /// # Errors
    /// Why it could not be carried out.
    pub fn carry_out(&self, argv: &[String], input: &str) -> Result<ProgramAnswer, String> {
        let answer = self.state().commands.answer(&argv.to_vec(), input);
        answer.unwrap_or_else(|| {
            let call = Value::from(argv);
            Err(format!(
                "the test says nothing of the command {call}: add it to `commands`"
            ))
        })
    }

    /// What a host answers to a request with this body.
    ///
    /// # Errors
    /// Why it did not answer.
    pub fn ask(&self, call: &WebCall, body: &str) -> Result<WebAnswer, String> {
        let answer = self.state().http.answer(call, body);
        answer.unwrap_or_else(|| {
            let WebCall { method, url } = call;
            Err(format!(
                "the test says nothing of `{method} {url}`: add it to `http`"
            ))
        })
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.state().time
    }

    /// Lets time pass, which takes none.
    pub fn pass(&self, duration: Duration) {
        let mut state = self.state();
        let later = SignedDuration::try_from(duration).ok();
        let later = later.and_then(|duration| state.time.checked_add(duration).ok());
        state.time = later.unwrap_or(Timestamp::MAX);
    }

    /// The text of a file.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<String> {
        self.state().files.get(path).cloned()
    }

    /// Writes a file, new or not.
    pub fn write(&self, path: &str, text: &str) {
        self.state().files.insert(path.to_owned(), text.to_owned());
    }

    /// Removes a file; tells whether there was one.
    pub fn remove(&self, path: &str) -> bool {
        self.state().files.remove(path).is_some()
    }

    /// The sorted names of what is in a folder; none where there is no such folder.
    #[must_use]
    pub fn list(&self, folder: &str) -> Option<Vec<String>> {
        let above = format!("{}/", folder.trim_end_matches(['/', '\\']).replace('\\', "/"));
        let state = self.state();
        let below = state.files.keys().filter_map(|path| {
            let path = path.replace('\\', "/");
            let name = path.strip_prefix(&above)?.split('/').next()?;
            Some(name.to_owned())
        });
        let mut names: Vec<String> = below.collect();
        names.sort();
        names.dedup();
        (!names.is_empty()).then_some(names)
    }

    /// The calls that are described, by their places, and whether they were made.
    #[must_use]
    pub fn calls(&self) -> Vec<(Span, bool)> {
        let state = self.state();
        state.commands.calls().chain(state.http.calls()).collect()
    }
}

/// Exchanges, each with whether it has taken place.
#[derive(Debug)]
struct Exchanges<Call, Answer>(Vec<(Exchange<Call, Answer>, bool)>);

impl<Call: PartialEq, Answer: Clone> Exchanges<Call, Answer> {
    fn new(exchanges: Vec<Exchange<Call, Answer>>) -> Self {
        Self(exchanges.into_iter().map(|exchange| (exchange, false)).collect())
    }

    /// The answers to one call come in the order in which they are described, and the last one again and again.
    fn answer(&mut self, call: &Call, sent: &str) -> Option<Result<Answer, String>> {
        let fits = |exchange: &Exchange<Call, Answer>| {
            exchange.call == *call && exchange.with.as_ref().is_none_or(|with| means(with, sent))
        };
        let fitting = |(exchange, _): &(Exchange<Call, Answer>, bool)| fits(exchange);
        let next = self.0.iter().position(|entry| !entry.1 && fitting(entry));
        let at = next.or_else(|| self.0.iter().rposition(fitting))?;
        let (exchange, made) = self.0.get_mut(at)?;
        *made = true;
        Some(exchange.answer.clone())
    }

    fn calls(&self) -> impl Iterator<Item = (Span, bool)> {
        self.0.iter().map(|(exchange, made)| (exchange.span, *made))
    }
}

/// Whether what was sent is what is described.
fn means(with: &Value, sent: &str) -> bool {
    match with {
        Value::String(text) => text == sent,
        other => serde_json::from_str::<Value>(sent).is_ok_and(|sent| sent == *other),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::{Described, Exchange, ProgramAnswer, World};
    use crate::diagnostic::Span;

    fn command(
        argv: &[&str],
        with: Option<serde_json::Value>,
        stdout: &str,
    ) -> Exchange<Vec<String>, ProgramAnswer> {
        Exchange {
            call: argv.iter().map(|&text| text.to_owned()).collect(),
            with,
            answer: Ok(ProgramAnswer {
                stdout: stdout.to_owned(),
                ..ProgramAnswer::default()
            }),
            span: Span::default(),
        }
    }

    #[test]
    fn answers_come_in_their_order_and_the_last_one_again() {
        let commands = vec![
            command(&["state"], None, "down"),
            command(&["state"], None, "up"),
            command(&["set"], Some(json!({ "a": [1, 2] })), "json"),
            command(&["set"], Some(json!("a")), "text"),
            command(&["never"], None, ""),
        ];
        let world = World::new(Described {
            commands,
            ..Described::default()
        });
        let ask = |argv: &[&str], input: &str| {
            let argv: Vec<String> = argv.iter().map(|&text| text.to_owned()).collect();
            world.carry_out(&argv, input).map(|answer| answer.stdout)
        };
        let told: Vec<_> = (0..3).map(|_| ask(&["state"], "").unwrap()).collect();
        assert_eq!(told, ["down", "up", "up"]);
        assert_eq!(ask(&["set"], "a").unwrap(), "text");
        assert_eq!(ask(&["set"], "{\"a\": [1,2]}").unwrap(), "json");
        assert!(ask(&["set"], "b").unwrap_err().contains("[\"set\"]"));
        let made: Vec<bool> = world.calls().into_iter().map(|(_, made)| made).collect();
        assert_eq!(made, [true, true, true, true, false]);
    }

    #[test]
    fn folders_are_what_their_files_say() {
        let world = World::new(Described::default());
        world.write("/etc/app/a.conf", "a");
        world.write(r"C:\app\sub\b.conf", "b");
        assert_eq!(world.list("/etc"), Some(vec!["app".to_owned()]));
        assert_eq!(world.list(r"C:\app\"), Some(vec!["sub".to_owned()]));
        assert_eq!(world.list("/etc/ap"), None);
        assert!(world.remove("/etc/app/a.conf") && !world.remove("/etc/app/a.conf"));
        assert_eq!(world.list("/etc"), None);
        let before = world.now();
        world.pass(Duration::from_secs(90));
        assert_eq!(world.now().duration_since(before).as_secs(), 90);
    }
}
