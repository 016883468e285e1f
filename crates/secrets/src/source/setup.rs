//! What sources are told when they are made: the environment, what `sources.toml` says, what they must not read.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::config::Config;
use super::literal::Literals;

/// What sources are told when they are made.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// Files that no reference may read: the key and the database of the home.
    pub reserved: Vec<PathBuf>,
    /// What the user says of sources.
    pub config: Arc<Config>,
    /// The environment that sources read their usual variables from.
    pub environment: Environment,
    /// The folder of the home, in which its key file is looked for; `None` where there is none.
    pub home: Option<PathBuf>,
    /// Values that stand in a configuration itself; `None` refuses them.
    pub literals: Option<Arc<Literals>>,
}

/// An environment: that of this process, or another one for tests, because a process can't change its own safely.
#[derive(Clone)]
pub struct Environment(Arc<Reads>);

/// Reads one variable.
type Reads = dyn Fn(&str) -> Option<OsString> + Send + Sync;

impl Environment {
    /// Another environment.
    pub fn of(read: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// An environment with these variables and no others.
    #[must_use]
    pub fn with(variables: &[(&str, &str)]) -> Self {
        let owned: Vec<(String, OsString)> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), OsString::from(value))).collect();
        Self::of(move |name| owned.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()))
    }

    /// One variable.
    pub(crate) fn raw(&self, name: &str) -> Option<OsString> {
        (self.0)(name)
    }

    /// One variable that is text and not empty.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.raw(name)?.into_string().ok().filter(|text| !text.trim().is_empty())
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self::of(variable)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where sources read the environment")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}
