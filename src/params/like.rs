//! The parameters of a run that was, for one more like it.

use std::collections::BTreeMap;
use std::sync::Arc;

use runbook_engine::diagnostic::{Code, Diagnostic, SourceFile, Span};
use runbook_engine::runbook::{Given, Param, Place, Resolved, Runbook};
use runbook_engine::runtime::Story;
use serde_json::Value;

use super::plain_value;
use crate::commands::read;
use crate::error::Failed;
use crate::render::layout::{Width, cut, pad, widest};
use crate::render::style::{BOLD, CARE, DIM, names, paint};
use crate::render::{self, plain, time};
use crate::setting::Setting;

/// The widest column of names.
const WIDEST_NAME: usize = 30;

/// A run to take the parameters from.
pub(crate) struct Like {
    name: String,
    story: Story,
}

impl Like {
    /// The run that `text` means.
    pub(crate) async fn read(text: &str, setting: &Setting) -> Result<Self, Failed> {
        let engine = setting.engine_with(text)?;
        let (_, story) = read(text, &engine).await?;
        let name = story.state.started().name();
        Ok(Self { name, story })
    }

    /// The runbook as it was in that run.
    pub(crate) fn runbook(&self) -> Runbook {
        Runbook::clone(&self.story.runbook)
    }

    /// The run's values, for those parameters that the runbook has too.
    pub(super) fn values(&self, runbook: &Runbook) -> BTreeMap<String, Given> {
        let all = &self.story.state.started().params;
        let listed: Vec<&str> = all.keys().map(|name| name.as_str()).collect();
        let file = SourceFile::new(format!("parameters of {}", self.name), listed.join("\n"));
        let mut start = 0;
        let mut values = BTreeMap::new();
        for (name, value) in all {
            let span = Span::new(start, start + name.as_str().len());
            start = span.end + 1;
            // What was left out is left to the runbook once more.
            if !value.is_null() && runbook.params().get(name).is_some_and(|param| !param.is_secret()) {
                let file = Arc::clone(&file);
                values.insert(
                    name.to_string(),
                    Given::Written(value.clone(), Place { file, span }),
                );
            }
        }
        values
    }

    /// Says what is not the same as then, and shows the values that the new run gets.
    pub(super) fn show(&self, runbook: &Runbook, resolved: &Resolved, setting: &Setting) {
        render::diagnostic::print_all(&self.differences(runbook), setting);
        let (state, width) = (&self.story.state, Width::of_talk());
        let head = format!(
            "parameters as in {}, which {} started at {}",
            self.name,
            state.starter(),
            time::local(state.begun())
        );
        setting.look.tell(&width.wrap("", 2, &plain(&head)));
        let params = runbook.params().values();
        let column = widest(params.clone().map(|param| param.name.as_str()), WIDEST_NAME);
        for param in params {
            let room = width.left(column + 4).unwrap_or(usize::MAX);
            let now = self.now(param, resolved, room);
            let name = paint(BOLD, pad(param.name.as_str(), column));
            setting.look.tell(&format!("  {name}  {now}"));
        }
        setting.look.tell("");
    }

    /// The value that a parameter gets now, and what it was if that is another.
    fn now(&self, param: &Param, resolved: &Resolved, room: usize) -> String {
        if param.is_secret() {
            return paint(DIM, cut("a secret: it was not kept", room));
        }
        let shown = |value: &Value| match value {
            Value::Null => "nothing".to_owned(),
            value => plain(&plain_value(value)).replace('\n', " "),
        };
        let Some(now) = resolved.values.get(&param.name) else {
            return paint(CARE, cut("not given then: it is asked for", room));
        };
        let was = self.story.state.started().params.get(&param.name);
        match was {
            Some(was) if was != now => {
                let changed = format!("{}  (was {})", shown(now), shown(was));
                paint(CARE, cut(&changed, room))
            }
            Some(_) => cut(&shown(now), room),
            None => cut(&format!("{}  (new)", shown(now)), room),
        }
    }

    /// What people must know of before they trust the same values to do the same.
    fn differences(&self, runbook: &Runbook) -> Vec<Diagnostic> {
        let (started, then) = (self.story.state.started(), &self.story.runbook);
        let mut found = Vec::new();
        let warning = |message: String| Diagnostic::warning(Code::LikeAnother, message);
        if runbook.name() != then.name() {
            let (now, then) = (runbook.name(), then.name());
            let message = format!(
                "run `{}` is of the runbook `{then}`, and this is `{now}`",
                self.name
            );
            found.push(
                warning(message).help("see below whether the values fit, and give others with `--set`"),
            );
        } else if runbook.definition().text != started.text || runbook.files() != then.files() {
            let message = format!(
                "the runbook `{}` is not what it was in run `{}`",
                runbook.name(),
                self.name
            );
            let help = "leave the file's name out to carry out what it was then";
            found.push(warning(message).help(help));
        }
        let dropped = started
            .params
            .keys()
            .filter(|name| !runbook.params().contains_key(*name));
        let dropped: Vec<_> = dropped.collect();
        if !dropped.is_empty() {
            let message = format!("the runbook has no parameter {} any more", names(&dropped));
            found.push(warning(message).help("what it was given then is not used"));
        }
        if started.rehearsal.is_some() {
            let message = format!("run `{}` was a rehearsal: values may be examples", self.name);
            found.push(warning(message).help("look at them before you go on"));
        }
        found
    }
}
