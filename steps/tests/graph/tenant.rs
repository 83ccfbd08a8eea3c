//! A tenant on loopback: its sign-in takes anybody, its Graph has one service principal, and both remember what they were
//! asked.

use std::sync::{Arc, Mutex, MutexGuard};

use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::x509::X509;
use runbook_engine::id::AttemptNo;
use runbook_engine::step::{Context, Failure, Kept, Observation, Outputs, Plugin, Purpose, Session};
use runbook_engine::testing::doubles::Recorder;
use runbook_steps::Settings;
use runbook_steps::graph::Endpoints;
use serde_json::{Value, json};

use crate::support::server::{Asked, Reply, Server, json as answer, status};
use crate::support::with_plugins;

pub(super) const ID: &str = "00fceb75-246c-4ac4-a0ad-7124aaaaaaaa";

/// A status, headers and a body.
type Planned = (u16, Vec<(&'static str, String)>, Value);

/// What the tenant holds, and how it behaves.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) names: Vec<Value>,
    pub(super) keys: Vec<Value>,
    /// The tenant that a sign-in turns out to belong to; this one, if it is not said.
    pub(super) other: Option<&'static str>,
    /// Answers that come before any other: status, headers, body.
    pub(super) next: Vec<Planned>,
    /// What somebody else adds to the names right after this many reads of the principal.
    pub(super) meanwhile: Option<(usize, &'static str)>,
    /// How many reads after a change still show the state before.
    pub(super) stale: usize,
    /// Keys are not taken by their content.
    pub(super) refuses_content: bool,
    /// How many changes more lose the first item that was there and was sent back.
    pub(super) drops: usize,
    /// A change is never answered.
    pub(super) hangs: bool,
    pub(super) shown: Option<(usize, Value)>,
    pub(super) tokens: usize,
}

/// A tenant that is served until it is dropped.
pub(super) struct Tenant {
    pub(super) server: Server,
    state: Arc<Mutex<State>>,
}

impl Tenant {
    pub(super) fn new(state: State) -> Self {
        let state = Arc::new(Mutex::new(state));
        let held = Arc::clone(&state);
        let server = Server::new(move |asked| held.lock().unwrap().answer(asked));
        Self { server, state }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn endpoints(&self) -> Endpoints {
        Endpoints {
            graph: Some(self.server.url("")),
            sign_in: Some(self.server.url("")),
        }
    }

    /// What Graph was asked, without the sign-in and the question which tenant it is: `GET /path?query`.
    pub(super) fn asked(&self) -> Vec<String> {
        let graph = self.graph();
        let lines = graph.iter().map(|one| format!("{} {}", one.method, one.target));
        lines.collect()
    }

    /// The same with all there is of the requests.
    pub(super) fn graph(&self) -> Vec<Asked> {
        let asked = self.server.asked().into_iter();
        asked
            .filter(|one| {
                one.target.starts_with("/v1.0/")
                    && !one.target.starts_with("/v1.0/organization?%24select=id,")
            })
            .collect()
    }

    /// How often somebody signed in.
    pub(super) fn sign_ins(&self) -> usize {
        let asked = self.server.asked();
        asked.iter().filter(|one| one.target.ends_with("/token")).count()
    }

    /// What was written, as JSON.
    pub(super) fn written(&self) -> Vec<Value> {
        let asked = self.graph();
        let written = asked.iter().filter(|one| one.method == "PATCH");
        written
            .map(|one| serde_json::from_str(&one.body).unwrap())
            .collect()
    }
}

impl State {
    fn answer(&mut self, asked: &Asked) -> Reply {
        let path = asked.target.split('?').next().unwrap();
        if path.ends_with("/oauth2/v2.0/token") {
            self.tokens += 1;
            let token = format!("token-{}", self.tokens);
            return answer(
                200,
                &json!({ "token_type": "Bearer", "access_token": token, "expires_in": 3599 }),
            );
        }
        if !asked
            .header("authorization")
            .is_some_and(|value| value.starts_with("Bearer "))
        {
            return answer(
                401,
                &json!({ "error": { "code": "InvalidAuthenticationToken", "message": "no" } }),
            );
        }
        if path == "/v1.0/organization" {
            let domains = json!([{ "name": "contoso.com" }]);
            let one = json!({ "id": self.other.unwrap_or(ID), "displayName": "Contoso", "verifiedDomains": domains });
            return answer(200, &json!({ "value": [one] }));
        }
        if !self.next.is_empty() {
            let (status, headers, body) = self.next.remove(0);
            return Reply::Status(status, headers, body.to_string().into_bytes());
        }
        match asked.method.as_str() {
            "GET" => self.read(),
            "PATCH" => self.change(&serde_json::from_str(&asked.body).unwrap()),
            _ => status(204, &[]),
        }
    }

    fn object(&self) -> Value {
        json!({ "id": "o1", "servicePrincipalNames": self.names, "keyCredentials": self.keys })
    }

    fn read(&mut self) -> Reply {
        let object = match &mut self.shown {
            Some((left, before)) if *left > 0 => {
                *left -= 1;
                before.clone()
            }
            _ => self.object(),
        };
        match &mut self.meanwhile {
            Some((0, _)) | None => {}
            Some((reads, name)) => {
                *reads -= 1;
                if *reads == 0 {
                    self.names.push(json!(*name));
                }
            }
        }
        answer(200, &object)
    }

    fn change(&mut self, body: &Value) -> Reply {
        if self.hangs || body["servicePrincipalNames"] == "hang" {
            self.names.push(json!("half"));
            return Reply::Silence;
        }
        self.shown = Some((self.stale, self.object()));
        let there = (self.names.first().cloned(), self.keys.first().cloned());
        let reply = self.replace(body);
        if self.drops > 0 && !matches!(&reply, Reply::Status(400, ..)) {
            self.drops -= 1;
            self.names.retain(|name| Some(name) != there.0.as_ref());
            self.keys.retain(|key| Some(key) != there.1.as_ref());
        }
        reply
    }

    fn replace(&mut self, body: &Value) -> Reply {
        if let Some(names) = body["servicePrincipalNames"].as_array() {
            self.names.clone_from(names);
        }
        if let Some(keys) = body["keyCredentials"].as_array() {
            let known = |key: &Value| self.keys.iter().any(|there| there["key"] == key["key"]);
            if self.refuses_content && keys.iter().any(known) {
                let message = "Update to existing credential with KeyId 'x' is not allowed.";
                let error = json!({ "error": { "code": "Request_BadRequest", "message": message } });
                return answer(400, &error);
            }
            let whole = |sent: &Value| {
                let there = self
                    .keys
                    .iter()
                    .find(|there| sent["keyId"].is_string() && there["keyId"] == sent["keyId"]);
                there.unwrap_or(sent).clone()
            };
            self.keys = keys.iter().map(whole).collect();
        }
        status(204, &[])
    }
}

/// An application's certificate with its key, as PEM.
pub(super) fn certificate() -> String {
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut made = X509::builder().unwrap();
    made.set_pubkey(&key).unwrap();
    made.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    made.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
    made.sign(&key, MessageDigest::sha256()).unwrap();
    let certificate = made.build().to_pem().unwrap();
    let text = [key.private_key_to_pem_pkcs8().unwrap(), certificate].concat();
    String::from_utf8(text).unwrap()
}

/// The plugin, whose Graph and sign-in these are.
pub(super) fn plugin(endpoints: Endpoints) -> Arc<dyn Plugin> {
    let settings = Settings {
        graph: endpoints,
        ..Settings::default()
    };
    Arc::clone(runbook_steps::builtin_with(settings).get("graph").unwrap())
}

/// Steps of one session.
pub(super) struct Steps {
    pub(super) plugin: Arc<dyn Plugin>,
    pub(super) session: Value,
    pub(super) kept: Arc<Kept>,
    pub(super) recorder: Arc<Recorder>,
    pub(super) attempt: u32,
    /// What an earlier try at the rollback has kept.
    pub(super) begun: Option<Value>,
    pub(super) before: Option<Value>,
    pub(super) outputs: Option<Outputs>,
}

impl Steps {
    /// An application of this tenant carries them out.
    pub(super) fn of(tenant: &Tenant) -> Self {
        let session =
            json!({ "tenant": ID, "sign_in": { "client_id": "app", "client_secret": "s3cret-never-told" } });
        Self::new(tenant.endpoints(), session)
    }

    pub(super) fn new(endpoints: Endpoints, session: Value) -> Self {
        Self {
            plugin: plugin(endpoints),
            session,
            kept: Arc::default(),
            recorder: Recorder::new(),
            attempt: 1,
            before: None,
            begun: None,
            outputs: None,
        }
    }

    pub(super) fn context(&self, purpose: Purpose) -> Context {
        let session = Session::new(
            "tenant".parse().unwrap(),
            self.session.clone(),
            Arc::clone(&self.kept),
        );
        Context {
            purpose,
            attempt: AttemptNo(self.attempt),
            session: Some(session),
            before: self.before.clone(),
            kept: self.begun.clone(),
            outputs: self.outputs.clone(),
            ..with_plugins(&self.recorder)
        }
    }

    pub(super) async fn validate(&self, purpose: Purpose, with: &Value) -> Result<Observation, Failure> {
        self.plugin.validate(with, &self.context(purpose)).await
    }

    pub(super) async fn run(&self, with: &Value) -> Result<Outputs, Failure> {
        self.plugin.run(with, &self.context(Purpose::Run)).await
    }

    pub(super) async fn rollback(&self, with: &Value) -> Result<(), Failure> {
        self.plugin.rollback(with, &self.context(Purpose::Rollback)).await
    }
}
