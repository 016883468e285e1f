//! What a server of cloud tokens (GCP, Azure) asks for, and what it is given.
//!
//! # Invariants
//!
//! - No token leaves a server before [`Tokens::record`] has returned the id of its evidence.
//! - The same rules of keeping, fetching and pausing as for leases.

use std::sync::Arc;

use model::{Clock, EvidenceId, Fact, Refusal, Timestamp};

use crate::bearer::Bearer;
use crate::flight::{Ends, Flights};
use crate::{Endpoint, Given};

/// What a token is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Want {
    /// An OAuth 2 access token of Google with these scopes; none for those of the account.
    Access {
        /// Such as `https://www.googleapis.com/auth/cloud-platform`.
        scopes: Vec<String>,
    },
    /// An identity token of Google (a JWT) for this audience.
    Identity {
        /// Who is meant to check it.
        audience: String,
    },
    /// An access token of Microsoft Entra for this resource.
    Resource {
        /// Such as `https://management.azure.com/`.
        resource: String,
    },
}

/// A request for a token.
#[derive(Debug, Clone)]
pub struct TokenAsk {
    /// Which server was asked.
    pub endpoint: Endpoint,
    /// The service account (GCP: `default` or an email) or managed identity (Azure: `client_id=…`, or empty).
    pub account: String,
    /// What it is for.
    pub want: Want,
    /// What the kernel says about whoever asked first.
    pub facts: Fact,
}

impl TokenAsk {
    /// Everything that makes one token differ from another, each part with its length, so that none runs into the next.
    fn key(&self) -> String {
        let mut key = String::new();
        let mut part = |text: &str| key.push_str(&format!("{}:{text};", text.len()));
        part(self.endpoint.as_str());
        part(&self.account);
        match &self.want {
            Want::Access { scopes } => {
                part("access");
                scopes.iter().for_each(|scope| part(scope));
            }
            Want::Identity { audience } => {
                part("identity");
                part(audience);
            }
            Want::Resource { resource } => {
                part("resource");
                part(resource);
            }
        }
        key
    }
}

/// A token of a cloud.
pub struct CloudToken {
    /// The token itself.
    pub value: Bearer,
    /// When it ends.
    pub expiration: Timestamp,
}

impl Ends for CloudToken {
    fn ends(&self) -> Timestamp {
        self.expiration
    }
}

/// Where tokens come from. The wiring implements it with the path behind it.
pub trait Tokens: Send + Sync + 'static {
    /// Makes or finds a token. Called once for all who wait for the same one.
    ///
    /// # Errors
    /// The refusal that everybody who waits is told. Its message and hint go to the caller.
    fn token(&self, ask: TokenAsk) -> impl Future<Output = Result<CloudToken, Refusal>> + Send;

    /// Makes an answer durable before it is given. Called for every answer with a token, also one that was kept.
    ///
    /// # Errors
    /// When it can't be recorded; nothing is given then.
    fn record(&self, given: Given<'_>) -> impl Future<Output = Result<EvidenceId, Refusal>> + Send;
}

/// Tokens that are kept until five minutes before their end, and fetched once for all who ask.
pub struct RefreshingTokens<T> {
    source: Arc<T>,
    flights: Flights<CloudToken>,
}

impl<T: Tokens> RefreshingTokens<T> {
    /// Nothing is fetched before somebody asks.
    pub fn new(source: Arc<T>, clock: Arc<dyn Clock>) -> Self {
        Self { source, flights: Flights::new(clock) }
    }

    /// A token with time left: the one that is kept, or a new one.
    ///
    /// # Errors
    /// What [`Tokens::token`] refused, now or within the pause before now.
    pub async fn current(&self, ask: TokenAsk) -> Result<Arc<CloudToken>, Refusal> {
        let key = ask.key();
        self.flights
            .current(&key, || {
                let source = Arc::clone(&self.source);
                async move { source.token(ask).await }
            })
            .await
    }

    /// Records the answer that is about to be given with this token.
    pub(crate) async fn record(&self, token: &CloudToken, ask: &Asked<'_>) -> Result<EvidenceId, Refusal> {
        let given = Given {
            endpoint: ask.endpoint,
            role: Some(ask.account),
            id: "",
            expiration: token.expiration,
            peer: ask.peer.address,
        };
        self.source.record(given).await
    }

    /// The clock by which tokens end.
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        self.flights.clock()
    }
}

/// What is recorded of a request.
pub(crate) struct Asked<'a> {
    pub(crate) endpoint: Endpoint,
    pub(crate) account: &'a str,
    pub(crate) peer: net::Peer,
}

#[cfg(test)]
mod tests;
