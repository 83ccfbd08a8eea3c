//! What is written reads back; whatever is changed, cut off or blown up is found before anything is stored.

use std::io::Cursor;

use jiff::Timestamp;

use super::members::{Name, Visit, walk};
use super::*;
use crate::core::event::Attachment;
use crate::id::{Host, Operator, RunId, Seq};
use crate::journal::tests::{attempt, chunk, confirmed, failed, first, holder, run, summary};
use crate::journal::{Finding, Intake, Journal, MemoryJournal, Standing, TranscriptHasher};

mod proofs;

fn maker() -> Maker {
    Maker {
        operator: Operator::new("anna"),
        host: Host::new("web1"),
        time: Timestamp::UNIX_EPOCH,
        program: "0.1.0".to_owned(),
        key: None,
    }
}

/// A run with everything: transcripts, one of which no entry covers yet, and an attachment.
async fn a_run(journal: &dyn Journal, run: RunId) {
    let (claim, _) = journal
        .create(run, holder("anna"), &[first(run), attempt(1)])
        .await
        .unwrap();
    let mut hasher = TranscriptHasher::new();
    for (number, text) in (0..).zip(["one\n", "two\n"]) {
        hasher.update(&chunk(text));
        journal.print(&claim, Seq(1), number, &chunk(text)).unwrap();
    }
    let covered = failed(2, Some(hasher.finish(Seq(1))));
    let sha256 = journal.attach(&claim, b"proof").await.unwrap();
    let proof = Attachment {
        name: "proof.txt".to_owned(),
        bytes: 5,
        sha256,
    };
    let entries = [covered, confirmed(3, vec![proof]), attempt(4)];
    journal.append(&claim, Seq(2), &entries).await.unwrap();
    journal.print(&claim, Seq(4), 0, &chunk("three\n")).unwrap();
    let hash = journal.head_hash(run).await.unwrap();
    journal
        .release(claim, Some(summary(run, Seq(4), &hash)))
        .await
        .unwrap();
}

async fn bundled() -> (MemoryJournal, Vec<u8>) {
    let journal = MemoryJournal::new();
    a_run(&journal, run(1)).await;
    let (bytes, manifest) = write(&journal, run(1), maker(), None, Vec::new()).await.unwrap();
    assert_eq!(
        (
            manifest.entries,
            manifest.transcripts.len(),
            manifest.attachments.len()
        ),
        (5, 2, 1)
    );
    (journal, bytes)
}

fn looked_at(bytes: &[u8]) -> Result<Checked, BundleError> {
    check(bytes, bytes.len() as u64)
}

#[tokio::test]
async fn a_bundle_reads_back_into_another_journal() {
    let (there, bytes) = bundled().await;
    let checked = looked_at(&bytes).unwrap();
    assert_eq!(checked.sound().unwrap().run, run(1));
    let here = MemoryJournal::new();
    let size = bytes.len() as u64;
    let claim = here
        .restore(
            run(1),
            holder("bob"),
            Standing::Own,
            &mut |into: &mut dyn Intake| checked.pour(Cursor::new(&bytes), size, Seq(0), into),
        )
        .await
        .unwrap();
    here.release(claim, None).await.unwrap();
    assert_eq!(
        here.records(run(1), Seq(0)).await.unwrap(),
        there.records(run(1), Seq(0)).await.unwrap()
    );
    for of in [Seq(1), Seq(4)] {
        assert_eq!(
            here.transcript(run(1), of).await.unwrap(),
            there.transcript(run(1), of).await.unwrap()
        );
    }
    assert!(here.verify(run(1)).await.unwrap().findings.is_empty());
    let (again, _) = write(&here, run(1), maker(), None, Vec::new()).await.unwrap();
    assert_eq!(again, bytes, "the same run gives the same bytes");
}

#[tokio::test]
async fn every_byte_that_is_changed_is_found() {
    let (_, bytes) = bundled().await;
    for at in 0..bytes.len() {
        for bit in [0x01, 0x80] {
            let mut changed = bytes.clone();
            changed[at] ^= bit;
            let refused = match looked_at(&changed) {
                Ok(checked) => checked.sound().err(),
                Err(error) => Some(error),
            };
            assert!(refused.is_some(), "byte {at} of {}", bytes.len());
        }
    }
}

