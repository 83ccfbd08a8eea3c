//! Amendments, of any kind.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::overlaid::overlaid;
use super::{name, parsed, text, value};
use crate::core::event::{Amended, ChangeOf, Revision, RevisionAct};
use crate::id::ParamName;

pub(super) fn amended() -> impl Strategy<Value = Box<Amended>> {
    use ChangeOf as Of;
    let of = select(vec![Of::Step, Of::Param, Of::Role, Of::Session]);
    let act = prop_oneof![
        Just(RevisionAct::Added),
        Just(RevisionAct::Removed),
        vec(text(), 0..3).prop_map(|fields| RevisionAct::Changed { fields }),
    ];
    let revision = (of, text(), act).prop_map(|(of, name, act)| Revision { of, name, act });
    let param = name("_").prop_map(|text| parsed::<ParamName>(&text));
    let definition = (
        text(),
        text(),
        option::of(overlaid()),
        btree_map(text(), text(), 0..3),
    );
    let rest = (btree_map(param, value(), 0..3), text(), vec(revision, 0..4));
    (definition, rest).prop_map(|((file, text, overlaid, files), (params, why, revisions))| {
        Box::new(Amended {
            file,
            text,
            overlaid,
            files,
            params,
            why,
            revisions,
        })
    })
}
