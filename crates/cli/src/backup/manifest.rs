//! What is in a backup, byte for byte.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use crypto::Hasher;
use model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Outcome};

/// The file `manifest.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// Which form it has; a later one is refused.
    pub(super) format: u32,
    /// The version that took it.
    pub(super) version: String,
    /// When, in UTC.
    pub(super) taken: Timestamp,
    /// Whether what opens the home is in it.
    pub(super) with_key: bool,
    /// How many records of evidence it has.
    pub(super) records: u64,
    /// Its files, by path.
    pub(super) files: Vec<Entry>,
}

/// One file.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// Where it is, with `/`, below the folder.
    pub(super) path: String,
    /// Its length.
    pub(super) bytes: u64,
    /// SHA-256 in hex.
    pub(super) sha256: String,
}

/// The form that this version writes, and the latest that it reads.
pub(super) const FORMAT: u32 = 1;
/// The name of the file.
pub(super) const NAME: &str = "manifest.json";

impl Manifest {
    /// Reads it, and refuses what this version does not understand.
    pub(super) fn read(folder: &Path) -> Outcome<Self> {
        let path = folder.join(NAME);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Failure::doing(format!("could not read `{}`", path.display()), &error)
                .hint("a backup is a folder that `doorward backup` made")
        })?;
        // The form first: what a later version wrote may have other fields.
        let form: Form = serde_json::from_str(&text)
            .map_err(|error| Failure::doing(format!("`{}` is not a manifest", path.display()), &error))?;
        if form.format > FORMAT {
            let message =
                format!("the backup has form {}, and this version reads up to {FORMAT}", form.format);
            return Err(Failure::new(message).hint(format!("restore it with doorward {}", form.version)));
        }
        let manifest: Self = serde_json::from_str(&text)
            .map_err(|error| Failure::doing(format!("`{}` is not a manifest", path.display()), &error))?;
        if let Some(wrong) = manifest.files.iter().find(|entry| !is_inside(&entry.path)) {
            return Err(Failure::new(format!("the manifest names `{}`, which is outside of it", wrong.path)));
        }
        Ok(manifest)
    }

    /// Compares every file with what is written of it, and looks for files of which nothing is written.
    pub(super) fn check(&self, folder: &Path) -> Outcome {
        let found = entries(folder)?;
        for entry in &self.files {
            match found.iter().find(|there| there.path == entry.path) {
                Some(there) if there == entry => {}
                Some(_) => return Err(wrong(&entry.path, "was changed")),
                None => return Err(wrong(&entry.path, "is missing")),
            }
        }
        match found.iter().find(|there| self.files.iter().all(|entry| entry.path != there.path)) {
            Some(stranger) => Err(wrong(&stranger.path, "does not belong to it")),
            None => Ok(()),
        }
    }
}

#[derive(Deserialize)]
struct Form {
    format: u32,
    #[serde(default)]
    version: String,
}

fn wrong(path: &str, what: &str) -> Failure {
    Failure::new(format!("the backup is not what was taken: `{path}` {what}"))
        .hint("use another backup; nothing was restored")
}

/// Plain names only: no step up, no root.
fn is_inside(path: &str) -> bool {
    let parts = Path::new(path).components();
    !path.is_empty() && parts.into_iter().all(|part| matches!(part, Component::Normal(_)))
}

/// Every file below a folder but the manifest, sorted. Anything but files and folders is refused.
pub(super) fn entries(folder: &Path) -> Outcome<Vec<Entry>> {
    let mut entries = Vec::new();
    walk(folder, Path::new(""), &mut entries)?;
    entries.retain(|entry| entry.path != NAME);
    entries.sort();
    Ok(entries)
}

fn walk(folder: &Path, below: &Path, entries: &mut Vec<Entry>) -> Outcome {
    let here = folder.join(below);
    let failed = |error| Failure::doing(format!("could not look into `{}`", here.display()), &error);
    for found in std::fs::read_dir(&here).map_err(failed)? {
        let found = found.map_err(failed)?;
        let below = below.join(found.file_name());
        let kind = found.file_type().map_err(failed)?;
        if kind.is_dir() {
            walk(folder, &below, entries)?;
        } else if kind.is_file() {
            entries.push(entry(folder, &below)?);
        } else {
            return Err(Failure::new(format!("`{}` is neither a file nor a folder", found.path().display())));
        }
    }
    Ok(())
}

fn entry(folder: &Path, below: &Path) -> Outcome<Entry> {
    let path = folder.join(below);
    let failed = |error| Failure::doing(format!("could not read `{}`", path.display()), &error);
    let mut file = File::open(&path).map_err(failed)?;
    let (mut hasher, mut bytes, mut piece) = (Hasher::new(), 0_u64, vec![0; PIECE]);
    loop {
        let count = file.read(&mut piece).map_err(failed)?;
        let Some(read) = piece.get(..count).filter(|read| !read.is_empty()) else { break };
        hasher.update(read);
        bytes += read.len() as u64;
    }
    let written: Vec<String> =
        below.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    Ok(Entry { path: written.join("/"), bytes, sha256: crypto::to_hex(&hasher.finish()) })
}

/// The path of an entry below a folder.
pub(super) fn place(folder: &Path, entry: &Entry) -> PathBuf {
    entry.path.split('/').fold(folder.to_owned(), |path, part| path.join(part))
}

const PIECE: usize = 1 << 16;
