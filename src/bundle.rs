//! Files that hold a bundle: opened, also where only the owner of a key can read them.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use runbook_engine::journal::bundle::envelope::{Opening, recipient};
use runbook_engine::journal::bundle::{BundleError, Checked, check};

use crate::error::Failed;
use crate::identity;
use crate::setting::Setting;

/// What stands in a bundle.
pub(crate) trait Content: Read + Seek + Send {}

impl<T: Read + Seek + Send> Content for T {}

/// An open bundle.
pub(crate) struct Bundle {
    pub(crate) content: Box<dyn Content>,
    /// How many bytes it has.
    pub(crate) size: u64,
}

impl Bundle {
    /// Opens a file, with the key of whoever acts where it is encrypted.
    pub(crate) async fn open(path: &Path, setting: &Setting) -> Result<Self, Failed> {
        let failed = |error: &BundleError| Failed::bundle(&path.display().to_string(), error);
        let read = |source| {
            failed(&BundleError::Disk {
                doing: "read",
                source,
            })
        };
        let (mut file, size) = opened(path).map_err(read)?;
        let Some(for_key) = recipient(&mut file).map_err(read)? else {
            return Ok(Self {
                content: Box::new(file),
                size,
            });
        };
        let key = identity::opening(for_key, setting).await?;
        let key = key.map_err(|yours| failed(&BundleError::ForAnother { for_key, yours }))?;
        let content = Opening::begin(file, size, &key).map_err(|error| failed(&error))?;
        Ok(Self {
            size: content.size(),
            content: Box::new(content),
        })
    }
}

fn opened(path: &Path) -> io::Result<(BufReader<File>, u64)> {
    let file = File::open(path)?;
    let about = file.metadata()?;
    if about.is_file() {
        Ok((BufReader::new(file), about.len()))
    } else {
        Err(io::Error::other("it is not a file"))
    }
}

/// Looks at a bundle; stores nothing.
pub(crate) async fn checked(path: &Path, setting: &Setting) -> Result<Checked, Failed> {
    let Bundle { content, size } = Bundle::open(path, setting).await?;
    check(content, size).map_err(|error| Failed::bundle(&path.display().to_string(), &error))
}
