//! The token endpoint of Azure's instance metadata service.
//!
//! Source: <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>. Programs
//! find it by `AZURE_POD_IDENTITY_AUTHORITY_HOST`.
//!
//! # Invariants
//!
//! - Only programs of this machine are answered, and only what they sent to this server ([`Gate`]).
//! - Every request has to carry `Metadata: true`, which nobody can be made to send by an address alone.

use std::sync::Arc;

use http::header::{HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, header};
use model::{Code, Fact, Refusal};
use net::{Body, Drained, Draining, Listener, Peer, ServeLimits, problem};
use serde_json::json;

use crate::door::{self, Answers};
use crate::gate::{Entry, Gate, Reach};
use crate::query::Query;
use crate::refused::{Reason, Tally, is_final, said};
use crate::reply::{self, JSON};
use crate::tokens::{Asked, RefreshingTokens, TokenAsk, Tokens, Want};
use crate::{Endpoint, Error, cloud};

/// The server. Clones of it share their counts.
#[derive(Clone)]
pub struct Azure(Arc<Shared>);

struct Shared {
    client: String,
    tally: Tally,
}

impl Azure {
    /// A server for the managed identity with this client id, which answers name.
    #[must_use]
    pub fn new(client: String) -> Self {
        Self(Arc::new(Shared { client, tally: Tally::new(Endpoint::Azure) }))
    }

    /// What was turned away so far.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.0.tally
    }

    /// Serves until the house drains.
    ///
    /// # Errors
    /// When the listener can be reached from other machines.
    pub async fn serve<T: Tokens>(
        &self,
        listener: Listener,
        tokens: Arc<RefreshingTokens<T>>,
        limits: ServeLimits,
        draining: Draining,
    ) -> Result<Drained, Error> {
        let gate = Gate::of(&listener, &Reach::Loopback, &["169.254.169.254"])?;
        Ok(door::serve(Door { shared: Arc::clone(&self.0), gate, tokens }, listener, limits, draining).await)
    }
}

struct Door<T> {
    shared: Arc<Shared>,
    gate: Gate,
    tokens: Arc<RefreshingTokens<T>>,
}

impl<T: Tokens> Answers for Door<T> {
    async fn answer<B: Send>(&self, request: Request<B>, peer: Peer) -> Response<Body> {
        let (parts, _) = request.into_parts();
        let answered = match self.gate.admit(&parts, &peer) {
            Ok(entry) => self.admitted(entry, &parts, &peer).await,
            Err(reason) => Err(reason),
        };
        let reply = answered.unwrap_or_else(|reason| {
            self.shared.tally.note(reason, &peer);
            turned_away(reason)
        });
        reply::with(reply, header::SERVER, HeaderValue::from_static("IMDS/150.870.65.1854"))
    }
}

impl<T: Tokens> Door<T> {
    async fn admitted(&self, _: Entry, parts: &Parts, peer: &Peer) -> Result<Response<Body>, Reason> {
        let flavor = parts.headers.get(METADATA).and_then(|value| value.to_str().ok());
        if !flavor.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Err(Reason::Flavor);
        }
        let path = parts.uri.path();
        if path.strip_suffix('/').unwrap_or(path) != "/metadata/identity/oauth2/token" {
            return Err(Reason::Path);
        }
        if parts.method != Method::GET {
            return Err(Reason::Method);
        }
        let query = Query::of(parts.uri.query()).ok_or(Reason::Malformed)?;
        query.value("api-version").filter(|version| is_version(version)).ok_or(Reason::Malformed)?;
        let resource = query.value("resource").ok_or(Reason::Malformed)?.to_owned();
        let account = account(&query)?;
        let given = self.given(account, resource, peer).await;
        Ok(given.unwrap_or_else(|refusal| {
            self.shared.tally.refused(&refusal, peer);
            refused(&refusal)
        }))
    }

    async fn given(&self, account: String, resource: String, peer: &Peer) -> Result<Response<Body>, Refusal> {
        let ask = TokenAsk {
            endpoint: Endpoint::Azure,
            account: account.clone(),
            want: Want::Resource { resource: resource.clone() },
            facts: Fact { address: peer.address, ..Fact::default() },
        };
        let token = self.tokens.current(ask).await?;
        let asked = Asked { endpoint: Endpoint::Azure, account: &account, peer: peer.clone() };
        let evidence = self.tokens.record(&token, &asked).await?;
        let now = self.tokens.clock().now();
        // Numbers as texts, as the service writes them.
        let left = token.expiration.since(now).as_secs().to_string();
        let rest = json!({
            "client_id": self.shared.client,
            "expires_in": left,
            "expires_on": (token.expiration.millis() / 1000).to_string(),
            "ext_expires_in": left,
            "not_before": (now.millis() / 1000).to_string(),
            "resource": resource,
            "token_type": "Bearer",
        })
        .to_string();
        let tail = format!("\",{}", rest.strip_prefix('{').unwrap_or(&rest));
        let mut reply =
            reply::of(StatusCode::OK, JSON, cloud::around("{\"access_token\":\"", &token.value, &tail));
        problem::mark(reply.headers_mut(), evidence);
        Ok(reply)
    }
}

/// Which identity is meant, in one of the four ways; empty for the only one.
fn account(query: &Query<'_>) -> Result<String, Reason> {
    let named: Vec<String> = ["client_id", "object_id", "msi_res_id", "mi_res_id"]
        .into_iter()
        .filter_map(|name| query.value(name).map(|value| format!("{name}={value}")))
        .collect();
    match named.as_slice() {
        [] => Ok(String::new()),
        [one] => Ok(one.clone()),
        // The service refuses two as well.
        _ => Err(Reason::Malformed),
    }
}

/// A version of the interface: a date from 2018-02-01 on.
fn is_version(version: &str) -> bool {
    let digits = version.bytes().enumerate().all(|(place, byte)| match place {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    version.len() == 10 && digits && version >= "2018-02-01"
}

fn turned_away(reason: Reason) -> Response<Body> {
    let (status, error, description) = match reason {
        Reason::Flavor => {
            (StatusCode::BAD_REQUEST, "invalid_request", "Required metadata header not specified")
        }
        Reason::Forwarded | Reason::Browser => {
            (StatusCode::BAD_REQUEST, "invalid_request", "requests that something passed on are not answered")
        }
        Reason::Peer | Reason::Host => {
            (StatusCode::FORBIDDEN, "access_denied", "this server is not known by that host name")
        }
        Reason::Path => (StatusCode::NOT_FOUND, "not_found", "there is nothing under that path"),
        Reason::Method => return reply::method("GET"),
        Reason::Token | Reason::Version1 | Reason::Malformed | Reason::Credentials => (
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "`api-version` and `resource` are needed, each once, and at most one identity",
        ),
    };
    said_as(status, error, description)
}

fn refused(refusal: &Refusal) -> Response<Body> {
    // Microsoft asks clients to try again after 404, 410, 429 and 5xx; 400 is final.
    let (status, error) = match refusal.code {
        Code::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"),
        _ if is_final(refusal) => (StatusCode::BAD_REQUEST, "access_denied"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
    };
    let mut reply = said_as(status, error, &said(refusal));
    if let Some(evidence) = refusal.evidence {
        problem::mark(reply.headers_mut(), evidence);
    }
    reply
}

fn said_as(status: StatusCode, error: &str, description: &str) -> Response<Body> {
    let body = json!({ "error": error, "error_description": description });
    reply::of(status, JSON, body.to_string())
}

const METADATA: HeaderName = HeaderName::from_static("metadata");

#[cfg(test)]
mod tests;
