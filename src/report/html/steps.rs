//! The steps on the page: each folded, with everything that is known of it inside.

use jiff::SignedDuration;
use maud::{Markup, html};
use serde_json::Value;

use super::parts::{at, fact, ids, pair, value};
use crate::render::authors::mark;
use crate::render::style::{count, of_instance};
use crate::render::time::{lasted, took};
use crate::report::gather::something;
use crate::report::printed::Printed;
use crate::report::{Clean, Evidence, Report, StepRecord};

pub(super) fn section(report: &Report) -> Markup {
    html! {
        section aria-labelledby="steps" {
            h2 #steps { "Every step" }
            @if let Some(remark) = report.only_named() { p.note { (remark) } }
            @for (number, step) in report.steps.iter().enumerate() {
                @if report.tells_of(step) { (told(number, step)) } @else { (named(number, step)) }
            }
        }
    }
}

/// One line about a step: where it stands, in a sign and in words, what it is, and how long it took.
fn line(step: &StepRecord) -> Markup {
    let (sign, _) = of_instance(step.status);
    html! {
        span.state { span aria-hidden="true" { (sign) } " " (step.stands()) }
        " " code { (step.id) } " "
        @if step.title != step.id { bdi { (step.title) } }
        @if let Some(seconds) = step.took { " " span.dim { (lasted(seconds)) } }
    }
}

fn named(number: usize, step: &StepRecord) -> Markup {
    html! {
        div.step.(step.status.as_str()) id=(format!("step-{number}")) { (line(step)) }
    }
}

fn told(number: usize, step: &StepRecord) -> Markup {
    html! {
        details.step.(step.status.as_str()) id=(format!("step-{number}")) open[step.needs_attention()] {
            summary { (line(step)) }
            @if let Some(reason) = &step.reason { p.note { bdi { (reason) } } }
            (facts(step))
            @for evidence in &step.evidence { (proof(evidence)) }
            @if !step.history.is_empty() {
                h3 { "What happened" }
                ol.story {
                    @for told in &step.history {
                        li { (at(told.time)) " " strong { bdi { (told.operator) } } (mark(told.author))
                            " " bdi { (told.words) } }
                    }
                }
            }
            @if !step.printed.is_empty() {
                h3 { "What it printed" }
                @for printed in &step.printed { (transcript(printed)) }
            }
        }
    }
}

fn facts(step: &StepRecord) -> Markup {
    html! {
        dl {
            @if let Some(started) = step.started { (fact("Begun", at(started))) }
            @if let Some(ended) = step.ended { (fact("Ended", at(ended))) }
            @if let Some(waited) = step.waited {
                (fact("Waited for a person", html! { (took(SignedDuration::from_secs(waited))) }))
            }
            @if let Some(asked) = &step.approval {
                (fact("To be approved by", html! { (asked.whom()) }))
                (fact("What was to be approved", values(&asked.what)))
                (fact("Known by SHA-256", html! { code { (asked.sha256) } }))
            }
            @if !step.people.is_empty() { (fact("Acted on by", ids(&step.people))) }
            @if step.attempts > 0 { (fact("Attempts", html! { (step.attempts) })) }
            @if step.rollbacks > 0 { (fact("Attempts to undo it", html! { (step.rollbacks) })) }
            @if let Some(role) = &step.role { (fact("For", html! { (role) })) }
            (fact("Kind", html! { (step.uses) }))
            @if let Some(source) = &step.source { (fact("Carries out", html! { (source) })) }
            @if !step.needs.is_empty() { (fact("Comes after", ids(&step.needs))) }
            @if let Some(before) = &step.before { (fact("Seen before", values(before))) }
            @if something(&step.outputs) { (fact("Outputs", values(&step.outputs))) }
        }
    }
}

/// Named values one by one; anything else as it is.
fn values(all: &Value) -> Markup {
    match all {
        Value::Object(fields) => html! {
            dl { @for (name, found) in fields { (pair(&Clean::of(name), value(found))) } }
        },
        other => value(other),
    }
}

fn proof(evidence: &Evidence) -> Markup {
    html! {
        h3 { "Evidence" }
        p { (at(evidence.time)) " " strong { bdi { (evidence.operator) } } " on " bdi { (evidence.host) } }
        @if !evidence.ticked.is_empty() {
            p { "Said to be so:" }
            ul { @for tick in &evidence.ticked {
                li { "✓ " bdi { (tick.item) } " " span.dim { "(" bdi { (tick.operator) } ", " (at(tick.time)) ")" } }
            } }
        }
        @if let Some(note) = &evidence.note { p.text { bdi { (note) } } }
        @if !evidence.values.is_empty() {
            dl { @for (name, found) in &evidence.values { (pair(&Clean::of(name), value(found))) } }
        }
        @if !evidence.attachments.is_empty() {
            ul { @for file in &evidence.attachments {
                li { code { (Clean::of(&file.name)) } ", " (file.bytes) " bytes, SHA-256 " code { (Clean::of(&file.sha256)) } }
            } }
        }
    }
}

fn transcript(printed: &Printed) -> Markup {
    let bytes = count(usize::try_from(printed.bytes).unwrap_or(usize::MAX), "byte");
    html! {
        details.printed {
            summary { (at(printed.time)) " " (printed.call) ": " (bytes)
                @if printed.left_out > 0 { ", " (printed.left_out) " of them not shown" } }
            @for piece in &printed.pieces {
                pre.stderr[piece.stream.as_str() == "stderr"] {
                    @if piece.stream.as_str() != "stdout" { span.dim { (piece.stream) "\n" } }
                    (piece.text)
                }
            }
        }
    }
}
