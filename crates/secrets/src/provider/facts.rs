//! What a home remembers of its key provider: everything that opening it again takes, and nothing secret.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::home_id::HomeId;
use super::{
    age, aws_kms, azure_key_vault, gcp_kms, key_file, os_keyring, passphrase, pkcs11, tpm2, transit,
};

/// What must be remembered to unlock a home. Not secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "provider", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Facts {
    /// A passphrase, stretched with Argon2id.
    Passphrase {
        /// 32 random bytes in hex.
        salt: String,
        /// Memory in KiB.
        memory: u32,
        /// Passes over the memory.
        passes: u32,
        /// Lanes.
        lanes: u32,
    },
    /// A file that holds 32 random bytes.
    KeyFile {
        /// Where it was when the home was made or last rewrapped; from the home's folder on where it lies in there.
        path: PathBuf,
    },
    /// An entry in a keyring of the operating system.
    OsKeyring {
        /// The home that it is bound to.
        home: HomeId,
        /// Which keyring.
        keyring: String,
        /// The name of the entry, which is never used twice.
        entry: String,
    },
    /// A key of the transit engine of Vault or `OpenBao`.
    Transit {
        /// The home that it is bound to.
        home: HomeId,
        /// Where the engine is mounted.
        mount: String,
        /// The name of the key.
        key: String,
        /// What it sealed, as Vault writes it.
        wrapped: String,
    },
    /// A key of AWS KMS.
    AwsKms {
        /// The home that it is bound to, in the encryption context.
        home: HomeId,
        /// The ARN of the key.
        key: String,
        /// What it sealed, in base 64.
        wrapped: String,
    },
    /// A key of Google Cloud KMS.
    GcpKms {
        /// The home that it is bound to, as additional authenticated data.
        home: HomeId,
        /// `projects/P/locations/L/keyRings/R/cryptoKeys/K`.
        key: String,
        /// What it sealed, in base 64.
        wrapped: String,
    },
    /// An RSA key of Azure Key Vault.
    AzureKeyVault {
        /// The home that it is bound to, within what is sealed.
        home: HomeId,
        /// The vault.
        vault: String,
        /// The name of the key.
        key: String,
        /// Its version that sealed.
        version: String,
        /// What it sealed, in base 64 for URLs.
        wrapped: String,
    },
    /// An AES key on a token.
    Pkcs11 {
        /// The home that it is bound to, as additional authenticated data.
        home: HomeId,
        /// The library that speaks to the token.
        module: PathBuf,
        /// Which token and key.
        key: TokenKey,
        /// Where its PIN is.
        pin: Pin,
        /// Nonce and what the key sealed, in base 64.
        wrapped: String,
    },
    /// A sealed object of this machine's TPM.
    Tpm2 {
        /// The home that it is bound to, within what is sealed.
        home: HomeId,
        /// The registers that have to be as they were, such as `sha256:0,7`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pcrs: Option<String>,
        /// The file with what authorises its use.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        auth: Option<PathBuf>,
        /// The public part, in base 64.
        public: String,
        /// The private part, which only this TPM opens, in base 64.
        private: String,
    },
    /// A file encrypted for recipients of age.
    Age {
        /// The home that it is bound to, within what is sealed.
        home: HomeId,
        /// For whom it was encrypted.
        recipients: Vec<String>,
        /// The file with the identity that opens it.
        identity: PathBuf,
        /// The file, in base 64.
        wrapped: String,
    },
}

/// Which key on which token. What is not said matches anything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenKey {
    /// The label of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The serial number of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// The label of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The id of the key, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// Where the PIN of a token is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Pin {
    /// In a file that only its owner may read.
    File(PathBuf),
    /// In a variable of the environment.
    Env(String),
    /// Somebody types it.
    Prompt,
}

