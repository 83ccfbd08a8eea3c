//! What the access control service says of itself. Which fields Microsoft's own answer has beyond the realm, the name,
//! the keys and the endpoints is not known from public sources; these are what public programs read.

use serde_json::json;

use super::Server;
use super::answer::Answer;
use crate::practice::faults::Fault;
use crate::practice::scene::{ACS, DOMAIN, TENANT};

impl Server {
    /// The metadata of a tenant, by its id or its domain.
    pub(super) fn metadata(&self, tenant: &str) -> Answer {
        if self.happens(Fault::MetadataGone) {
            return Answer::text(
                404,
                "text/html",
                "<html><body>The resource cannot be found.</body></html>".to_owned(),
            );
        }
        if !tenant.eq_ignore_ascii_case(TENANT) && !tenant.eq_ignore_ascii_case(DOMAIN) {
            return Answer::text(404, "text/plain", "ACS50008: the tenant is not known".to_owned());
        }
        let location = format!("{}/{TENANT}/tokens/OAuth/2", self.folder.address());
        Answer::json(
            200,
            &json!({
                "realm": TENANT,
                "serviceName": ACS,
                "name": "accounts.accesscontrol.windows.net",
                "version": "1.0",
                "issuer": format!("{ACS}@{TENANT}"),
                "keys": [{
                    "usage": "Signing",
                    "keyValue": { "type": "x509Certificate", "value": self.folder.settings.scene.acs_certificate() },
                }],
                "endpoints": [{ "location": location, "protocol": "OAuth2", "usage": "issuance" }],
            }),
        )
    }
}
