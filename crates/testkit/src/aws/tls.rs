//! The certificates behind the proxy: an authority of its own and one leaf for the hosts of console sign-in.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// What the proxy shows, and what a program has to trust for it.
#[derive(Debug)]
pub(super) struct Tls {
    pub(super) server: Arc<ServerConfig>,
    pub(super) authority: String,
}

impl Tls {
    /// Makes fresh keys and certificates.
    pub(super) fn make() -> Self {
        let key = KeyPair::generate().expect("the test kit works");
        let mut params = CertificateParams::new(Vec::new()).expect("the test kit works");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "authority of the fake of AWS");
        let authority = params.self_signed(&key).expect("the test kit works");
        let issuer = Issuer::new(params, key);

        let key = KeyPair::generate().expect("the test kit works");
        let hosts = HOSTS.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>();
        let params = CertificateParams::new(hosts).expect("the test kit works");
        let leaf = params.signed_by(&key, &issuer).expect("the test kit works");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the test kit works")
            .with_no_client_auth()
            .with_single_cert(
                vec![leaf.der().clone()],
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            )
            .expect("the test kit works");
        Self { server: Arc::new(server), authority: authority.pem() }
    }
}

/// The hosts of sign-in in all partitions, and what tests call themselves.
const HOSTS: &[&str] = &[
    "us-east-1.signin.aws.amazon.com",
    "signin.aws.amazon.com",
    "*.signin.aws.amazon.com",
    "signin.amazonaws.cn",
    "signin.amazonaws-us-gov.com",
    "signin.amazonaws-eusc.eu",
    "localhost",
];
