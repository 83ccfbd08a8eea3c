//! The frames of the file around its content, and the hash that covers it.

use std::io::{self, Read, Write};

use openssl::sha::Sha256;

use super::{BundleError, LARGEST, VERSION};
use crate::journal::Digest;

/// The first bytes of a frame that decoders skip: sixteen numbers are free for such.
const SKIPPED: u32 = 0x184D_2A5B;

const FORMAT: &str = "runbook-bundle";

/// How many bytes stand before what is skipped: the magic number and the length.
const HEAD: usize = 8;

/// How many bytes the last frame has.
pub(super) const TRAILER: usize = HEAD + Digest::LEN;

fn skipped(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    [&SKIPPED.to_le_bytes()[..], &length.to_le_bytes(), content].concat()
}

fn header() -> Vec<u8> {
    skipped(format!("{FORMAT} {VERSION}\n").as_bytes())
}

/// Hashes what is written, and counts it.
pub(super) struct Sealing<W> {
    inner: W,
    hash: Sha256,
    pub(super) bytes: u64,
}

impl<W: Write> Sealing<W> {
    /// Begins a file.
    pub(super) fn begin(inner: W) -> io::Result<Self> {
        let mut sealing = Self {
            inner,
            hash: Sha256::new(),
            bytes: 0,
        };
        sealing.write_all(&header())?;
        Ok(sealing)
    }

    /// Ends it.
    pub(super) fn finish(self) -> io::Result<W> {
        let Self { mut inner, hash, .. } = self;
        inner.write_all(&skipped(&hash.finish()))?;
        Ok(inner)
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.hash.update(&buffer[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Reads what stands between the first and the last frame, and hashes everything before the last.
pub(super) struct Unsealing<R> {
    inner: R,
    hash: Sha256,
    /// How many bytes there still are before the last frame.
    left: u64,
}

impl<R: Read> Unsealing<R> {
    /// Reads the first frame of a file of so many bytes.
    pub(super) fn begin(mut inner: R, size: u64) -> Result<Self, BundleError> {
        let read = |source: io::Error| match source.kind() {
            io::ErrorKind::InvalidData => BundleError::Damaged(format!("changed: {source}")),
            _ => BundleError::Disk {
                doing: "read",
                source,
            },
        };
        if size > LARGEST {
            let most = LARGEST / (1024 * 1024);
            return Err(BundleError::TooLarge(format!(
                "the file has more than {most} MiB"
            )));
        }
        let mut first = vec![0; header().len().min(usize::try_from(size).unwrap_or(usize::MAX))];
        inner.read_exact(&mut first).map_err(read)?;
        if first != header() {
            return Err(stranger(&first));
        }
        let Some(left) = size.checked_sub((first.len() + TRAILER) as u64) else {
            return Err(BundleError::Damaged(
                "truncated: the file ends too early".to_owned(),
            ));
        };
        let mut hash = Sha256::new();
        hash.update(&first);
        Ok(Self { inner, hash, left })
    }

    /// Reads what is left, and the last frame: gives the hash that it holds, and the one of what was read.
    pub(super) fn finish(mut self) -> io::Result<Ended> {
        let rest = io::copy(&mut self, &mut io::sink())?;
        let mut trailer = [0; TRAILER];
        self.inner.read_exact(&mut trailer)?;
        let found = self.hash.finish();
        Ok(Ended {
            rest,
            holds: trailer[..] == skipped(&found),
            sha256: Digest::from(found),
        })
    }
}

/// How a file ended.
pub(super) struct Ended {
    /// How many bytes stood behind the content that nothing had asked for.
    pub(super) rest: u64,
    /// Whether the last frame is the one of all that stands before it.
    pub(super) holds: bool,
    /// The hash of all before the last frame.
    pub(super) sha256: Digest,
}

impl<R: Read> Read for Unsealing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.inner.read(&mut buffer[..most])?;
        if count == 0 && most > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.hash.update(&buffer[..count]);
        self.left -= count as u64;
        Ok(count)
    }
}

/// What a file is whose first bytes are not those of a bundle that this program knows.
fn stranger(first: &[u8]) -> BundleError {
    let known = header();
    let text = first.get(HEAD..).map(String::from_utf8_lossy).unwrap_or_default();
    let version = text
        .strip_prefix(FORMAT)
        .and_then(|rest| rest.trim().parse::<u64>().ok());
    match version {
        Some(version) if first.get(..4) == known.get(..4) && version > VERSION => BundleError::Newer(
            format!("its form has version {version}; this program reads up to {VERSION}"),
        ),
        // All but a byte or two: it was one.
        _ if first.iter().zip(&known).filter(|(is, was)| is != was).count() <= 2
            && first.len() == known.len() =>
        {
            BundleError::Damaged("changed: the first bytes of the file".to_owned())
        }
        _ => BundleError::NotABundle,
    }
}
