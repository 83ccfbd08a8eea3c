//! What a tenant looks like at the beginning.

use serde_json::{Value, json};

use super::{DOMAIN, KnownKey, OBJECT, OTHER_TENANT, SHAREPOINT, Scene, Start, TENANT};
use crate::practice::certificates;

impl Scene {
    /// The tenant.
    pub(crate) fn tenant(&self, start: Start) -> Value {
        let key = |id: &str, key: &KnownKey, end: &str| {
            json!({
                "customKeyIdentifier": key.thumbprint, "displayName": null, "endDateTime": end, "key": key.key,
                "keyId": id, "startDateTime": "2024-06-01T00:00:00Z", "type": "AsymmetricX509Cert", "usage": "Verify",
            })
        };
        let mut names = vec![
            SHAREPOINT.to_owned(),
            format!("{SHAREPOINT}/adventureworks.sharepoint.com"),
            format!("{SHAREPOINT}/*.sharepoint.com"),
        ];
        let mut keys = vec![key(
            "5d6f1ed5-48bd-44da-8cf6-3b5d5b516ed8",
            &self.present,
            "2034-06-01T00:00:00Z",
        )];
        match start {
            Start::Fresh | Start::Entangled => {}
            Start::Half | Start::Wizard => keys.push(key(
                "0c9c7d0e-5a57-4c0e-8f2e-6d1f4d3b2a10",
                &self.sts_key(),
                "9999-12-31T23:59:59Z",
            )),
        }
        if start == Start::Wizard {
            names.push(format!("{SHAREPOINT}/*.{DOMAIN}"));
        }
        json!({
            "practice": "The tenant of `runbook practice`; nothing in it is real",
            "id": TENANT,
            "displayName": "Adventure Works",
            "domain": DOMAIN,
            "servicePrincipals": [
                principal(OBJECT, SHAREPOINT, "Office 365 SharePoint Online", names, keys),
                principal("a2c1f0de-2222-4444-8888-5c5c5c5c5c5c", "00000003-0000-0000-c000-000000000000", "Microsoft Graph", vec!["00000003-0000-0000-c000-000000000000".to_owned()], Vec::new()),
                principal("a2c1f0de-3333-4444-8888-5c5c5c5c5c5c", "00000002-0000-0ff1-ce00-000000000000", "Office 365 Exchange Online", vec!["00000002-0000-0ff1-ce00-000000000000".to_owned(), format!("https://mail.{DOMAIN}")], Vec::new()),
            ],
        })
    }

    fn sts_key(&self) -> KnownKey {
        let bytes = openssl::base64::decode_block(&self.sts).unwrap_or_default();
        let thumbprint = openssl::x509::X509::from_der(&bytes).and_then(|one| certificates::thumbprint(&one));
        KnownKey {
            key: self.sts.clone(),
            thumbprint: thumbprint.unwrap_or_default(),
        }
    }
}

/// The tenant that somebody signs in to by mistake.
pub(crate) fn other_tenant() -> Value {
    let names = vec![
        SHAREPOINT.to_owned(),
        format!("{SHAREPOINT}/fabrikam.sharepoint.com"),
    ];
    json!({
        "id": OTHER_TENANT,
        "displayName": "Fabrikam",
        "domain": "fabrikam.com",
        "servicePrincipals": [
            principal("b7d1f0de-1111-4444-8888-5c5c5c5c5c5c", SHAREPOINT, "Office 365 SharePoint Online", names, Vec::new()),
        ],
    })
}

fn principal(id: &str, app: &str, name: &str, names: Vec<String>, keys: Vec<Value>) -> Value {
    json!({
        "id": id,
        "appId": app,
        "displayName": name,
        "appOwnerOrganizationId": "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
        "accountEnabled": true,
        "servicePrincipalType": "Application",
        "servicePrincipalNames": names,
        "keyCredentials": keys,
    })
}
