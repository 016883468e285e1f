//! What a watcher of traces is told of calls, and how a trace is taken over and passed on (W3C Trace Context).
//!
//! Who watches is wired in at the top; without a watcher nothing here runs, and `traceparent` passes as the caller wrote it.
//!
//! # Invariants
//!
//! - A span is made of names, codes, numbers and the path that stands in the evidence as well: no query, no header, no body and
//!   no text of a request or a reply has a way in.
//! - A watcher is told when something is over, and can change nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use model::{
    Access, Authority, Call, Code, Door, EvidenceId, IntegrationName, Method, OperationName, PrincipalName,
    Refusal, TenantName,
};

use crate::inbound::{Asked, Inbound};
use crate::path::identify::Identified;
use crate::path::perform::Performed;

mod parent;

pub use parent::parent;
use parent::written;

/// Who watches calls from outside, such as an exporter. Called on the threads that serve, so it must not wait.
pub trait Watcher: Send + Sync {
    /// A new call: which trace it belongs to, and whether its spans are wanted; `None` leaves it alone.
    fn begins(&self, parent: Option<&Remote>) -> Option<Begun>;
    /// Another id for a span.
    fn id(&self) -> Option<[u8; 8]>;
    /// A span is over, at this moment.
    fn ended(&self, span: Span);
    /// Counters in Prometheus' text format, whose names begin with `doorward_`.
    fn numbers(&self) -> String;
}

/// A span of somebody else, from which a call comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remote {
    /// The trace.
    pub trace: [u8; 16],
    /// The span that caused the call.
    pub span: [u8; 8],
    /// Whether it says that it is kept.
    pub sampled: bool,
}

/// A call that is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// The trace: that of the parent, where there is one.
    pub trace: [u8; 16],
    /// The id of the call's span.
    pub id: [u8; 8],
    /// Whether spans of it are to be told.
    pub sampled: bool,
}

/// Something that took time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The trace.
    pub trace: [u8; 16],
    /// Its own id.
    pub id: [u8; 8],
    /// The span that it is a part of.
    pub parent: Option<[u8; 8]>,
    /// Whether it was asked of us or by us.
    pub side: Side,
    /// How long it took; it is over now.
    pub took: Duration,
    /// The record of the call.
    pub evidence: EvidenceId,
    /// Whose call it is, as soon as that was proven.
    pub caller: Option<(TenantName, PrincipalName)>,
    /// What was called, as soon as that was found.
    pub operation: Option<(IntegrationName, OperationName, Access)>,
    /// Method, service and path of the request to it; no query.
    pub request: Option<(Method, Authority, Box<str>)>,
    /// The status of the reply.
    pub status: Option<u16>,
    /// Why it was refused or failed.
    pub code: Option<Code>,
}

/// On whose side something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// A call at this door.
    Served(Door),
    /// The request to the service.
    Sent,
}

// === a call under way ===

/// The span of a call that is under way; told when it is dropped, which is when the last of a stream has passed.
pub(crate) struct Live {
    watcher: Arc<dyn Watcher>,
    span: Option<Box<Span>>,
    began: Instant,
    sampled: bool,
    continued: bool,
}

impl Live {
    /// Starts, where somebody watches.
    pub(crate) fn start(
        watcher: Option<&Arc<dyn Watcher>>,
        inbound: &Inbound,
        evidence: EvidenceId,
    ) -> Option<Box<Self>> {
        let watcher = watcher?;
        let remote = match &inbound.asked {
            Asked::Forward(forward) => parent(&forward.headers),
            Asked::Operate(operate) => operate.parent,
        };
        let Begun { trace, id, sampled } = watcher.begins(remote.as_ref())?;
        let span = Span {
            trace,
            id,
            parent: remote.map(|remote| remote.span),
            side: Side::Served(inbound.door),
            took: Duration::ZERO,
            evidence,
            caller: None,
            operation: None,
            request: None,
            status: None,
            code: None,
        };
        Some(Box::new(Self {
            watcher: Arc::clone(watcher),
            span: Some(Box::new(span)),
            began: Instant::now(),
            sampled,
            continued: remote.is_some(),
        }))
    }

