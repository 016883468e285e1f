//! `file:/path`: a whole file without white space around it, or `file:/path#KEY`: one key of it.
//!
//! A file whose name ends in `.json` is read as an object, any other as `KEY=value` lines. Links are followed, because
//! that is how secrets are mounted into containers; pipes and devices are refused, because reading one may never end.

use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use memory::Secret;
use model::SecretRef;
use zeroize::Zeroizing;

use super::lines::{self, Wrong};
use super::{Doubt, Fetched, Lender, SecretSource, Stamp, Trouble};
use crate::error::Unfit;
use crate::fit::LONGEST;
use crate::{Error, fit};

/// Files of this machine.
pub struct File {
    /// Files of the home itself, by path; they are compared by device and inode when they are read.
    reserved: Vec<PathBuf>,
}

impl File {
    /// Files, but for these: keys of the house can't be lent.
    #[must_use]
    pub const fn new(reserved: Vec<PathBuf>) -> Self {
        Self { reserved }
    }
}

#[async_trait]
impl SecretSource for File {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    async fn fetch(&self, reference: &SecretRef, _lender: &dyn Lender) -> Result<Fetched, Error> {
        blocking(reference, self.reserved.clone(), read).await
    }

    async fn stamp(&self, reference: &SecretRef) -> Result<Stamp, Error> {
        blocking(reference, Vec::new(), |reference, _| {
            let path = path(reference)?;
            let seen = std::fs::metadata(path).map_err(|source| failed(reference, "look at it", source))?;
            Ok(stamp_of(&seen))
        })
        .await
    }

    async fn probe(
        &self,
        reference: &SecretRef,
        lender: &dyn Lender,
    ) -> Result<(Fetched, Vec<Doubt>), Error> {
        let fetched = self.fetch(reference, lender).await?;
        let doubts = blocking(reference, Vec::new(), |reference, _| {
            let seen = std::fs::metadata(path(reference)?);
            let seen = seen.map_err(|source| failed(reference, "look at it", source))?;
            Ok(if seen.mode() & 0o004 != 0 { vec![Doubt::WorldReadable] } else { Vec::new() })
        });
        Ok((fetched, doubts.await?))
    }
}

/// Runs on a thread that may wait, for a file may lie on a network.
async fn blocking<T: Send + 'static>(
    reference: &SecretRef,
    reserved: Vec<PathBuf>,
    work: impl FnOnce(&SecretRef, &[PathBuf]) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let owned = reference.clone();
    match tokio::task::spawn_blocking(move || work(&owned, &reserved)).await {
        Ok(done) => done,
        Err(_) => Err(Error::unreadable(reference, "reading it was broken off")),
    }
}

fn read(reference: &SecretRef, reserved: &[PathBuf]) -> Result<Fetched, Error> {
    let path = path(reference)?;
    let seen = std::fs::metadata(path).map_err(|source| failed(reference, "look at it", source))?;
    // Looked at before it is opened, because opening a pipe waits for its writer.
    if !seen.is_file() {
        return Err(Error::unreadable(reference, "it is not a plain file"));
    }
    let mut file = std::fs::File::open(path).map_err(|source| failed(reference, "open it", source))?;
    let opened = file.metadata().map_err(|source| failed(reference, "look at it", source))?;
    let ours = reserved.iter().filter_map(|path| std::fs::metadata(path).ok());
    if ours.into_iter().any(|ours| ours.dev() == opened.dev() && ours.ino() == opened.ino()) {
        return Err(Error::unreadable(reference, "files of the home itself are never lent"));
    }
    if !opened.is_file() || opened.len() > LIMIT {
        return Err(Error::unfit(reference.as_str(), Unfit::Long));
    }
    // Reserved beforehand, so that no growing buffer leaves a part of it behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 2));
    let got = (&mut file).take(LIMIT + 1).read_to_end(&mut bytes);
    got.map_err(|source| failed(reference, "read it", source))?;
    if bytes.len() > LONGEST {
        return Err(Error::unfit(reference.as_str(), Unfit::Long));
    }
    let value = match reference.field() {
        None => Zeroizing::new(trimmed(&bytes).to_vec()),
        Some(key) => field(reference, path, key, &bytes)?,
    };
    let mut value = value;
    let secret = Secret::new(std::mem::take(&mut *value))?;
    let _fit = fit::check(&secret).map_err(|why| Error::unfit(reference.as_str(), why))?;
    Ok(Fetched { secret, stamp: stamp_of(&opened), ends: None })
}

fn field(reference: &SecretRef, path: &Path, key: &str, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let json = path.extension().is_some_and(|extension| extension == "json");
    let found = if json { lines::json_at(bytes, &[key]) } else { lines::line_key(bytes, key) };
    match found {
        Ok(Some(value)) => Ok(value),
        Ok(None) => Err(Error::Missing(reference.to_string())),
        Err(Wrong::Twice) => Err(Error::unreadable(reference, "the key stands in it twice")),
        Err(Wrong::Form) => {
            Err(Error::unreadable(reference, "it is neither `KEY=value` lines nor a JSON object of strings"))
        }
    }
}

fn path(reference: &SecretRef) -> Result<&Path, Error> {
    let path = Path::new(reference.path());
    if reference.scheme() == SCHEME && path.is_absolute() {
        Ok(path)
    } else {
        // It would mean another file in each folder where the broker is started.
        Err(Error::unreadable(reference, "the path must begin with `/`"))
    }
}

/// Text without white space around it, as editors and programs leave it. Bytes that are no text are a key, of which a blank may be a
/// part: they lose one line end.
fn trimmed(bytes: &[u8]) -> &[u8] {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.trim().as_bytes(),
        Err(_) => bytes.strip_suffix(b"\r\n").or_else(|| bytes.strip_suffix(b"\n")).unwrap_or(bytes),
    }
}

fn stamp_of(seen: &std::fs::Metadata) -> Stamp {
    let time = |value: i64| u64::try_from(value).unwrap_or(0);
    Stamp::File([seen.dev(), seen.ino(), seen.len(), time(seen.ctime()), time(seen.ctime_nsec())])
}

fn failed(reference: &SecretRef, what: &'static str, source: std::io::Error) -> Error {
    if source.kind() == std::io::ErrorKind::NotFound {
        return Error::Missing(reference.to_string());
    }
    Error::source(reference, Trouble::System { what, source })
}

pub(super) const SCHEME: &str = "file";
const LIMIT: u64 = 64 * 1024;

#[cfg(test)]
mod tests;
