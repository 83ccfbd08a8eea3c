//! Changing single items of a collection that Graph replaces as a whole: read, work out, read again, write, and read
//! until it shows.

use std::sync::PoisonError;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use runbook_engine::id::AttemptNo;
use runbook_engine::step::{Context, Failure, FailureKind, Purpose};
use serde_json::{Map, Value, json};

use super::explain::{explain, refuses_content};
use super::inputs::{GraphRequest, Merge};
use super::inputs_failure;
use super::lost::{Back, not_put_back};
use super::merge::{self, Form, Made, Shown, Unmergeable};
use super::send::Sender;
use crate::child::note;
use crate::web::edge::{pause, stopped};
use crate::web::marked::{escaped, plain};
use crate::web::request::{self, Method, Requests};
use crate::web::send::Answer;

/// Under which name it is observed what collections held before a step changed them, and given what it did to them.
pub(super) const BEFORE: &str = "collections";

/// How often a collection is read again until a change shows: Graph's servers learn of it one after the other, within
/// minutes.
const MOST_LOOKS: u32 = 20;

/// How often it is looked whether something was put back.
const LOOKS_FOR_LOST: u32 = 6;

/// How often a change is worked out anew because somebody else changed the collection meanwhile.
const MOST_CHANGES: u32 = 5;

/// Where a collection stands among those that were observed.
fn name(request: &GraphRequest, merge: &Merge) -> String {
    format!("{} {}", plain(&request.path), merge.property)
}

impl Sender {
    /// What the collections that `run` will change hold now: nothing that is there is undone by a rollback.
    pub(super) async fn collections(
        &self,
        run: &Requests<GraphRequest>,
        cx: &Context,
    ) -> Result<Map<String, Value>, Failure> {
        let mut seen = Map::new();
        for request in request::all(run) {
            if let Some(merge) = &request.merge {
                let answer = self.collection(request, merge, cx).await?;
                let object = answer.json.unwrap_or_default();
                let items = merge::items(merge, &object).map_err(unmergeable)?;
                seen.insert(name(request, merge), Value::Array(items.clone()));
            }
        }
        Ok(seen)
    }

    /// Undoes a change, as far as the run made it.
    pub(super) async fn unmerge(
        &self,
        request: &GraphRequest,
        merge: &Merge,
        cx: &Context,
    ) -> Result<Answer, Failure> {
        let name = name(request, merge);
        let before = cx.before.as_ref().map(|before| &before[BEFORE][&name]);
        let Some(before) = before.and_then(Value::as_array) else {
            let message = format!(
                "what `{name}` held before the run is not known, so that nothing was taken away: look at it, and undo it by hand (RB0325)"
            );
            return Err(Failure::new(FailureKind::Failed, message));
        };
        let made = cx
            .outputs
            .as_ref()
            .and_then(|outputs| outputs.get(BEFORE)?.get(&name));
        let made = made.and_then(|made| serde_json::from_value(made.clone()).ok());
        self.merge(request, &merge::undoing(merge, before, made.as_ref()), cx)
            .await
    }