impl Facts {
    /// The name of the provider that they belong to.
    #[must_use]
    pub const fn provider(&self) -> &'static str {
        match self {
            Self::Passphrase { .. } => passphrase::NAME,
            Self::KeyFile { .. } => key_file::NAME,
            Self::OsKeyring { .. } => os_keyring::NAME,
            Self::Transit { .. } => transit::NAME,
            Self::AwsKms { .. } => aws_kms::NAME,
            Self::GcpKms { .. } => gcp_kms::NAME,
            Self::AzureKeyVault { .. } => azure_key_vault::NAME,
            Self::Pkcs11 { .. } => pkcs11::NAME,
            Self::Tpm2 { .. } => tpm2::NAME,
            Self::Age { .. } => age::NAME,
        }
    }

    /// What somebody has to type to unlock the home; `None` where nobody has to.
    #[must_use]
    pub const fn asks(&self) -> Option<&'static str> {
        match self {
            Self::Passphrase { .. } => Some("Passphrase"),
            Self::Pkcs11 { pin: Pin::Prompt, .. } => Some("PIN of the token"),
            _ => None,
        }
    }

    /// The home that they are bound to, where the provider binds one.
    #[must_use]
    pub const fn home(&self) -> Option<&HomeId> {
        match self {
            Self::Passphrase { .. } | Self::KeyFile { .. } => None,
            Self::OsKeyring { home, .. }
            | Self::Transit { home, .. }
            | Self::AwsKms { home, .. }
            | Self::GcpKms { home, .. }
            | Self::AzureKeyVault { home, .. }
            | Self::Pkcs11 { home, .. }
            | Self::Tpm2 { home, .. }
            | Self::Age { home, .. } => Some(home),
        }
    }

    /// Which key it is, in one line for people; `None` where the provider's name says all.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        Some(match self {
            Self::Passphrase { .. } => return None,
            Self::KeyFile { path } => path.display().to_string(),
            Self::OsKeyring { keyring, entry, .. } => format!("{keyring}, entry {entry}"),
            Self::Transit { mount, key, .. } => format!("{mount}/{key}"),
            Self::AwsKms { key, .. } | Self::GcpKms { key, .. } => key.clone(),
            Self::AzureKeyVault { vault, key, version, .. } => format!("{vault}/{key}/{version}"),
            Self::Pkcs11 { key, module, .. } => format!("{key} by {}", module.display()),
            Self::Tpm2 { pcrs: Some(pcrs), .. } => format!("this machine, {pcrs}"),
            Self::Tpm2 { pcrs: None, .. } => "this machine".to_owned(),
            Self::Age { recipients, .. } => recipients.join(", "),
        })
    }

    /// The files that open the home or help to do so: no secret reference may read them.
    #[must_use]
    pub fn files(&self) -> Vec<&Path> {
        match self {
            Self::KeyFile { path } => vec![path],
            Self::Pkcs11 { pin: Pin::File(path), .. } => vec![path],
            Self::Tpm2 { auth, .. } => auth.iter().map(PathBuf::as_path).collect(),
            Self::Age { identity, .. } => vec![identity],
            _ => Vec::new(),
        }
    }

    /// The bytes that are authenticated with each wrapped key, so that nobody can lower a cost, change a salt or exchange
    /// what a service sealed. Paths and the place of a PIN are left out: files may be moved.
    pub(crate) fn authenticated(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut part = |part: &[u8]| {
            bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            bytes.extend_from_slice(part);
        };
        part(self.provider().as_bytes());
        if let Some(home) = self.home() {
            part(home.as_bytes());
        }
        match self {
            Self::Passphrase { salt, memory, passes, lanes } => {
                part(salt.as_bytes());
                part(&crypto::Cost { memory: *memory, passes: *passes, lanes: *lanes }.to_bytes());
            }
            Self::KeyFile { path: _ } => {}
            Self::OsKeyring { home: _, keyring, entry } => {
                part(keyring.as_bytes());
                part(entry.as_bytes());
            }
            Self::Transit { home: _, mount, key, wrapped } => {
                [mount, key, wrapped].into_iter().for_each(|text| part(text.as_bytes()));
            }
            Self::AwsKms { home: _, key, wrapped } | Self::GcpKms { home: _, key, wrapped } => {
                [key, wrapped].into_iter().for_each(|text| part(text.as_bytes()));
            }
            Self::AzureKeyVault { home: _, vault, key, version, wrapped } => {
                [vault, key, version, wrapped].into_iter().for_each(|text| part(text.as_bytes()));
            }
            Self::Pkcs11 { home: _, module: _, key, pin: _, wrapped } => {
                for named in [&key.token, &key.serial, &key.object, &key.id] {
                    part(if named.is_some() { b"1" } else { b"0" });
                    part(named.as_deref().unwrap_or_default().as_bytes());
                }
                part(wrapped.as_bytes());
            }
            Self::Tpm2 { home: _, pcrs, auth, public, private } => {
                part(pcrs.as_deref().unwrap_or_default().as_bytes());
                part(if auth.is_some() { b"1" } else { b"0" });
                [public, private].into_iter().for_each(|text| part(text.as_bytes()));
            }
            Self::Age { home: _, recipients, identity: _, wrapped } => {
                recipients.iter().chain([wrapped]).for_each(|text| part(text.as_bytes()));
            }
        }
        bytes
    }
}

impl std::fmt::Display for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let named =
            [("token", &self.token), ("serial", &self.serial), ("object", &self.object), ("id", &self.id)];
        let said =
            named.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value.as_deref()?)));
        f.write_str(&said.collect::<Vec<_>>().join(";"))
    }
}
