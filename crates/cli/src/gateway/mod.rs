//! `doorward gateway`: a peer's configuration, run as it stands.
//!
//! What the flags mean is in `meaning`; where the files are and whether they changed in `source`; `Peer` reads them whole and
//! lays them over the home. The translation is the crate `authtranslator`'s, so that what is run and what
//! `doorward import authtranslator` writes are the same.

pub(crate) mod flags;
pub(crate) mod meaning;
mod peer;
mod source;

use authtranslator::ManagedIdentity;

pub(crate) use peer::{Peer, Told, read_lists};

use crate::settings::environment;

/// Who hands out the tokens of managed identities of Azure, by what the platform wrote into the environment.
pub(crate) fn managed_identity() -> ManagedIdentity {
    let said = |name| environment(name).is_some();
    if said("IDENTITY_ENDPOINT") && said("IDENTITY_HEADER") {
        ManagedIdentity::App
    } else if said("MSI_ENDPOINT") && said("MSI_SECRET") {
        ManagedIdentity::OldApp
    } else {
        ManagedIdentity::Machine
    }
}

/// What is wrong with a peer's configuration. The schema of our own files would lead whoever has one astray.
pub(crate) fn wrong(error: catalog::Error) -> crate::failure::Failure {
    let theirs = matches!(error, catalog::Error::Syntax { .. } | catalog::Error::Invalid { .. });
    let failure = crate::failure::Failure::from(error);
    if theirs { failure.hint(HINT) } else { failure }
}

const HINT: &str = "docs/guide/gateway-migration.md says what such a file may hold; `doorward import authtranslator --dry-run FILE` reads \
                    it and starts nothing";