    /// Changes single items of a collection, and sees to it that nothing else is lost by that.
    pub(super) async fn merge(
        &self,
        request: &GraphRequest,
        merge: &Merge,
        cx: &Context,
    ) -> Result<Answer, Failure> {
        let before = self.before_attempts(request, merge, cx);
        let mut form = Form::Whole;
        let mut back = Back::default();
        for _ in 0..MOST_CHANGES {
            let seen = self.collection(request, merge, cx).await?;
            let object = seen.json.clone().unwrap_or_default();
            let current = merge::items(merge, &object).map_err(unmergeable)?;
            back.before(merge, merge::lost(merge, before, current), cx)?;
            let merged = merge::merged(merge, &object).map_err(unmergeable)?;
            let mut wanted = merged.unwrap_or_else(|| current.clone());
            merge::put_back(merge, &mut wanted, &back.items);
            if wanted == *current {
                self.remember(request, merge, current, &wanted, cx);
                return Ok(seen);
            }
            let body = merge::body(merge, &object, &wanted, form).map_err(unmergeable)?;
            // Graph knows no condition for these changes, so that the moment between the last look and the change
            // is made as short as it can be.
            let again = self.collection(request, merge, cx).await?;
            if again.json.as_ref().map(|json| &json[&merge.property]) != Some(&object[&merge.property]) {
                let what = &merge.property;
                note(
                    cx,
                    &format!("`{what}` was changed by somebody else meanwhile; it is worked out anew"),
                );
                continue;
            }
            self.keep(request, merge, current, cx).await?;
            let answer = self.write(request, &body, cx).await?;
            if let Some((other, why)) = other_form(form, merge, &answer) {
                note(cx, why);
                form = other;
                continue;
            }
            if !(200..300).contains(&answer.status) {
                let said = explain(&answer).unwrap_or_else(|| format!("status {}", answer.status));
                return if back.items.is_empty() {
                    Ok(answer)
                } else {
                    Err(not_put_back(merge, &back.items, &said))
                };
            }
            self.remember(request, merge, current, &wanted, cx);
            match self.until_it_shows(request, merge, &wanted, &back, cx).await? {
                Read::Whole(answer) => return Ok(answer),
                Read::Without(gone) => form = back.after(merge, gone, form, cx)?,
            }
        }
        let message = format!(
            "`{}` is changed by others again and again; try the step again when they are done (RB0325)",
            merge.property
        );
        Err(Failure::new(FailureKind::Failed, message))
    }

