//! EC2's instance metadata service, as far as SDKs ask it: credentials, region, and who the instance is.
//!
//! Source: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html>. Paths are answered with
//! and without a slash at their end, instead of by redirects that some SDKs do not follow.
//!
//! The real service gives its answers a hop limit of 1, so that they die at the first router. Here there is no router:
//! loopback addresses and an address on the loopback interface are not routed, and whoever is not on this machine is
//! refused by its address.
//!
//! # Invariants
//!
//! - Only programs of this machine are answered, and only what they sent to this server ([`Gate`]).
//! - Without a token nothing but a token is given, unless version 1 of the protocol was switched on.
//! - Nothing here stops the server.

use std::sync::Arc;

use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use model::{Fact, Refusal};
use net::{Body, Drained, Draining, Listener, Peer, ServeLimits, problem};

use crate::door::{self, Answers};
use crate::gate::{Entry, Gate, Reach};
use crate::refused::{Reason, Tally, is_final, said};
use crate::reply::{self, JSON, TEXT};
use crate::{Ask, Endpoint, Error, Given, Leases, Refreshing};

mod paths;
mod tokens;

use paths::Path;
use tokens::{Known, Tokens};

/// Whether requests without a token are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version1 {
    /// 401.
    Refused,
    /// Answered, for programs that know nothing newer.
    Allowed,
}

/// What the server says besides credentials.
#[derive(Debug, Clone)]
pub struct Instance {
    /// The name of the role under `iam/security-credentials/`: letters, digits and `+=,.@-_`.
    pub role: String,
    /// The id of the instance.
    pub id: String,
    /// The region; without one, what depends on it is not found.
    pub region: Option<String>,
    /// Whether requests without a token are answered.
    pub version1: Version1,
}

impl Instance {
    /// The instance that programs written for `aws-vault` expect, in this region.
    #[must_use]
    pub fn local(region: Option<String>, version1: Version1) -> Self {
        Self { role: "local-credentials".to_owned(), id: "aws-vault".to_owned(), region, version1 }
    }
}

/// The server. Clones of it share their tokens and counts, so that several threads may serve one address.
#[derive(Clone)]
pub struct Ec2(Arc<Shared>);

struct Shared {
    instance: Instance,
    tokens: Tokens,
    tally: Tally,
}

impl Ec2 {
    /// A server without any token given yet.
    #[must_use]
    pub fn new(instance: Instance) -> Self {
        Self(Arc::new(Shared { instance, tokens: Tokens::default(), tally: Tally::new(Endpoint::Ec2) }))
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
    pub async fn serve<L: Leases>(
        &self,
        listener: Listener,
        leases: Arc<Refreshing<L>>,
        limits: ServeLimits,
        draining: Draining,
    ) -> Result<Drained, Error> {
        let gate = Gate::of(&listener, &Reach::Loopback, &["169.254.169.254", "[fd00:ec2::254]"])?;
        Ok(door::serve(Door { shared: Arc::clone(&self.0), gate, leases }, listener, limits, draining).await)
    }
}

struct Door<L> {
    shared: Arc<Shared>,
    gate: Gate,
    leases: Arc<Refreshing<L>>,
}

impl<L: Leases> Answers for Door<L> {
    async fn answer<B: Send>(&self, request: Request<B>, peer: Peer) -> Response<Body> {
        // The body is of no interest to anybody.
        let (parts, _) = request.into_parts();
        let answered = match self.gate.admit(&parts, &peer) {
            Ok(entry) => self.admitted(entry, &parts, &peer).await,
            Err(reason) => Err(reason),
        };
        let reply = answered.unwrap_or_else(|reason| {
            self.shared.tally.note(reason, &peer);
            turned_away(reason, &parts)
        });
        reply::with(reply, header::SERVER, HeaderValue::from_static("EC2ws"))
    }
}

impl<L: Leases> Door<L> {
    async fn admitted(&self, _: Entry, parts: &Parts, peer: &Peer) -> Result<Response<Body>, Reason> {
        let path = Path::of(parts.uri.path(), &self.shared.instance.role).ok_or(Reason::Path)?;
        if path == Path::Token {
            return self.token(parts);
        }
        if parts.method != Method::GET && parts.method != Method::HEAD {
            return Err(Reason::Method);
        }
        // The proof that this request may be answered, or the switch that says that it needs none.
        let _: Option<Known> = match parts.headers.get(TOKEN) {
            Some(shown) => {
                let now = self.leases.clock().now();
                Some(self.shared.tokens.known(shown.as_bytes(), now).ok_or(Reason::Token)?)
            }
            None if self.shared.instance.version1 == Version1::Allowed => None,
            None => return Err(Reason::Version1),
        };
        match path {
            Path::Credentials => Ok(self.credentials(peer).await),
            other => {
                let (kind, text) = other.said(&self.shared.instance).ok_or(Reason::Path)?;
                Ok(reply::of(StatusCode::OK, kind, text))
            }
        }
    }

