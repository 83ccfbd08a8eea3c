//! Small parts of which the page is made.

use jiff::Timestamp;
use maud::{Markup, html};
use serde_json::Value;

use crate::render::time::stamp;
use crate::report::Clean;

/// A moment.
pub(super) fn at(time: Timestamp) -> Markup {
    html! { time datetime=(time.to_string()) { (stamp(time)) } }
}

/// A fact in a list of facts.
pub(super) fn fact(name: &str, fact: Markup) -> Markup {
    html! { div { dt { (name) } dd { (fact) } } }
}

/// A name that the journal gives, and what belongs to it.
pub(super) fn pair(name: &Clean, fact: Markup) -> Markup {
    html! { div { dt { code { (name) } } dd { (fact) } } }
}

/// A value: short texts in the line, everything else in lines of its own.
pub(super) fn value(value: &Value) -> Markup {
    let text = Clean::value(value);
    html! {
        @if text.as_str().contains('\n') { pre { (text) } } @else { code { (text) } }
    }
}

/// Ids in a row.
pub(super) fn ids(ids: &[Clean]) -> Markup {
    html! {
        @if ids.is_empty() { "nothing" }
        @for (n, id) in ids.iter().enumerate() {
            @if n > 0 { ", " } code { (id) }
        }
    }
}
