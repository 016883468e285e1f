//! Which `agent.yaml` is read, and whether it may be believed.
//!
//! What a configuration says decides who is granted what, so a file counts only where nobody else could have written it. One
//! in the working directory is read last, and only where it belongs to the user: a folder that somebody else filled must
//! not configure the agent of whoever enters it.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::file::File;
use crate::failure::{Failure, Outcome};

/// A place where a configuration may be.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    path: PathBuf,
    owner: Owner,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// Whoever set up the machine, or typed the path.
    Anybody,
    /// This user or root.
    User,
}

impl Candidate {
    /// A file of the system.
    pub(super) const fn system(path: PathBuf) -> Self {
        Self { path, owner: Owner::Anybody }
    }

    /// A file in a folder of the user.
    pub(super) const fn users(path: PathBuf) -> Self {
        Self { path, owner: Owner::User }
    }

    /// A file in the working directory.
    pub(super) const fn here(path: PathBuf) -> Self {
        Self { path, owner: Owner::User }
    }

    fn read(&self) -> Outcome<Option<File>> {
        let shown = self.path.display().to_string();
        let found = match std::fs::metadata(&self.path) {
            Ok(found) => found,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::doing(format!("could not read `{shown}`"), &error)),
        };
        let user = rustix::process::geteuid().as_raw();
        if self.owner == Owner::User && found.uid() != user && found.uid() != 0 {
            return Err(Failure::new(format!("`{shown}` belongs to another user, so it is not read"))
                .hint("remove it, or choose a file with `--config`"));
        }
        let others = if self.owner == Owner::User { 0o022 } else { 0o002 };
        if found.mode() & others != 0 {
            return Err(Failure::new(format!("others may write `{shown}`, so it is not read"))
                .hint(format!("chmod go-w {shown}")));
        }
        if found.len() > LARGEST {
            return Err(Failure::new(format!("`{shown}` is larger than {LARGEST} bytes")));
        }
        let text = std::fs::read_to_string(&self.path)
            .map_err(|error| Failure::doing(format!("could not read `{shown}`"), &error))?;
        parse(&text, &shown).map(Some)
    }
}

/// Reads the text of a file.
pub(crate) fn parse(text: &str, shown: &str) -> Outcome<File> {
    catalog::yaml::read(text, shown).map_err(|error| {
        let mut failure = Failure::from(error);
        // The words of the seed, for a file that no key can be read from.
        if catalog::yaml::read::<serde::de::IgnoredAny>(text, shown).is_err() {
            failure.message = format!("invalid YAML: {}", failure.message);
        }
        failure.hint("`doorward agent config --generate` shows every key")
    })
}

/// The file that was typed, or the first one that is there.
pub(super) fn read(typed: Option<&Path>, candidates: &[Candidate]) -> Outcome<(Option<PathBuf>, File)> {
    if let Some(path) = typed {
        let candidate = Candidate::system(path.to_owned());
        let missing = || Failure::usage(format!("there is no file `{}`", path.display()));
        return Ok((Some(path.to_owned()), candidate.read()?.ok_or_else(missing)?));
    }
    for candidate in candidates {
        if let Some(file) = candidate.read()? {
            return Ok((Some(candidate.path.clone()), file));
        }
    }
    Ok((None, File::default()))
}

/// A path of the file: `~/` is the user's folder, a relative one is beside the file.
pub(super) fn located(path: PathBuf, folder: Option<&Path>, user: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~"), user, folder) {
        (Ok(rest), Some(user), _) => user.join(rest),
        (Err(_), _, Some(folder)) => folder.join(path),
        _ => path,
    }
}

const LARGEST: u64 = 1 << 20;
