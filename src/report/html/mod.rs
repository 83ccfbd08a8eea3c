//! A report as one page: no script, nothing from elsewhere, readable on paper, on a phone and aloud.

mod parts;
mod steps;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use runbook_engine::core::RunStatus;

use self::parts::{at, fact, ids, pair, value};
use super::{Clean, Report, Told};
use crate::render::authors::mark;
use crate::render::style::{entries, words};
use crate::render::time::took;

const STYLE: &str = include_str!("page.css");

/// What the page may load: nothing. Its own style is all that it has.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// Of more remarkable entries than this, the first and the last are told.
const MOST_OF_COURSE: usize = 1000;

/// The report as a page.
pub(crate) fn html(report: &Report) -> String {
    let run = &report.run;
    let page = html! {
        (DOCTYPE)
        html lang="en-GB" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (run.name) ": " (run.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (head(report))
                main {
                    (attention(report))
                    (about(report))
                    (proof(report))
                    (picture(report))
                    (params(report))
                    (people(report))
                    (course(report))
                    (rollback(report))
                    (steps::section(report))
                    (definition(report))
                }
                footer {
                    p { "Written " (at(report.made.time)) " by " (report.made.operator) " on " (report.made.host)
                        " with runbook " (report.made.program) ", from the journal of the run alone." }
                }
            }
        }
    };
    page.into_string()
}

fn head(report: &Report) -> Markup {
    let run = &report.run;
    html! {
        header {
            p.name { (run.name) }
            h1 { bdi { (run.title) } }
            p { span.state.(tone(run.status)) { (words(run.status.as_str())) }
                " " (run.settled) " of " (run.total) " settled" }
            @if run.rehearsal {
                p.note.care { strong { "Rehearsal." } " Steps answered from the runbook, and nothing was touched." }
            }
            @if !run.overlaid.is_empty() {
                p.note { "Overlays changed the runbook:" }
                ul { @for change in &run.overlaid { li { bdi { (change) } } } }
            }
            @if let Some(holder) = &run.held_by {
                p.note { "It was being carried out by " (holder) " when this was written." }
            }
            @if let Some(why) = &run.cancelled {
                p.note.care { strong { "Cancelled." } " " bdi { (why) } }
            }
        }
    }
}

/// The tone of a run's status; the status itself stands there in words.
fn tone(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Completed | RunStatus::RolledBack => "good",
        RunStatus::Running | RunStatus::RollingBack => "busy",
        RunStatus::Waiting => "care",
        RunStatus::Failed | RunStatus::Stuck => "bad",
        RunStatus::Cancelled => "dim",
    }
}

fn attention(report: &Report) -> Markup {
    let steps: Vec<_> = report
        .steps
        .iter()
        .enumerate()
        .filter(|(_, step)| step.needs_attention())
        .collect();
    html! {
        @if !steps.is_empty() {
            section aria-labelledby="attention" {
                h2 #attention { "What needs attention" }
                ul {
                    @for (number, step) in steps {
                        li { a href=(format!("#step-{number}")) { code { (step.id) } } " "
                            (step.stands())
                            @if let Some(reason) = &step.reason { ": " bdi { (reason) } } }
                    }
                }
            }
        }
    }
}

fn about(report: &Report) -> Markup {
    let run = &report.run;
    html! {
        section aria-labelledby="about" {
            h2 #about { "The run" }
            @if let Some(description) = &run.description { p.text { bdi { (description) } } }
            dl {
                (fact("Runbook", html! { (run.runbook) " (" (report.definition.file) ")" }))
                @if let Some(source) = &run.source { (fact("Carries out", html! { (source) })) }
                (fact("Started", html! { (at(run.started)) " by " (run.starter) }))
                (fact("Last entry", html! { (at(run.updated)) " by " (run.operator) }))
                (fact("Took", html! { (took(run.updated.duration_since(run.started))) }))
                (fact("Steps", html! {
                    @for (n, (stands, many)) in report.counts().into_iter().enumerate() {
                        @if n > 0 { ", " } (many) " " (stands)
                    }
                }))
                (fact("Run", html! { code { (run.id.to_string()) } }))
                (fact("Started with", html! { "runbook " (run.program) }))
            }
        }
    }
}

