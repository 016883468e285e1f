//! What we show an upstream that asks for a certificate.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign::CertifiedKey;

use super::{bundle, provider};
use crate::Error;

/// A certificate chain and its key. The TLS library keeps the key for as long as connections may be made with it.
#[derive(Clone)]
pub struct ClientKey(Arc<CertifiedKey>);

impl ClientKey {
    /// Reads chain and key from PEM.
    ///
    /// # Errors
    /// When there is no certificate or no key, or they do not belong together. What was read is never repeated.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, Error> {
        let chain = bundle(chain)?;
        let key =
            PrivateKeyDer::from_pem_slice(key).map_err(|_| Error::Pem("it holds no private key in PEM"))?;
        let certified = CertifiedKey::from_der(chain, key, &provider()).map_err(|_| {
            Error::Pem("the key does not belong to the certificate, or its kind is not supported")
        })?;
        Ok(Self(Arc::new(certified)))
    }
}

impl ResolvesClientCert for ClientKey {
    /// The one that we have, whichever authorities the upstream names: it is for this upstream alone.
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl std::fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientKey").finish_non_exhaustive()
    }
}
