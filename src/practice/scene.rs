//! What a farm and a tenant look like at the beginning: pure, so that the same beginning is the same bytes.

use clap::ValueEnum;
use openssl::error::ErrorStack;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::certificates::{self, Kind};

pub(crate) use self::tenant::other_tenant;

mod tenant;

/// The tenant's id; Microsoft's article shows this one.
pub(crate) const TENANT: &str = "00fceb75-246c-4ac4-a0ad-7124aaaaaaaa";
/// The tenant that somebody signs in to by mistake.
pub(crate) const OTHER_TENANT: &str = "99999999-246c-4ac4-a0ad-7124bbbbbbbb";
/// SharePoint in Microsoft 365.
pub(crate) const SHAREPOINT: &str = "00000003-0000-0ff1-ce00-000000000000";
/// The access control service.
pub(crate) const ACS: &str = "00000001-0000-0000-c000-000000000000";
/// The domain that the tenant has verified.
pub(crate) const DOMAIN: &str = "adventureworks.com";
/// The application that may sign in by itself.
pub(crate) const CLIENT: &str = "5e1f0c0a-7b0b-4f0e-9a55-0c2d7a5f3e10";
/// The farm's id, which is its realm as well.
const FARM: &str = "5b8c9a0e-3d0f-4c1e-9a57-1f6f0f4d2b11";
/// The id of SharePoint's object in the tenant.
const OBJECT: &str = "a2c1f0de-1111-4444-8888-5c5c5c5c5c5c";

/// How far a farm and a tenant have come when the practice begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Start {
    /// Nothing is done
    #[default]
    Fresh,
    /// The certificate is uploaded, the principal registered, OAuth over HTTP allowed; the rest is not
    Half,
    /// Everything is there, as the Hybrid Configuration Wizard leaves it
    Wizard,
    /// Nothing is done, and a new realm would break an add-in and Workflow Manager
    Entangled,
}

/// A version of SharePoint Server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
pub(crate) enum FarmVersion {
    /// Subscription Edition: a module that loads itself
    #[default]
    #[value(name = "SE", alias = "se")]
    #[serde(rename = "SE")]
    SubscriptionEdition,
    /// A snap-in
    #[value(name = "2019")]
    #[serde(rename = "2019")]
    V2019,
    /// A snap-in
    #[value(name = "2016")]
    #[serde(rename = "2016")]
    V2016,
    /// A snap-in; the article's step 8 is for this one
    #[value(name = "2013")]
    #[serde(rename = "2013")]
    V2013,
}

impl FarmVersion {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SubscriptionEdition => "SE",
            Self::V2019 => "2019",
            Self::V2016 => "2016",
            Self::V2013 => "2013",
        }
    }

    fn build(self) -> &'static str {
        match self {
            Self::SubscriptionEdition => "16.0.17928.20238",
            Self::V2019 => "16.0.10417.20018",
            Self::V2016 => "16.0.5465.1001",
            Self::V2013 => "15.0.5603.1000",
        }
    }

    /// Whether its cmdlets come in a snap-in.
    pub(super) fn has_snap_in(self) -> bool {
        self != Self::SubscriptionEdition
    }
}

/// What differs from one practice folder to the next.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scene {
    pub(crate) farm_version: FarmVersion,
    /// The servers of the farm: all of them are this machine.
    pub(crate) servers: Vec<String>,
    /// The farm's signing certificate, in base64.
    sts: String,
    /// The same with its key, as a PFX file in base64.
    pub(crate) sts_pfx: String,
    /// The certificate that may replace it, likewise.
    pub(crate) new_sts_pfx: String,
    /// What both PFX files are protected with.
    pub(crate) pfx_password: String,
    /// A certificate that the tenant has from elsewhere.
    present: KnownKey,
    /// The access control service's.
    acs: String,
    /// Microsoft Entra's.
    evosts: String,
    /// An add-in's.
    add_in: String,
    /// What the application signs in with.
    pub(crate) client_secret: String,
    /// The application's certificate.
    pub(crate) client_certificate: String,
    /// The same with its key, in PEM.
    pub(crate) app_pem: String,
}

