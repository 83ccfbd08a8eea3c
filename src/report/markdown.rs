//! A report as Markdown: for tickets and version control. Every text from the journal is escaped.

use runbook_engine::core::event::Outputs;
use serde_json::Value;

use super::gather::something;
use super::printed::Printed;
use super::{Clean, Evidence, Report, StepRecord, Told};
use crate::render::authors::mark;
use crate::render::style::{entries, of_instance, words};
use crate::render::time::{lasted, stamp, took};

/// The report as Markdown.
pub(crate) fn markdown(report: &Report) -> String {
    let mut page = Page(String::new());
    page.head(report);
    page.proof(report);
    page.params(report);
    page.people(report);
    page.section("What people did, and what went out of the ordinary");
    report.course.iter().for_each(|told| page.told(told));
    page.rollback(report);
    page.section("Every step");
    if let Some(remark) = report.only_named() {
        page.apart(&remark);
    }
    for step in &report.steps {
        page.step(step, report.tells_of(step));
    }
    page.section("The runbook");
    page.block(&report.definition.text, "yaml");
    for file in &report.definition.files {
        page.apart(&format!("{}, SHA-256 {}:", escaped(&file.name), file.sha256));
        page.block(&file.text, "text");
    }
    let made = &report.made;
    page.apart(&format!(
        "Written {} by {} on {} with runbook {}, from the journal of the run alone.",
        stamp(made.time),
        escaped(&made.operator),
        escaped(&made.host),
        made.program
    ));
    page.0
}

/// A page that is being written.
struct Page(String);

impl Page {
    fn section(&mut self, title: &str) {
        self.apart(&format!("## {title}"));
    }

    /// Lines with nothing before and after them.
    fn apart(&mut self, text: &str) {
        if !self.0.is_empty() && !self.0.ends_with("\n\n") {
            self.0.push('\n');
        }
        self.0 += &format!("{text}\n\n");
    }

    fn item(&mut self, text: &str) {
        self.0 += &format!("- {text}\n");
    }

    /// A fact in a list; of one that the journal gives, the name is escaped already.
    fn fact(&mut self, name: &str, fact: &str) {
        self.item(&format!("{name}: {fact}"));
    }

    /// A text with its lines, in a fence that nothing in it can close.
    fn block(&mut self, text: &Clean, language: &str) {
        let longest = text.as_str().split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        self.apart(&format!("{fence}{language}\n{}\n{fence}", text.as_str()));
    }

    fn head(&mut self, report: &Report) {
        let run = &report.run;
        self.apart(&format!("# {}: {}", escaped(&run.name), escaped(&run.title)));
        let status = words(run.status.as_str());
        self.apart(&format!("**{status}**, {} of {} settled", run.settled, run.total));
        if run.rehearsal {
            self.apart("**Rehearsal.** Steps answered from the runbook, and nothing was touched.");
        }
        if !run.overlaid.is_empty() {
            self.apart("Overlays changed the runbook:");
        }
        for change in &run.overlaid {
            self.item(&escaped(change));
        }
        if let Some(holder) = &run.held_by {
            self.apart(&format!(
                "It was being carried out by {} when this was written.",
                escaped(holder)
            ));
        }
        if let Some(why) = &run.cancelled {
            self.apart(&format!("**Cancelled.** {}", escaped(why)));
        }
        let attention: Vec<&StepRecord> = report
            .steps
            .iter()
            .filter(|step| step.needs_attention())
            .collect();
        if !attention.is_empty() {
            self.section("What needs attention");
        }
        for step in attention {
            let reason = step
                .reason
                .as_ref()
                .map_or_else(String::new, |why| format!(": {}", escaped(why)));
            self.item(&format!("{} {}{reason}", escaped(&step.id), step.stands()));
        }
        self.section("The run");
        if let Some(description) = &run.description {
            self.apart(&escaped(description));
        }
        let file = escaped(&report.definition.file);
        self.fact("Runbook", &format!("{} ({file})", escaped(&run.runbook)));
        if let Some(source) = &run.source {
            self.fact("Carries out", &escaped(source));
        }
        self.fact(
            "Started",
            &format!("{} by {}", stamp(run.started), escaped(&run.starter)),
        );
        self.fact(
            "Last entry",
            &format!("{} by {}", stamp(run.updated), escaped(&run.operator)),
        );
        self.fact("Took", &took(run.updated.duration_since(run.started)));
        let counts = report.counts().into_iter();
        let counts: Vec<String> = counts.map(|(stands, many)| format!("{many} {stands}")).collect();
        self.fact("Steps", &counts.join(", "));
        self.fact("Run", &run.id.to_string());
        self.fact("Started with", &format!("runbook {}", escaped(&run.program)));
    }

    fn proof(&mut self, report: &Report) {
        self.section("Proof");
        let (_, verdict) = report.verdict();
        self.apart(&verdict);
        for finding in &report.proof.verification.findings {
            let place = finding
                .seq
                .map_or_else(String::new, |seq| format!("entry {seq}: "));
            self.item(&format!("{place}{}", escaped(&Clean::of(&finding.message))));
        }
        self.fact("Entries told here", &report.proof.entries.to_string());
        let hash = report.proof.last_hash.as_deref();
        self.fact(
            "Hash of the last",
            hash.unwrap_or("not known: the run went on while this was written"),
        );
        self.fact("Hash of the runbook's text", &report.definition.sha256);
    }

    fn params(&mut self, report: &Report) {
        if report.params.is_empty() {
            return;
        }
        self.section("Parameters");
        for param in &report.params {
            let value = match &param.value {
                _ if param.secret => "a secret, which is kept nowhere".to_owned(),
                Some(found) => value(found),
                None => "none".to_owned(),
            };
            self.fact(&escaped(&param.name), &value);
        }
    }

