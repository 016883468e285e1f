//! How AWS is reached: by the environment and the settings of whoever asks, not of whoever performs the call.

use std::path::PathBuf;
use std::sync::Arc;

use aws::wire::{Sleep, Wire};
use net::egress::{EgressConfig, Proxies, ProxyError, Roots};
use zeroize::Zeroizing;

use crate::SystemClock;

/// Proxies and certificates, as they were written. The address of a proxy may have a password in it.
#[derive(Clone, Default)]
pub struct Reach {
    /// `HTTPS_PROXY`.
    pub https: Option<Zeroizing<String>>,
    /// `http_proxy`.
    pub http: Option<Zeroizing<String>>,
    /// `NO_PROXY`.
    pub except: Option<String>,
    /// The file of certificates that are believed; `None` is what the system trusts.
    pub bundle: Option<PathBuf>,
}

impl Reach {
    /// What sends requests to AWS. Nothing is read or opened yet.
    ///
    /// # Errors
    /// When an address is not one of a proxy.
    pub fn wire(&self) -> Result<Wire, ProxyError> {
        Ok(Wire::new(self.egress()?, Arc::new(SystemClock::default()), Arc::new(Sleep)))
    }

    /// The same for whoever asks something else than AWS.
    ///
    /// # Errors
    /// When an address is not one of a proxy.
    pub fn egress(&self) -> Result<EgressConfig, ProxyError> {
        let [https, http] =
            [&self.https, &self.http].map(|written| written.as_ref().map(|text| text.as_str()));
        let proxies = Proxies::new(https, http, self.except.as_deref())?;
        let roots = self.bundle.clone().map_or(Roots::Platform, Roots::Bundle);
        Ok(EgressConfig { proxies, roots, ..EgressConfig::default() })
    }
}
