//! What overlays changed, in any way.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::text;
use crate::core::event::{Change, ChangeAct, ChangeOf, Overlaid, PinnedOverlay};

pub(super) fn overlaid() -> impl Strategy<Value = Box<Overlaid>> {
    use {ChangeAct as Act, ChangeOf as Of};
    let of = select(vec![Of::Step, Of::Param, Of::Role, Of::Session]);
    let act = select(vec![
        Act::Added,
        Act::Replaced,
        Act::Changed,
        Act::Moved,
        Act::Skipped,
    ]);
    let change = (of, text(), act, text());
    let change = change.prop_map(|(of, name, act, detail)| Change {
        of,
        name,
        act,
        detail,
    });
    let overlay = (text(), text(), text(), vec(change, 0..3));
    let overlay = overlay.prop_map(|(name, file, text, changes)| PinnedOverlay {
        name,
        file,
        text,
        changes,
    });
    (text(), text(), vec(overlay, 1..3))
        .prop_map(|(file, text, overlays)| Box::new(Overlaid { file, text, overlays }))
}