    fn people(&mut self, report: &Report) {
        self.section("Who acted");
        for person in &report.people {
            let who = format!("{} on {}", escaped(&person.operator), escaped(&person.host));
            let when = format!("{} to {}", stamp(person.first), stamp(person.last));
            let signed = person.signed.words(person.entries);
            let signed = signed.map_or_else(String::new, |signed| format!("; {signed}"));
            self.item(&format!("{who}: {}, {when}{signed}", entries(person.entries)));
        }
        if let Some(roles) = report.roles {
            self.apart(roles);
        }
    }

    fn told(&mut self, told: &Told) {
        let step = told
            .step
            .as_ref()
            .map_or_else(String::new, |id| format!(" {}:", escaped(id)));
        let who = format!("{}{}", escaped(&told.operator), mark(told.author));
        self.item(&format!(
            "{} {who}:{step} {}",
            stamp(told.time),
            escaped(&told.words)
        ));
    }

    fn rollback(&mut self, report: &Report) {
        let Some(undoing) = &report.rollback else {
            return;
        };
        self.section("What was rolled back");
        self.fact("Why", &escaped(&undoing.why));
        self.fact("To undo, in this order", &all(&undoing.plan));
        self.fact("Still to undo", &all(&undoing.still));
        self.fact("Left in place, for there is no way back", &all(&undoing.left));
    }

    fn step(&mut self, step: &StepRecord, at_length: bool) {
        let (sign, _) = of_instance(step.status);
        let title = if step.title == step.id {
            String::new()
        } else {
            format!(": {}", escaped(&step.title))
        };
        let line = format!("{sign} {}{title} ({})", escaped(&step.id), step.stands());
        if !at_length {
            self.item(&line);
            return;
        }
        self.apart(&format!("### {line}"));
        if let Some(reason) = &step.reason {
            self.apart(&escaped(reason));
        }
        if let Some(seconds) = step.took {
            self.fact("Took", &lasted(seconds));
        }
        if let Some(waited) = step.waited {
            self.fact(
                "Waited for a person",
                &took(jiff::SignedDuration::from_secs(waited)),
            );
        }
        if let Some(asked) = &step.approval {
            self.fact("To be approved by", &escaped(&Clean::of(asked.whom())));
            self.fact("What was to be approved", &value(&asked.what));
        }
        if let Some(role) = &step.role {
            self.fact("For", &escaped(role));
        }
        if let Some(before) = &step.before {
            self.fact("Seen before", &value(before));
        }
        if something(&step.outputs) {
            self.fact("Outputs", &value(&step.outputs));
        }
        step.history.iter().for_each(|told| {
            self.told(&Told {
                step: None,
                ..told.clone()
            });
        });
        step.evidence.iter().for_each(|evidence| self.evidence(evidence));
        step.printed.iter().for_each(|printed| self.printed(printed));
    }

    fn evidence(&mut self, evidence: &Evidence) {
        let note = evidence
            .note
            .as_ref()
            .map_or_else(String::new, |note| format!(": {}", escaped(note)));
        self.fact("Evidence", &format!("{}{note}", escaped(&evidence.operator)));
        for tick in &evidence.ticked {
            let (item, who) = (escaped(&tick.item), escaped(&tick.operator));
            self.0 += &format!("  - ✓ {item} ({who}, {})\n", stamp(tick.time));
        }
        self.values(&evidence.values);
        for file in &evidence.attachments {
            let (name, hash) = (escaped(&Clean::of(&file.name)), escaped(&Clean::of(&file.sha256)));
            self.0 += &format!("  - {name}, {} bytes, SHA-256 {hash}\n", file.bytes);
        }
    }

    fn values(&mut self, values: &Outputs) {
        for (name, found) in values {
            let (name, found) = (escaped(&Clean::of(name)), value(found));
            self.0 += &format!("  - {name}: {found}\n");
        }
    }

    fn printed(&mut self, printed: &Printed) {
        let left_out = match printed.left_out {
            0 => String::new(),
            many => format!(", {many} of them not shown"),
        };
        self.apart(&format!(
            "Printed ({}, {} bytes{left_out}):",
            escaped(&printed.call),
            printed.bytes
        ));
        for piece in &printed.pieces {
            self.block(&piece.text, "text");
        }
    }
}

fn all(ids: &[Clean]) -> String {
    if ids.is_empty() {
        return "nothing".to_owned();
    }
    ids.iter().map(escaped).collect::<Vec<_>>().join(", ")
}

/// A value on one line: text as text, everything else as code.
fn value(value: &Value) -> String {
    if let Value::String(text) = value {
        return escaped(&Clean::of(text));
    }
    let json = Clean::of(value);
    let longest = json.as_str().split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    match longest {
        0 => format!("{fence}{}{fence}", json.as_str()),
        _ => format!("{fence} {} {fence}", json.as_str()),
    }
}

/// The text on one line, with everything escaped that Markdown could take for more than text.
fn escaped(text: &Clean) -> String {
    let lines: Vec<&str> = text.as_str().lines().map(str::trim).collect();
    let line = lines.join(" ").replace('\t', " ");
    let mut escaped = String::with_capacity(line.len());
    for (at, c) in line.char_indices() {
        let (before, after) = (&line[..at], &line[at + c.len_utf8()..]);
        let special = match c {
            // What begins a list or a rule, where a line begins with it.
            '-' | '+' | '=' => before.is_empty(),
            '.' | ')' => after.starts_with(' ') && before.chars().all(|c| c.is_ascii_digit()),
            ':' => !(after.is_empty() || after.starts_with(' ')),
            ',' | ';' | '/' | '\'' | '"' | '%' | '$' | '?' | '(' => false,
            c => c.is_ascii_punctuation(),
        };
        if special {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
