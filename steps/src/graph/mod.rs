//! `graph`: requests to Microsoft Graph, in the tenant that is meant and no other.
//!
//! - `inputs`: what a runbook says.
//! - `sign_in`: tokens, which are in memory only.
//! - `send`: requests with a token, page after page.
//! - `change`: single items of a collection; `merge` is what is worked out for it, `lost` what it must not lose.
//! - `check`: what is wrong with inputs; `query`: values within OData.
//! - `endpoints` and `explain`: where Graph is, and what its errors mean.

use std::sync::PoisonError;

use async_trait::async_trait;
use runbook_engine::runbook::expr::InputPath;
use runbook_engine::step::{
    Abilities, Check, Context, Failure, FailureKind, KindDoc, Observation, Outputs, Purpose, Registry,
    StepKind, Verdict, fitted,
};
use serde_json::{Map, Value};
use tokio::sync::Mutex;

pub use self::endpoints::Endpoints;
pub use self::inputs::GraphInputs;
use self::inputs::{Account, Cloud};
use self::send::{Sender, SignedIn};
use crate::web::edge::stopped;
use crate::web::phases;
use crate::web::request;

mod change;
mod check;
mod endpoints;
mod explain;
mod inputs;
mod lost;
mod merge;
mod query;
mod send;
mod sign_in;

/// See [`KindDoc`].
#[derive(Debug, Default)]
pub struct Graph {
    endpoints: Endpoints,
}

const TEXT: &str = r#"Each of `validate`, `run` and `rollback` is one request or a list of them, sent in order.
`satisfied`, `reason`, `outputs` and `observed` are expressions over `response`, as with `http`; of a list that comes in pages,
`response.json.value` holds all items.

**Collections.** Graph replaces a collection as a whole: a `PATCH` of `servicePrincipalNames` with one name drops all
others. `merge` reads the collection, adds or removes single items, reads it once more so that nobody's change in between
is lost, writes it, and reads it until the change shows. `rollback` removes exactly what was added, and keeps what
others have added meanwhile; before it changes anything, the list is in the journal, for whoever goes on should it be
interrupted. Entries of `keyCredentials` are sent back as they were read; where the service
refuses that, by their content, and last by their ids. If one cannot be read, nothing is written. If a change is taken and
something else is gone afterwards, that is put back, or the step fails and names it; a later attempt compares with what
was there before the first, and a resumed rollback with what was there when it began.

**Signing in.** The operator signs in when the first request is due: the step shows an address and a code for any
browser. Steps of one session share that sign-in; it is in memory only, so that it is asked for again after a resume. An
application signs in by itself: `sign_in: { client_id, client_secret }`, the secret from a secret parameter, or
`sign_in: { client_id, certificate }` with a PFX or PEM file that holds its private key. Before anything else is sent, the
sign-in must turn out to belong to `tenant`.

**Errors.** 429, 503 and 504 are tried again after the pause that Graph asks for. Everything else is told with Graph's
code and the request's id, by which Microsoft's support finds it.

```yaml
params:
  tenant_id: { type: guid }
  spn: { type: string }
sessions:
  tenant:
    uses: graph
    with:
      tenant: ${{ params.tenant_id }}
      scopes: [Application.ReadWrite.All, Organization.Read.All]
steps:
  add-spn:
    title: Add the farm's domain to the service principal
    uses: graph
    session: tenant
    with:
      validate:
        path: /servicePrincipals(appId='00000003-0000-0ff1-ce00-000000000000')
        query: { $select: "id,servicePrincipalNames" }
        satisfied: response.json.servicePrincipalNames.contains(params.spn)
        observed: { names: response.json.servicePrincipalNames }
      run:
        path: /servicePrincipals(appId='00000003-0000-0ff1-ce00-000000000000')
        merge: { property: servicePrincipalNames, add: "${{ params.spn }}" }
      rollback:
        path: /servicePrincipals(appId='00000003-0000-0ff1-ce00-000000000000')
        merge: { property: servicePrincipalNames, remove: "${{ params.spn }}" }
    rehearse: { observed: { names: [] }, outputs: {} }
```
"#;

/// What is done with the requests of one call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Validate,
    Run,
    Rollback,
}

/// What came of it.
enum Done {
    Observed(Observation),
    Ran(Outputs),
}

impl Graph {
    /// Requests that go to these addresses.
    #[must_use]
    pub fn new(endpoints: Endpoints) -> Self {
        Self { endpoints }
    }

    /// Sends the requests with the sign-in that the session keeps, or with one of the step's own.
    async fn call(&self, inputs: &GraphInputs, phase: Phase, cx: &Context) -> Result<Done, Failure> {
        let Some(session) = &cx.session else {
            let account = account(inputs)?;
            let cloud = account.cloud;
            return self
                .send(inputs, cloud, SignedIn::new(account), phase, cx)
                .await
                .0;
        };
        if let Some(input) = inputs.of_session().next() {
            let message = format!(
                "`{input}` belongs to the session `{}`: give it there",
                session.name
            );
            return Err(inputs_failure(message));
        }
        let account = account(&fitted(&session.with)?)?;
        let mut inside = tokio::select! {
            inside = session.enter() => inside,
            () = cx.cancel.cancelled() => return Err(stopped()),
        };
        let known = inside.take::<SignedIn>().filter(|known| known.account == account);
        let cloud = account.cloud;
        let signed_in = known.unwrap_or_else(|| SignedIn::new(account));
        let (done, signed_in) = self.send(inputs, cloud, signed_in, phase, cx).await;
        inside.keep(signed_in);
        done
    }

