//! `runbook list`

use runbook_engine::core::RunState;
use runbook_engine::id::RoleName;
use runbook_engine::journal::{Listed, Summary};
use runbook_engine::runtime::{Engine, Wanted};
use serde_json::{Value, json};

use crate::error::Failed;
use crate::exit::Exit;
use crate::render::layout::{Width, cut, pad, widest};
use crate::render::style::{self, BAD, CARE, DIM, of_run, paint, words};
use crate::render::{self, hands, plain, time, workers};
use crate::setting::{ELSEWHERE, Setting};

/// Room for the longest status.
const STATUS: usize = 12;

/// Show all runs, each with the time at which something last happened in it; the latest first
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only runs that are not finished
    #[arg(long)]
    open: bool,
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    if let Some(folder) = setting.missing_state_dir()? {
        let missing = format!("the state folder {} does not exist yet", folder.display());
        if setting.global.json {
            // Even a program may have been given the wrong place.
            setting.look.tell_always(&plain(&missing));
        }
        none("no runs", &missing, setting);
        return Ok(Exit::Done);
    }
    let engine = setting.engine()?;
    let listed = engine
        .journal
        .list()
        .await
        .map_err(|error| Failed::journal("list", &error))?;
    let mut runs = Vec::with_capacity(listed.len());
    for listed in listed {
        runs.push(Row::of(listed, &engine).await);
    }
    // What was touched last comes first, as the times say that stand there; what cannot be read has none.
    runs.sort_by_key(|row| std::cmp::Reverse(row.summary().map(|run| run.updated)));
    if args.open {
        // What cannot be read is nothing that anybody has finished.
        runs.retain(|row| row.summary().is_none_or(|run| !run.status.is_finished()));
    }
    if runs.is_empty() {
        let which = if args.open { "no open runs" } else { "no runs" };
        none(which, &format!("looked in {}", setting.place()?), setting);
    } else if setting.global.json {
        render::json(&runs.iter().map(as_json).collect());
    } else {
        let (names, width) = (
            widest(runs.iter().map(|row| name(&row.listed)), usize::MAX),
            Width::of_results(),
        );
        runs.iter()
            .for_each(|row| render::result(&text(row, names, width)));
    }
    Ok(Exit::Done)
}

/// Says that there is nothing to list, where it was looked for, and where else it may be.
fn none(which: &str, place: &str, setting: &Setting) {
    if setting.global.json {
        render::json(&json!([]));
    }
    let (look, width) = (&setting.look, Width::of_talk());
    look.tell(&format!("{which}; `runbook exec FILE` starts one"));
    look.tell(&width.wrap("", 2, &plain(place)));
    look.tell(&paint(DIM, width.wrap("", 2, ELSEWHERE)));
}

/// A run in the list.
struct Row {
    listed: Listed,
    /// The process that carried the run out is gone, in the middle of it.
    was_interrupted: bool,
    /// The secrets without which nothing of it goes on.
    rests_for: Vec<Wanted>,
    /// The role that whoever acted last does not have, and without which nothing of it goes on.
    waits_for: Option<RoleName>,
}

impl Row {
    /// A run as it stands: of one that was left while it went on, nobody was there to write its summary.
    async fn of(mut listed: Listed, engine: &Engine) -> Self {
        let is_here = !listed.copy;
        let goes_on = |run: &Summary| is_here && run.moved_to.is_none() && run.status.goes_on_by_itself();
        let (mut rests_for, mut waits_for) = (Vec::new(), None);
        if listed.holder.is_none()
            && let Ok(summary) = &mut listed.summary
            && goes_on(summary)
            // One that cannot be read is shown as it was last known; `resume` and `show` say what is wrong with it.
            && let Ok(story) = engine.read(listed.run).await
        {
            freshen(summary, &story.state);
            rests_for = engine.rests_for(&story.state, &story.runbook);
            waits_for = engine.waits_for_role(&story.state);
        }
        let is_left =
            listed.holder.is_none() && (listed.summary.as_ref()).is_ok_and(|run| goes_on(run) && !run.shared);
        Self {
            was_interrupted: is_left && rests_for.is_empty() && waits_for.is_none(),
            listed,
            rests_for,
            waits_for,
        }
    }

    fn summary(&self) -> Option<&Summary> {
        self.listed.summary.as_ref().ok()
    }

