//! One line that shows what takes long: rewritten in place, and gone before anything else is said.
//!
//! It is drawn with spaces and carriage returns alone, so that every terminal can show it.

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::layout::{Width, cut, pad};
use super::time::whole;

/// How often the line is rewritten; what takes less is not shown at all.
pub(crate) const PACE: Duration = Duration::from_millis(250);

/// Something that is under way, or waited for.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    /// Which instance.
    pub(crate) name: String,
    /// What goes on with it.
    pub(crate) what: &'static str,
    /// Since when; later than now where it is still to come.
    pub(crate) since: Timestamp,
}

/// The line, and what it tells.
#[derive(Debug, Default)]
pub(crate) struct Busy {
    shown: Mutex<Shown>,
}

#[derive(Debug, Default)]
struct Shown {
    tasks: Vec<Task>,
    /// How many columns of the line are written.
    drawn: usize,
}

impl Busy {
    /// Whether there is a terminal on which a line can be rewritten.
    pub(crate) fn is_possible() -> bool {
        std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
    }

    /// These tasks are under way from now on.
    pub(crate) fn set(&self, tasks: Vec<Task>) {
        let mut shown = self.lock();
        shown.tasks = tasks;
        if shown.tasks.is_empty() {
            shown.erase();
        }
    }

    /// Writes the line anew.
    pub(crate) fn draw(&self) {
        self.lock().draw(Timestamp::now());
    }

    /// Says something else above the line.
    pub(crate) fn aside(&self, say: impl FnOnce()) {
        let mut shown = self.lock();
        let was_drawn = shown.drawn > 0;
        shown.erase();
        say();
        if was_drawn {
            shown.draw(Timestamp::now());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shown {
    fn draw(&mut self, now: Timestamp) {
        let Some(columns) = Width::of_talk().left(1) else {
            return;
        };
        match line(&self.tasks, now) {
            Some(line) => {
                let line = cut(&line, columns);
                let width = textwrap::core::display_width(&line);
                write(&format!("\r{}", pad(&line, self.drawn.min(columns))));
                self.drawn = width.max(self.drawn.min(columns));
            }
            None => self.erase(),
        }
    }

    fn erase(&mut self) {
        if self.drawn > 0 {
            let columns = Width::of_talk().left(1).unwrap_or(self.drawn);
            write(&format!("\r{}\r", " ".repeat(self.drawn.min(columns))));
            self.drawn = 0;
        }
    }
}

fn write(text: &str) {
    let mut stderr = std::io::stderr();
    // A terminal that has gone away is nobody's error.
    let _closed = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

/// What the line says: the tasks that take long, the longest first.
fn line(tasks: &[Task], now: Timestamp) -> Option<String> {
    let pace = SignedDuration::try_from(PACE).unwrap_or_default();
    let takes = |task: &&Task| now.duration_since(task.since).abs() >= pace;
    let mut long: Vec<&Task> = tasks.iter().filter(takes).collect();
    long.sort_by_key(|task| task.since);
    let told: Vec<String> = long.iter().map(|task| told(task, now)).collect();
    (!told.is_empty()).then(|| format!("  … {}", told.join("; ")))
}

fn told(task: &Task, now: Timestamp) -> String {
    let Task { name, what, since } = task;
    if *since > now {
        format!("{name} {what} in {}", whole(since.duration_since(now)))
    } else {
        format!("{name} {what}, {}", whole(now.duration_since(*since)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Task, line};
    use jiff::{SignedDuration, Timestamp};

    #[test]
    fn only_what_takes_long_is_told_and_the_longest_first() {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1000);
        let task = |name: &str, what, millis: i64| Task {
            name: name.to_owned(),
            what,
            since: now - SignedDuration::from_millis(millis),
        };
        assert_eq!(line(&[task("quick", "is carried out", 100)], now), None);
        let tasks = [
            task("a", "is carried out", 3_000),
            task("quick", "is carried out", 0),
            task("b", "is looked at", 200_000),
            task("c", "is tried again", -5_000),
        ];
        let told = line(&tasks, now).unwrap();
        assert_eq!(
            told,
            "  … b is looked at, 3 min 20 s; a is carried out, 3 s; c is tried again in 5 s"
        );
    }
}
