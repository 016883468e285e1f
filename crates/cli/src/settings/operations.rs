//! `[operations]`: how programs are run that do operations.

use std::path::PathBuf;

use broker::ProgramSetup;
use serde::Deserialize;

use super::Lookup;
use crate::failure::{Failure, Outcome};
use crate::home::Home;

/// What the file says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Written {
    path: Option<Vec<PathBuf>>,
    #[serde(default)]
    sandbox: runner::Wanted,
    #[serde(default)]
    readable: Vec<PathBuf>,
    #[serde(default)]
    folders: Vec<PathBuf>,
}

impl Written {
    /// What a broker is told. Where no path is said, it is that of whoever starts Doorward.
    pub(crate) fn read(self, home: &Home, lookup: Lookup<'_>) -> Outcome<ProgramSetup> {
        let Self { path, sandbox, readable, folders } = self;
        let named = [path.as_deref().unwrap_or_default(), &readable, &folders].concat();
        if let Some(wrong) = named.iter().find(|path| !path.is_absolute()) {
            return Err(Failure::usage(format!("`{}` is not a whole path", wrong.display()))
                .hint("`operations` in settings.toml names folders from the root: `/usr/local/bin`"));
        }
        let own =
            std::env::current_exe().map_err(|error| Failure::doing("could not find ourselves", &error))?;
        let usual = || lookup("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
        let runtime = lookup("XDG_RUNTIME_DIR").map(PathBuf::from);
        let rooms = runtime.into_iter().chain([PathBuf::from("/dev/shm"), std::env::temp_dir()]);
        Ok(ProgramSetup {
            path: path.unwrap_or_else(usual),
            own,
            sandbox,
            readable,
            folders,
            closed: home.closed(),
            rooms: rooms.collect(),
            at_a_time: 0,
        })
    }
}
