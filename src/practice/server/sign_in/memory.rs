//! What the sign-in knows only while it runs: codes, and what tokens stand for.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use serde_json::json;

use super::super::answer::Answer;

/// How long a token is good.
pub(super) const TOKEN_LASTS: Duration = Duration::from_secs(3599);

/// How long a code is good. For as long again it is known to have expired.
pub(super) const CODE_LASTS: Duration = Duration::from_secs(900);

/// How many codes and tokens are kept at most.
const MOST: usize = 4096;

/// A person who signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Account {
    /// An Application Administrator.
    Admin,
    /// Somebody who may only read.
    Reader,
}

/// What a person made of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Decision {
    Approved(Account),
    Declined,
}

/// What a token stands for.
#[derive(Debug, Clone)]
pub(in super::super) struct Grant {
    pub(in super::super) tenant: &'static str,
    /// Delegated scopes, or an application's roles.
    pub(in super::super) permissions: Vec<String>,
    /// Nobody, where an application signed in.
    pub(in super::super) account: Option<Account>,
    pub(super) ends: Instant,
}

/// A code that was given.
#[derive(Debug)]
pub(super) struct Code {
    pub(super) user_code: String,
    pub(super) client: String,
    pub(super) tenant: &'static str,
    pub(super) scopes: Vec<String>,
    pub(super) decision: Option<Decision>,
    pub(super) ends: Instant,
}

/// What is known only while the server runs.
#[derive(Debug, Default)]
pub(in super::super) struct Memory {
    /// By the code that the device keeps.
    pub(super) codes: HashMap<String, Code>,
    pub(super) tokens: HashMap<String, Grant>,
    /// With which a person need not sign in again.
    pub(super) refreshes: HashMap<String, Grant>,
    /// The statements of applications that were used already.
    pub(in super::super) statements: HashSet<String>,
    /// The tenant before the last change, for those who read it stale.
    pub(in super::super) before: Option<serde_json::Value>,
}

impl Memory {
    /// Notes what a person made of a code; false where there is none.
    pub(in super::super) fn decide(&mut self, user_code: &str, decision: Decision) -> bool {
        let wanted = user_code.trim().to_ascii_uppercase().replace('-', "");
        let now = Instant::now();
        let code = self
            .codes
            .values_mut()
            .find(|code| code.user_code == wanted && code.decision.is_none() && code.ends > now);
        code.map(|code| code.decision = Some(decision)).is_some()
    }

    /// What a token stands for; nothing where it is no longer good.
    pub(in super::super) fn grant(&self, token: &str) -> Option<&Grant> {
        self.tokens.get(token).filter(|grant| grant.ends > Instant::now())
    }

    /// Withdraws a token.
    pub(in super::super) fn withdraw(&mut self, token: &str) {
        self.tokens.remove(token);
    }

    /// Forgets what is no longer good, and everything where it is too much.
    pub(super) fn tidy(&mut self) {
        let now = Instant::now();
        self.codes.retain(|_, code| code.ends + CODE_LASTS > now);
        self.tokens.retain(|_, grant| grant.ends > now);
        if self.codes.len() + self.tokens.len() + self.refreshes.len() + self.statements.len() > MOST {
            *self = Self::default();
        }
    }

    /// Gives a token, and a refresh token where it was asked for.
    pub(super) fn issue(&mut self, grant: Grant, offline: bool) -> Answer {
        let (token, refresh) = (random("at"), random("rt"));
        let mut body = json!({
            "token_type": "Bearer", "expires_in": TOKEN_LASTS.as_secs(), "ext_expires_in": TOKEN_LASTS.as_secs(),
            "access_token": token,
        });
        if grant.account.is_some() {
            body["scope"] = json!(grant.permissions.join(" "));
        }
        if offline {
            body["refresh_token"] = json!(refresh);
            self.refreshes.insert(refresh, grant.clone());
        }
        self.tokens.insert(token, grant);
        Answer::json(200, &body)
    }
}

/// A value that nobody can guess.
pub(super) fn random(kind: &str) -> String {
    let bytes = uuid::Uuid::new_v4()
        .into_bytes()
        .into_iter()
        .chain(uuid::Uuid::new_v4().into_bytes());
    let hex: String = bytes.map(|byte| format!("{byte:02x}")).collect();
    format!("practice-{kind}-{hex}")
}

/// A code that people can read and type.
pub(super) fn user_code() -> String {
    const LETTERS: &[u8] = b"BCDFGHJKLMNPQRSTVWXZ23456789";
    let bytes = uuid::Uuid::new_v4().into_bytes();
    // The first bytes are random; those that hold the version are not among them.
    let (chosen, _) = bytes.split_at(6);
    let rest = uuid::Uuid::new_v4().into_bytes();
    let all = chosen.iter().chain(rest.iter().take(3));
    all.map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]))
        .collect()
}

impl Grant {
    /// Whether one of these permissions was given.
    pub(in super::super) fn allows(&self, any: &[&str]) -> bool {
        any.iter().any(|wanted| {
            self.permissions
                .iter()
                .any(|given| given.eq_ignore_ascii_case(wanted))
        })
    }

    pub(in super::super) fn reads_applications(&self) -> bool {
        self.allows(&["Application.Read.All", "Directory.Read.All"])
            || self.allows(&["Application.ReadWrite.All", "Directory.ReadWrite.All"])
    }

    /// A person needs the role as well.
    pub(in super::super) fn writes_applications(&self) -> bool {
        self.account != Some(Account::Reader)
            && self.allows(&["Application.ReadWrite.All", "Directory.ReadWrite.All"])
    }
}
