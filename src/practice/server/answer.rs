//! Answers, and the forms in which Graph and the sign-in tell errors.

use serde_json::{Value, json};
use uuid::Uuid;

/// What is sent back.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
    /// The answer is lost on its way: the connection ends without it.
    pub(super) lost: bool,
}

impl Answer {
    /// JSON.
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json; charset=utf-8", body.to_string())
    }

    /// Anything else.
    pub(super) fn text(status: u16, kind: &str, body: String) -> Self {
        Self {
            status,
            headers: vec![("content-type", kind.to_owned())],
            body,
            lost: false,
        }
    }

    /// Nothing but a status.
    pub(super) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: String::new(),
            lost: false,
        }
    }

    /// One more header.
    pub(super) fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// An error as Graph tells it; `request` is the id that Microsoft's support would ask for.
    pub(super) fn graph(status: u16, code: &str, message: &str, ids: &Ids) -> Self {
        let date = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S").to_string();
        Self::json(
            status,
            &json!({ "error": {
                "code": code, "message": message,
                "innerError": { "date": date, "request-id": ids.request, "client-request-id": ids.client },
            }}),
        )
    }

    /// An error as the sign-in tells it.
    pub(super) fn sign_in(status: u16, error: &str, number: u32, message: &str) -> Self {
        let now = jiff::Timestamp::now();
        let (trace, correlation) = (Uuid::new_v4(), Uuid::new_v4());
        let stamp = now.strftime("%Y-%m-%d %H:%M:%SZ");
        let description = format!(
            "AADSTS{number}: {message} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}"
        );
        Self::json(
            status,
            &json!({
                "error": error, "error_description": description, "error_codes": [number],
                "timestamp": stamp.to_string(), "trace_id": trace, "correlation_id": correlation,
            }),
        )
    }
}

/// What a request is called, by the server and by the client.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    pub(super) request: String,
    pub(super) client: String,
}
