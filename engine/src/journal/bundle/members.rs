//! The members of a bundle's archive: what they are called, in which order they stand, and how large they may be.

use std::io::{self, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tar::{Archive, Entry, EntryType, Header};

use super::frames::{Ended, Unsealing};
use super::{Budget, BundleError, MOST_MEMBERS, manifest};
use crate::id::Seq;
use crate::identity::Signature;
use crate::journal::chain::{Digest, Record};
use crate::journal::stored::LARGEST_ENTRY;
use crate::journal::{LARGEST_ATTACHMENT, LARGEST_CHUNK};

/// What a member is. The order is that in which they stand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name {
    /// An entry.
    Entry(Seq),
    /// The runbook's text, as the first entry holds it.
    Definition,
    /// A chunk of the transcript of what an entry began.
    Chunk(Seq, u32),
    /// An attachment.
    Attachment(Digest),
    /// The table of contents.
    Manifest,
    /// What its maker put below that.
    Signature,
}

/// What may stand around a chunk's bytes: the version, the time, and the name of its stream.
const CHUNK_HEAD: usize = 128;

/// The longest line before an entry: its hash and its signature.
const LONGEST_LINE: usize = 256;

/// The largest runbook that an entry can hold.
const LARGEST_DEFINITION: usize = LARGEST_ENTRY;

/// An archive ends with two blocks of zeros, of which the reader takes the first.
const LONGEST_END: u64 = 1024;

/// A window of 8 MiB is all that is needed to unpack what is written here.
const WINDOW: u32 = 23;

impl Name {
    /// The name in the archive.
    pub(super) fn path(&self) -> String {
        match self {
            Self::Entry(seq) => format!("entries/{seq}"),
            Self::Definition => "runbook.yaml".to_owned(),
            Self::Chunk(of, number) => format!("transcripts/{of}/{number}"),
            Self::Attachment(sha256) => format!("attachments/{sha256}"),
            Self::Manifest => "manifest.json".to_owned(),
            Self::Signature => "manifest.sig".to_owned(),
        }
    }

    /// What has this name; only what is written just so.
    fn parse(path: &str) -> Option<Self> {
        let mut parts = path.split('/');
        let seq = |text: &str| text.parse().ok().map(Seq);
        let name = match (parts.next()?, parts.next(), parts.next()) {
            ("entries", Some(at), None) => Self::Entry(seq(at)?),
            ("runbook.yaml", None, None) => Self::Definition,
            ("transcripts", Some(of), Some(number)) => Self::Chunk(seq(of)?, number.parse().ok()?),
            ("attachments", Some(sha256), None) => Self::Attachment(sha256.parse().ok()?),
            ("manifest.json", None, None) => Self::Manifest,
            ("manifest.sig", None, None) => Self::Signature,
            _ => return None,
        };
        (name.path() == path).then_some(name)
    }

    /// How it is called in messages.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Entry(seq) => format!("entry {seq}"),
            Self::Definition => "the runbook's text".to_owned(),
            Self::Chunk(of, number) => format!("chunk {number} of the transcript of entry {of}"),
            Self::Attachment(sha256) => format!("the attachment {sha256}"),
            Self::Manifest => "the manifest".to_owned(),
            Self::Signature => "the signature of the manifest".to_owned(),
        }
    }

    fn largest(&self) -> u64 {
        match self {
            Self::Entry(_) => (LARGEST_ENTRY + LONGEST_LINE + 1) as u64,
            Self::Definition => LARGEST_DEFINITION as u64,
            Self::Chunk(..) => (LARGEST_CHUNK + CHUNK_HEAD) as u64,
            Self::Attachment(_) => LARGEST_ATTACHMENT as u64,
            Self::Manifest => manifest::LARGEST,
            Self::Signature => LONGEST_LINE as u64,
        }
    }

    /// The header of a member: the same on every machine and at all times.
    pub(super) fn header(&self, size: u64) -> io::Result<Header> {
        let mut header = Header::new_ustar();
        header.set_path(self.path())?;
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o600);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(size);
        header.set_cksum();
        Ok(header)
    }
}

/// An entry as a member: the hash and, where its author signs, the signature on a line of their own, then the stored form.
pub(super) fn from_record(record: &Record) -> Vec<u8> {
    let signature = record.signature.as_ref();
    let signature = signature.map_or_else(String::new, |signature| {
        format!(" {}", STANDARD.encode(signature.as_bytes()))
    });
    let mut text = format!("{}{signature}\n", record.hash).into_bytes();
    text.extend(&record.stored);
    text.push(b'\n');
    text
}

/// A signature as a member: a line.
pub(super) fn from_signature(signature: &Signature) -> Vec<u8> {
    format!("{}\n", STANDARD.encode(signature.as_bytes())).into_bytes()
}

/// The signature that a member holds.
pub(super) fn to_signature(member: &[u8]) -> Option<Signature> {
    let bytes = STANDARD.decode(member.strip_suffix(b"\n")?).ok()?;
    bytes.try_into().ok().map(Signature::new)
}

