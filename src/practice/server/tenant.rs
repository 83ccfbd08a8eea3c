//! What the tenant holds: read from its file for each request, and replaced as a whole by each change.

use std::io::{self, Write as _};

use runbook_engine::platform::private;
use serde_json::{Value, json};

use super::Server;
use crate::practice::folder::{pretty, read, replace};

/// The largest record of changes, in bytes; what comes after is not recorded.
const LARGEST_RECORD: u64 = 8 * 1024 * 1024;

/// A tenant as its file holds it.
#[derive(Debug, Clone)]
pub(super) struct Tenant(pub(super) Value);

impl Tenant {
    /// All applications.
    pub(super) fn principals(&self) -> &[Value] {
        self.0["servicePrincipals"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The application whose property has this value.
    pub(super) fn find(&self, property: &str, value: &str) -> Option<usize> {
        let is = |one: &Value| {
            one[property]
                .as_str()
                .is_some_and(|there| there.eq_ignore_ascii_case(value))
        };
        self.principals().iter().position(is)
    }

    /// The domain that the tenant has verified.
    pub(super) fn domain(&self) -> &str {
        self.0["domain"].as_str().unwrap_or_default()
    }

    /// Changes a property of an application.
    pub(super) fn set(&mut self, at: usize, property: &str, value: Value) {
        if let Some(field) = self.0["servicePrincipals"][at].get_mut(property) {
            *field = value;
        }
    }
}

impl Server {
    /// The tenant as its file says.
    pub(super) fn load(&self) -> io::Result<Tenant> {
        let text = read(&self.folder.tenant())?;
        Ok(Tenant(serde_json::from_str(&text)?))
    }

    /// Keeps a changed tenant.
    pub(super) fn keep(&self, tenant: &Tenant) -> io::Result<()> {
        replace(&self.folder.tenant(), &pretty(&tenant.0))
    }

    /// One more line for each change, so that a test or a person can count them.
    pub(super) fn record(&self, call: &str, tenant: &str, request: &str) -> io::Result<()> {
        let mut file = private::append_to(&self.folder.tenant_calls())?;
        if file.metadata()?.len() > LARGEST_RECORD {
            return Ok(());
        }
        let at = jiff::Timestamp::now().to_string();
        let line = json!({ "at": at, "call": call, "tenant": tenant, "request_id": request });
        writeln!(file, "{line}")
    }
}
