//! Why a request is turned away before anybody is asked for a credential, counted.

use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderMap;
use model::{Fault, Refusal};
use net::Peer;

use crate::Endpoint;

/// Why a request was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// It comes from another machine.
    Peer,
    /// It names a host that is not ours: a name that was pointed at this machine, for instance.
    Host,
    /// A proxy passed it on.
    Forwarded,
    /// A page in a browser sent it.
    Browser,
    /// The header that every honest client sends is missing.
    Flavor,
    /// There is no token, or a wrong one.
    Token,
    /// It is of the first version of EC2's protocol, which is switched off.
    Version1,
    /// The method is not served.
    Method,
    /// There is nothing under that path.
    Path,
    /// It can't be read: a missing or wrong parameter.
    Malformed,
    /// There are no credentials to give, or the answer could not be recorded.
    Credentials,
}

impl Reason {
    /// Every reason, for tables and metrics.
    pub const ALL: [Self; 11] = [
        Self::Peer,
        Self::Host,
        Self::Forwarded,
        Self::Browser,
        Self::Flavor,
        Self::Token,
        Self::Version1,
        Self::Method,
        Self::Path,
        Self::Malformed,
        Self::Credentials,
    ];

    /// The word in logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Peer => "peer",
            Self::Host => "host",
            Self::Forwarded => "forwarded",
            Self::Browser => "browser",
            Self::Flavor => "flavor",
            Self::Token => "token",
            Self::Version1 => "version1",
            Self::Method => "method",
            Self::Path => "path",
            Self::Malformed => "malformed",
            Self::Credentials => "credentials",
        }
    }
}

/// How many requests a server turned away, by reason.
#[derive(Debug)]
pub struct Tally {
    endpoint: Endpoint,
    counts: [AtomicU64; Reason::ALL.len()],
}

impl Tally {
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, counts: Default::default() }
    }

    /// How many for this reason.
    #[must_use]
    pub fn count(&self, reason: Reason) -> u64 {
        self.counts.get(reason as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// Counts one, and logs it: who and why, never what was sent.
    pub(crate) fn note(&self, reason: Reason, peer: &Peer) {
        if let Some(count) = self.counts.get(reason as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let (endpoint, reason_text) = (self.endpoint.as_str(), reason.as_str());
        let peer = peer.address.map(|address| address.to_string()).unwrap_or_default();
        // SDKs probe for paths that only newer servers have.
        if reason == Reason::Path {
            tracing::debug!(endpoint, reason = reason_text, peer, "a metadata request was turned away");
        } else {
            tracing::warn!(endpoint, reason = reason_text, peer, "a metadata request was turned away");
        }
    }

    /// Counts and logs a refusal of the house, which has its own evidence.
    pub(crate) fn refused(&self, refusal: &Refusal, peer: &Peer) {
        self.note(Reason::Credentials, peer);
        tracing::warn!(
            endpoint = self.endpoint.as_str(),
            code = refusal.code.as_str(),
            "no credentials were given"
        );
    }
}

/// Whether asking again may help. SDKs try again after a 5xx and give up after a 4xx.
pub(crate) fn is_final(refusal: &Refusal) -> bool {
    refusal.fault() == Fault::Caller
}

/// What a person reads: message and hint.
pub(crate) fn said(refusal: &Refusal) -> String {
    match &refusal.hint {
        Some(hint) => format!("{}: {hint}", refusal.message),
        None => refusal.message.clone(),
    }
}

/// Whether a proxy says that it passed the request on.
pub(crate) fn is_forwarded(headers: &HeaderMap) -> bool {
    const CLAIMS: [&str; 5] = ["x-forwarded-for", "forwarded", "x-forwarded-host", "x-real-ip", "via"];
    CLAIMS.iter().any(|name| headers.contains_key(*name))
}

/// Whether a browser says that a page sent it. Nothing but a page sends these.
pub(crate) fn is_from_a_page(headers: &HeaderMap) -> bool {
    const SIGNS: [&str; 4] = ["origin", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest"];
    SIGNS.iter().any(|name| headers.contains_key(*name))
}

#[cfg(test)]
mod tests;
