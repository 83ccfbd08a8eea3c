//! Addresses: what they may say, and that their passwords are never shown.

use super::*;

fn parse(text: &str) -> Result<Address, BadAddress> {
    text.parse()
}

#[test]
fn what_is_shown_of_an_address_holds_no_password() {
    for (text, shown) in [
        (
            "postgres://anna:s3cret@db.example.com/runs",
            "postgres://anna@db.example.com/runs",
        ),
        (
            "postgres://anna@db:6432,db2/runs?password=s3cret",
            "postgres://anna@db:6432,db2/runs",
        ),
        (
            "postgresql://db/runs?sslmode=verify-ca&sslrootcert=s3cret",
            "postgres://db/runs",
        ),
        ("postgres://anna@%2Frun%2Fpg/runs", "postgres://anna@/run/pg/runs"),
    ] {
        let address = parse(text).unwrap();
        assert_eq!(address.to_string(), shown);
        assert!(!format!("{address:?}").contains("s3cret"));
    }
}

#[test]
fn what_is_no_address_is_refused_without_being_repeated() {
    for text in [
        "mysql://anna:s3cret@db/runs",
        "postgres://anna:s3cret@db:port/runs",
        "postgres://anna:s3cret@db/runs?s3cret=1",
        "postgres:///runs?password=s3cret",
        "postgres://anna:s3cret@db/runs?sslmode=maybe",
        "postgres://anna:s3cret@db/runs?sslmode=prefer",
    ] {
        let error = parse(text).unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}

#[test]
fn encryption_is_left_out_on_this_machine_only() {
    use tokio_postgres::config::SslMode::{Disable, Require};
    for (text, mode) in [
        ("postgres://localhost/runs", Disable),
        ("postgres://127.0.0.1/runs", Disable),
        ("postgres://%2Frun%2Fpg/runs", Disable),
        ("postgres://db.example.com/runs", Require),
        ("postgres://localhost,db.example.com/runs", Require),
        ("postgres://db.example.com/runs?sslmode=disable", Disable),
        ("postgres://localhost/runs?sslmode=verify-full", Require),
    ] {
        assert_eq!(parse(text).unwrap().config.get_ssl_mode(), mode, "{text}");
    }
}
