//! Any hand-over of a run, or its being sent back.

use proptest::option;
use proptest::prelude::*;

use super::text;
use crate::core::event::{Event, Handing};
use crate::id::Operator;
use crate::testing::sending::sending_event;

/// Any of them.
pub(super) fn handing() -> impl Strategy<Value = Event> {
    let given = || (text().prop_map(|to| Operator::new(&to)), option::of(text()));
    let handing = prop_oneof![
        given().prop_map(|(to, note)| Handing::Offered { to, note }),
        Just(Handing::TakenBack),
        Just(Handing::Accepted),
        given().prop_map(|(to, note)| Handing::MovedOut { to, note }),
        Just(Handing::MovedIn),
        text().prop_map(|why| Handing::TakenOver { why }),
        Just(Handing::Shared),
    ];
    prop_oneof![7 => handing.prop_map(Event::Handed), 1 => sending_event()]
}