/// A key that an application of the tenant holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownKey {
    key: String,
    thumbprint: String,
}

impl Scene {
    /// A new scene, with certificates of its own.
    pub(crate) fn new(farm_version: FarmVersion, servers: Vec<String>) -> Result<Self, ErrorStack> {
        const SINCE: &str = "20240601000000Z";
        // The year in which a farm's own certificate ends.
        const NEVER: &str = "99991231235959Z";
        let make = |kind, subject: &str, until| certificates::make(kind, subject, SINCE, until);
        let base64 =
            |kind, subject: &str, until| certificates::base64(&make(kind, subject, until)?.certificate);
        let present = make(
            Kind::Elliptic,
            "Another farm of Adventure Works",
            "20340601000000Z",
        )?
        .certificate;
        let app = make(Kind::Rsa, "runbook practice", "20440601000000Z")?;
        let pem = [app.key.private_key_to_pem_pkcs8()?, app.certificate.to_pem()?].concat();
        let sts = make(Kind::Rsa, "SharePoint Security Token Service", NEVER)?;
        let new_sts = make(Kind::Rsa, &format!("sts.{DOMAIN}"), "20440601000000Z")?;
        let pfx_password = secret()?;
        Ok(Self {
            farm_version,
            servers,
            sts: certificates::base64(&sts.certificate)?,
            sts_pfx: certificates::pfx(&sts, &pfx_password)?,
            new_sts_pfx: certificates::pfx(&new_sts, &pfx_password)?,
            pfx_password,
            present: KnownKey {
                key: certificates::base64(&present)?,
                thumbprint: certificates::thumbprint(&present)?,
            },
            acs: base64(Kind::Elliptic, &format!("{ACS}@practice"), "20360601000000Z")?,
            evosts: base64(
                Kind::Elliptic,
                "accounts.accesscontrol.windows.net",
                "20360601000000Z",
            )?,
            add_in: base64(Kind::Elliptic, "A provider-hosted add-in", "20340601000000Z")?,
            client_secret: secret()?,
            client_certificate: certificates::base64(&app.certificate)?,
            app_pem: String::from_utf8_lossy(&pem).into_owned(),
        })
    }

    /// The certificate in the metadata of the access control service.
    pub(crate) fn acs_certificate(&self) -> &str {
        &self.acs
    }

    /// The certificate that somebody else adds to the tenant.
    pub(crate) fn third_party_certificate(&self) -> &str {
        &self.add_in
    }

