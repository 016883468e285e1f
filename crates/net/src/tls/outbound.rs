//! Whom we trust when we call an upstream.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, danger};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;

use super::{ClientKey, provider, reading, wrong};
use crate::{Error, Verify};

/// Which certificate authorities an upstream's certificate may come from.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// The starting point.
    pub base: Base,
    /// Authorities besides it, for instance a company's own. See [`read_bundle`].
    pub extra: Vec<CertificateDer<'static>>,
}

/// The starting point of [`Trust`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Base {
    /// What the operating system trusts; Mozilla's list where it has none, as in an empty image.
    #[default]
    Platform,
    /// Nobody: only the extra authorities count.
    Nobody,
}

/// TLS as we speak it to upstreams. Made once, shared by all threads.
#[derive(Debug, Clone)]
pub struct Outbound(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    trust: Trust,
    client_key: Option<ClientKey>,
    checked: OnceLock<Arc<ClientConfig>>,
    skipped: OnceLock<Arc<ClientConfig>>,
}

impl Outbound {
    /// Reads the roots and prepares both configurations.
    ///
    /// # Errors
    /// When an extra authority is not usable, or there is none at all.
    pub fn new(trust: &Trust) -> Result<Self, Error> {
        let made = Self::on_demand(trust.clone());
        made.config(Verify::Checked)?;
        made.config(Verify::Skipped)?;
        Ok(made)
    }

    /// The same for a process that may never need it: the roots are read with the first connection over TLS. Reading
    /// those of a platform takes milliseconds.
    #[must_use]
    pub fn on_demand(trust: Trust) -> Self {
        Self::showing(trust, None)
    }

    /// The same, showing a certificate to whoever asks for one.
    pub(crate) fn showing(trust: Trust, client_key: Option<ClientKey>) -> Self {
        Self(Arc::new(Inner { trust, client_key, checked: OnceLock::new(), skipped: OnceLock::new() }))
    }

    pub(crate) fn config(&self, verify: Verify) -> Result<&Arc<ClientConfig>, Error> {
        let Inner { trust, client_key, checked, skipped } = &*self.0;
        let kept = match verify {
            Verify::Checked => checked,
            Verify::Skipped => skipped,
        };
        if let Some(config) = kept.get() {
            return Ok(config);
        }
        let provider = provider();
        let verifier: Arc<dyn ServerCertVerifier> = match verify {
            Verify::Checked => verifier(trust, &provider)?,
            Verify::Skipped => Arc::new(DangerousUnverified(Arc::clone(&provider))),
        };
        let config = config(verifier, client_key.as_ref(), &provider)?;
        Ok(kept.get_or_init(|| config))
    }
}

/// The certificates of a PEM bundle.
///
/// # Errors
/// When there is none, or one that is not a certificate.
pub(crate) fn bundle(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(Error::Pem("it holds no certificate")),
        Err(_) => Err(Error::Pem("it is not PEM")),
    }
}

/// Reads the certificates of a PEM bundle.
///
/// # Errors
/// When the file cannot be read, holds none, or holds something that is not a certificate.
pub fn read_bundle(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let text = std::fs::read(path).map_err(|source| reading(path, source))?;
    bundle(&text).map_err(|error| match error {
        Error::Pem(what) => wrong(path, what),
        other => other,
    })
}

fn config(
    verifier: Arc<dyn danger::ServerCertVerifier>,
    client_key: Option<&ClientKey>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<ClientConfig>, Error> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match client_key {
        None => builder.with_no_client_auth(),
        Some(client_key) => builder.with_client_cert_resolver(Arc::new(client_key.clone())),
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn verifier(trust: &Trust, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    let mut roots = RootCertStore::empty();
    if trust.base == Base::Platform {
        // Asked without the extra authorities first: with them the platform's verifier would not say that it has no roots.
        match Verifier::new(Arc::clone(provider)) {
            Ok(verifier) if trust.extra.is_empty() => return Ok(Arc::new(verifier)),
            Ok(_) => {
                let extra = trust.extra.iter().cloned();
                return Ok(Arc::new(Verifier::new_with_extra_roots(extra, Arc::clone(provider))?));
            }
            Err(error) => {
                tracing::info!(%error, "the platform has no certificate authorities; using Mozilla's list");
                roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            }
        }
    }
    for authority in &trust.extra {
        roots.add(authority.clone())?;
    }
    let built = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
    Ok(built.map_err(|error| rustls::Error::General(error.to_string()))?)
}

/// Believes every certificate. Signatures of the handshake are checked all the same, so that the peer at least holds the
/// key of what it shows.
#[derive(Debug)]
struct DangerousUnverified(Arc<CryptoProvider>);

impl ServerCertVerifier for DangerousUnverified {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