/// The record that a member holds.
pub(super) fn to_record(member: &[u8]) -> Option<Record> {
    let end = member.iter().take(LONGEST_LINE).position(|&byte| byte == b'\n')?;
    let (line, rest) = member.split_at(end);
    let line = std::str::from_utf8(line).ok()?;
    let (hash, signature) = match line.split_once(' ') {
        None => (line, None),
        Some((hash, signature)) => (hash, Some(STANDARD.decode(signature).ok()?)),
    };
    let signature = signature.map(<[u8; Signature::LEN]>::try_from).transpose().ok()?;
    Some(Record {
        hash: hash.parse().ok()?,
        signature: signature.map(Signature::new),
        stored: rest.strip_prefix(b"\n")?.strip_suffix(b"\n")?.to_vec(),
    })
}

/// What a walk through a bundle meets.
pub(super) trait Visit {
    /// The next member; nothing is known yet of what it holds. Whether to go on.
    fn member(&mut self, name: Name, content: Vec<u8>) -> Result<(), BundleError>;
}

/// Walks through a bundle of so many bytes. What is wrong with it as a file is an error that names the place.
pub(super) fn walk(file: impl Read, size: u64, visit: &mut dyn Visit) -> Result<Digest, BundleError> {
    let mut budget = Budget::of(size);
    let unsealing = Unsealing::begin(file, size)?;
    let mut place = Place(None);
    let broken = |error: &io::Error, place: &Place| damaged(error, place);
    let mut decoder = zstd::Decoder::new(unsealing)
        .map_err(|source| BundleError::Disk {
            doing: "read",
            source,
        })?
        .single_frame();
    decoder
        .window_log_max(WINDOW)
        .map_err(|source| BundleError::Disk {
            doing: "read",
            source,
        })?;
    let mut archive = Archive::new(&mut decoder);
    let members = archive
        .entries()
        .map_err(|error| broken(&error, &place))?
        .raw(true);
    let mut count = 0_u64;
    for member in members {
        let mut member = member.map_err(|error| broken(&error, &place))?;
        count += 1;
        if count > MOST_MEMBERS {
            return Err(BundleError::TooLarge(format!(
                "it has more than {MOST_MEMBERS} members"
            )));
        }
        let name = named(&member, &place)?;
        budget.take(member.size().saturating_add(512))?;
        let content = content(&mut member, &name, &place)?;
        place = Place(Some(name.clone()));
        visit.member(name, content)?;
    }
    // The end of the archive, and then that of the frame.
    let mut rest = Vec::new();
    let read = (&mut decoder).take(LONGEST_END + 1).read_to_end(&mut rest);
    read.map_err(|error| broken(&error, &place))?;
    let is_end = rest.len() as u64 <= LONGEST_END && rest.iter().all(|&byte| byte == 0);
    let reader = decoder.finish();
    let unasked = reader.buffer().len() as u64 + u64::from(!is_end);
    finish(reader.into_inner(), unasked, &place)
}

/// The rest of the file behind the content.
fn finish(unsealing: Unsealing<impl Read>, unasked: u64, place: &Place) -> Result<Digest, BundleError> {
    let ended = unsealing.finish().map_err(|error| damaged(&error, place))?;
    let Ended { rest, holds, sha256 } = ended;
    if rest + unasked > 0 {
        return Err(BundleError::Damaged(
            "changed: something stands behind the content".to_owned(),
        ));
    }
    if !holds {
        return Err(BundleError::Damaged(
            "changed: the bytes around the content, or the hash at the end, are not those that were written"
                .to_owned(),
        ));
    }
    Ok(sha256)
}

/// The last member that could be read.
struct Place(Option<Name>);

/// What cannot be read stands behind what could be.
fn damaged(error: &io::Error, Place(last): &Place) -> BundleError {
    let place = last.as_ref().map_or_else(
        || "at the beginning".to_owned(),
        |last| format!("behind {}", last.words()),
    );
    BundleError::Damaged(format!(
        "changed: what stands {place} cannot be unpacked: {error}"
    ))
}

fn named(member: &Entry<'_, impl Read>, place: &Place) -> Result<Name, BundleError> {
    let Place(last) = place;
    let odd = |what: &str| {
        let after = last
            .as_ref()
            .map_or_else(String::new, |last| format!(", behind {}", last.words()));
        Err(BundleError::Damaged(format!("changed: {what}{after}")))
    };
    let header = member.header();
    if header.as_ustar().is_none() || header.entry_type() != EntryType::Regular {
        return odd("a member that is no plain file");
    }
    let path = header.path_bytes();
    let Some(name) = std::str::from_utf8(&path).ok().and_then(Name::parse) else {
        return odd("a member whose name means nothing here");
    };
    if last.as_ref().is_some_and(|last| *last >= name) {
        return odd(&format!("{} stands in the wrong place", name.words()));
    }
    if member.size() > name.largest() {
        let most = name.largest();
        return Err(BundleError::TooLarge(format!(
            "{} has more than {most} bytes",
            name.words()
        )));
    }
    Ok(name)
}

fn content(member: &mut Entry<'_, impl Read>, name: &Name, place: &Place) -> Result<Vec<u8>, BundleError> {
    let (mut content, size) = (Vec::new(), member.size());
    member
        .read_to_end(&mut content)
        .map_err(|error| damaged(&error, place))?;
    if content.len() as u64 == size {
        Ok(content)
    } else {
        Err(BundleError::Damaged(format!(
            "truncated: {} ends too early",
            name.words()
        )))
    }
}
