//! Any hand-over of a run.

use proptest::option;
use proptest::prelude::*;

use super::text;
use crate::core::event::Handing;
use crate::id::Operator;

/// Any of them.
pub(super) fn handing() -> impl Strategy<Value = Handing> {
    let given = || (text().prop_map(|to| Operator::new(&to)), option::of(text()));
    prop_oneof![
        given().prop_map(|(to, note)| Handing::Offered { to, note }),
        Just(Handing::TakenBack),
        Just(Handing::Accepted),
        given().prop_map(|(to, note)| Handing::MovedOut { to, note }),
        Just(Handing::MovedIn),
        text().prop_map(|why| Handing::TakenOver { why }),
        Just(Handing::Shared),
    ]
}