    /// The farm.
    pub(crate) fn farm(&self, start: Start, port: u16) -> Value {
        let endpoint = format!("http://127.0.0.1:{port}/{TENANT}/metadata/json/1");
        let (realm, half) = match start {
            Start::Fresh | Start::Entangled => (FARM, false),
            Start::Half => (FARM, true),
            Start::Wizard => (TENANT, true),
        };
        let proxy = |id: &str, kind: &str, name: &str, endpoint: Option<&str>| json!({ "id": id, "type": kind, "name": name, "endpoint": endpoint, "default": true });
        let mut proxies = vec![
            proxy(
                "11111111-0000-4000-8000-000000000001",
                "App Management Service Application Proxy",
                "App Management",
                None,
            ),
            proxy(
                "11111111-0000-4000-8000-000000000002",
                "Microsoft SharePoint Foundation Subscription Settings Service Application Proxy",
                "Subscription Settings",
                None,
            ),
            proxy(
                "11111111-0000-4000-8000-000000000003",
                "User Profile Service Application Proxy",
                "User Profile",
                None,
            ),
            proxy(
                "11111111-0000-4000-8000-000000000004",
                "Search Service Application Proxy",
                "Search",
                None,
            ),
        ];
        let issuer = |id: &str, name: &str, registered: String, endpoint: Option<&str>, certificate: &str| {
            json!({
                "id": id, "name": name, "registered_issuer_name": registered, "is_self_issuer": endpoint.is_none(),
                "metadata_endpoint": endpoint, "certificate": certificate, "description": "",
            })
        };
        let mut issuers = Vec::new();
        match start {
            Start::Fresh | Start::Half => {}
            Start::Wizard => {
                let slash = format!("{endpoint}/");
                let kind = "Azure Access Control Service Application Proxy";
                proxies.push(proxy(
                    "11111111-0000-4000-8000-000000000005",
                    kind,
                    "ACS",
                    Some(&slash),
                ));
                proxies.push(proxy(
                    "11111111-0000-4000-8000-000000000006",
                    "App Management Service Application Proxy",
                    "SPO App Management Proxy",
                    None,
                ));
                let registered = format!("{ACS}@{TENANT}");
                issuers.push(issuer(
                    "22222222-0000-4000-8000-000000000001",
                    "ACS_STS",
                    registered,
                    Some(&endpoint),
                    &self.acs,
                ));
                // What the wizard has it follow is not public.
                issuers.push(issuer(
                    "22222222-0000-4000-8000-000000000003",
                    "EvoSTS-Trust",
                    format!("{ACS}@{TENANT}"),
                    None,
                    &self.evosts,
                ));
            }
            Start::Entangled => {
                proxies.push(proxy(
                    "11111111-0000-4000-8000-000000000007",
                    "Workflow Service Application Proxy",
                    "Workflow Manager",
                    None,
                ));
                let registered = format!("33333333-3333-4333-8333-333333333333@{FARM}");
                issuers.push(issuer(
                    "22222222-0000-4000-8000-000000000002",
                    "Expense add-in",
                    registered,
                    None,
                    &self.add_in,
                ));
            }
        }
        let principals = if half { vec![self.principal()] } else { Vec::new() };
        let stores: Map<_, _> = self
            .servers
            .iter()
            .map(|name| (name.clone(), json!([])))
            .collect();
        json!({
            "practice": "The farm of `runbook practice`; nothing in it is real",
            "version": self.farm_version.name(),
            "build": self.farm_version.build(),
            "id": FARM,
            "realm": realm,
            "servers": self.servers,
            "database_servers": ["practice-sql"],
            "sts": {
                "allow_oauth_over_http": half,
                "allow_metadata_over_http": false,
                "name_identifier": format!("{SHAREPOINT}@{realm}"),
                "certificate": self.sts,
            },
            "web_applications": web_applications(),
            "applications": [
                { "id": "44444444-0000-4000-8000-000000000001", "name": "App Management", "type": "App Management Service Application" },
                { "id": "44444444-0000-4000-8000-000000000002", "name": "Search", "type": "Search Service Application" },
            ],
            "proxies": proxies,
            "issuers": issuers,
            "app_principals": principals,
            "app_instances": [],
            "root_authorities": [],
            "certificate_stores": stores,
        })
    }

    fn principal(&self) -> Value {
        json!({
            "display_name": "SharePoint Online",
            "name_identifier": format!("i:0i.t|ms.sp.ext|{OBJECT}@{TENANT}"),
            "permissions": [],
        })
    }
}

/// A secret that nobody guesses.
fn secret() -> Result<String, ErrorStack> {
    let mut bytes = [0; 24];
    openssl::rand::rand_bytes(&mut bytes)?;
    Ok(openssl::base64::encode_block(&bytes))
}

/// Web applications as procedures meet them: with NTLM, over HTTP, with Kerberos, and in classic mode.
fn web_applications() -> Value {
    let provider = |kerberos: bool| json!([{ "name": "Windows Authentication", "claim_provider": "AD", "disable_kerberos": !kerberos }]);
    let zones = |default: Value| json!({ "Default": default, "Intranet": [], "Internet": [], "Custom": [], "Extranet": [] });
    json!([
        { "url": format!("https://sharepoint.{DOMAIN}"), "name": "SharePoint - 443", "authentication": zones(provider(false)) },
        { "url": "http://sharepoint", "name": "SharePoint - 80", "authentication": zones(provider(false)) },
        { "url": format!("https://kerberos.{DOMAIN}"), "name": "SharePoint - Kerberos", "authentication": zones(provider(true)) },
        { "url": format!("https://classic.{DOMAIN}"), "name": "SharePoint - Classic", "authentication": zones(json!([])) },
    ])
}
