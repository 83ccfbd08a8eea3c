//! Changing single items of a collection that Graph replaces as a whole: read, work out, read again, write, and read
//! until it shows.

use std::sync::PoisonError;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use runbook_engine::id::AttemptNo;
use runbook_engine::step::{Context, Failure, FailureKind};
use serde_json::{Map, Value, json};

use super::explain::{explain, refuses_content};
use super::inputs::{GraphRequest, Merge};
use super::inputs_failure;
use super::merge::{self, Form, Made, Unmergeable};
use super::send::Sender;
use crate::child::note;
use crate::web::edge::pause;
use crate::web::marked::{escaped, plain};
use crate::web::request::{self, Method, Requests};
use crate::web::send::Answer;

/// Under which name it is observed what collections held before a step changed them, and given what it did to them.
pub(super) const BEFORE: &str = "collections";

/// How often a collection is read again until a change shows: Graph's servers learn of it one after the other, within
/// minutes.
const MOST_LOOKS: u32 = 20;

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

    /// Changes single items of a collection.
    pub(super) async fn merge(
        &self,
        request: &GraphRequest,
        merge: &Merge,
        cx: &Context,
    ) -> Result<Answer, Failure> {
        let mut form = Form::Whole;
        for _ in 0..MOST_CHANGES {
            let seen = self.collection(request, merge, cx).await?;
            let object = seen.json.clone().unwrap_or_default();
            let Some(wanted) = merge::merged(merge, &object).map_err(unmergeable)? else {
                self.remember(request, merge, &[], &[], cx);
                return Ok(seen);
            };
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
            let answer = self.write(request, &body, cx).await?;
            if let Some((other, why)) = other_form(form, merge, &answer) {
                note(cx, why);
                form = other;
                continue;
            }
            if !(200..300).contains(&answer.status) {
                return Ok(answer);
            }
            let current = merge::items(merge, &object).map_err(unmergeable)?;
            self.remember(request, merge, current, &wanted, cx);
            return self.until_it_shows(request, merge, &wanted, cx).await;
        }
        let message = format!(
            "`{}` is changed by others again and again; try the step again when they are done (RB0325)",
            merge.property
        );
        Err(Failure::new(FailureKind::Failed, message))
    }

    /// Remembers what a change did. After a first attempt that did not end, nobody knows what that one did.
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
            all.insert(name(request, merge), json!(made));
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

    async fn until_it_shows(
        &self,
        request: &GraphRequest,
        merge: &Merge,
        wanted: &[Value],
        cx: &Context,
    ) -> Result<Answer, Failure> {
        let mut differs = String::new();
        for look in 0..MOST_LOOKS {
            let answer = self.collection(request, merge, cx).await?;
            let object = answer.json.clone().unwrap_or_default();
            match merge::differs(merge, &object, wanted).map_err(unmergeable)? {
                None => return Ok(answer),
                Some(why) => differs = why,
            }
            let between = Duration::from_millis(500 * 2_u64.pow(look.min(5)));
            note(
                cx,
                &format!("the change does not show yet ({differs}); looked at again in {between:?}"),
            );
            pause(between, cx).await?;
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