    pub(crate) fn identified(&mut self, identified: &Identified) {
        let caller = &identified.caller;
        if let Some(span) = &mut self.span {
            span.caller = Some((caller.tenant().clone(), caller.principal().clone()));
        }
    }

    pub(crate) fn found(&mut self, call: &Call) {
        let Some(span) = &mut self.span else { return };
        span.operation = Some((call.integration().clone(), call.operation().clone(), call.access()));
        span.request = call.request().map(|(method, authority, target)| {
            let path = target.path();
            let end = (0..=path.len().min(LONGEST_PATH)).rev().find(|end| path.is_char_boundary(*end));
            (*method, authority.clone(), path.get(..end.unwrap_or(0)).unwrap_or_default().into())
        });
    }

    /// What came of it, as its caller is told.
    pub(crate) fn performed(&mut self, performed: Result<&Performed, &Refusal>) {
        let http = matches!(self.span.as_ref().map(|span| span.side), Some(Side::Served(Door::Gateway)));
        let status = match performed {
            Err(refusal) => return self.refused(refusal),
            Ok(Performed::Reply(scrubbed)) => Some(scrubbed.head.status()),
            Ok(Performed::Tunnel((head, _), _)) => Some(head.status()),
            Ok(Performed::Answer(_) | Performed::Lease(_) | Performed::Ran(_)) => {
                http.then_some(StatusCode::OK)
            }
        };
        if let Some(span) = &mut self.span {
            span.status = status.map(|status| status.as_u16());
        }
    }

    /// That it is told a refusal.
    pub(crate) fn refused(&mut self, refusal: &Refusal) {
        let Some(span) = &mut self.span else { return };
        span.code = Some(refusal.code);
        if matches!(span.side, Side::Served(Door::Gateway | Door::Server)) {
            span.status = Some(refusal.code.http_status());
        }
    }

    /// The request to the service, which is a part of this.
    pub(crate) fn next(&self) -> Option<Box<Next>> {
        let span = self.span.as_deref()?;
        let own = Span { id: [0; 8], parent: Some(span.id), side: Side::Sent, ..span.clone() };
        let (watcher, sampled, continued) = (Arc::clone(&self.watcher), self.sampled, self.continued);
        Some(Box::new(Next { watcher, span: own, sampled, continued }))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(span) = self.span.take().filter(|_| self.sampled) {
            self.watcher.ended(Span { took: self.began.elapsed(), ..*span });
        }
    }
}

// === the request to the service ===

/// The request that a call sends, or sends again.
pub(crate) struct Next {
    watcher: Arc<dyn Watcher>,
    span: Span,
    sampled: bool,
    continued: bool,
}

/// Writes into a request which span it is. Before it is signed: a signature may be over this header as well.
pub(crate) fn mark(next: Option<&mut Box<Next>>, headers: &mut HeaderMap) {
    let Some(next) = next else { return };
    let Some(id) = next.watcher.id() else { return };
    next.span.id = id;
    if let Ok(value) = HeaderValue::from_str(&written(&next.span, next.sampled)) {
        headers.insert(&TRACEPARENT, value);
    }
    // Of a trace that begins here nobody else has said anything yet.
    if !next.continued {
        headers.remove(&TRACESTATE);
    }
}

/// When a request is sent, where somebody wants to know.
pub(crate) fn began(next: Option<&Next>) -> Option<Instant> {
    next.filter(|next| next.sampled).map(|_| Instant::now())
}

/// What became of a request that was sent then.
pub(crate) fn sent((next, began): (Option<&Next>, Option<Instant>), result: Result<StatusCode, &Refusal>) {
    let (Some(next), Some(began)) = (next, began) else { return };
    let mut span = next.span.clone();
    span.took = began.elapsed();
    (span.status, span.code) = match result {
        Ok(status) => (Some(status.as_u16()), None),
        Err(refusal) => (None, Some(refusal.code)),
    };
    next.watcher.ended(span);
}

/// What comes of a call that makes another one.
pub(crate) fn within(next: Option<&Next>) -> Option<Remote> {
    let next = next?;
    let span = next.span.parent?;
    Some(Remote { trace: next.span.trace, span, sampled: next.sampled })
}

pub(crate) static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// As much of a path as the evidence keeps.
const LONGEST_PATH: usize = 1024;

#[cfg(test)]
mod tests;