fn proof(report: &Report) -> Markup {
    let (holds, verdict) = report.verdict();
    html! {
        section aria-labelledby="proof" {
            h2 #proof { "Proof" }
            p.note.(if holds { "good" } else { "bad" }) { (verdict) }
            @if !holds {
                ul { @for finding in &report.proof.verification.findings {
                    li { @if let Some(seq) = finding.seq { "Entry " (seq.0) ": " } (Clean::of(&finding.message)) }
                } }
            }
            dl {
                (fact("Entries told here", html! { (report.proof.entries) }))
                (fact("Hash of the last", match &report.proof.last_hash {
                    Some(hash) => html! { code { (hash) } },
                    None => html! { "not known: the run went on while this was written" },
                }))
                (fact("Hash of the runbook's text", html! { code { (report.definition.sha256) } }))
            }
        }
    }
}

fn picture(report: &Report) -> Markup {
    html! {
        section aria-labelledby="picture" {
            h2 #picture { "The steps at a glance" }
            @match &report.picture {
                // Made by the same templates: every text in it is escaped already.
                Some(drawing) => div.picture tabindex="0" role="region" aria-labelledby="picture" { (PreEscaped(drawing)) },
                None => p { "There are too many steps for a picture." },
            }
        }
    }
}

fn params(report: &Report) -> Markup {
    html! {
        @if !report.params.is_empty() {
            section aria-labelledby="params" {
                h2 #params { "Parameters" }
                dl {
                    @for param in &report.params {
                        @if param.secret {
                            (pair(&param.name, html! { span.dim { "•••••• a secret, which is kept nowhere" } }))
                        } @else {
                            (pair(&param.name, match &param.value {
                                Some(found) => value(found),
                                None => html! { span.dim { "none" } },
                            }))
                        }
                    }
                }
            }
        }
    }
}

fn people(report: &Report) -> Markup {
    html! {
        section aria-labelledby="people" {
            h2 #people { "Who acted" }
            ul {
                @for person in &report.people {
                    li { strong { bdi { (person.operator) } } " on " bdi { (person.host) } ": "
                        (entries(person.entries))
                        ", " (at(person.first)) " to " (at(person.last))
                        @if let Some(signed) = person.signed.words(person.entries) { "; " (signed) } }
                }
            }
            @if let Some(roles) = report.roles { p { (roles) } }
        }
    }
}

fn course(report: &Report) -> Markup {
    let (all, half) = (&report.course, MOST_OF_COURSE / 2);
    let (first, last) = if all.len() > MOST_OF_COURSE {
        (&all[..half], &all[all.len() - half..])
    } else {
        (&all[..], &all[..0])
    };
    html! {
        section aria-labelledby="course" {
            h2 #course { "What people did, and what went out of the ordinary" }
            ol.story { @for one in first { (entry(one)) } }
            @if !last.is_empty() {
                p.note { "Entries left out here: " (all.len() - MOST_OF_COURSE)
                    ". They are told with their steps, and in the JSON form of this report." }
                ol.story { @for one in last { (entry(one)) } }
            }
        }
    }
}

fn entry(told: &Told) -> Markup {
    html! {
        li { (at(told.time)) " " strong { bdi { (told.operator) } } (mark(told.author))
            @if let Some(step) = &told.step { " " code { (step) } } " " bdi { (told.words) } }
    }
}

fn rollback(report: &Report) -> Markup {
    html! {
        @if let Some(undoing) = &report.rollback {
            section aria-labelledby="rollback" {
                h2 #rollback { "What was rolled back" }
                dl {
                    (fact("Why", html! { bdi { (undoing.why) } }))
                    (fact("To undo, in this order", ids(&undoing.plan)))
                    (fact("Still to undo", ids(&undoing.still)))
                    (fact("Left in place, for there is no way back", ids(&undoing.left)))
                }
            }
        }
    }
}

fn definition(report: &Report) -> Markup {
    html! {
        section aria-labelledby="definition" {
            h2 #definition { "The runbook" }
            details {
                summary { (report.definition.file) ", as it was when the run started" }
                pre { (report.definition.text) }
            }
            @for file in &report.definition.files {
                details {
                    summary { code { (file.name) } ", as it was then; SHA-256 " code { (file.sha256) } }
                    pre { (file.text) }
                }
            }
        }
    }
}
