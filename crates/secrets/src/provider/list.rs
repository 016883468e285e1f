//! The list of all key providers. A member is one file and one line here.

use memory::Secret;

use super::choice::{KeyChoice, Wrong};
use super::facts::Facts;
use super::{
    KeyFile, KeyProvider, Passphrase, age, aws_kms, azure_key_vault, gcp_kms, key_file, os_keyring,
    passphrase, pkcs11, tpm2, transit,
};
use crate::Setup;

/// One line of [`KEY_PROVIDERS`].
pub struct Listed {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub summary: &'static str,
    /// How it is chosen.
    pub example: &'static str,
    pub(super) make: Make,
}

/// Makes the provider that was chosen; some need what somebody typed.
pub(super) type Make = fn(&KeyChoice, &Setup, &mut Option<Secret>) -> Result<Box<dyn KeyProvider>, Wrong>;

/// Every key provider, in the order in which they are shown.
pub const KEY_PROVIDERS: &[Listed] = &[
    Listed {
        name: passphrase::NAME,
        summary: "a passphrase that somebody types, stretched with Argon2id",
        example: "passphrase",
        make: |choice, _, typed| {
            choice.plain()?;
            let typed = typed.take().ok_or_else(|| Wrong::new("nobody typed a passphrase"))?;
            Ok(Box::new(Passphrase::new(typed)))
        },
    },
    Listed {
        name: key_file::NAME,
        summary: "a file of 32 random bytes, made where there is none",
        example: "key-file:/etc/doorward/key",
        make: |choice, setup, _| {
            choice.options(&[])?;
            let path = std::path::PathBuf::from(choice.place("the path of the file")?);
            let there = std::fs::symlink_metadata(&path).is_ok();
            let made = if there { Ok(KeyFile::at(path)) } else { KeyFile::create(path) };
            Ok(Box::new(made.map_err(|error| Wrong::new(error.to_string()))?.of(setup.home.as_deref())))
        },
    },
    Listed {
        name: os_keyring::NAME,
        summary: "an entry in a keyring of the operating system",
        example: "os-keyring:secret-service",
        make: os_keyring::choose,
    },
    Listed {
        name: transit::NAME,
        summary: "a key of the transit engine of HashiCorp Vault or OpenBao",
        example: "transit:transit/doorward",
        make: transit::choose,
    },
    Listed {
        name: aws_kms::NAME,
        summary: "a symmetric key of AWS KMS, with the home in the encryption context",
        example: "aws-kms:arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        make: aws_kms::choose,
    },
    Listed {
        name: gcp_kms::NAME,
        summary: "a symmetric key of Google Cloud KMS, with the home as authenticated data",
        example: "gcp-kms:projects/acme/locations/global/keyRings/main/cryptoKeys/doorward",
        make: gcp_kms::choose,
    },
    Listed {
        name: azure_key_vault::NAME,
        summary: "an RSA key of Azure Key Vault (RSA-OAEP-256)",
        example: "azure-key-vault:acme/doorward",
        make: azure_key_vault::choose,
    },
    Listed {
        name: pkcs11::NAME,
        summary: "an AES key on a token, such as a hardware security module (AES-GCM)",
        example: "pkcs11:token=hsm;object=doorward?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/doorward/pin",
        make: pkcs11::choose,
    },
    Listed {
        name: tpm2::NAME,
        summary: "this machine's TPM, by the programs of tpm2-tools",
        example: "tpm2?pcrs=sha256:7",
        make: tpm2::choose,
    },
    Listed {
        name: age::NAME,
        summary: "recipients of age, opened by an identity file; plugins as well",
        example: "age:age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kudqtnv9s6ht5tf?identity=/etc/doorward/identity",
        make: age::choose,
    },
];

/// The provider that facts belong to. `typed` is what [`Facts::asks`] wants.
///
/// # Errors
/// [`crate::Error::Unlock`] when somebody has to type something and nobody did.
pub fn provider_of(
    facts: &Facts,
    setup: &Setup,
    typed: Option<Secret>,
) -> Result<Box<dyn KeyProvider>, crate::Error> {
    let missing = || crate::Error::Unlock(facts.provider());
    Ok(match facts {
        Facts::Passphrase { .. } => Box::new(Passphrase::new(typed.ok_or_else(missing)?)),
        Facts::KeyFile { path } => Box::new(KeyFile::remembered(path, setup.home.as_deref())),
        Facts::OsKeyring { keyring, .. } => os_keyring::of(keyring, setup)?,
        Facts::Transit { mount, key, .. } => transit::of(mount, key, setup),
        Facts::AwsKms { key, .. } => aws_kms::of(key, setup),
        Facts::GcpKms { key, .. } => gcp_kms::of(key, setup),
        Facts::AzureKeyVault { vault, key, version, .. } => {
            azure_key_vault::of(vault, key, Some(version), setup)
        }
        Facts::Pkcs11 { module, key, pin, .. } => {
            if facts.asks().is_some() && typed.is_none() {
                return Err(missing());
            }
            pkcs11::of(module, key, pin, (setup, typed))
        }
        Facts::Tpm2 { pcrs, auth, .. } => tpm2::of(pcrs.as_deref(), auth.as_deref(), setup),
        Facts::Age { recipients, identity, .. } => age::of(recipients, identity, setup),
    })
}
