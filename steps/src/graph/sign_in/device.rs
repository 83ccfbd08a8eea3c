//! A person signs in, on any device, with a code that they are shown.

use std::time::{Duration, Instant};

use runbook_engine::step::{Context, Failure, FailureKind};
use serde::Deserialize;

use super::{COMMAND_LINE_TOOLS, Door, Token, granted, refused};
use crate::child::note;
use crate::web::edge::{now, pause};

/// The shortest and the longest pause between two questions whether the person has signed in.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// By how much the pause grows where the sign-in says that it is too short (RFC 8628, section 3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// How long a code is good at most, whatever the sign-in says.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// What is shown to the person.
#[derive(Deserialize)]
struct Code {
    device_code: String,
    user_code: String,
    verification_uri: String,
    expires_in: u64,
    #[serde(default = "five")]
    interval: u64,
}

fn five() -> u64 {
    5
}

/// Shows a code, and waits until somebody has signed in with it. The code is as good as a password while it lasts: it is
/// shown, and kept nowhere.
pub(super) async fn token(door: &Door<'_>, client_id: Option<&str>, cx: &Context) -> Result<Token, Failure> {
    let client_id = client_id.unwrap_or(COMMAND_LINE_TOOLS);
    let form = [("client_id", client_id), ("scope", &door.delegated())];
    let answer = door.post("devicecode", &form, cx).await?;
    if answer.status != 200 {
        return Err(refused("no code to sign in with was given", &form, &answer));
    }
    let code: Code = serde_json::from_str(&answer.body)
        .map_err(|_| Failure::new(FailureKind::Failed, "the sign-in answered without a code"))?;
    let good_for = Duration::from_secs(code.expires_in).min(LONGEST);
    let minutes = good_for.as_secs() / 60;
    cx.transcript.show(&format!(
        "sign in to the tenant {}: open {} in any browser, and enter the code {} (good for {minutes} minutes)",
        door.account.tenant, code.verification_uri, code.user_code,
    ));
    note(
        cx,
        &format!(
            "waits until somebody signs in to the tenant {} at {}, with a code that is shown to whoever watches",
            door.account.tenant, code.verification_uri
        ),
    );
    wait(door, client_id, &code, now() + good_for, cx).await
}

async fn wait(
    door: &Door<'_>,
    client_id: &str,
    code: &Code,
    until: Instant,
    cx: &Context,
) -> Result<Token, Failure> {
    let (shortest, longest) = PAUSES;
    let mut between = Duration::from_secs(code.interval).clamp(shortest, longest);
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", client_id),
        ("device_code", &code.device_code),
    ];
    while now() < until {
        pause(between, cx).await?;
        let answer = door.ask_quietly("token", &form, cx).await?;
        if answer.status == 200 {
            return granted(&answer);
        }
        match answer.json.as_ref().and_then(|json| json.get("error")?.as_str()) {
            Some("authorization_pending") => {}
            Some("slow_down") => between = (between + SLOWER).min(longest),
            Some("authorization_declined" | "access_denied") => {
                return Err(refused("the sign-in was declined", &form, &answer));
            }
            Some("expired_token" | "code_expired") => break,
            _ => return Err(refused("the sign-in did not succeed", &form, &answer)),
        }
    }
    let message =
        "nobody signed in before the code was no longer good; try the step again for a new one (RB0320)";
    Err(Failure::new(FailureKind::Failed, message))
}
