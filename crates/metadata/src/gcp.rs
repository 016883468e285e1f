//! Google Compute Engine's metadata server, as far as libraries ask it: access tokens, identity tokens, the project.
//!
//! Source: <https://cloud.google.com/compute/docs/metadata/overview> and
//! <https://cloud.google.com/compute/docs/access/authenticate-workloads>. Programs find it by `GCE_METADATA_HOST` and
//! `GCE_METADATA_IP`.
//!
//! # Invariants
//!
//! - Only programs of this machine are answered, and only what they sent to this server ([`Gate`]).
//! - Everything but the root asks for the header `Metadata-Flavor: Google`, and every answer carries it.

use std::sync::Arc;

use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use model::{Fact, Refusal};
use net::{Body, Drained, Draining, Listener, Peer, ServeLimits, problem};
use serde_json::json;

use crate::door::{self, Answers};
use crate::gate::{Entry, Gate, Reach};
use crate::query::Query;
use crate::refused::{Reason, Tally, is_final, said};
use crate::reply::{self, JSON};
use crate::tokens::{Asked, RefreshingTokens, TokenAsk, Tokens, Want};
use crate::{Endpoint, Error, cloud};

/// What the server says besides tokens.
#[derive(Debug, Clone)]
pub struct Project {
    /// The id of the project.
    pub id: String,
    /// Its number, where it is known.
    pub number: Option<u64>,
    /// The email of the default service account.
    pub email: String,
    /// The scopes that the default account is said to have.
    pub scopes: Vec<String>,
    /// The domain of the cloud: `googleapis.com`.
    pub universe: String,
}

/// The server. Clones of it share their counts.
#[derive(Clone)]
pub struct Gcp(Arc<Shared>);

struct Shared {
    project: Project,
    tally: Tally,
}

impl Gcp {
    /// A server for this project.
    #[must_use]
    pub fn new(project: Project) -> Self {
        Self(Arc::new(Shared { project, tally: Tally::new(Endpoint::Gcp) }))
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
        let names = ["169.254.169.254", "metadata.google.internal", "metadata", "metadata.google.internal."];
        let gate = Gate::of(&listener, &Reach::Loopback, &names)?;
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
        let reply = reply::with(reply, FLAVOR, HeaderValue::from_static("Google"));
        reply::with(reply, header::SERVER, HeaderValue::from_static("Metadata Server for VM"))
    }
}

impl<T: Tokens> Door<T> {
    async fn admitted(&self, _: Entry, parts: &Parts, peer: &Peer) -> Result<Response<Body>, Reason> {
        if parts.method != Method::GET && parts.method != Method::HEAD {
            return Err(Reason::Method);
        }
        // Libraries ask the root whether this is Google's server at all; some do so without the header.
        if parts.uri.path() == "/" {
            return Ok(text("computeMetadata/\n"));
        }
        if parts.headers.get(FLAVOR).is_none_or(|value| value != "Google") {
            return Err(Reason::Flavor);
        }
        let query = Query::of(parts.uri.query()).ok_or(Reason::Malformed)?;
        let path = parts.uri.path().strip_prefix("/computeMetadata/v1").ok_or(Reason::Path)?;
        let path = path.strip_suffix('/').unwrap_or(path);
        match path.strip_prefix("/instance/service-accounts/").and_then(|rest| rest.split_once('/')) {
            Some((account, "token")) => self.access(self.account(account)?, &query, peer).await,
            Some((account, "identity")) => self.identity(self.account(account)?, &query, peer).await,
            Some((account, leaf)) => self.account(account).and_then(|_| self.detail(leaf)),
            None => self.said(path, &query),
        }
    }

