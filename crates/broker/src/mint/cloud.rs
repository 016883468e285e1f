//! Tokens of Google Cloud and Microsoft Entra, from a key in our own store.

use std::sync::Arc;

use ::evidence::Receipt;
use cloud::{Account, Error, GcpPlaces, Principal, Talk, Token, Wanted};
use memory::Secret;
use model::{Code, Refusal, Retry};
use serde_json::json;

use super::{AZURE, GCP, Minted, What, Wish};
use crate::path::admit::Admitted;
use crate::{Lease, Worker};

/// A token of a cloud.
pub struct CloudWish {
    /// What is wanted, and where it is asked for.
    pub place: Place,
    /// How the cloud is reached.
    pub talk: Arc<Talk>,
}

/// What is wanted of a cloud, and where it is asked for.
pub enum Place {
    /// Nothing but whose key it is, which is no secret.
    About,
    /// A token of Google.
    Gcp {
        /// What kind of token.
        wanted: Wanted,
        /// The account that is impersonated; the key's own without.
        impersonated: Option<String>,
        /// Where Google is asked.
        places: GcpPlaces,
    },
    /// An access token of Entra.
    Azure {
        /// For what, such as `https://vault.azure.net`.
        resource: String,
        /// The address of the cloud.
        authority: String,
        /// The token of another issuer, where the principal proves itself by one.
        assertion: Option<Secret>,
    },
}

/// Performs one operation of a cloud.
pub(super) async fn run(
    worker: &Arc<Worker>,
    admitted: &Admitted,
    intent: &Receipt,
    wish: Wish,
) -> Result<Minted, Refusal> {
    let call = admitted.permit.call();
    let wish = match (call.operation().as_str(), wish.what) {
        ("key.check", What::OfCloud(wish)) if matches!(wish.place, Place::About) => *wish,
        ("token.get", What::OfCloud(wish)) if !matches!(wish.place, Place::About) => *wish,
        ("metadata.answer", What::Answered { fields }) => {
            return Ok(Minted { lease: None, value: serde_json::Value::Null, fields });
        }
        (other, _) => {
            let message = format!("`{}/{other}` is not what is asked for with this", call.integration());
            return Err(Refusal::new(Code::BadRequest, message));
        }
    };
    let unsealed = worker.broker().unsealed()?;
    let key = unsealed.secrets().minting_key(&admitted.permit, intent).await;
    let key = key.map_err(|error| crate::broker::refused(&error, error.code(), error.hint()))?;
    let now = worker.broker().now();
    let CloudWish { place, talk } = wish;
    match (call.integration().as_str(), place) {
        (GCP, Place::About) => {
            let account = Account::read(&key).map_err(|error| refused(&error))?;
            let value = json!({ "email": account.email(), "project": account.project() });
            Ok(Minted { lease: None, value, fields: vec![named("account", account.email())] })
        }
        (GCP, Place::Gcp { wanted, impersonated, places }) => {
            let account = Account::read(&key).map_err(|error| refused(&error))?;
            let token = account.token(&talk, &places, (&wanted, impersonated.as_deref()), now).await;
            let whose = impersonated.as_deref().unwrap_or_else(|| account.email());
            Ok(given(token.map_err(|error| refused(&error))?, whose))
        }
        (AZURE, Place::About) => {
            let principal = Principal::read(&key).map_err(|error| refused(&error))?;
            let value = json!({ "client": principal.client(), "federated": principal.is_federated() });
            Ok(Minted { lease: None, value, fields: vec![named("account", principal.client())] })
        }
        (AZURE, Place::Azure { resource, authority, assertion }) => {
            let principal = Principal::read(&key).map_err(|error| refused(&error))?;
            let token = principal.token(&talk, &authority, (&resource, assertion.as_ref()), now).await;
            Ok(given(token.map_err(|error| refused(&error))?, principal.client()))
        }
        (other, _) => {
            let message = format!("`{other}` has no tokens of this cloud");
            Err(Refusal::new(Code::BadRequest, message))
        }
    }
}

fn given(token: Token, whose: &str) -> Minted {
    let ends = aws::session::rfc3339(token.ends);
    let value = json!({ "account": whose, "expiration": ends });
    let fields = vec![named("account", whose), named("expiration", &ends)];
    let lease = Lease {
        access_key_id: String::new(),
        secret_access_key: token.value,
        session_token: None,
        expiration: Some(token.ends),
    };
    Minted { lease: Some(Box::new(lease)), value, fields }
}

fn named(name: &str, text: &str) -> (String, String) {
    (name.to_owned(), text.to_owned())
}

fn refused(error: &Error) -> Refusal {
    let code = match error {
        Error::Key { .. } => Code::SecretMissing,
        Error::Address { .. } => Code::BadRequest,
        Error::Refused(_) | Error::Reply { .. } => Code::UpstreamReply,
        Error::Net { .. } => Code::UpstreamUnreachable,
        _ => Code::SourceUnavailable,
    };
    let mut message = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(one) = source {
        message = format!("{message}: {one}");
        source = one.source();
    }
    let refusal = Refusal::new(code, message).retry(Retry::No);
    match error.hint() {
        Some(hint) => refusal.hint(hint),
        None => refusal,
    }
}
