//! Sending one request, within bounds of size and time.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::{Attempt, Policy};
use runbook_engine::secret::Mask;
use runbook_engine::step::{Context, Failure, FailureKind};
use serde_json::{Value, json};
use url::{Host, Origin, Url};

use super::edge;
use super::request::Method;
use super::retry::{self, Ended, Next, retry_after};
use crate::child::note;

/// The largest body of an answer, in bytes.
pub const LARGEST_BODY: usize = 8 * 1024 * 1024;

/// How long a connection may take to be made.
const LONGEST_CONNECT: Duration = Duration::from_secs(20);

/// How long one try may take, from the first byte to the last.
const LONGEST_TRY: Duration = Duration::from_secs(100);

/// How often an address may lead to another one.
const MOST_REDIRECTS: usize = 5;

/// A request that is ready to be sent.
#[derive(Debug, Clone)]
pub struct Ready {
    /// What is done.
    pub method: Method,
    /// To what.
    pub url: Url,
    /// Headers; those of [`secret`](Self::secret) are not among them.
    pub headers: HeaderMap,
    /// The body.
    pub body: Option<Vec<u8>>,
    /// A header whose value nobody may read.
    pub secret: Option<(HeaderName, HeaderValue)>,
    /// It may be done twice with the same end.
    pub repeatable: bool,
    /// An answer that leads elsewhere is an answer.
    pub stays: bool,
}

/// An answer that was read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers, their names in small letters; several of one name are joined by `, `.
    pub headers: BTreeMap<String, String>,
    /// The body as text.
    pub body: String,
    /// The body, where it is JSON.
    pub json: Option<Value>,
}

impl Answer {
    /// The answer as expressions see it: `response`.
    #[must_use]
    pub fn document(&self) -> Value {
        json!({
            "status": self.status,
            "headers": self.headers,
            "body": self.body,
            "json": self.json,
        })
    }

    /// The answer without these secrets, which some servers repeat when they refuse something.
    #[must_use]
    pub fn without(self, secrets: &[&str]) -> Self {
        let repeats = || secrets.iter().any(|secret| self.body.contains(secret));
        if (200..300).contains(&self.status) && !repeats() {
            return self;
        }
        let mask = Mask::new(secrets.iter().copied());
        let headers = self.headers.iter();
        Self {
            status: self.status,
            headers: headers
                .map(|(name, value)| (name.clone(), mask.text(value)))
                .collect(),
            body: mask.text(&self.body),
            json: self.json.as_ref().map(|json| mask.value(json)),
        }
    }

