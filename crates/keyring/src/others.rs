//! Entries that other programs keep in the places of a desktop: read by what those programs call them, never written.

use memory::Secret;

use crate::wincred::Wincred;
use crate::{Error, Settings};

/// The secret of the Secret Service with these attributes. More than one such item is an error, as nobody could say which
/// is meant. Blocks, until a prompt of the desktop is answered.
///
/// # Errors
/// [`Error::NotFound`] where there is none; others when the service is locked or out of reach.
#[cfg(target_os = "linux")]
pub fn secret_with(settings: &Settings, attributes: &[(String, String)]) -> Result<Secret, Error> {
    crate::secret_service::Service::open(settings)?.with(attributes)
}

/// The same where there is no Secret Service.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn secret_with(_settings: &Settings, _attributes: &[(String, String)]) -> Result<Secret, Error> {
    Err(Error::unavailable(crate::Kind::SecretService, "it is a part of Linux"))
}

/// A password in the wallet and folder of the settings. Blocks, until a prompt of the desktop is answered.
///
/// # Errors
/// [`Error::NotFound`] where there is none; others when the wallet is locked or out of reach.
#[cfg(target_os = "linux")]
pub fn wallet_password(settings: &Settings, name: &str) -> Result<Secret, Error> {
    crate::kwallet::Wallet::open(settings)?.password(name)
}

/// The same where there is no wallet.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn wallet_password(_settings: &Settings, _name: &str) -> Result<Secret, Error> {
    Err(Error::unavailable(crate::Kind::Kwallet, "it is a part of Linux"))
}

/// The bytes of a generic credential of Windows, by its target. Blocks.
///
/// # Errors
/// [`Error::NotFound`] where there is none; others when there is no PowerShell, or nobody is signed in.
pub fn windows_credential(settings: &Settings, target: &str) -> Result<Secret, Error> {
    Wincred::open(settings)?.credential(target)
}