    async fn send(
        &self,
        inputs: &GraphInputs,
        cloud: Cloud,
        signed_in: SignedIn,
        phase: Phase,
        cx: &Context,
    ) -> (Result<Done, Failure>, SignedIn) {
        let places = match self.endpoints.of(cloud) {
            Ok(places) => places,
            Err(wrong) => return (Err(inputs_failure(wrong.to_string())), signed_in),
        };
        let sender = Sender {
            places,
            undoes: phase == Phase::Rollback,
            made: std::sync::Mutex::default(),
            kept: std::sync::Mutex::default(),
            signed_in: Mutex::new(signed_in),
        };
        let done = match phase {
            Phase::Validate => validate(&sender, inputs, cx).await.map(Done::Observed),
            Phase::Run => run(&sender, inputs, cx).await.map(Done::Ran),
            Phase::Rollback => phases::carry_out(&sender, &inputs.rollback, cx)
                .await
                .map(Done::Ran),
        };
        (done, sender.signed_in.into_inner())
    }
}

/// Looks; before the first attempt, also at what the collections hold that the attempt is about to change; after it,
/// whether they still hold that.
async fn validate(sender: &Sender, inputs: &GraphInputs, cx: &Context) -> Result<Observation, Failure> {
    let mut found = phases::validate(sender, &inputs.validate, cx).await?;
    if matches!(cx.purpose, Purpose::Before | Purpose::Doubt)
        && found.verdict == Verdict::Satisfied
        && let Some(reason) = sender.gone(&inputs.run, cx).await?
    {
        found.verdict = Verdict::Unsatisfied(reason);
        found.outputs.clear();
    }
    if cx.purpose == Purpose::Before && found.verdict != Verdict::Satisfied && check::has_merges(inputs) {
        let collections = sender.collections(&inputs.run, cx).await?;
        let mut observed = match found.observed {
            Value::Object(observed) => observed,
            _ => Map::new(),
        };
        observed.insert(change::BEFORE.to_owned(), Value::Object(collections));
        found.observed = Value::Object(observed);
    }
    Ok(found)
}

/// Carries the requests out, and gives what they did to collections beside what the author asks for.
async fn run(sender: &Sender, inputs: &GraphInputs, cx: &Context) -> Result<Outputs, Failure> {
    let mut outputs = phases::carry_out(sender, &inputs.run, cx).await?;
    let made = std::mem::take(&mut *sender.made.lock().unwrap_or_else(PoisonError::into_inner));
    if !made.is_empty() && check::undoes_merges(inputs) {
        outputs.entry(change::BEFORE).or_insert(Value::Object(made));
    }
    Ok(outputs)
}

/// Who signs in where.
fn account(inputs: &GraphInputs) -> Result<Account, Failure> {
    let account = inputs.account();
    let account = account
        .ok_or_else(|| inputs_failure("`tenant` has no value: name the tenant's id or a domain of it"))?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    if account.tenant.is_empty() || account.tenant.starts_with('.') || !account.tenant.chars().all(is_name) {
        let message = format!("`{}` is neither a tenant's id nor a domain of it", account.tenant);
        return Err(inputs_failure(message));
    }
    if let Some(scope) = account
        .scopes
        .iter()
        .find(|scope| scope.contains(char::is_whitespace))
    {
        return Err(inputs_failure(format!(
            "`{scope}` is not the name of one permission"
        )));
    }
    Ok(account)
}

fn inputs_failure(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Inputs, message)
}

#[async_trait]
impl StepKind for Graph {
    type Inputs = GraphInputs;

    const NAME: &'static str = "graph";

    fn doc(&self) -> KindDoc {
        KindDoc {
            summary: "sends requests to Microsoft Graph",
            text: TEXT,
            scripts: &[],
        }
    }

    fn marked(&self, _: &Value, _: &Registry) -> Vec<InputPath> {
        let parts = ["validate", "run", "rollback"].into_iter();
        parts
            .flat_map(|part| [vec![part, "path"], vec![part, "query"]])
            .collect()
    }

    fn abilities(&self, inputs: &GraphInputs) -> Abilities {
        request::abilities(&inputs.validate, &inputs.run, &inputs.rollback)
    }

    fn check(&self, inputs: &GraphInputs, check: &mut Check<'_>) {
        check::step(inputs, check);
    }

    fn check_session(&self, with: &Value, check: &mut Check<'_>) {
        check::session(with, check);
    }

    async fn validate(&self, inputs: &GraphInputs, cx: &Context) -> Result<Observation, Failure> {
        match self.call(inputs, Phase::Validate, cx).await? {
            Done::Observed(observation) => Ok(observation),
            Done::Ran(_) => Ok(Observation::unknown()),
        }
    }

    async fn run(&self, inputs: &GraphInputs, cx: &Context) -> Result<Outputs, Failure> {
        match self.call(inputs, Phase::Run, cx).await? {
            Done::Ran(outputs) => Ok(outputs),
            Done::Observed(_) => Ok(Outputs::new()),
        }
    }

    async fn rollback(&self, inputs: &GraphInputs, cx: &Context) -> Result<(), Failure> {
        self.call(inputs, Phase::Rollback, cx).await.map(drop)
    }
}
