//! Opens a keyring by its kind, or the first one that can be used here.

use crate::file::Files;
use crate::keychain::Keychain;
use crate::pass::Store;
use crate::proton_pass::ProtonPass;
use crate::wincred::Wincred;
use crate::{Error, Keyring, Kind, Settings, op};

/// Opens the keyring of a kind. Most members look only for what they need; nothing is decrypted and nobody is asked yet.
///
/// # Errors
/// [`Error::Unavailable`] where it can't be used here, [`Error::Setting`] where the settings lack something.
pub fn open(kind: Kind, settings: &Settings) -> Result<Box<dyn Keyring>, Error> {
    Ok(match kind {
        Kind::Doorward => {
            return Err(Error::unavailable(kind, "it is opened by the broker, not as a keyring"));
        }
        Kind::Winhello => return Err(Error::unavailable(kind, WINHELLO)),
        Kind::Wincred => Box::new(Wincred::open(settings)?),
        Kind::Keychain => Box::new(Keychain::open(settings)?),
        Kind::SecretService | Kind::Kwallet | Kind::Keyctl => linux(kind, settings)?,
        Kind::Pass | Kind::Passage => Box::new(Store::open(kind, settings)?),
        Kind::File => Box::new(Files::open(settings)),
        Kind::OpConnect => Box::new(op::Connect::open(settings)?),
        Kind::Op | Kind::OpDesktop => Box::new(op::Cli::open(kind, settings)?),
        Kind::ProtonPass => Box::new(ProtonPass::open(settings)?),
    })
}

#[cfg(target_os = "linux")]
fn linux(kind: Kind, settings: &Settings) -> Result<Box<dyn Keyring>, Error> {
    Ok(match kind {
        Kind::SecretService => Box::new(crate::secret_service::Service::open(settings)?),
        Kind::Kwallet => Box::new(crate::kwallet::Wallet::open(settings)?),
        _ => Box::new(crate::keyctl::Keys::open(settings)?),
    })
}

#[cfg(not(target_os = "linux"))]
fn linux(kind: Kind, _settings: &Settings) -> Result<Box<dyn Keyring>, Error> {
    Err(Error::unavailable(kind, "it is a part of Linux"))
}

/// Opens the first keyring of [`Kind::ALL`] that can be used here, and tells which one it is. A bus is dialled only where
/// the settings have its address, and at most once for each kind that needs it.
///
/// The kernel's keys are forgotten when the machine restarts, so they are chosen only where entries of ours are already
/// among them. Keyrings of a service on the network are never chosen: they are named or not used.
///
/// # Errors
/// [`Error::Unavailable`] where there is none. Files can be made anywhere, so that hardly happens.
pub fn first_usable(settings: &Settings) -> Result<(Kind, Box<dyn Keyring>), Error> {
    let mut passed_over = Vec::new();
    for kind in Kind::ALL {
        match usable(kind, settings) {
            Ok(Some(keyring)) => {
                if !passed_over.is_empty() {
                    settings.ask.tell(&format!("keyring `{kind}` ({})", passed_over.join("; ")));
                }
                return Ok((kind, keyring));
            }
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(%kind, %error, "a keyring was passed over");
                if is_expected(kind) {
                    passed_over.push(error.to_string());
                }
            }
        }
    }
    Err(Error::unavailable(Kind::File, "no keyring can be used"))
}

/// Opens a keyring if it is one that may be chosen without being named.
fn usable(kind: Kind, settings: &Settings) -> Result<Option<Box<dyn Keyring>>, Error> {
    match kind {
        Kind::Doorward | Kind::Winhello | Kind::OpConnect | Kind::Op | Kind::OpDesktop | Kind::ProtonPass => {
            Ok(None)
        }
        Kind::Pass | Kind::Passage => {
            let store = Store::open(kind, settings)?;
            Ok(store.is_ready().then(|| Box::new(store) as Box<dyn Keyring>))
        }
        Kind::Keyctl => {
            let keys = open(kind, settings)?;
            Ok((!keys.names()?.is_empty()).then_some(keys))
        }
        Kind::Wincred | Kind::Keychain | Kind::SecretService | Kind::Kwallet | Kind::File => {
            open(kind, settings).map(Some)
        }
    }
}

/// Whether a person would expect this keyring here, so that it is worth a word when it can't be used.
const fn is_expected(kind: Kind) -> bool {
    match kind {
        Kind::SecretService => cfg!(target_os = "linux"),
        Kind::Keychain => cfg!(target_os = "macos"),
        _ => false,
    }
}

const WINHELLO: &str =
    "its keys can only be used from Windows' own window for it, which this program does not open";
