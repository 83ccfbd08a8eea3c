//! Anything that is said of manual work.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{attachment, instance_id, outputs, text};
use crate::core::event::Event;

/// Any of it.
pub(super) fn manual_event() -> impl Strategy<Value = Event> {
    let evidence = (outputs(), vec(attachment(), 0..3), option::of(text()));
    prop_oneof![
        (instance_id(), any::<u32>(), text()).prop_map(|(instance, number, item)| Event::Ticked {
            instance,
            number,
            item
        }),
        (instance_id(), evidence).prop_map(|(instance, (values, attachments, note))| Event::Confirmed {
            instance,
            values,
            attachments,
            note
        }),
    ]
}
