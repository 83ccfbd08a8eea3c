//! What was found, as people read it.

use std::time::Duration;

use super::measure::Rounds;

/// Prints a line for each thing, and counts the aims.
#[derive(Debug)]
pub(crate) struct Table {
    met: usize,
    aims: usize,
}

impl Table {
    pub(crate) fn new() -> Self {
        println!(
            "{:<34} {:>10} {:>10}   {:<13} {:>10} {:>10}  {:>6}  {:>6}  aim",
            "what", "ours", "cpu", "against", "theirs", "cpu", "ratio", "cpu"
        );
        Self { met: 0, aims: 0 }
    }

    /// Ours against theirs, each for one of `count` steps.
    pub(crate) fn against(
        &mut self,
        what: &str,
        count: usize,
        ours: &Rounds,
        name: &str,
        theirs: &Rounds,
        aim: Option<f64>,
    ) {
        let each = |time: Duration| time.div_f64(count as f64);
        let ratio = ours.wall().as_secs_f64() / theirs.wall().as_secs_f64();
        let cpu = if theirs.cpu().is_zero() {
            String::new()
        } else {
            format!("{:.2}", ours.cpu().as_secs_f64() / theirs.cpu().as_secs_f64())
        };
        let aim = aim.map_or_else(String::new, |aim| {
            format!("{aim:.1} {}", self.count(ratio <= aim))
        });
        println!(
            "{what:<34} {:>10} {:>10}   {name:<13} {:>10} {:>10}  {ratio:>6.2}  {cpu:>6}  {aim}",
            ms(each(ours.wall())),
            ms(each(ours.cpu())),
            ms(each(theirs.wall())),
            ms(each(theirs.cpu())),
        );
    }

    /// A time that must not be longer than `most`.
    pub(crate) fn limit(&mut self, what: &str, found: Duration, most: Duration) {
        self.verdict(what, &ms(found), &ms(most), found <= most);
    }

    pub(crate) fn verdict(&mut self, what: &str, found: &str, most: &str, met: bool) {
        let verdict = self.count(met);
        println!("{what:<34} {found:>10}   at most {most}  {verdict}");
    }

    pub(crate) fn note(&self, text: &str) {
        println!("{text}");
    }

    pub(crate) fn end(&self) {
        println!("{} of {} aims met", self.met, self.aims);
    }

    fn count(&mut self, met: bool) -> &'static str {
        self.aims += 1;
        self.met += usize::from(met);
        if met { "met" } else { "MISSED" }
    }
}

/// Milliseconds, with as many digits as mean something.
pub(crate) fn ms(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1000.0)
}