    /// What a server says that did what was asked, and has nothing to say.
    fn without_content(self) -> Self {
        Self {
            status: 204,
            body: String::new(),
            json: None,
            ..self
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// What requests are sent with: connections are kept and used again.
#[derive(Debug, Default)]
pub struct Client(Mutex<BTreeMap<Way, reqwest::Client>>);

/// How requests go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    /// An address that leads elsewhere on the same host is followed.
    follows: bool,
    /// No proxy is asked: what is on this machine is behind none.
    direct: bool,
}

impl Client {
    /// Certificates are those that the system trusts; a proxy is the one that the environment names.
    fn going(&self, way: Way) -> Result<reqwest::Client, Broken> {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&way) {
            return Ok(client.clone());
        }
        let policy = if way.follows {
            Policy::custom(same_origin)
        } else {
            Policy::none()
        };
        let builder = reqwest::Client::builder()
            .user_agent(concat!("runbook/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(LONGEST_CONNECT)
            .timeout(LONGEST_TRY)
            .referer(false)
            .redirect(policy);
        let builder = if way.direct { builder.no_proxy() } else { builder };
        let client = builder.build().map_err(|error| {
            Broken::Unusable(format!("requests cannot be sent from here: {}", causes(&error)))
        })?;
        clients.insert(way, client.clone());
        Ok(client)
    }

    /// Sends a request until it is answered for good, and tells the step's transcript of every try.
    ///
    /// # Errors
    /// When nobody answers, the answer is too large, or the step is stopped.
    pub async fn send(&self, ready: &Ready, cx: &Context) -> Result<Answer, Failure> {
        self.send_telling(ready, true, cx).await
    }

    /// The same for a request that is made again and again: only tries that fail are told.
    ///
    /// # Errors
    /// As with [`send`](Self::send).
    pub async fn send_quietly(&self, ready: &Ready, cx: &Context) -> Result<Answer, Failure> {
        self.send_telling(ready, false, cx).await
    }

    async fn send_telling(&self, ready: &Ready, tells: bool, cx: &Context) -> Result<Answer, Failure> {
        let mut tries = 1;
        // A try before may have done it, though its answer was lost.
        let mut may_be_done = false;
        loop {
            let begun = edge::now();
            let tried = tokio::select! {
                tried = self.try_once(ready) => tried,
                () = cx.cancel.cancelled() => return Err(edge::stopped()),
            };
            let took = begun.elapsed();
            let ended = match &tried {
                Ok(answer) => {
                    if tells {
                        note(cx, &told(ready, answer, took));
                    }
                    let date = answer.header("date");
                    Ended::Answered {
                        status: answer.status,
                        retry_after: retry_after(answer.header("retry-after"), date, edge::time()),
                    }
                }
                Err(Broken::Unanswered(why)) => {
                    note(cx, &format!("{}: {why}", named(ready)));
                    Ended::Unanswered
                }
                Err(Broken::Unusable(_)) => break tried,
            };
            if may_be_done && ready.method == Method::Delete && ended.is(404) {
                note(cx, "it is gone: the try before has deleted it, as it seems");
                break tried.map(Answer::without_content);
            }
            may_be_done |= ended.may_be_done();
            match retry::next(ready.repeatable, tries, ended) {
                Next::Stands => break tried,
                Next::TooLong(pause) => {
                    let message = format!(
                        "`{}` is throttled: it asks for a pause of {} s; try the step again after that (RB0323)",
                        host(&ready.url),
                        pause.as_secs()
                    );
                    return Err(Failure::new(FailureKind::Failed, message));
                }
                Next::Again(pause) => {
                    note(cx, &format!("tried again in {} s", pause.as_secs()));
                    edge::pause(pause, cx).await?;
                }
            }
            tries += 1;
        }
        .map_err(|broken| match broken {
            Broken::Unanswered(why) => {
                let message = format!("`{}` does not answer: {why} (RB0323)", host(&ready.url));
                Failure::new(FailureKind::Failed, message)
            }
            Broken::Unusable(why) => Failure::new(FailureKind::Failed, why),
        })
    }

    async fn try_once(&self, ready: &Ready) -> Result<Answer, Broken> {
        let way = Way {
            // What carries a secret goes nowhere else, and what changes something is not repeated elsewhere.
            follows: ready.method.is_safe() && ready.secret.is_none() && !ready.stays,
            direct: is_loopback(&ready.url),
        };
        let method = match ready.method {
            Method::Get => reqwest::Method::GET,
            Method::Head => reqwest::Method::HEAD,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut request = self
            .going(way)?
            .request(method, ready.url.clone())
            .headers(ready.headers.clone());
        if let Some((name, value)) = &ready.secret {
            request = request.header(name, value);
        }
        if let Some(body) = &ready.body {
            request = request.body(body.clone());
        }
        let response = request.send().await.map_err(|error| broken(&error))?;
        if response.status().is_redirection()
            && !ready.stays
            && let Some(to) = response.headers().get("location")
        {
            let to = to.to_str().ok().and_then(|to| ready.url.join(to).ok());
            let to = to.map_or_else(|| "an address that cannot be read".to_owned(), |to| shown(&to));
            return Err(Broken::Unusable(format!(
                "{} leads to `{to}`, and is not followed: write the address that is meant (RB0324)",
                named(ready)
            )));
        }
        read(ready, response).await
    }
}

/// Why a try gave no answer.
#[derive(Debug)]
enum Broken {
    /// Nobody answered, and why.
    Unanswered(String),
    /// There was an answer that cannot be used.
    Unusable(String),
}

async fn read(ready: &Ready, mut response: reqwest::Response) -> Result<Answer, Broken> {
    let status = response.status().as_u16();
    let headers = joined(response.headers());
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| broken(&error))? {
        if body.len() + piece.len() > LARGEST_BODY {
            return Err(Broken::Unusable(format!(
                "the answer to {} is larger than {} MiB",
                named(ready),
                LARGEST_BODY / 1024 / 1024
            )));
        }
        body.extend_from_slice(&piece);
    }
    // Whether it is JSON is seen by reading it: not every server says so.
    let json = serde_json::from_slice(&body).ok();
    Ok(Answer {
        status,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
        json,
    })
}

fn joined(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut all = BTreeMap::<String, String>::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        all.entry(name.as_str().to_owned())
            .and_modify(|whole| {
                whole.push_str(", ");
                whole.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    all
}

fn same_origin(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let first = attempt.previous().first().map(Url::origin);
    if attempt.previous().len() > MOST_REDIRECTS {
        attempt.error("it leads from one address to another too often")
    } else if first == Some(attempt.url().origin()) {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

fn broken(error: &reqwest::Error) -> Broken {
    if error.is_redirect() {
        Broken::Unusable(causes(error))
    } else if error.is_timeout() {
        Broken::Unanswered(format!("no answer within {} s", LONGEST_TRY.as_secs()))
    } else {
        Broken::Unanswered(causes(error))
    }
}

/// The causes of an error, the innermost last; the address, which may hold a secret, is left out.
fn causes(error: &reqwest::Error) -> String {
    let mut texts = Vec::new();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        texts.push(cause.to_string());
        next = cause.source();
    }
    if texts.is_empty() {
        "the request could not be sent".to_owned()
    } else {
        texts.dedup();
        texts.join(": ")
    }
}

fn told(ready: &Ready, answer: &Answer, took: Duration) -> String {
    let id = ["request-id", "x-ms-request-id", "x-request-id"]
        .iter()
        .find_map(|name| answer.header(name))
        .map_or_else(String::new, |id| format!(", request-id {id}"));
    format!(
        "{} -> {}, {} bytes, {:.1} s{id}",
        named(ready),
        answer.status,
        answer.body.len(),
        took.as_secs_f64()
    )
}

/// A request in words, without its query, which may hold what should not be read everywhere.
fn named(ready: &Ready) -> String {
    format!("{} {}", ready.method.as_str(), shown(&ready.url))
}

/// An address without its account, its query and its fragment.
fn shown(url: &Url) -> String {
    let place = match url.origin() {
        Origin::Tuple(..) => url.origin().ascii_serialization(),
        Origin::Opaque(_) => format!("{}:", url.scheme()),
    };
    place + url.path()
}

/// Whether an address is on this machine.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn host(url: &Url) -> String {
    url.origin().ascii_serialization()
}
