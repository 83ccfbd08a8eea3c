//! Where the database is, and how it is spoken to: the address that people write, without ever showing its password.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use openssl::error::ErrorStack;
use openssl::ssl::{SslConnector, SslFiletype, SslMethod};
use postgres_openssl::MakeTlsConnector;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;
use url::form_urlencoded;

use crate::platform::database;

/// What the addresses of databases begin with.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// The longest address, in bytes.
const LONGEST: usize = 4096;

/// The port where nothing else is said.
const PORT: u16 = 5432;

/// Where the database of runs is, and how to get in.
#[derive(Clone)]
pub struct Address {
    pub(super) config: Config,
    pub(super) tls: Tls,
}

/// Text that is not an [`Address`]. Never holds any of it: there may be a password in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadAddress(String);

/// How the connection is protected.
#[derive(Clone, Default)]
pub(super) struct Tls {
    mode: Option<Mode>,
    root: Option<String>,
    cert: Option<String>,
    key: Option<String>,
}

/// What is asked of the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Nothing: all is sent in the clear.
    Disable,
    /// A certificate that somebody trusted has signed.
    VerifyCa,
    /// Moreover, one that bears the name in the address.
    VerifyFull,
}

impl FromStr for Mode {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        match text {
            "disable" => Ok(Self::Disable),
            "verify-ca" => Ok(Self::VerifyCa),
            "require" | "verify-full" => Ok(Self::VerifyFull),
            "allow" | "prefer" => Err(BadAddress(format!(
                "`sslmode={text}` would let whoever answers do without encryption: say `verify-full` or `disable`"
            ))),
            _ => Err(BadAddress(
                "`sslmode` is one of `disable`, `require`, `verify-ca`, `verify-full`".to_owned(),
            )),
        }
    }
}

impl Address {
    /// Whether the text is meant as the address of a database.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        SCHEMES.iter().any(|scheme| text.starts_with(scheme))
    }

    /// Whether it names a password itself.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.config.get_password().is_some()
    }

    /// Gives the password that the address does not name.
    pub fn set_password(&mut self, password: &str) {
        self.config.password(password);
    }

    /// The password that the address names: to keep it out of everything that is shown.
    #[must_use]
    pub fn password(&self) -> Option<String> {
        let password = self.config.get_password()?;
        Some(String::from_utf8_lossy(password).into_owned())
    }

    /// The account at the database, if the address names one.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.config.get_user()
    }

    /// The name of the database, if the address names one.
    #[must_use]
    pub fn database(&self) -> Option<&str> {
        self.config.get_dbname()
    }

    /// The hosts, each with its port; the folder of a socket counts as a host.
    #[must_use]
    pub fn places(&self) -> Vec<(String, u16)> {
        let ports = self.config.get_ports();
        let port = |at: usize| ports.get(at).or_else(|| ports.first()).copied().unwrap_or(PORT);
        let hosts = self.config.get_hosts().iter().enumerate();
        hosts.map(|(at, host)| (database::host(host), port(at))).collect()
    }

    /// Whether the database is on this machine.
    fn is_local(&self) -> bool {
        let hosts = self.config.get_hosts().iter().map(database::host);
        hosts
            .into_iter()
            .all(|host| host.starts_with('/') || is_loopback(&host))
    }

    /// What speaks TLS with the database; nothing where all is sent in the clear, for to make one reads the system's
    /// certificates.
    pub(super) fn connector(&self) -> Result<Option<MakeTlsConnector>, ErrorStack> {
        if self.config.get_ssl_mode() == SslMode::Disable {
            return Ok(None);
        }
        let mut builder = SslConnector::builder(SslMethod::tls())?;
        if let Some(root) = &self.tls.root {
            builder.set_ca_file(root)?;
        }
        if let Some(cert) = &self.tls.cert {
            builder.set_certificate_chain_file(cert)?;
            builder.set_private_key_file(self.tls.key.as_ref().unwrap_or(cert), SslFiletype::PEM)?;
        }
        let mut connector = MakeTlsConnector::new(builder.build());
        if self.tls.mode == Some(Mode::VerifyCa) {
            connector.set_callback(|connection, _| {
                connection.set_verify_hostname(false);
                Ok(())
            });
        }
        Ok(Some(connector))
    }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        if !Self::is_meant(text) || text.len() > LONGEST {
            return Err(BadAddress(
                "an address of a database begins with `postgres://`".to_owned(),
            ));
        }
        let (place, query) = text.split_once('?').unwrap_or((text, ""));
        let mut tls = Tls::default();
        let mut others = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "sslmode" => tls.mode = Some(value.parse()?),
                "sslrootcert" => tls.root = Some(value.into_owned()).filter(|root| root != "system"),
                "sslcert" => tls.cert = Some(value.into_owned()),
                "sslkey" => tls.key = Some(value.into_owned()),
                _ => {
                    others.append_pair(&name, &value);
                }
            }
        }
        let others = others.finish().replace('+', "%20");
        // What the library says of a mistake may quote the text.
        let mistake =
            || BadAddress("it is not of the form `postgres://USER@HOST:PORT/DATABASE?NAME=VALUE`".to_owned());
        let mut config: Config = format!("{place}?{others}").parse().map_err(|_| mistake())?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(BadAddress("it names no host".to_owned()));
        }
        if config.get_application_name().is_none() {
            config.application_name("runbook");
        }
        let mut address = Self { config, tls };
        let mode = address.tls.mode.unwrap_or(if address.is_local() {
            Mode::Disable
        } else {
            Mode::VerifyFull
        });
        let asked = match mode {
            Mode::Disable => SslMode::Disable,
            Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
        };
        address.config.ssl_mode(asked);
        Ok(address)
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Without the password, and without anything else that is not needed to know which database is meant.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SCHEMES[0])?;
        if let Some(user) = self.user() {
            write!(f, "{user}@")?;
        }
        for (at, (host, port)) in self.places().into_iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{host}")?;
            if port != PORT {
                write!(f, ":{port}")?;
            }
        }
        write!(f, "/{}", self.database().unwrap_or_default())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}