#[tokio::test]
async fn every_length_at_which_it_is_cut_off_is_found() {
    let (_, bytes) = bundled().await;
    for length in 0..bytes.len() {
        let refused = match looked_at(&bytes[..length]) {
            Ok(checked) => checked.sound().err(),
            Err(error) => Some(error),
        };
        assert!(refused.is_some(), "{length} of {} bytes", bytes.len());
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(looked_at(&longer).map_or(true, |checked| checked.sound().is_err()));
}

/// The members of a bundle, to be put together otherwise.
#[derive(Default)]
struct Members(Vec<(Name, Vec<u8>)>);

impl Visit for Members {
    fn member(&mut self, name: Name, content: Vec<u8>) -> Result<(), BundleError> {
        self.0.push((name, content));
        Ok(())
    }
}

/// A bundle whose bytes are right, and whose content is what somebody made of it.
fn altered(bytes: &[u8], alter: impl FnOnce(&mut Vec<(String, Vec<u8>)>)) -> Vec<u8> {
    let mut members = Members::default();
    walk(bytes, bytes.len() as u64, &mut members).unwrap();
    let mut named: Vec<(String, Vec<u8>)> = members
        .0
        .into_iter()
        .map(|(name, content)| (name.path(), content))
        .collect();
    alter(&mut named);
    let sealing = frames::Sealing::begin(Vec::new()).unwrap();
    let mut archive = tar::Builder::new(zstd::Encoder::new(sealing, 3).unwrap());
    for (path, content) in named {
        let mut header = Name::Manifest.header(content.len() as u64).unwrap();
        let name = &mut header.as_old_mut().name;
        name.fill(0);
        name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        archive.append(&header, &content[..]).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap().finish().unwrap()
}

fn first_bad_place(bytes: &[u8]) -> String {
    match looked_at(bytes) {
        Ok(checked) => checked.sound().unwrap_err().to_string(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn what_somebody_altered_is_named() {
    let (_, bytes) = bundled().await;
    type Alter = fn(&mut Vec<(String, Vec<u8>)>);
    let cases: [(Alter, &str); 9] = [
        (
            |all| {
                *all.iter_mut()
                    .find(|one| one.0 == "entries/2")
                    .unwrap()
                    .1
                    .last_mut()
                    .unwrap() = b' ';
            },
            "entry 2",
        ),
        (|all| drop(all.remove(2)), "entry 2 is missing"),
        (
            |all| all.retain(|one| !["entries/4", "transcripts/4/0"].contains(&one.0.as_str())),
            "the last entry is not the one",
        ),
        (
            |all| {
                all.iter_mut()
                    .find(|one| one.0 == "transcripts/1/1")
                    .unwrap()
                    .1
                    .push(b'!');
            },
            "the transcript of entry 1",
        ),
        (
            |all| {
                all.iter_mut()
                    .find(|one| one.0 == "transcripts/4/0")
                    .unwrap()
                    .1
                    .push(b'!');
            },
            "the transcript of entry 4",
        ),
        (
            |all| {
                all.iter_mut()
                    .find(|one| one.0.starts_with("attachments/"))
                    .unwrap()
                    .1
                    .push(b'!');
            },
            "attachment",
        ),
        (
            |all| {
                all.iter_mut()
                    .find(|one| one.0 == "runbook.yaml")
                    .unwrap()
                    .1
                    .push(b'#');
            },
            "the runbook's text",
        ),
        (
            |all| all.retain(|one| one.0 != "manifest.json"),
            "the manifest is missing",
        ),
        (
            |all| all.insert(0, ("../../etc/passwd".to_owned(), b"root".to_vec())),
            "a member whose name means nothing here",
        ),
    ];
    for (alter, says) in cases {
        let told = first_bad_place(&altered(&bytes, alter));
        assert!(told.contains(says), "`{says}`: {told}");
    }
    assert!(looked_at(&altered(&bytes, |_| {})).unwrap().sound().is_ok());
}

/// A bundle whose only member has this name, and is of this kind.
fn with_only(name: &[u8], kind: tar::EntryType) -> Vec<u8> {
    let sealing = frames::Sealing::begin(Vec::new()).unwrap();
    let mut archive = tar::Builder::new(zstd::Encoder::new(sealing, 3).unwrap());
    let mut header = Name::Entry(Seq(0)).header(0).unwrap();
    let place = &mut header.as_old_mut().name;
    place.fill(0);
    place[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_cksum();
    archive.append(&header, &[][..]).unwrap();
    archive.into_inner().unwrap().finish().unwrap().finish().unwrap()
}

#[test]
fn members_that_could_become_something_on_a_disk_are_refused() {
    use tar::EntryType;
    let long = [b'a'; 100];
    let names: [&[u8]; 14] = [
        b"../entries/0",
        b"/entries/0",
        b"entries/../0",
        b"entries\\0",
        b"C:\\entries\\0",
        b"entries/00",
        b"entries/+0",
        b"entries/0/",
        b"./entries/0",
        b"CON",
        b"entries/NUL",
        b"attachments/COM1",
        b"entries/\xff",
        &long,
    ];
    for name in names {
        let told = first_bad_place(&with_only(name, EntryType::Regular));
        let name = String::from_utf8_lossy(name);
        assert!(told.contains("whose name means nothing here"), "{name}: {told}");
    }
    for kind in [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Char,
        EntryType::Block,
        EntryType::Fifo,
        EntryType::Directory,
        EntryType::GNULongName,
        EntryType::XHeader,
        EntryType::GNUSparse,
    ] {
        let told = first_bad_place(&with_only(b"entries/0", kind));
        assert!(told.contains("no plain file"), "{kind:?}: {told}");
    }
}

#[tokio::test]
async fn evidence_that_is_missing_or_was_swapped_is_named() {
    let (_, bytes) = bundled().await;
    let is_evidence = |one: &(String, Vec<u8>)| one.0.starts_with("attachments/");
    let without = altered(&bytes, |all| all.retain(|one| !is_evidence(one)));
    let told = first_bad_place(&without);
    assert!(
        told.contains("the attachment `proof.txt` of entry 3 is missing"),
        "{told}"
    );
    let swapped = altered(&bytes, |all| {
        let at = all.iter().position(is_evidence).unwrap();
        all[at].0 = format!("attachments/{}", crate::journal::Digest::of(b"other"));
        all[at].1 = b"other".to_vec();
    });
    let told = first_bad_place(&swapped);
    assert!(
        told.contains("the attachment `proof.txt` of entry 3 is missing"),
        "{told}"
    );
}

#[tokio::test]
async fn a_member_that_stands_twice_is_refused() {
    let (_, bytes) = bundled().await;
    for name in ["entries/1", "runbook.yaml", "transcripts/1/0", "manifest.json"] {
        let twice = altered(&bytes, |all| {
            let at = all.iter().position(|one| one.0 == name).unwrap();
            all.insert(at, all[at].clone());
        });
        let told = first_bad_place(&twice);
        assert!(told.contains("stands in the wrong place"), "{name}: {told}");
    }
}

#[test]
fn a_bomb_is_refused_and_costs_no_memory() {
    let sealing = frames::Sealing::begin(Vec::new()).unwrap();
    let mut archive = tar::Builder::new(zstd::Encoder::new(sealing, 3).unwrap());
    let zeros = vec![0; 16 * 1024];
    for number in 0..40_000 {
        let header = Name::Chunk(Seq(1), number).header(zeros.len() as u64).unwrap();
        archive.append(&header, &zeros[..]).unwrap();
    }
    let bomb = archive.into_inner().unwrap().finish().unwrap().finish().unwrap();
    assert!(bomb.len() < 1024 * 1024, "{}", bomb.len());
    assert!(matches!(looked_at(&bomb), Err(BundleError::TooLarge(_))));
}

#[test]
fn a_member_that_says_it_is_huge_is_refused_unread() {
    let sealing = frames::Sealing::begin(Vec::new()).unwrap();
    let mut encoder = zstd::Encoder::new(sealing, 3).unwrap();
    let header = Name::Entry(Seq(0)).header(u64::from(u32::MAX)).unwrap();
    std::io::Write::write_all(&mut encoder, header.as_bytes()).unwrap();
    let bytes = encoder.finish().unwrap().finish().unwrap();
    assert!(matches!(looked_at(&bytes), Err(BundleError::TooLarge(_))));
}

#[test]
fn what_is_no_bundle_is_told_as_such() {
    for text in ["", "x", "runbook: steps\nsteps: {}\n", "runbook-bundle 1\n"] {
        let told = first_bad_place(text.as_bytes());
        assert!(
            told.contains("not a bundle") || told.contains("the file ends too early"),
            "{text:?}: {told}"
        );
    }
    let mut newer = frames::Sealing::begin(Vec::new()).unwrap().finish().unwrap();
    let at = newer.iter().position(|&byte| byte == b'1').unwrap();
    newer[at] = b'2';
    assert!(matches!(looked_at(&newer), Err(BundleError::Newer(_))));
}

#[tokio::test]
async fn a_run_that_does_not_hold_is_not_bundled() {
    let journal = MemoryJournal::new();
    let (claim, _) = journal
        .create(run(1), holder("anna"), &[first(run(1)), attempt(1)])
        .await
        .unwrap();
    journal.print(&claim, Seq(1), 0, &chunk("one\n")).unwrap();
    let mut hasher = TranscriptHasher::new();
    hasher.update(&chunk("another\n"));
    let covered = failed(2, Some(hasher.finish(Seq(1))));
    journal.append(&claim, Seq(2), &[covered]).await.unwrap();
    let refused = write(&journal, run(1), maker(), None, Vec::new())
        .await
        .unwrap_err();
    assert!(matches!(refused, BundleError::Journal(_)), "{refused}");
}

#[test]
fn findings_are_said_in_words() {
    let finding = Finding {
        seq: Some(Seq(1)),
        message: "changed: entry 1 does not match its hash".to_owned(),
    };
    let told = BundleError::Damaged(finding.message).diagnostic("a.tar.zst");
    assert_eq!(told.code, crate::diagnostic::Code::BundleDamaged);
    assert!(
        told.message.contains("entry 1 does not match its hash"),
        "{}",
        told.message
    );
}
