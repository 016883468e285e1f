//! The credentials endpoint of ECS and EKS containers: what `AWS_CONTAINER_CREDENTIALS_FULL_URI` names.
//!
//! Source: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>. Any path gives the
//! credentials of the profile; `/role-arn/ARN` gives those of a role that is assumed with them.
//!
//! # Invariants
//!
//! - Nothing is given to anybody who does not show the token, compared in constant time.
//! - Where other machines may dial, they have to do it by a name that was listed ([`Reach::Named`]).

use std::net::SocketAddr;
use std::sync::Arc;

use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use model::{Code, Fact, Refusal, Retry};
use net::{Body, Drained, Draining, Listener, Peer, ServeLimits, problem};
use percent_encoding::percent_decode_str;
use serde_json::json;

use crate::bearer::{Bearer, Shown};
use crate::door::{self, Answers};
use crate::gate::{Entry, Gate, Reach};
use crate::refused::{Reason, Tally, is_final, said};
use crate::reply::{self, JSON, JSON_UTF8};
use crate::{Ask, Endpoint, Error, Given, Leases, Refreshing, RoleArn};

/// The server. Clones of it share their token and counts.
#[derive(Clone)]
pub struct Ecs(Arc<Shared>);

struct Shared {
    token: Bearer,
    reach: Reach,
    region: Option<String>,
    tally: Tally,
}

impl Ecs {
    /// A server that gives credentials to whoever shows `token`; `region` is handed on with each [`Ask`].
    #[must_use]
    pub fn new(token: Bearer, reach: Reach, region: Option<String>) -> Self {
        Self(Arc::new(Shared { token, reach, region, tally: Tally::new(Endpoint::Ecs) }))
    }

    /// What a child gets as `AWS_CONTAINER_AUTHORIZATION_TOKEN`.
    #[must_use]
    pub fn token(&self) -> &Bearer {
        &self.0.token
    }

    /// What a child of this machine gets as `AWS_CONTAINER_CREDENTIALS_FULL_URI`, for a listener at `address`: without a
    /// path, as SDKs take the address as it is.
    #[must_use]
    pub fn address(address: SocketAddr) -> String {
        // The SDKs take plain HTTP for loopback addresses only, and a name is resolved by some of them first.
        format!("http://127.0.0.1:{}", address.port())
    }

    /// What was turned away so far.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.0.tally
    }

    /// Serves until the house drains.
    ///
    /// # Errors
    /// When the listener can be reached from other machines although it should not be, or by no name.
    pub async fn serve<L: Leases>(
        &self,
        listener: Listener,
        leases: Arc<Refreshing<L>>,
        limits: ServeLimits,
        draining: Draining,
    ) -> Result<Drained, Error> {
        let gate = Gate::of(&listener, &self.0.reach, &[])?;
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
        let (parts, _) = request.into_parts();
        let shown = match self.gate.admit(&parts, &peer).and_then(|entry| self.authorised(entry, &parts)) {
            Ok(shown) => shown,
            Err(reason) => {
                self.shared.tally.note(reason, &peer);
                return turned_away(reason);
            }
        };
        match self.given(shown, &parts, &peer).await {
            Ok(reply) => reply,
            Err(refusal) => {
                self.shared.tally.refused(&refusal, &peer);
                refused(&refusal)
            }
        }
    }
}

impl<L: Leases> Door<L> {
    /// The token first: somebody without it learns nothing but that.
    fn authorised(&self, _: Entry, parts: &Parts) -> Result<Shown, Reason> {
        let shown = parts.headers.get(header::AUTHORIZATION).ok_or(Reason::Token)?;
        let shown = self.shared.token.shown(shown.as_bytes()).ok_or(Reason::Token)?;
        if parts.method != Method::GET && parts.method != Method::HEAD {
            return Err(Reason::Method);
        }
        Ok(shown)
    }

    async fn given(&self, _: Shown, parts: &Parts, peer: &Peer) -> Result<Response<Body>, Refusal> {
        let role = role(parts.uri.path())?;
        let held = self.leases.held(role.as_ref(), || self.ask(role.clone(), peer)).await?;
        let given = Given {
            endpoint: Endpoint::Ecs,
            role: role.as_ref().map(RoleArn::as_str),
            id: &held.lease().access_key_id,
            expiration: held.ends(),
            peer: peer.address,
        };
        let evidence = self.leases.record(given).await?;
        let mut reply = reply::of(StatusCode::OK, JSON, held.ecs());
        problem::mark(reply.headers_mut(), evidence);
        Ok(reply)
    }

    fn ask(&self, role: Option<RoleArn>, peer: &Peer) -> Ask {
        Ask {
            endpoint: Endpoint::Ecs,
            role,
            region: self.shared.region.clone(),
            facts: Fact { address: peer.address, ..Fact::default() },
        }
    }
}

/// The role that a path names, where it names one.
fn role(path: &str) -> Result<Option<RoleArn>, Refusal> {
    let Some(written) = path.strip_prefix("/role-arn/") else {
        return Ok(None);
    };
    // Some clients escape the colons.
    let Ok(arn) = percent_decode_str(written).decode_utf8() else {
        return Err(Refusal::new(Code::BadRequest, "the path is not UTF-8"));
    };
    arn.parse().map(Some)
}

fn turned_away(reason: Reason) -> Response<Body> {
    let (status, code, message) = match reason {
        // Word for word what programs written for `aws-vault` compare with.
        Reason::Token => return reply::of(StatusCode::FORBIDDEN, JSON_UTF8, WRONG_TOKEN),
        Reason::Method => return reply::method("GET, HEAD"),
        Reason::Peer => (StatusCode::FORBIDDEN, "denied", "only programs of this machine are answered"),
        Reason::Host => (StatusCode::FORBIDDEN, "denied", "this server is not known by that host name"),
        Reason::Forwarded => {
            (StatusCode::FORBIDDEN, "denied", "requests that a proxy passed on are not answered")
        }
        Reason::Browser => (StatusCode::FORBIDDEN, "denied", "requests of a page are not answered"),
        Reason::Flavor | Reason::Version1 | Reason::Path | Reason::Malformed | Reason::Credentials => {
            (StatusCode::BAD_REQUEST, "bad_request", "the request can't be read")
        }
    };
    said_as(status, code, message)
}

fn refused(refusal: &Refusal) -> Response<Body> {
    let status = if is_final(refusal) {
        StatusCode::from_u16(refusal.code.http_status()).unwrap_or(StatusCode::FORBIDDEN)
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    };
    let mut reply = said_as(status, refusal.code.as_str(), &said(refusal));
    if let Retry::After(wait) = refusal.retry {
        let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
        reply.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(evidence) = refusal.evidence {
        problem::mark(reply.headers_mut(), evidence);
    }
    reply
}

/// An error as programs written for `aws-vault` read it (`Message`, which stands first), and as SDKs do (`code`, `message`).
fn said_as(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    // Put together, because a map of serde_json would sort its members.
    let body = format!("{{\"Message\":{0},\"code\":{1},\"message\":{0}}}\n", json!(message), json!(code));
    reply::of(status, JSON, body)
}

const WRONG_TOKEN: &str = "{\"Message\":\"invalid Authorization token\"}\n";
