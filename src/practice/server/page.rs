//! What a person sees who opens the practice tenant in a browser: where they enter a code, and whether they agree.

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, html};

use super::answer::Answer;
use super::sign_in::{Account, Decision, Memory};
use crate::practice::folder::Folder;
use crate::practice::scene::{DOMAIN, TENANT};

fn page(status: u16, title: &str, content: &Markup) -> Answer {
    let style =
        "body{font-family:sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem}input{font-size:1.2rem}";
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { (title) } style { (style) } }
            body {
                h1 { (title) }
                p { strong { "Practice." } " Nothing here is Microsoft's, and no password is asked for." }
                (content)
            }
        }
    };
    Answer::text(status, "text/html; charset=utf-8", page.into_string())
}

/// The first page.
pub(super) fn welcome(folder: &Folder) -> Answer {
    page(
        200,
        "A tenant to practise on",
        &html! {
            p { "Tenant " code { (TENANT) } ", domain " code { (DOMAIN) } ". Its state is in " code { (folder.path().display()) } "." }
            p { a href="/devicelogin" { "Enter the code that a runbook shows" } }
        },
    )
}

/// Where a code is entered.
pub(super) fn form(code: Option<&str>) -> Answer {
    page(
        200,
        "Sign in with a code",
        &html! {
            form method="post" {
                p { label { "Code " input name="code" required autofocus value=(code.unwrap_or_default()); } }
                p { label { "as " select name="account" {
                    option value="admin" { "admin@" (DOMAIN) " (Application Administrator)" }
                    option value="reader" { "reader@" (DOMAIN) " (may only read)" }
                } } }
                p {
                    button name="decision" value="approve" { "Approve" } " "
                    button name="decision" value="decline" { "Decline" }
                }
            }
        },
    )
}

/// What a person decided.
pub(super) fn decide(form: &BTreeMap<String, String>, memory: &mut Memory) -> Answer {
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let account = match field("account") {
        "reader" => Account::Reader,
        _ => Account::Admin,
    };
    let (decision, said) = match field("decision") {
        "decline" => (Decision::Declined, "You have declined; the program is told."),
        _ => (
            Decision::Approved(account),
            "You have signed in; you can close this page.",
        ),
    };
    if memory.decide(field("code"), decision) {
        page(200, "Done", &html! { p { (said) } })
    } else {
        page(
            404,
            "No such code",
            &html! {
                p { "This code was never given, has been used, or has expired." }
                p { a href="/devicelogin" { "Try again" } }
            },
        )
    }
}
