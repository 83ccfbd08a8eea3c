//! The database that a team shares: whether it answers, what it is, and what its clock shows.

use std::error::Error;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use runbook_engine::journal::postgres::{Address, Survey, survey};

use super::Finding;
use crate::render::time;

/// By how much the clocks may differ without anybody minding.
const SLACK: SignedDuration = SignedDuration::from_secs(5);

/// Above this, every entry takes long.
const SLOW: Duration = Duration::from_millis(200);

/// What the database is like, and whether there are tables whose runs can be listed.
pub(crate) async fn database(address: &Address) -> (Vec<Finding>, bool) {
    const CHECK: &str = "database";
    let shown = address.to_string();
    let begun = Timestamp::now();
    let found = survey(address.clone()).await;
    let ended = Timestamp::now();
    let survey = match found {
        Ok(survey) => survey,
        Err(error) => {
            let help = "is the address right, is the server up, and does it let this user in? Runs wait for it meanwhile";
            return (vec![Finding::bad(CHECK, told(&error), help)], false);
        }
    };
    let server = format!(
        "{shown} answers in {} ms; PostgreSQL {}",
        survey.took.as_millis(),
        survey.server
    );
    let database = if survey.only_reads {
        let help = "name the server that takes changes";
        Finding::bad(CHECK, format!("{server}, which only follows another one"), help)
    } else if survey.took > SLOW {
        Finding::note(
            CHECK,
            server,
            "each entry of a run waits for as long: work nearer to it",
        )
    } else {
        Finding::good(CHECK, server)
    };
    let (tables, are_there) = tables(&survey);
    (vec![database, tables, clock(&survey, begun, ended)], are_there)
}

/// The error, with what is behind it.
fn told(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

fn tables(survey: &Survey) -> (Finding, bool) {
    const CHECK: &str = "tables";
    let known = survey.known;
    match survey.tables {
        None => (Finding::good(CHECK, "none yet: the first run makes them"), false),
        Some(version) if version > known => {
            let found = format!("they have version {version}, and this program knows up to {known}");
            (
                Finding::bad(CHECK, found, "use the newer program here, too"),
                false,
            )
        }
        Some(version) if version < known => {
            let found =
                format!("they have version {version}; this program brings them to {known} when it is used");
            let help = "use the same version of the program on all machines: older ones refuse newer tables";
            (Finding::note(CHECK, found, help), false)
        }
        Some(version) => (Finding::good(CHECK, format!("version {version}")), true),
    }
}

/// Claims go by the database's clock; what one person carries out alone is dated by this machine's.
fn clock(survey: &Survey, begun: Timestamp, ended: Timestamp) -> Finding {
    const CHECK: &str = "database clock";
    // It was read somewhere between the two.
    let ahead = survey.now.duration_since(ended);
    let behind = begun.duration_since(survey.now);
    let (by, how) = match (ahead > SLACK, behind > SLACK) {
        (true, _) => (ahead, "ahead of"),
        (_, true) => (behind, "behind"),
        _ => return Finding::good(CHECK, "agrees with this machine's"),
    };
    let found = format!("{} {how} this machine's", time::took(by));
    Finding::note(
        CHECK,
        found,
        "set both by one time server: entries of one run are dated by both",
    )
}
