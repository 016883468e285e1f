//! What was not there before something was made, to be taken away where the making failed.
//!
//! # Invariants
//!
//! - Nothing goes that was there before, and no folder goes that holds anything.

use std::path::{Path, PathBuf};

use super::Home;

/// Paths where nothing was.
pub(crate) struct Fresh(Vec<PathBuf>);

impl Fresh {
    /// Those of these where nothing is, in the order in which they are taken away.
    pub(crate) fn of(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        Self(paths.into_iter().filter(|path| path.symlink_metadata().is_err()).collect())
    }

    /// The folder of a home, and those around it.
    pub(crate) fn folders(home: &Home) -> Self {
        let named = |folder: &&Path| !folder.as_os_str().is_empty();
        Self::of(home.folder().ancestors().filter(named).map(Path::to_owned))
    }

    /// What making a home makes in its folder; whoever calls this has its lock. `key` is where its key file is to be.
    pub(crate) fn files(home: &Home, key: Option<&Path>) -> Self {
        let database = home.database();
        let beside = ["-wal", "-shm", "-journal"].map(|end| {
            let mut name = database.clone().into_os_string();
            name.push(end);
            PathBuf::from(name)
        });
        let own = [database, home.key(), home.integrations()];
        Self::of(own.into_iter().chain(beside).chain(key.map(Path::to_owned)))
    }

    /// Takes away what is there now. The first failure is the one to report, so this one says nothing.
    pub(crate) fn take_back(self) {
        for path in self.0 {
            let is_folder = path.symlink_metadata().is_ok_and(|found| found.is_dir());
            let _ = if is_folder { std::fs::remove_dir(&path) } else { std::fs::remove_file(&path) };
        }
    }
}
