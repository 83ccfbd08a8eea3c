//! Where Graph and the sign-in are.

use url::Url;

use super::inputs::Cloud;
use crate::web::send::is_loopback;

/// Addresses that take the place of the cloud's own: a practice tenant, a test bench, or a proxy.
#[derive(Debug, Clone, Default)]
pub struct Endpoints {
    /// Instead of `https://graph.microsoft.com`.
    pub graph: Option<String>,
    /// Instead of `https://login.microsoftonline.com`.
    pub sign_in: Option<String>,
}

impl Endpoints {
    /// The variable that [`graph`](Self::graph) comes from.
    pub const GRAPH: &'static str = "RUNBOOK_GRAPH_URL";

    /// The variable that [`sign_in`](Self::sign_in) comes from.
    pub const SIGN_IN: &'static str = "RUNBOOK_LOGIN_URL";
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("`{0}` is not the address of a server: {1}")]
    NoAddress(String, url::ParseError),
    #[error("`{0}` is neither `https://` nor on this machine: a token would travel in clear text")]
    ClearText(String),
    #[error(
        "{} and {} belong together, and only one is set: a token of one place is never sent to another",
        Endpoints::GRAPH,
        Endpoints::SIGN_IN
    )]
    Half,
}

/// The addresses of one cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Places {
    /// Of Graph, without a version.
    pub(super) graph: Url,
    /// Of the sign-in.
    pub(super) sign_in: Url,
    /// They are not Microsoft's own.
    pub(super) are_set: bool,
}

impl Places {
    /// Graph's address without a slash at its end: what the names of permissions begin with.
    pub(super) fn resource(&self) -> &str {
        self.graph.as_str().trim_end_matches('/')
    }
}

impl Endpoints {
    /// The addresses for a cloud.
    pub(super) fn of(&self, cloud: Cloud) -> Result<Places, Unusable> {
        let usual = match cloud {
            Cloud::Global => ("https://graph.microsoft.com", "https://login.microsoftonline.com"),
            Cloud::UsGovernment => ("https://graph.microsoft.us", "https://login.microsoftonline.us"),
            Cloud::UsGovernmentDod => (
                "https://dod-graph.microsoft.us",
                "https://login.microsoftonline.us",
            ),
            Cloud::China => (
                "https://microsoftgraph.chinacloudapi.cn",
                "https://login.partner.microsoftonline.cn",
            ),
        };
        let (graph, sign_in) = match (&self.graph, &self.sign_in) {
            (None, None) => usual,
            (Some(graph), Some(sign_in)) => (graph.as_str(), sign_in.as_str()),
            (Some(_), None) | (None, Some(_)) => return Err(Unusable::Half),
        };
        Ok(Places {
            graph: url(graph)?,
            sign_in: url(sign_in)?,
            are_set: self.graph.is_some(),
        })
    }
}

fn url(text: &str) -> Result<Url, Unusable> {
    let url = Url::parse(text).map_err(|error| Unusable::NoAddress(text.to_owned(), error))?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err(Unusable::ClearText(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoints;
    use crate::graph::inputs::Cloud;

    fn of(graph: Option<&str>, sign_in: Option<&str>) -> Result<String, String> {
        let endpoints = Endpoints {
            graph: graph.map(str::to_owned),
            sign_in: sign_in.map(str::to_owned),
        };
        let places = endpoints.of(Cloud::China).map_err(|why| why.to_string())?;
        Ok(format!("{} {}", places.resource(), places.sign_in))
    }

    #[test]
    fn a_token_goes_to_the_place_that_it_was_made_for() {
        assert_eq!(
            of(None, None).unwrap(),
            "https://microsoftgraph.chinacloudapi.cn https://login.partner.microsoftonline.cn/"
        );
        assert_eq!(
            of(Some("http://127.0.0.1:1/g"), Some("http://localhost:2")).unwrap(),
            "http://127.0.0.1:1/g http://localhost:2/"
        );
        assert!(
            of(Some("http://127.0.0.1:1"), None)
                .unwrap_err()
                .contains("RUNBOOK_LOGIN_URL")
        );
        assert!(
            of(None, Some("https://a.example"))
                .unwrap_err()
                .contains("RUNBOOK_GRAPH_URL")
        );
    }

    #[test]
    fn no_token_travels_in_clear_text() {
        let there = Some("https://a.example");
        assert!(
            of(Some("http://a.example"), there)
                .unwrap_err()
                .contains("clear text")
        );
        assert!(
            of(there, Some("ftp://a.example"))
                .unwrap_err()
                .contains("clear text")
        );
        assert!(
            of(there, Some("a.example"))
                .unwrap_err()
                .contains("not the address")
        );
    }
}
