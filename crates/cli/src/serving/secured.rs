//! The gateway's certificate and the authorities of its callers, read again when they change.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use net::Listener;
use net::tls::{Callers, Certificates, Showing, Versions, server_config};

use crate::args::broker::ClientAuth;
use crate::failure::Outcome;
use crate::settings::Settings;

/// What the gateway shows and asks for over TLS.
#[derive(Clone)]
pub(crate) struct Secured {
    certificates: Arc<Certificates>,
    callers: Option<Arc<Callers>>,
    secure: Arc<dyn Fn(Listener) -> Listener + Send + Sync>,
    files: Vec<PathBuf>,
    /// How the files looked when they were read.
    seen: Arc<Mutex<Vec<Look>>>,
}

/// How a file looks from outside; `None` where it is not there.
type Look = Option<(Option<SystemTime>, u64, u64)>;

impl Secured {
    /// Reads the files that the settings name; `None` where they name none.
    pub(crate) fn read(settings: &Settings) -> Outcome<Option<Self>> {
        let Some(tls) = &settings.tls.value else { return Ok(None) };
        let mut files = vec![tls.cert.clone(), tls.key.clone()];
        files.extend(settings.client_ca.value.clone());
        // Before they are read: what changes meanwhile is read once more.
        let seen = look(&files);
        let certificates = Certificates::read(&tls.cert, &tls.key)?;
        let showing = match settings.client_auth.value {
            ClientAuth::Required => Showing::Required,
            ClientAuth::Optional => Showing::Optional,
        };
        let callers =
            settings.client_ca.value.as_ref().map(|path| Callers::read(path, showing)).transpose()?;
        let config = server_config(Arc::clone(&certificates), callers.clone(), Versions::default())?;
        let secure = Arc::new(move |listener: Listener| listener.with_tls(Arc::clone(&config)));
        Ok(Some(Self { certificates, callers, secure, files, seen: Arc::new(Mutex::new(seen)) }))
    }

    /// The same door with TLS in front of it.
    pub(crate) fn secure(&self, listener: Listener) -> Listener {
        (self.secure)(listener)
    }

    /// Reads all files again. On an error everything stays as it was.
    pub(crate) fn reload(&self) -> Outcome {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = look(&self.files);
        self.certificates.reload()?;
        if let Some(callers) = &self.callers {
            callers.reload()?;
        }
        Ok(())
    }

    /// Reads them again where they have changed since. Certificate and key are written one behind the other, so a pair that
    /// does not fit is said once, and read again with the next change.
    pub(crate) fn look(&self) {
        let now = look(&self.files);
        if *self.seen.lock().unwrap_or_else(PoisonError::into_inner) == now {
            return;
        }
        match self.reload() {
            Ok(()) => tracing::info!("the files of the gateway's certificate have changed and were read"),
            Err(failure) => {
                tracing::warn!(%failure, "the files of the gateway's certificate have changed and are wrong; the former ones stay in force");
            }
        }
    }
}

fn look(files: &[PathBuf]) -> Vec<Look> {
    let one = |path: &PathBuf| {
        let found = std::fs::metadata(path).ok()?;
        Some((found.modified().ok(), found.len(), found.ino()))
    };
    files.iter().map(one).collect()
}
