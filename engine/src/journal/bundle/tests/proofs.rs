//! Who made a bundle, and who can open one.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

use super::*;
use crate::core::operators::{Member, Operators, Standing as Proof};
use crate::identity::{PrivateKey, Signer};
use crate::journal::bundle::envelope::{Locking, Opening, recipient};

fn key() -> PrivateKey {
    PrivateKey::generate().unwrap()
}

async fn signed(by: &PrivateKey) -> Vec<u8> {
    let journal = MemoryJournal::new();
    a_run(&journal, run(1)).await;
    let (bytes, manifest) = write(&journal, run(1), maker(), Some(by), Vec::new())
        .await
        .unwrap();
    assert_eq!(manifest.made.key, Some(by.key()));
    bytes
}

fn team(name: &str, key: Option<PublicKey>) -> Operators {
    Operators::new(vec![Member {
        name: Operator::new(name),
        roles: std::collections::BTreeSet::new(),
        key,
        from: None,
        until: None,
    }])
}

fn locked(content: &[u8], key: &PublicKey) -> Vec<u8> {
    let mut locking = Locking::begin(Vec::new(), key).unwrap();
    locking.write_all(content).unwrap();
    locking.finish().unwrap()
}

fn opened(bytes: &[u8], key: &PrivateKey) -> Result<Vec<u8>, String> {
    let opening = Opening::begin(Cursor::new(bytes), bytes.len() as u64, key);
    let mut opening = opening.map_err(|error| error.to_string())?;
    let (mut content, size) = (Vec::new(), opening.size());
    opening
        .read_to_end(&mut content)
        .map_err(|error| error.to_string())?;
    assert_eq!(content.len() as u64, size);
    opening.seek(SeekFrom::Start(0)).unwrap();
    let mut again = Vec::new();
    opening.read_to_end(&mut again).unwrap();
    assert_eq!(again, content);
    Ok(content)
}

#[tokio::test]
async fn every_byte_of_a_signed_bundle_that_is_changed_is_found() {
    let bytes = signed(&key()).await;
    assert!(looked_at(&bytes).unwrap().sound().is_ok());
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        let refused = looked_at(&changed).map_or(true, |checked| checked.sound().is_err());
        assert!(refused, "byte {at} of {}", bytes.len());
    }
}

#[tokio::test]
async fn a_maker_who_says_that_they_are_another_is_found() {
    let (anna, mallory) = (key(), key());
    let team = team("anna", Some(anna.key()));
    let by = |bytes: Vec<u8>| looked_at(&bytes).unwrap().made_by(&team);
    assert_eq!(by(signed(&anna).await).unwrap(), Proof::Proven);
    let forged = by(signed(&mallory).await).unwrap_err().to_string();
    assert!(forged.contains("a key that is not one of `anna`"), "{forged}");
    let unsigned = by(bundled().await.1).unwrap_err().to_string();
    assert!(unsigned.contains("`anna` signs with a key"), "{unsigned}");
}

#[tokio::test]
async fn a_manifest_that_was_made_anew_needs_the_key_of_its_maker() {
    let (anna, mallory) = (key(), key());
    let bytes = signed(&anna).await;
    let manifest = |all: &mut Vec<(String, Vec<u8>)>, from: &str, to: &str| {
        let (_, content) = all.iter_mut().find(|one| one.0 == "manifest.json").unwrap();
        let text = String::from_utf8(content.clone()).unwrap();
        *content = text.replace(from, to).into_bytes();
    };
    let (ours, theirs) = (anna.key().to_string(), mallory.key().to_string());
    let without = altered(&bytes, |all| all.retain(|one| one.0 != "manifest.sig"));
    let elsewhere = altered(&bytes, |all| manifest(all, "web1", "web2"));
    let stolen = altered(&bytes, |all| manifest(all, &ours, &theirs));
    for (bytes, finding) in [
        (without, "the signature of the manifest was taken away"),
        (elsewhere, "did not sign it"),
        (stolen, "did not sign it"),
    ] {
        let refused = first_bad_place(&bytes);
        assert!(refused.contains(finding), "{finding}: {refused}");
    }
}

#[tokio::test]
async fn what_is_encrypted_is_opened_by_the_key_that_it_is_for_and_by_no_other() {
    let (kim, other) = (key(), key());
    let bytes = signed(&other).await;
    let file = locked(&bytes, &kim.key());
    assert_eq!(recipient(Cursor::new(&file)).unwrap(), Some(kim.key()));
    assert_eq!(recipient(Cursor::new(&bytes)).unwrap(), None);
    assert_eq!(opened(&file, &kim).unwrap(), bytes);
    let refused = opened(&file, &other).unwrap_err();
    assert!(refused.contains("is encrypted for"), "{refused}");
    assert_ne!(
        locked(&bytes, &kim.key()),
        file,
        "every file has a key of its own"
    );
}

#[test]
fn content_of_any_length_comes_back() {
    let kim = key();
    for length in [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000] {
        let content: Vec<u8> = (0..length).map(|at: u32| at.to_le_bytes()[0]).collect();
        let file = locked(&content, &kim.key());
        assert_eq!(opened(&file, &kim).unwrap(), content, "{length}");
        // Cut at the end of a piece, too.
        for cut in [1, 16, 17, file.len() / 2] {
            let short = &file[..file.len().saturating_sub(cut)];
            assert!(opened(short, &kim).is_err(), "{length} without {cut}");
        }
    }
    let two = locked(&vec![7; 131_072], &kim.key());
    let head = two.len() - 2 * (65_536 + 16);
    let whole_piece = &two[..head + 65_536 + 16];
    assert!(opened(whole_piece, &kim).is_err(), "a whole piece is missing");
    let (first, second) = two[head..].split_at(65_536 + 16);
    let swapped = [&two[..head], second, first].concat();
    assert!(opened(&swapped, &kim).is_err(), "two pieces changed places");
}

#[tokio::test]
async fn every_byte_of_an_encrypted_bundle_that_is_changed_is_found() {
    let kim = key();
    let file = locked(&signed(&kim).await, &kim.key());
    for at in 0..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 0x01;
        let found = match recipient(Cursor::new(&changed)).unwrap() {
            None => looked_at(&changed).is_err(),
            Some(_) => opened(&changed, &kim).is_err(),
        };
        assert!(found, "byte {at} of {}", file.len());
    }
}
