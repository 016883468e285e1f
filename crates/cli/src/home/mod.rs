//! The home: one folder that holds everything, and the socket of the broker that serves it.
//!
//! ```text
//! home.db       keys (wrapped), ciphertexts, grants, policies     integrations/  the user's own, over the built-in ones
//! evidence/     the segments of the evidence                      settings.toml  see `docs/reference/settings.md`
//! key           what unlocks the home, without a passphrase       lock, socket   of the running broker
//! policies/     policy files of the agent                         agent.*        its configuration, process id and log
//! lists/        allowlist and denylist                            sources.toml   see `docs/guide/sources.md`
//! recovery      the recovery key, where nobody was there to take it   providers.yaml  for whom tenants keep credentials
//! ```

mod fresh;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use store::{Embedded, Storage};

use crate::failure::{Failure, Outcome};
pub(crate) use fresh::Fresh;

/// The folder, with the names of what is in it.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    folder: PathBuf,
    runtime: Option<PathBuf>,
}

impl Home {
    /// How everything in it begins.
    pub(crate) const NAMES: [&'static str; 14] = [
        "home.db",
        "evidence",
        "key",
        "integrations",
        "providers.yaml",
        "lists",
        "settings.toml",
        "sources.toml",
        "lock",
        "socket",
        "policies",
        "agent.",
        "approvals-told.json",
        "recovery",
    ];

    /// The home in this folder; `runtime` is the user's folder for sockets.
    pub(crate) const fn at(folder: PathBuf, runtime: Option<PathBuf>) -> Self {
        Self { folder, runtime }
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The database.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join("home.db")
    }

    /// The key file where nobody chose another.
    pub(crate) fn key(&self) -> PathBuf {
        self.folder.join("key")
    }

    /// The recovery key, where it could be given to nobody.
    pub(crate) fn recovery(&self) -> PathBuf {
        self.folder.join("recovery")
    }

    /// The user's own integrations.
    pub(crate) fn integrations(&self) -> PathBuf {
        self.folder.join("integrations")
    }

    /// The allowlist and the denylist.
    pub(crate) fn lists(&self) -> PathBuf {
        self.folder.join("lists")
    }

    /// The segments of the evidence.
    pub(crate) fn evidence(&self) -> PathBuf {
        self.folder.join("evidence")
    }

    /// The settings.
    pub(crate) fn settings(&self) -> PathBuf {
        self.folder.join("settings.toml")
    }

    /// Where secret sources are.
    pub(crate) fn sources(&self) -> PathBuf {
        self.folder.join("sources.toml")
    }

    /// The user's own list of providers.
    pub(crate) fn providers(&self) -> PathBuf {
        self.folder.join("providers.yaml")
    }

    /// Where questions were written that wait for an answer elsewhere.
    pub(crate) fn told(&self) -> PathBuf {
        self.folder.join("approvals-told.json")
    }

    /// The socket of the running broker. A path that is too long for a socket's address moves to the runtime folder.
    pub(crate) fn socket(&self) -> PathBuf {
        let here = self.folder.join("socket");
        match &self.runtime {
            Some(runtime) if here.as_os_str().len() > LONGEST_SOCKET => {
                let digest = crypto::sha256(&[here.as_os_str().as_encoded_bytes()]);
                let name = crypto::to_hex(digest.first_chunk::<8>().unwrap_or(&[0; 8]));
                runtime.join(format!("doorward-{name}")).join("socket")
            }
            _ => here,
        }
    }

    /// Where files of the home are: nobody else works there.
    pub(crate) fn closed(&self) -> Vec<PathBuf> {
        let socket = self.socket().parent().map(Path::to_owned);
        [self.folder.clone()].into_iter().chain(socket).collect()
    }

    /// Whether a broker listens there.
    pub(crate) fn is_served(&self) -> bool {
        std::os::unix::net::UnixStream::connect(self.socket()).is_ok()
    }

    /// The same, made ready to be bound.
    pub(crate) fn socket_to_bind(&self) -> Outcome<PathBuf> {
        let socket = self.socket();
        if socket.as_os_str().len() > LONGEST_SOCKET {
            let message = format!("the path of the socket is too long: `{}`", socket.display());
            return Err(Failure::new(message).hint("set `XDG_RUNTIME_DIR`, or choose a shorter `--home`"));
        }
        if let Some(folder) = socket.parent() {
            store::files::private_folder(folder)?;
        }
        Ok(socket)
    }

    /// Whether a home was made here.
    pub(crate) fn exists(&self) -> bool {
        self.database().exists()
    }

    /// The failure of whoever needs a home where none was made.
    pub(crate) fn missing(&self) -> Failure {
        Failure::new(format!("there is no home in `{}`", self.folder.display()))
            .hint("`doorward init` makes one, `doorward up` makes one and starts")
    }

    /// Opens the database of a home that exists.
    pub(crate) fn storage(&self) -> Outcome<Arc<dyn Storage>> {
        if !self.exists() {
            return Err(self.missing());
        }
        Ok(Arc::new(Embedded::open(&self.database())?))
    }
}

/// Longest path of a Unix socket; the system's limit is 107 bytes, and it is bound under a longer name first.
const LONGEST_SOCKET: usize = 100;

#[cfg(test)]
mod tests;
