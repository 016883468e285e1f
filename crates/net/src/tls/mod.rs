//! TLS on both sides: whom we trust when we call, and what we show when we are called.
//!
//! # Invariants
//!
//! - The crypto provider is always given explicitly, so that no other one in the process can take its place.
//! - The switch that skips verification is a separate configuration with a cache of sessions of its own: a session that
//!   began unverified is never resumed on a verified connection.

mod callers;
mod client_key;
mod inbound;
mod outbound;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};

pub(crate) use callers::shown;
pub use callers::{Callers, Showing};
pub use client_key::ClientKey;
pub use inbound::{Certificates, Versions, server_config};
pub(crate) use outbound::bundle;
pub use outbound::{Base, Outbound, Trust, read_bundle};

/// The common name in the first certificate of a chain in PEM, where it has exactly one.
///
/// # Errors
/// When there is no certificate.
pub fn common_name(chain: &[u8]) -> Result<Option<String>, crate::Error> {
    Ok(bundle(chain)?.first().and_then(|leaf| callers::common_name(leaf)))
}

/// aws-lc-rs, with the hybrid post-quantum key exchange first.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        kx_groups: vec![
            aws_lc_rs::kx_group::X25519MLKEM768,
            aws_lc_rs::kx_group::X25519,
            aws_lc_rs::kx_group::SECP256R1,
            aws_lc_rs::kx_group::SECP384R1,
        ],
        ..aws_lc_rs::default_provider()
    })
}

fn reading(path: &std::path::Path, source: std::io::Error) -> crate::Error {
    crate::Error::Certificate { path: path.to_owned(), what: "it cannot be read", source: Some(source) }
}

fn wrong(path: &std::path::Path, what: &'static str) -> crate::Error {
    crate::Error::Certificate { path: path.to_owned(), what, source: None }
}
