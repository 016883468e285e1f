//! A symmetric key of AWS KMS as a key provider.
//!
//! The home is bound in the encryption context, which KMS authenticates and writes into its own log. The credentials are
//! those of the secret sources at AWS: `[aws]` in `sources.toml`, the environment, a web identity, the container or instance.
//!
//! Source: the API reference of KMS (2014-11-01), `Encrypt` and `Decrypt`.

use std::sync::Arc;

use aws::wire::Service;
use memory::Secret;
use zeroize::Zeroizing;

use super::KeyProvider;
use super::asking::ask;
use super::choice::{KeyChoice, Wrong};
use super::facts::Facts;
use super::home_id::HomeId;
use super::kept::{Keeps, Kept};
use super::payload::Payload;
use crate::source::aws::{Account, Failed};
use crate::source::{Setup, Trouble, pick};

/// One key.
struct AwsKms {
    key: String,
    setup: Setup,
}

/// The key that was chosen: its ARN, its id, or `alias/NAME`.
pub(super) fn choose(
    choice: &KeyChoice,
    setup: &Setup,
    _typed: &mut Option<Secret>,
) -> Result<Box<dyn KeyProvider>, Wrong> {
    choice.options(&[])?;
    let key = choice.place("the ARN, the id or `alias/NAME` of the key")?;
    if !is_key(key) {
        return Err(Wrong::new("this is no ARN, id or `alias/NAME` of a key"));
    }
    Ok(of(key, setup))
}

/// A key of KMS.
pub(super) fn of(key: &str, setup: &Setup) -> Box<dyn KeyProvider> {
    Box::new(Kept(AwsKms { key: key.to_owned(), setup: setup.clone() }))
}

impl AwsKms {
    /// The account, in the region that the ARN of the key names.
    fn account(&self, key: &str) -> Account {
        let mut setup = self.setup.clone();
        if let Some(region) = key.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(2)) {
            let mut config = (*setup.config).clone();
            config.aws.region = Some(region.to_owned());
            setup.config = Arc::new(config);
        }
        Account::new(Service::Kms, &setup)
    }
}

impl Keeps for AwsKms {
    fn name(&self) -> &'static str {
        NAME
    }

    fn seal(&self, payload: &Payload, home: &HomeId) -> Result<Facts, Trouble> {
        let account = self.account(&self.key);
        let (plain, home_text) = (Zeroizing::new(crypto::to_base64(payload.as_bytes())), home.to_string());
        let (key, wrapped) = ask(&self.setup, async |lender| {
            let context = context(&home_text);
            let asked = account.ask(lender, async |keeper| keeper.encrypt(&self.key, &plain, &context).await);
            asked.await.map_err(Failed::trouble)
        })?;
        if !is_key(&key) || crypto::from_base64(&wrapped).is_err() {
            return Err(Trouble::Answer { at: "AWS".into(), what: "has no ciphertext in it" });
        }
        Ok(Facts::AwsKms { home: *home, key, wrapped })
    }

    fn open(&self, facts: &Facts) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        let Facts::AwsKms { home, key, wrapped } = facts else {
            return Err(Trouble::Wrong("they are no facts of it"));
        };
        let (account, home) = (self.account(key), home.to_string());
        let opened = ask(&self.setup, async |lender| {
            let context = context(&home);
            let asked = account.ask(lender, async |keeper| keeper.decrypt_with(key, wrapped, &context).await);
            asked.await.map_err(Failed::trouble)
        })?;
        pick::decoded(&opened).ok_or(Trouble::Answer { at: "AWS".into(), what: "is not base 64" })
    }
}

fn context(home: &str) -> [(&str, &str); 2] {
    [("doorward:home", home), ("doorward:purpose", "home-key")]
}

fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 2048
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":/_-".contains(&byte))
}

pub(super) const NAME: &str = "aws-kms";
