//! Callers who show a certificate: against which authorities it is verified, and what stands in it.
//!
//! # Invariants
//!
//! - A certificate becomes a fact about a caller only when TLS verified its chain against the door's own authorities, and
//!   that the caller holds its key.
//! - No session is resumed at such a door: a resumed one would still be believed when its authority is not any more.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use model::Certificate;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, RootCertStore, SignatureScheme};

use super::{provider, read_bundle, wrong};
use crate::Error;

mod names;

/// Whether callers have to show a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Showing {
    /// Without one there is no connection.
    #[default]
    Required,
    /// One that is shown is verified; whoever shows none proves itself in another way.
    Optional,
}

/// The authorities that callers' certificates come from, read from a PEM file and swapped whole on [`Callers::reload`].
pub struct Callers {
    path: PathBuf,
    showing: Showing,
    current: ArcSwap<Verifier>,
}

struct Verifier(Arc<dyn ClientCertVerifier>);

impl Callers {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read, or holds something that is not an authority.
    pub fn read(path: &Path, showing: Showing) -> Result<Arc<Self>, Error> {
        let current = ArcSwap::from_pointee(verifier(path)?);
        Ok(Arc::new(Self { path: path.to_owned(), showing, current }))
    }

    /// Reads it again. Connections that stand keep what they have; on an error, everything stays as it was.
    ///
    /// # Errors
    /// As for [`Callers::read`].
    pub fn reload(&self) -> Result<(), Error> {
        self.current.store(Arc::new(verifier(&self.path)?));
        Ok(())
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn verifier(path: &Path) -> Result<Verifier, Error> {
    let mut roots = RootCertStore::empty();
    for authority in read_bundle(path)? {
        roots.add(authority).map_err(|_| wrong(path, "it holds a certificate that is no authority"))?;
    }
    // Whether there may be none is said by `Callers`.
    let built = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build();
    let built = built.map_err(|_| wrong(path, "it holds no usable authority"))?;
    Ok(Verifier(built))
}

/// The common name of a certificate of our own.
pub(super) fn common_name(der: &[u8]) -> Option<String> {
    names::read(der)?.common_name
}

/// What stands in a certificate that was verified; `None` where it cannot be read, which no verified one should be.
pub(crate) fn shown(chain: &[CertificateDer<'_>]) -> Option<Arc<Certificate>> {
    let leaf = chain.first()?;
    let names = names::read(leaf)?;
    let mut hash = TLS13_AES_128_GCM_SHA256.tls13()?.common.hash_provider.start();
    hash.update(leaf);
    let fingerprint = hash.finish().as_ref().try_into().ok()?;
    let names::Names { common_name, dns_names, uris } = names;
    Some(Arc::new(Certificate { common_name, dns_names, uris, fingerprint }))
}

impl ClientCertVerifier for Callers {
    fn client_auth_mandatory(&self) -> bool {
        self.showing == Showing::Required
    }

    /// None: the list could change while somebody reads it, and a caller knows which certificate it has.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.current.load().0.verify_client_cert(end_entity, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.current.load().0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.current.load().0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.current.load().0.supported_verify_schemes()
    }
}

impl std::fmt::Debug for Callers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Callers")
            .field("path", &self.path)
            .field("showing", &self.showing)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
