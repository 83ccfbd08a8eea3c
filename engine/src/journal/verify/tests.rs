use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::core::event::Entry;
use crate::journal::chain::seal_all;
use crate::testing::arbitrary;

type Records = Vec<(Seq, Vec<u8>)>;

/// Sealed entries, and the anchor that names the last of them.
fn sealed() -> impl Strategy<Value = (Records, Anchor)> {
    prop::collection::vec(arbitrary::entry(), 1..12).prop_map(|entries| {
        let entries: Vec<Entry> = arbitrary::numbered(Seq(0), entries);
        let records = seal_all(None, &entries).unwrap();
        let (seq, last) = records.last().unwrap();
        let head = Head {
            seq: *seq,
            hash: last.hash,
        };
        let records = records
            .into_iter()
            .map(|(seq, record)| (seq, record.to_bytes()))
            .collect();
        (
            records,
            Anchor {
                name: "the summary",
                head,
            },
        )
    })
}

/// What is found wrong with the entries; generated ones refer to transcripts and attachments that are nowhere.
fn findings(records: &Records, anchor: Anchor) -> Vec<Finding> {
    let mut verifier = Verifier::new(vec![anchor]);
    for (at, bytes) in records {
        verifier.entry(*at, bytes);
    }
    verifier.entries_end();
    verifier.found.findings
}

fn only_word(findings: &[Finding]) -> Option<&str> {
    let mut words = findings
        .iter()
        .filter_map(|finding| finding.message.split(':').next());
    let first = words.next()?;
    words.all(|word| word == first).then_some(first)
}

proptest! {
    #[test]
    fn what_was_sealed_is_right((records, anchor) in sealed()) {
        prop_assert_eq!(findings(&records, anchor), []);
    }

    #[test]
    fn any_changed_byte_is_found((mut records, anchor) in sealed(), entry: Index, byte: Index, by in 1..=u8::MAX) {
        let at = entry.index(records.len());
        let bytes = &mut records[at].1;
        let byte = byte.index(bytes.len());
        bytes[byte] ^= by;
        let found = findings(&records, anchor);
        prop_assert_eq!(only_word(&found), Some("changed"));
    }

    #[test]
    fn any_missing_entry_is_found((mut records, anchor) in sealed(), entry: Index) {
        let at = entry.index(records.len());
        let last = at == records.len() - 1;
        records.remove(at);
        let found = findings(&records, anchor);
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!(only_word(&found), Some(if last { "truncated" } else { "dropped" }));
        prop_assert_eq!(found[0].seq, Some(Seq(at as u64)));
    }

    #[test]
    fn any_two_swapped_entries_are_found((mut records, anchor) in sealed(), one: Index, other: Index) {
        let (one, other) = (one.index(records.len()), other.index(records.len()));
        prop_assume!(one != other);
        let bytes = records[one].1.clone();
        records[one].1 = std::mem::replace(&mut records[other].1, bytes);
        let found = findings(&records, anchor);
        prop_assert_eq!(found.len(), 2);
        prop_assert_eq!(only_word(&found), Some("reordered"));
    }
}
