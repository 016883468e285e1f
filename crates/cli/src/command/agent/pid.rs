//! The file with the process id: there while the agent serves, gone when it has ended.

use std::path::{Path, PathBuf};

use crate::failure::{Failure, Outcome};

/// A file that is removed at the end.
#[derive(Debug)]
pub(crate) struct PidFile {
    path: PathBuf,
}

impl PidFile {
    /// Writes it. Its folder has to be there.
    pub(crate) fn write(path: &Path) -> Outcome<Self> {
        let text = format!("{}\n", std::process::id());
        store::files::replace_for(path, text.as_bytes(), 0o644, None).map_err(|error| {
            Failure::doing(format!("Failed to start agent: could not write `{}`", path.display()), &error)
        })?;
        Ok(Self { path: path.to_owned() })
    }

    /// Removes it, where it is still ours.
    pub(crate) fn remove(self) {
        let ours = std::fs::read_to_string(&self.path)
            .is_ok_and(|text| text.trim() == std::process::id().to_string());
        if ours {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
