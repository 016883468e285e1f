//! Whose certificates are believed when we ask on our own behalf.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::tls::{Outbound, Trust, provider, read_bundle};
use crate::{Error, Verify};

/// Whose certificates are believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Roots {
    /// What the operating system trusts; Mozilla's list where it has none.
    #[default]
    Platform,
    /// The certificates of this PEM file and no others: `ca_bundle`, `AWS_CA_BUNDLE`, `SSL_CERT_FILE`. One that is no
    /// authority is believed when the server shows exactly it.
    Bundle(PathBuf),
}

/// TLS as we speak it: HTTP/1.1 only.
pub(super) fn config(roots: &Roots) -> Result<Arc<ClientConfig>, Error> {
    let mut config = match roots {
        Roots::Platform => (**Outbound::on_demand(Trust::default()).config(Verify::Checked)?).clone(),
        Roots::Bundle(path) => {
            let verifier = Bundle::new(read_bundle(path)?).map_err(Error::TlsSetup)?;
            ClientConfig::builder_with_provider(provider())
                .with_safe_default_protocol_versions()?
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(verifier))
                .with_no_client_auth()
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Believes the authorities of a bundle, and the certificates in it that are none.
#[derive(Debug)]
struct Bundle {
    authorities: Arc<WebPkiServerVerifier>,
    certificates: Vec<CertificateDer<'static>>,
}

impl Bundle {
    fn new(certificates: Vec<CertificateDer<'static>>) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore::empty();
        // The bundles of distributions have certificates in them that are not understood; the others count.
        roots.add_parsable_certificates(certificates.iter().cloned());
        let authorities = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        Ok(Self { authorities, certificates })
    }
}

impl ServerCertVerifier for Bundle {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let checked =
            self.authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match checked {
            // A self-signed certificate that says of itself that it is an authority, as most tools make them. Its dates
            // are checked before what it may be used for, so only that is what failed; its name was not checked yet.
            Err(rustls::Error::InvalidCertificate(CertificateError::Other(_)))
                if self.certificates.iter().any(|known| known == end_entity) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            checked => checked,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.authorities.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.authorities.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}
