//! An API of Google Cloud for whoever stores something there, with the credentials of the secret sources.
//!
//! Calls block, on a thread of their own with a runtime of its own, so that they can be made from anywhere. What says that it can't right
//! now is asked again twice.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use model::SecretRef;
use zeroize::Zeroizing;

use crate::provider::asking::ask_within;
use crate::source::google::Api;
use crate::source::{Setup, Trouble};

/// One API.
pub struct GoogleApi {
    api: Api,
    setup: Setup,
}

/// An answer that is neither 429 nor 5xx.
pub struct GoogleAnswer {
    /// Its status.
    pub status: u16,
    /// Its document.
    pub body: Zeroizing<Vec<u8>>,
}

impl GoogleApi {
    /// The API at an address. `key` names the key file of a service account; without it the account is that of `[gcp]` in `sources.toml`, of
    /// `GOOGLE_APPLICATION_CREDENTIALS`, or of the machine.
    #[must_use]
    pub fn new(name: &'static str, address: String, setup: &Setup, key: Option<&SecretRef>) -> Self {
        let mut setup = setup.clone();
        if let Some(key) = key {
            let mut config = (*setup.config).clone();
            config.gcp.key = Some(key.clone());
            setup.config = Arc::new(config);
        }
        Self { api: Api::new(name, address, &setup).within(REPLY), setup }
    }

    /// Asks: with a document it is a `POST`, without one a `GET`. `target` is path and query, percent-encoded. Blocks.
    ///
    /// # Errors
    /// When there is no token, nobody answers, or the answer is 429 or 5xx three times.
    pub fn ask(&self, target: &str, document: Option<&[u8]>) -> Result<GoogleAnswer, Trouble> {
        let method = if document.is_some() { Method::POST } else { Method::GET };
        ask_within(&self.setup, DEADLINE, async |lender| {
            let json = Zeroizing::new(document.unwrap_or_default().to_vec());
            let reply = self.api.ask((method.clone(), target), json, lender).await?;
            Ok(GoogleAnswer { status: reply.status.as_u16(), body: reply.body })
        })
    }
}

/// How long one answer may take: a statement is carried out meanwhile.
const REPLY: Duration = Duration::from_secs(60);
/// The same with the token that it needs.
const DEADLINE: Duration = Duration::from_secs(80);