    /// `PUT /latest/api/token`.
    fn token(&self, parts: &Parts) -> Result<Response<Body>, Reason> {
        if parts.method != Method::PUT {
            return Err(Reason::Method);
        }
        let lifetime = paths::lifetime(parts.headers.get(LIFETIME)).ok_or(Reason::Malformed)?;
        let issued = self.shared.tokens.issue(self.leases.clock().now(), lifetime);
        Ok(match issued {
            Ok(token) => {
                let seconds = HeaderValue::from(lifetime.as_secs());
                reply::with(reply::of(StatusCode::OK, TEXT, token), LIFETIME, seconds)
            }
            Err(error) => {
                tracing::error!(%error, "no token could be made");
                reply::of(StatusCode::INTERNAL_SERVER_ERROR, TEXT, "")
            }
        })
    }

    async fn credentials(&self, peer: &Peer) -> Response<Body> {
        match self.given(peer).await {
            Ok(reply) => reply,
            Err(refusal) => {
                self.shared.tally.refused(&refusal, peer);
                let status =
                    if is_final(&refusal) { StatusCode::FORBIDDEN } else { StatusCode::GATEWAY_TIMEOUT };
                let mut reply = reply::of(status, TEXT, said(&refusal));
                if let Some(evidence) = refusal.evidence {
                    problem::mark(reply.headers_mut(), evidence);
                }
                reply
            }
        }
    }

    async fn given(&self, peer: &Peer) -> Result<Response<Body>, Refusal> {
        let held = self.leases.held(None, || self.ask(peer)).await?;
        let given = Given {
            endpoint: Endpoint::Ec2,
            role: None,
            id: &held.lease().access_key_id,
            expiration: held.ends(),
            peer: peer.address,
        };
        let evidence = self.leases.record(given).await?;
        let mut reply = reply::of(StatusCode::OK, JSON, held.ec2());
        problem::mark(reply.headers_mut(), evidence);
        Ok(reply)
    }

    fn ask(&self, peer: &Peer) -> Ask {
        Ask {
            endpoint: Endpoint::Ec2,
            role: None,
            region: self.shared.instance.region.clone(),
            facts: Fact { address: peer.address, ..Fact::default() },
        }
    }
}

fn turned_away(reason: Reason, parts: &Parts) -> Response<Body> {
    let status = match reason {
        Reason::Peer | Reason::Host | Reason::Token | Reason::Version1 => StatusCode::UNAUTHORIZED,
        Reason::Forwarded | Reason::Browser => StatusCode::FORBIDDEN,
        Reason::Malformed | Reason::Flavor => StatusCode::BAD_REQUEST,
        Reason::Path => StatusCode::NOT_FOUND,
        Reason::Method => {
            return reply::method(if parts.uri.path().contains("/api/token") { "PUT" } else { "GET, HEAD" });
        }
        Reason::Credentials => StatusCode::GATEWAY_TIMEOUT,
    };
    // Word for word what programs written for `aws-vault` compare with.
    let said = if reason == Reason::Host { denied_host(parts) } else { String::new() };
    reply::of(status, TEXT, said)
}

fn denied_host(parts: &Parts) -> String {
    let host = parts.headers.get(header::HOST).map(HeaderValue::as_bytes).unwrap_or_default();
    format!("Access denied for host '{}'\n", host.escape_ascii())
}

const TOKEN: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token");
const LIFETIME: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");
