//! A symmetric key of Google Cloud KMS as a key provider.
//!
//! The home is bound as additional authenticated data. The credentials are those of the secret sources at Google: `[gcp]` in
//! `sources.toml`, `GOOGLE_APPLICATION_CREDENTIALS`, the machine's metadata server.
//!
//! Source: the REST reference of Cloud KMS, `cryptoKeys.encrypt` and `cryptoKeys.decrypt`.

use http::Method;
use memory::Secret;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::KeyProvider;
use super::asking::ask;
use super::choice::{KeyChoice, Wrong};
use super::facts::Facts;
use super::home_id::HomeId;
use super::kept::{Keeps, Kept};
use super::payload::Payload;
use crate::source::google::{self, Api};
use crate::source::secret_text::SecretText;
use crate::source::web::{Reply, safe_path};
use crate::source::{Setup, Trouble};

/// One key.
struct GcpKms {
    key: String,
    setup: Setup,
}

#[derive(Deserialize)]
struct Encrypted {
    ciphertext: String,
    #[serde(rename = "ciphertextCrc32c")]
    sum: Option<String>,
    #[serde(rename = "verifiedPlaintextCrc32c", default)]
    arrived_whole: bool,
    #[serde(rename = "verifiedAdditionalAuthenticatedDataCrc32c", default)]
    bound_whole: bool,
}

#[derive(Deserialize)]
struct Decrypted {
    plaintext: SecretText,
    #[serde(rename = "plaintextCrc32c")]
    sum: Option<String>,
}

/// The key that was chosen, by its whole name.
pub(super) fn choose(
    choice: &KeyChoice,
    setup: &Setup,
    _typed: &mut Option<Secret>,
) -> Result<Box<dyn KeyProvider>, Wrong> {
    choice.options(&[])?;
    let key = choice.place("the name of the key")?;
    checked(key)
        .map_err(|_| Wrong::new("the key is not `projects/P/locations/L/keyRings/R/cryptoKeys/K`"))?;
    Ok(of(key, setup))
}

/// A key of KMS.
pub(super) fn of(key: &str, setup: &Setup) -> Box<dyn KeyProvider> {
    Box::new(Kept(GcpKms { key: key.to_owned(), setup: setup.clone() }))
}

impl GcpKms {
    fn does(&self, key: &str, what: &str, body: &Zeroizing<Vec<u8>>) -> Result<Reply, Trouble> {
        let target = format!("/v1/{}:{what}", checked(key)?);
        let address = self.setup.config.gcp.kms.clone();
        let address = address.unwrap_or_else(|| "https://cloudkms.googleapis.com".to_owned());
        let api = Api::new("Cloud KMS", address, &self.setup);
        ask(&self.setup, async |lender| {
            api.ask((Method::POST, &target), body.clone(), lender).await?.accepted()
        })
    }
}

impl Keeps for GcpKms {
    fn name(&self) -> &'static str {
        NAME
    }

    fn seal(&self, payload: &Payload, home: &HomeId) -> Result<Facts, Trouble> {
        let (plain, bound) = (payload.as_bytes(), home.bound());
        let text = Zeroizing::new(crypto::to_base64(plain));
        let mut body = Zeroizing::new(Vec::with_capacity(512));
        for part in [
            "{\"plaintext\":\"",
            &text,
            "\",\"plaintextCrc32c\":\"",
            &google::crc32c(plain).to_string(),
            "\",\"additionalAuthenticatedData\":\"",
            &crypto::to_base64(bound.as_bytes()),
            "\",\"additionalAuthenticatedDataCrc32c\":\"",
            &google::crc32c(bound.as_bytes()).to_string(),
            "\"}",
        ] {
            body.extend_from_slice(part.as_bytes());
        }
        let reply = self.does(&self.key, "encrypt", &body)?;
        let Encrypted { ciphertext, sum, arrived_whole, bound_whole } = reply.json()?;
        let sealed = crypto::from_base64(&ciphertext).map_err(|_| reply.wrong("is not base 64"))?;
        let whole = sum.is_none_or(|sum| sum.parse() == Ok(i64::from(google::crc32c(&sealed))));
        if !(whole && arrived_whole && bound_whole) {
            return Err(reply.wrong("was damaged on its way: its checksum is another one"));
        }
        Ok(Facts::GcpKms { home: *home, key: self.key.clone(), wrapped: ciphertext })
    }

    fn open(&self, facts: &Facts) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        let Facts::GcpKms { home, key, wrapped } = facts else {
            return Err(Trouble::Wrong("they are no facts of it"));
        };
        let bound = crypto::to_base64(home.bound().as_bytes());
        if crypto::from_base64(wrapped).is_err() {
            return Err(Trouble::Wrong("what it sealed is not base 64"));
        }
        let body = format!("{{\"ciphertext\":\"{wrapped}\",\"additionalAuthenticatedData\":\"{bound}\"}}");
        let reply = self.does(key, "decrypt", &Zeroizing::new(body.into_bytes()))?;
        let Decrypted { plaintext, sum } = reply.json()?;
        google::held(&reply, &plaintext, sum.as_deref())
    }
}

fn checked(key: &str) -> Result<&str, Trouble> {
    let parts: Vec<&str> = safe_path(key)?.split('/').collect();
    match parts.as_slice() {
        ["projects", _, "locations", _, "keyRings", _, "cryptoKeys", _] => Ok(key),
        _ => Err(Trouble::Wrong("its key is not `projects/P/locations/L/keyRings/R/cryptoKeys/K`")),
    }
}

pub(super) const NAME: &str = "gcp-kms";
