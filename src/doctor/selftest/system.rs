//! Windows itself: its version, its console and code pages, its key store, its clock.

use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use runbook_engine::platform::{keystore, streams, version};

use super::{Seen, judged};
use crate::doctor::Finding;
use crate::render::time as shown;

/// UTF-8 as a code page.
const UTF_8: u32 = 65001;

/// How far the clock and one that nobody sets may come apart while the clock is looked at.
const SLACK: Duration = Duration::from_millis(100);

pub(super) fn version() -> Finding {
    let processor = std::env::consts::ARCH;
    let version = version::of_system().unwrap_or_else(|| "it does not say which it is".to_owned());
    Finding::good(
        "Windows",
        format!("{version}, {processor}; runbook {}", env!("CARGO_PKG_VERSION")),
    )
}

pub(super) fn code_pages() -> Finding {
    const CHECK: &str = "code pages";
    let Some(pages) = streams::code_pages() else {
        return Finding::absent(CHECK, "this system has none");
    };
    let console = pages.console.map_or_else(
        || "no console".to_owned(),
        |(reads, shows)| format!("the console reads {reads} and shows {shows}"),
    );
    let found = format!("own {}, old programs {}, {console}", pages.own, pages.old);
    if pages.own == UTF_8 {
        Finding::good(CHECK, found)
    } else {
        let help = "nothing: Windows heeds what the program asks for (UTF-8) from 1903 and Server 2022 on";
        Finding::note(CHECK, found, help)
    }
}

pub(super) fn console() -> Finding {
    const CHECK: &str = "console";
    let streams = streams::consoles();
    if streams.is_empty() {
        return Finding::absent(
            CHECK,
            "none: started without a window, or its streams go elsewhere",
        );
    }
    let told = streams.iter().map(|one| {
        let heeds = match one.heeds_sequences {
            Some(true) => ", heeds sequences",
            Some(false) => ", heeds no sequences",
            None => "",
        };
        format!("{} {:#06x}{heeds}", one.stream, one.mode)
    });
    let found = told.collect::<Vec<_>>().join("; ");
    if streams.iter().any(|one| one.heeds_sequences == Some(false)) {
        let help = "nothing: what is told is plain, without a view that is rewritten";
        return Finding::note(CHECK, found, help);
    }
    Finding::good(CHECK, found)
}

/// A secret that nobody knows is kept, read, and removed.
pub(super) fn key_store() -> Finding {
    const HELP: &str = "secrets from `keystore:` cannot be used by this account: in a session of SSH or a scheduled task without \
                        a stored password there is no key store";
    judged("key store", keep_a_secret(), HELP)
}

fn keep_a_secret() -> Seen {
    let name = format!("runbook-selftest-{}", uuid::Uuid::new_v4());
    let secret = uuid::Uuid::new_v4().to_string();
    match keystore::try_out(&name, &secret) {
        Ok(true) => Ok("a secret was kept, read and removed".to_owned()),
        Ok(false) => Err("a secret that was kept came back as another".to_owned()),
        Err(error) => Err(format!("a secret cannot be kept, read and removed: {error}")),
    }
}

/// The clock, beside one that nobody sets.
pub(super) fn time() -> Finding {
    const CHECK: &str = "time";
    let (clock, steady) = (Timestamp::now(), Instant::now());
    // Long enough to see that both go on.
    std::thread::park_timeout(SLACK * 2);
    let (by_clock, by_steady) = (Timestamp::now().duration_since(clock), steady.elapsed());
    let by_steady = SignedDuration::try_from(by_steady).unwrap_or_default();
    let apart = (by_clock - by_steady).unsigned_abs();
    let zone = TimeZone::system();
    let zone = zone.iana_name().unwrap_or("unknown");
    let found = format!("{}, time zone {zone}", shown::stamp(clock));
    if apart > SLACK {
        let found = format!("{found}; it was set by {} ms meanwhile", apart.as_millis());
        return Finding::note(CHECK, found, "try again: entries are dated by this clock");
    }
    Finding::good(CHECK, found)
}