    /// What a collection held before the first attempt, where this is a later one or may be: nothing of that may be
    /// missing in the end. A rollback is measured by what it held when that began: others may have changed it on purpose
    /// before.
    fn before_attempts<'a>(&self, request: &GraphRequest, merge: &Merge, cx: &'a Context) -> &'a [Value] {
        let is_later = cx.purpose != Purpose::Run || cx.attempt > AttemptNo(1);
        let before = if self.undoes {
            cx.kept.as_ref()
        } else {
            cx.before.as_ref().filter(|_| is_later)
        };
        let list = before.and_then(|before| before[BEFORE][&name(request, merge)].as_array());
        list.map_or(&[], Vec::as_slice)
    }

    /// Sees to it that what a collection holds is durable before a rollback first changes it: whoever goes on with an
    /// interrupted one would take a list that has lost something for what is right.
    async fn keep(
        &self,
        request: &GraphRequest,
        merge: &Merge,
        current: &[Value],
        cx: &Context,
    ) -> Result<(), Failure> {
        let earlier = cx.kept.as_ref().and_then(|kept| kept[BEFORE].as_object());
        let mut what = earlier.cloned().unwrap_or_default();
        {
            let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let name = name(request, merge);
            if !self.undoes || what.contains_key(&name) || all.contains_key(&name) {
                return Ok(());
            }
            all.insert(name, Value::Array(current.to_vec()));
            what.extend(all.clone());
        }
        // No answer means that the run stops: nothing is changed then.
        let durable = cx.transcript.keep(json!({ BEFORE: what }));
        durable.await.map_err(|_gone| stopped())
    }

    /// What an attempt has lost of what was there before it, in words.
    pub(super) async fn gone(
        &self,
        run: &Requests<GraphRequest>,
        cx: &Context,
    ) -> Result<Option<String>, Failure> {
        for request in request::all(run) {
            let Some(merge) = &request.merge else { continue };
            let before = self.before_attempts(request, merge, cx);
            if before.is_empty() {
                continue;
            }
            let object = self
                .collection(request, merge, cx)
                .await?
                .json
                .unwrap_or_default();
            let current = merge::items(merge, &object).map_err(unmergeable)?;
            let gone = merge::lost(merge, before, current);
            if !gone.is_empty() {
                let gone = merge::named(merge, &gone);
                return Ok(Some(format!(
                    "{gone} of `{}` was there before the first attempt, and is gone",
                    merge.property
                )));
            }
        }
        Ok(None)
    }

    /// Remembers what the first change did. After a first attempt that did not end, nobody knows what that one did.
    fn remember(
        &self,
        request: &GraphRequest,
        merge: &Merge,
        current: &[Value],
        wanted: &[Value],
        cx: &Context,
    ) {
        if cx.attempt == AttemptNo(1) && !self.undoes {
            let made = Made::between(current, wanted);
            let mut all = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            all.entry(name(request, merge)).or_insert(json!(made));
        }
    }

    async fn write(&self, request: &GraphRequest, body: &Value, cx: &Context) -> Result<Answer, Failure> {
        let mut ready = self.ready(request, Method::Patch)?;
        ready
            .headers
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        ready.body = Some(body.to_string().into_bytes());
        self.signed(ready, cx).await
    }

    /// Reads until a change shows. That something was put back cannot be told from a reading of before, so that it is
    /// looked for some time; that a first change has lost something can.
    async fn until_it_shows(
        &self,
        request: &GraphRequest,
        merge: &Merge,
        wanted: &[Value],
        back: &Back,
        cx: &Context,
    ) -> Result<Read, Failure> {
        let (mut differs, mut lacks) = (String::new(), Vec::new());
        let first = back.items.is_empty();
        for look in 0..if first { MOST_LOOKS } else { LOOKS_FOR_LOST } {
            if look > 0 {
                let between = Duration::from_millis(500 * 2_u64.pow((look - 1).min(5)));
                let words =
                    format!("the change does not show yet ({differs}); looked at again in {between:?}");
                note(cx, &words);
                pause(between, cx).await?;
            }
            let answer = self.collection(request, merge, cx).await?;
            let object = answer.json.clone().unwrap_or_default();
            let current = merge::items(merge, &object).map_err(unmergeable)?;
            lacks = merge::lost(merge, wanted, current);
            match merge::shown(merge, &object, wanted).map_err(unmergeable)? {
                Shown::Whole => return Ok(Read::Whole(answer)),
                Shown::Without(gone) if first => return Ok(Read::Without(gone)),
                Shown::Without(gone) => differs = format!("{} is not there", merge::named(merge, &gone)),
                Shown::NotYet(why) => differs = why,
            }
        }
        if !(first || lacks.is_empty()) {
            return Ok(Read::Without(lacks));
        }
        let message = format!(
            "Graph accepted the change of `{}`, but it does not show: {differs}; look at it in the portal, then try the step again (RB0325)",
            merge.property
        );
        Err(Failure::new(FailureKind::Failed, message))
    }

    /// The object with its collection.
    async fn collection(
        &self,
        request: &GraphRequest,
        merge: &Merge,
        cx: &Context,
    ) -> Result<Answer, Failure> {
        let mut ready = self.ready(request, Method::Get)?;
        let query = format!("%24select=id,{}", escaped(&merge.property));
        ready.url.set_query(Some(&query));
        let answer = self.signed(ready, cx).await?;
        if answer.status == 200 {
            return Ok(answer);
        }
        let said = explain(&answer).unwrap_or_else(|| format!("status {}", answer.status));
        let message = format!("`{}` cannot be read: {said}", merge.property);
        Err(Failure::new(FailureKind::Failed, message))
    }
}

/// What a collection is read to hold after a change.
enum Read {
    /// All that it should.
    Whole(Answer),
    /// All that was changed, but not these.
    Without(Vec<Value>),
}

/// How keys are sent next, where Graph does not take them as they were sent.
fn other_form(form: Form, merge: &Merge, answer: &Answer) -> Option<(Form, &'static str)> {
    match form {
        _ if !merge::has_forms(merge) => None,
        Form::Whole if answer.status == 400 => Some((
            Form::Content,
            "the keys are not accepted as they were read; they are sent by their content, which may lose their names",
        )),
        Form::Content if refuses_content(answer) => Some((
            Form::Reference,
            "the keys that are there are not accepted by their content; they are sent by their ids",
        )),
        Form::Whole | Form::Content | Form::Reference => None,
    }
}

fn unmergeable(why: Unmergeable) -> Failure {
    match why {
        Unmergeable::Missing(_) => inputs_failure(why.to_string()),
        Unmergeable::Unreadable(_) => Failure::new(FailureKind::Failed, why.to_string()),
    }
}
