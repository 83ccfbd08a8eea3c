//! What a person reads before they do manual work, and before they are asked about it.

use jiff::{SignedDuration, Timestamp};
use runbook_engine::runbook::Runbook;
use runbook_engine::runtime::Seat;

use super::Work;
use crate::render::layout::Width;
use crate::render::markdown;
use crate::render::style::{BOLD, CARE, DIM, Look, paint};
use crate::render::{plain, time};

/// What has waited for less long than this is not said to have waited.
const WORTH_SAYING: SignedDuration = SignedDuration::from_mins(10);

/// Shows what is to be done, and by whom, before it is asked about.
pub(super) fn show(seat: &dyn Seat, work: &Work, look: &Look) {
    let width = Width::of_talk();
    let keys = "Esc: not now; Ctrl-C: stop. The run keeps waiting.";
    let keys = paint(DIM, width.wrap("  ", 2, keys));
    look.tell(&format!("{}\n\n{keys}\n", page(seat.runbook(), work, width)));
}

/// What is to be done, and by whom.
pub(super) fn page(runbook: &Runbook, work: &Work, width: Width) -> String {
    let Work {
        waiting,
        inputs,
        marked,
        again,
        ticks: _,
    } = work;
    let step = runbook.step(waiting.id.step());
    let title = step.map_or_else(String::new, |step| plain(&step.title));
    let role = step
        .and_then(|step| step.role.as_ref())
        .map_or_else(String::new, |role| format!("  for {role}"));
    let head = format!("\n{}  ", paint(BOLD, plain(&waiting.id.to_string())));
    let mut lines = vec![width.wrap(&head, 2, &format!("{title}{}", paint(DIM, role)))];
    let mut remark = |text: String| lines.push(paint(DIM, width.wrap("  ", 4, &text)));
    let waited = Timestamp::now().duration_since(waiting.since);
    if waited > WORTH_SAYING {
        let since = time::local(waiting.since);
        remark(format!("has waited for {}, since {since}", time::took(waited)));
    }
    if let Some(source) = step.and_then(|step| step.source.as_deref()) {
        remark(format!("described in {}", plain(source)));
    }
    if let Some(again) = again.as_deref().filter(|_| !waiting.undoing) {
        let head = format!("  {} ", paint(CARE, "again:"));
        lines.push(width.wrap(&head, 9, &plain(again)));
    }
    if let Some(warning) = step.and_then(|step| step.warning.as_deref()) {
        let head = format!("  {} ", paint(CARE, "note:"));
        lines.push(markdown::render(warning, &head, 8, width));
    }
    let (text, checklist) = if waiting.undoing {
        (marked.rollback.as_deref().unwrap_or_default(), &[][..])
    } else {
        (marked.instructions.as_str(), marked.checklist.as_slice())
    };
    lines.push(String::new());
    lines.push(markdown::render(text, "  ", 2, width));
    if !checklist.is_empty() {
        lines.push(String::new());
        for (number, item) in (1..).zip(checklist) {
            match work.ticks.get(&number) {
                None => lines.push(markdown::render(item, "  [ ] ", 6, width)),
                Some(tick) => {
                    lines.push(markdown::render(item, "  [x] ", 6, width));
                    let who = format!("{}, {}", tick.by, time::local(tick.at));
                    lines.push(paint(DIM, width.wrap("      ", 6, &plain(&who))));
                }
            }
        }
    }
    if !waiting.undoing {
        lines.extend(to_bring(inputs, width));
    }
    lines.join("\n")
}

/// What the person will be asked for, so that they know before they go and look.
fn to_bring(inputs: &runbook_steps::manual::ManualInputs, width: Width) -> Option<String> {
    let values = inputs.collect.iter().map(|(name, collect)| {
        let what = plain(collect.prompt.as_deref().unwrap_or(name));
        (what, collect.optional)
    });
    let files = inputs.attach.iter().map(|file| {
        let what = file.description.as_deref().unwrap_or(&file.name);
        (format!("a file: {}", plain(what)), file.optional)
    });
    let wanted: Vec<String> = values
        .chain(files)
        .map(|(what, optional)| {
            let may = if optional { " (may be left out)" } else { "" };
            format!("{what}{may}")
        })
        .collect();
    if wanted.is_empty() {
        return None;
    }
    Some(format!(
        "\n{}",
        width.wrap("  You are asked for: ", 4, &wanted.join("; "))
    ))
}
