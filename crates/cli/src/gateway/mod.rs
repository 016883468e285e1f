//! `doorward gateway`: a peer's configuration, run as it stands.
//!
//! What the flags mean is in `meaning`; where the files are and whether they changed in `source`; `Peer` reads them whole and
//! lays them over the home. The translation is the crate `authtranslator`'s, so that what is run and what
//! `doorward import authtranslator` writes are the same.

pub(crate) mod flags;
pub(crate) mod meaning;
mod peer;
mod source;

pub(crate) use peer::{Peer, Told, read_lists};