    /// The account that a path names: the default one, by either of its names.
    fn account<'a>(&self, named: &'a str) -> Result<&'a str, Reason> {
        if named == "default" || named == self.shared.project.email { Ok(named) } else { Err(Reason::Path) }
    }

    fn detail(&self, leaf: &str) -> Result<Response<Body>, Reason> {
        let Project { email, scopes, .. } = &self.shared.project;
        match leaf {
            "email" => Ok(text(email)),
            "scopes" => Ok(text(&scopes.iter().map(|scope| format!("{scope}\n")).collect::<String>())),
            "aliases" => Ok(text("default\n")),
            _ => Err(Reason::Path),
        }
    }

    fn said(&self, path: &str, query: &Query<'_>) -> Result<Response<Body>, Reason> {
        let Project { id, number, email, universe, .. } = &self.shared.project;
        let recursive = query.says("recursive", "true");
        let account = self.described();
        Ok(match path {
            "" => text("instance/\nproject/\nuniverse/\n"),
            "/instance" => text("service-accounts/\n"),
            "/instance/service-accounts" if recursive => {
                json_reply(&json!({ "default": account, email.as_str(): account }))
            }
            "/instance/service-accounts" => text(&format!("default/\n{email}/\n")),
            "/project" => text("numeric-project-id\nproject-id\n"),
            "/project/project-id" => text(id),
            "/project/numeric-project-id" => text(&number.ok_or(Reason::Path)?.to_string()),
            "/universe" => text("universe-domain\n"),
            "/universe/universe-domain" | "/universe/universe_domain" => text(universe),
            other => {
                let named = other.strip_prefix("/instance/service-accounts/").ok_or(Reason::Path)?;
                self.account(named)?;
                if recursive {
                    json_reply(&account)
                } else {
                    text("aliases\nemail\nidentity\nscopes\ntoken\n")
                }
            }
        })
    }

    fn described(&self) -> serde_json::Value {
        let Project { email, scopes, .. } = &self.shared.project;
        json!({ "aliases": ["default"], "email": email, "scopes": scopes })
    }

    async fn access(&self, account: &str, query: &Query<'_>, peer: &Peer) -> Result<Response<Body>, Reason> {
        let scopes = query.value("scopes").unwrap_or_default();
        let scopes = scopes.split(',').filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
        let given = self.given(account, Want::Access { scopes }, peer).await;
        Ok(given.unwrap_or_else(|refusal| self.refused(&refusal, peer)))
    }

    async fn identity(
        &self,
        account: &str,
        query: &Query<'_>,
        peer: &Peer,
    ) -> Result<Response<Body>, Reason> {
        let audience = query.value("audience").ok_or(Reason::Malformed)?.to_owned();
        let given = self.given(account, Want::Identity { audience }, peer).await;
        Ok(given.unwrap_or_else(|refusal| self.refused(&refusal, peer)))
    }

    async fn given(&self, account: &str, want: Want, peer: &Peer) -> Result<Response<Body>, Refusal> {
        let is_access = matches!(want, Want::Access { .. });
        let facts = Fact { address: peer.address, ..Fact::default() };
        // One account under two names would be fetched twice.
        let ask =
            TokenAsk { endpoint: Endpoint::Gcp, account: self.shared.project.email.clone(), want, facts };
        let token = self.tokens.current(ask).await?;
        let evidence = self
            .tokens
            .record(&token, &Asked { endpoint: Endpoint::Gcp, account, peer: peer.clone() })
            .await?;
        let now = self.tokens.clock().now();
        let mut reply = if is_access {
            let left = token.expiration.since(now).as_secs();
            let tail = format!("\",\"expires_in\":{left},\"token_type\":\"Bearer\"}}");
            reply::of(StatusCode::OK, JSON, cloud::around("{\"access_token\":\"", &token.value, &tail))
        } else {
            reply::of(StatusCode::OK, TEXT, cloud::around("", &token.value, ""))
        };
        problem::mark(reply.headers_mut(), evidence);
        Ok(reply)
    }

    fn refused(&self, refusal: &Refusal, peer: &Peer) -> Response<Body> {
        self.shared.tally.refused(refusal, peer);
        let status = if is_final(refusal) { StatusCode::FORBIDDEN } else { StatusCode::SERVICE_UNAVAILABLE };
        let mut reply = reply::of(status, TEXT, said(refusal));
        if let Some(evidence) = refusal.evidence {
            problem::mark(reply.headers_mut(), evidence);
        }
        reply
    }
}

fn turned_away(reason: Reason) -> Response<Body> {
    let (status, text) = match reason {
        Reason::Flavor => (StatusCode::FORBIDDEN, "Missing Metadata-Flavor:Google header."),
        Reason::Peer | Reason::Host | Reason::Forwarded | Reason::Browser => {
            (StatusCode::FORBIDDEN, "Forbidden")
        }
        Reason::Method => return reply::method("GET, HEAD"),
        Reason::Path => (StatusCode::NOT_FOUND, "Not Found"),
        Reason::Token | Reason::Version1 | Reason::Malformed | Reason::Credentials => {
            (StatusCode::BAD_REQUEST, "non-empty audience parameter required, and each parameter once")
        }
    };
    reply::of(status, TEXT, text)
}

fn text(text: &str) -> Response<Body> {
    reply::of(StatusCode::OK, TEXT, text.to_owned())
}

fn json_reply(value: &serde_json::Value) -> Response<Body> {
    reply::of(StatusCode::OK, JSON, value.to_string())
}

const FLAVOR: HeaderName = HeaderName::from_static("metadata-flavor");
/// What the server calls its plain text.
const TEXT: HeaderValue = HeaderValue::from_static("application/text");
