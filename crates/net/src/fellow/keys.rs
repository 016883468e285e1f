//! By what brokers of one home know each other: raw public keys (RFC 7250) that follow from the keys of the home.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{AlwaysResolvesClientRawPublicKeys, Resumption};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime,
};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{AlwaysResolvesServerRawPublicKeys, NoServerSessionStorage};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls::{ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};
use zeroize::Zeroizing;

use crate::tls;

/// What brokers of one home show each other: a key for the one that leads, and another for those that stand by.
#[derive(Clone)]
pub struct FellowKeys {
    leading: Arc<ServerConfig>,
    standing: Arc<ClientConfig>,
}

impl FellowKeys {
    /// Keys of these seeds.
    ///
    /// # Errors
    /// When the library does not take them.
    pub fn new(leads: &[u8; 32], stands_by: &[u8; 32]) -> Result<Self, crate::Error> {
        let (leads, stands_by) = (shown(leads)?, shown(stands_by)?);
        let provider = tls::provider();
        let knows = |other: &CertifiedKey| {
            let key = other.cert.first().cloned().map(CertificateDer::into_owned);
            Arc::new(Knows { key, known: provider.signature_verification_algorithms })
        };
        let mut leading = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(knows(&stands_by))
            .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(Arc::clone(&leads))));
        // Each connection proves itself.
        leading.session_storage = Arc::new(NoServerSessionStorage {});
        leading.send_tls13_tickets = 0;
        let mut standing = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(knows(&leads))
            .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(stands_by)));
        standing.resumption = Resumption::disabled();
        standing.enable_sni = false;
        Ok(Self { leading: Arc::new(leading), standing: Arc::new(standing) })
    }

    pub(super) fn leading(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.leading)
    }

    pub(super) fn standing(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.standing)
    }
}

impl fmt::Debug for FellowKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FellowKeys").finish_non_exhaustive()
    }
}

/// The key of a seed, with the public half where a certificate would be.
fn shown(seed: &[u8; 32]) -> Result<Arc<CertifiedKey>, Error> {
    let document = Zeroizing::new([ED25519_PKCS8, seed.as_slice()].concat());
    let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(document.as_slice())).clone_key();
    let key = tls::provider().key_provider.load_private_key(der)?;
    let public = key.public_key().ok_or_else(|| Error::General("the key has no public half".to_owned()))?;
    let public = CertificateDer::from(public.to_vec());
    Ok(Arc::new(CertifiedKey::new(vec![public], key)))
}

/// Knows one key, and nobody else.
#[derive(Debug)]
struct Knows {
    key: Option<CertificateDer<'static>>,
    known: WebPkiSupportedAlgorithms,
}

impl Knows {
    fn meets(&self, shown: &CertificateDer<'_>) -> Result<(), Error> {
        if self.key.as_ref().is_some_and(|key| key == shown) { Ok(()) } else { Err(STRANGER) }
    }

    fn signed(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = SubjectPublicKeyInfoDer::from(shown.as_ref());
        verify_tls13_signature_with_raw_key(message, &key, signature, &self.known)
    }
}

impl ServerCertVerifier for Knows {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _between: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.meets(shown).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _shown: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(STRANGER)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(message, shown, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.known.supported_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

impl ClientCertVerifier for Knows {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        shown: &CertificateDer<'_>,
        _between: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.meets(shown).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _shown: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(STRANGER)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(message, shown, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.known.supported_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

const STRANGER: Error = Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
/// The fixed head of an Ed25519 key in PKCS #8 (RFC 8410, section 7), in front of its seed.
const ED25519_PKCS8: &[u8] =
    &[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
