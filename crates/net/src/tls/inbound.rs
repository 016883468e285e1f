//! What we show when we are called: a certificate and its key from files, reloaded without closing the door.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use zeroize::Zeroizing;

use super::outbound::read_bundle;
use super::{Callers, provider, reading, wrong};
use crate::Error;

/// Which versions of TLS a door speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Versions {
    /// TLS 1.3 only.
    #[default]
    Tls13,
    /// TLS 1.2 as well, for callers that are asked for by name.
    Tls12Too,
}

/// A certificate chain and its key, read from two PEM files and swapped whole on [`Certificates::reload`].
pub struct Certificates {
    chain: PathBuf,
    key: PathBuf,
    current: ArcSwap<CertifiedKey>,
}

impl Certificates {
    /// Reads both files. The key has to be readable by its owner and group only.
    ///
    /// # Errors
    /// When a file cannot be read, others can read the key, or key and certificate do not belong together.
    pub fn read(chain: &Path, key: &Path) -> Result<Arc<Self>, Error> {
        let current = ArcSwap::from_pointee(certified(chain, key)?);
        Ok(Arc::new(Self { chain: chain.to_owned(), key: key.to_owned(), current }))
    }

    /// Reads both files again. Handshakes that have begun keep what they have; on an error, everything stays as it was.
    ///
    /// # Errors
    /// As for [`Certificates::read`].
    pub fn reload(&self) -> Result<(), Error> {
        self.current.store(Arc::new(certified(&self.chain, &self.key)?));
        Ok(())
    }
}

/// The configuration of a door with TLS; HTTP/2 and HTTP/1.1 are offered. Where callers may show certificates, no session is
/// resumed.
///
/// # Errors
/// When the versions cannot be set up.
pub fn server_config(
    certificates: Arc<Certificates>,
    callers: Option<Arc<Callers>>,
    versions: Versions,
) -> Result<Arc<ServerConfig>, Error> {
    let versions: &[&rustls::SupportedProtocolVersion] = match versions {
        Versions::Tls13 => &[&TLS13],
        Versions::Tls12Too => &[&TLS13, &TLS12],
    };
    let builder = ServerConfig::builder_with_provider(provider()).with_protocol_versions(versions)?;
    let mut config = match callers {
        None => builder.with_no_client_auth().with_cert_resolver(certificates),
        Some(callers) => {
            let mut config = builder.with_client_cert_verifier(callers).with_cert_resolver(certificates);
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
            config
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn certified(chain_path: &Path, key_path: &Path) -> Result<CertifiedKey, Error> {
    let chain = read_bundle(chain_path)?;
    let key = read_key(key_path)?;
    let certified = CertifiedKey::from_der(chain, key, &provider()).map_err(|_| {
        wrong(key_path, "it does not belong to the certificate, or its kind is not supported")
    })?;
    Ok(certified)
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    let failed = |source| reading(path, source);
    let mut file = File::open(path).map_err(failed)?;
    // Of the open file, not of the path: it could be another file by now.
    let about = file.metadata().map_err(failed)?;
    if about.mode() & OPEN_TO_OTHERS != 0 {
        return Err(wrong(
            path,
            "others than its owner and group can read it, or others than its owner change it",
        ));
    }
    if about.len() > LARGEST {
        return Err(wrong(path, "it is too large for a key"));
    }
    // With room for all of it, or growing would leave copies of the key behind.
    let mut text = Zeroizing::new(Vec::with_capacity(usize::try_from(LARGEST + 1).unwrap_or(usize::MAX)));
    file.by_ref().take(LARGEST).read_to_end(&mut text).map_err(failed)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| wrong(path, "it holds no private key in PEM"))
}

// === impl Certificates ===

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificates").field("chain", &self.chain).finish_non_exhaustive()
    }
}

/// Mode bits that a key file may not have: anything for others, writing for the group.
const OPEN_TO_OTHERS: u32 = 0o027;
const LARGEST: u64 = 64 * 1024;

#[cfg(test)]
mod tests;
