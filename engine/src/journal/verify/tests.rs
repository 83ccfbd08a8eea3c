use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::core::event::Entry;
use crate::identity::{PrivateKey, Statement};
use crate::journal::chain::seal_all;
use crate::testing::arbitrary;

type Records = Vec<(Seq, Vec<u8>)>;

/// Sealed entries, signed or not, and the anchor that names the last of them.
fn sealed() -> impl Strategy<Value = (Records, Anchor)> {
    let signer = any::<bool>().prop_map(|signs| signs.then(|| PrivateKey::generate().unwrap()));
    (prop::collection::vec(arbitrary::entry(), 1..12), signer).prop_map(|(entries, signer)| {
        let entries: Vec<Entry> = arbitrary::numbered(Seq(0), entries);
        let records = seal_all(None, &entries, signer.as_ref().map(|signer| signer as _)).unwrap();
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
        // Within a signature, it is that which does not hold any more.
        let word = only_word(&found);
        prop_assert!(matches!(word, Some("changed" | "forged")), "{:?}", found);
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

/// A journal of three entries that this key signed.
fn signed(signer: &PrivateKey) -> Vec<Record> {
    let attempts = (1..3).map(crate::journal::tests::attempt);
    let first = crate::journal::tests::first(crate::journal::tests::run(1));
    let entries: Vec<Entry> = std::iter::once(first).chain(attempts).collect();
    let sealed = seal_all(None, &entries, Some(signer)).unwrap();
    sealed.into_iter().map(|(_, record)| record).collect()
}

fn messages(records: &[Record]) -> Vec<String> {
    let mut verifier = Verifier::new(Vec::new());
    for (at, record) in (0..).zip(records) {
        verifier.entry(Seq(at), &record.to_bytes());
    }
    let findings = verifier.found.findings.into_iter();
    findings.map(|finding| finding.message).collect()
}

#[test]
fn a_signature_that_was_taken_away_is_missed() {
    let mut records = signed(&PrivateKey::generate().unwrap());
    assert_eq!(messages(&records), [""; 0]);
    records[1].signature = None;
    let missed = "unsigned: the signature was taken away from entry 1";
    assert_eq!(messages(&records), [missed]);
}

#[test]
fn a_signature_of_somebody_else_does_not_hold() {
    let (anna, ben) = (PrivateKey::generate().unwrap(), PrivateKey::generate().unwrap());
    let mut records = signed(&anna);
    let statement = Statement::Entry(records[1].hash.as_bytes());
    records[1].signature = Some(crate::identity::Signer::sign(&ben, &statement).unwrap());
    let forged = "forged: the key that it names did not sign entry 1";
    assert_eq!(messages(&records), [forged]);
}

#[test]
fn a_signature_of_another_entry_does_not_hold() {
    let mut records = signed(&PrivateKey::generate().unwrap());
    records[1].signature = records[2].signature;
    assert_eq!(messages(&records).len(), 1);
}

#[test]
fn a_signature_below_an_entry_that_names_no_key_is_none_of_its_author() {
    let anna = PrivateKey::generate().unwrap();
    let mut records = signed(&anna);
    let first = crate::journal::tests::first(crate::journal::tests::run(1));
    records.truncate(1);
    let unsigned = Record::seal(Digest::ZERO, &first, None).unwrap();
    records[0] = Record {
        signature: records[0].signature,
        ..unsigned
    };
    let put = "changed: a signature was put below entry 0";
    assert_eq!(messages(&records), [put]);
}
