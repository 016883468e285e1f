//! How a broker is set up, and whether it has its keys.

use std::path::PathBuf;
use std::sync::Arc;

use model::TenantName;
use policy::lists::Side as ListSide;
use store::Storage;

/// How a broker is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The tenant of whoever proves nothing else; `local` on a laptop.
    pub tenant: TenantName,
    /// The user id of the home's owner.
    pub owner_uid: u32,
    /// The environment that this broker serves, such as `production`.
    pub environment: Option<String>,
    /// Lets loopback callers in without a capability. Loud in status and evidence.
    pub development: bool,
    /// Whether sessions of people are open again after a restart. Only where browsers come by TLS: on a plain port somebody else may
    /// listen meanwhile, and is sent what a browser has for it.
    pub sessions_stay: bool,
    /// The folder of the user's own integrations.
    pub layer: PathBuf,
    /// What is laid over that folder at the start.
    pub overlay: Arc<Overlay>,
    /// The folder of the allowlist and the denylist.
    pub lists: PathBuf,
    /// The name under which the evidence is signed.
    pub origin: String,
    /// How many threads serve; each has a lane to the evidence.
    pub threads: usize,
    /// When catalogue and policies are read.
    pub reading: Reading,
}

/// What counts besides the files of the home: it was translated from another program's files.
#[derive(Debug, Clone, Default)]
pub struct Overlay {
    /// Integrations; one that has the name of a file of the home counts instead of that file.
    pub integrations: Vec<catalog::Written>,
    /// The same, where they were read already: none of them is read again then.
    pub read: Option<catalog::Catalog>,
    /// The lists below, where they were read against `read` already; see [`Lists::read_after`](policy::lists::Lists::read_after).
    pub read_lists: Option<Arc<policy::lists::Lists>>,
    /// Allowlists and denylists that hold instead of those of the home; `None` where those of the home hold.
    pub lists: Option<Vec<WrittenList>>,
}

/// A list as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenList {
    /// Which one it is.
    pub side: ListSide,
    /// How it is called in messages and in evidence.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

/// When the catalogue and the policies are read and compiled, which takes tens of milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// At the start, so that a mistake stops it: for a process that serves.
    AtOnce,
    /// When a call needs them, for a process that lives for one call, and gives the answer behind
    /// [`close`](crate::Broker::close): only then is the outcome durable. What policies allowed before under the same
    /// policies is remembered. The stamp is different for every build of Doorward.
    OnDemand {
        /// The stamp of this build.
        build: Vec<u8>,
    },
}

/// Where a broker keeps things.
#[derive(Clone)]
pub struct Stores {
    /// Secrets' ciphertext, grants, policies.
    pub state: Arc<dyn Storage>,
    /// Evidence.
    pub evidence: Arc<dyn Storage>,
}

/// Whether calls would be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// They would.
    Ready,
    /// The keys are not in memory.
    Sealed,
    /// Evidence could not be written a moment ago.
    Unrecorded,
}

/// Whether the keys are in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// They are not; every door refuses.
    Sealed,
    /// They are.
    Unsealed,
}