    /// Where it stands, in a word.
    fn status(&self, run: &Summary) -> String {
        if run.moved_to.is_some() {
            paint(CARE, pad("moved", STATUS))
        } else if self.was_interrupted {
            paint(CARE, pad("interrupted", STATUS))
        } else if self.rests_for.is_empty() && self.waits_for.is_none() {
            paint(of_run(run.status), pad(&words(run.status.as_str()), STATUS))
        } else {
            paint(CARE, pad("waiting", STATUS))
        }
    }

    /// The secrets that it needs, by name.
    fn secrets(&self) -> Vec<String> {
        self.rests_for.iter().map(|one| one.secret.to_string()).collect()
    }
}

fn freshen(summary: &mut Summary, state: &RunState) {
    let (settled, total) = state.progress();
    summary.status = state.status();
    summary.settled = settled;
    summary.total = total;
    summary.by_word = state.by_word();
    summary.operator = state.operator().clone();
    summary.updated = state.updated();
}

/// The name of a run; its id, where nothing else of it can be read.
pub(crate) fn name(row: &Listed) -> String {
    row.summary
        .as_ref()
        .map_or_else(|_| row.run.to_string(), Summary::name)
}

fn text(row: &Row, names: usize, width: Width) -> String {
    let name = pad(&name(&row.listed), names);
    let mut text = match &row.listed.summary {
        Ok(run) => {
            let status = row.status(run);
            let progress = format!("{:>3} of {:<3}", run.settled, run.total);
            let rehearsal = if run.rehearsal { " rehearsal," } else { "" };
            let overlays = match run.overlays.as_slice() {
                [] => String::new(),
                names => format!(", with {}", names.join(", ")),
            };
            let by_word = match run.by_word {
                0 => String::new(),
                steps => format!(", {} by word", style::count(steps, "step")),
            };
            let about = format!(
                "last {},{rehearsal} {}{by_word}: {}{overlays}",
                time::local(run.updated),
                run.operator,
                run.title
            );
            let (head, about) = (format!("{name}  {status} {progress}"), plain(&about));
            let used = names + 2 + STATUS + 1 + progress.len() + 2;
            match width.left(used) {
                None => format!("{head}  {}", paint(DIM, about)),
                Some(left) if !width.is_narrow() => format!("{head}  {}", paint(DIM, cut(&about, left))),
                Some(_) => format!(
                    "{}\n{}",
                    head.trim_end(),
                    paint(DIM, width.wrap("    ", 4, &about))
                ),
            }
        }
        Err(error) => {
            let status = paint(BAD, pad("unreadable", STATUS));
            width.wrap(&format!("{name}  {status} "), 4, &plain(&error.to_string()))
        }
    };
    if let (true, Some(run)) = (row.listed.copy, row.summary()) {
        text += &format!("\n    {}", paint(CARE, hands::copy(run.status)));
    }
    let whose = row.summary();
    if let Some(whose) = whose.and_then(hands::in_short) {
        text += &format!("\n    {whose}");
    }
    if !row.rests_for.is_empty() {
        let needs = plain(&format!("needs the secret {}", style::names(&row.secrets())));
        text += &format!("\n{}", width.wrap("    ", 4, &paint(CARE, needs)));
    }
    if let Some(role) = &row.waits_for {
        let whom = plain(&format!("for somebody with the role `{role}`"));
        text += &format!("\n{}", width.wrap("    ", 4, &paint(CARE, whom)));
    }
    if !row.listed.at_work.is_empty() {
        for line in workers::lines(&row.listed.at_work, "    ", width) {
            text += &format!("\n{line}");
        }
    } else if let Some(holder) = &row.listed.holder {
        text += &format!("\n    {}", paint(CARE, plain(&format!("held by {holder}"))));
    }
    text
}

fn as_json(row: &Row) -> Value {
    let Listed {
        run,
        summary,
        holder,
        copy,
        at_work,
    } = &row.listed;
    match summary {
        Ok(summary) => {
            let mut value = serde_json::to_value(summary).unwrap_or_default();
            value["name"] = summary.name().into();
            value["held_by"] = json!(holder);
            value["at_work"] = json!(at_work);
            value["copy"] = (*copy).into();
            value["interrupted"] = row.was_interrupted.into();
            value["needs_secrets"] = row.secrets().into();
            value["waits_for_role"] = json!(row.waits_for);
            value
        }
        Err(error) => json!({ "run": run, "error": error.to_string(), "held_by": holder }),
    }
}
