//! A door of its own for numbers and health, so that whoever collects them needs no way to the gateway.
//!
//! The numbers name integrations and codes, never callers' data; still a page of the web must not read them through the
//! browser of somebody on this machine, so a host that such a page could have is refused.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::pin::Pin;
use std::sync::Arc;

use broker::Worker;
use http::header::HeaderValue;
use http::request::Parts;
use http::{Request, Response};
use hyper::body::Incoming;
use net::{Body, Drained, Draining, Listener, ServeLimits};

use crate::browser;
use crate::health::{self, Question};
use crate::refused::{Refused, Speech};

/// Lines that are being written.
pub type Writing = Pin<Box<dyn Future<Output = String> + Send>>;
/// Numbers of another door, in the same format without its end.
pub type More = Arc<dyn Fn() -> Writing + Send + Sync>;

/// How much such a door shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// `/metrics`, `/healthz` and `/readyz`.
    Numbers,
    /// `/status` as well.
    Status,
}

/// Serves it until the house drains.
pub async fn serve(
    worker: Arc<Worker>,
    listener: Listener,
    (more, shows): (More, Shows),
    limits: ServeLimits,
    draining: Draining,
) -> Drained {
    let service = move |request: Request<Incoming>, _| {
        let (worker, more) = (Arc::clone(&worker), Arc::clone(&more));
        async move {
            let (parts, _) = request.into_parts();
            match answer(&worker, &more, shows, &parts).await {
                Ok(reply) => reply,
                Err(refused) => refused.reply(Speech::of(&parts)),
            }
        }
    };
    net::serve(listener, service, limits, draining).await
}

async fn answer(
    worker: &Worker,
    more: &More,
    shows: Shows,
    parts: &Parts,
) -> Result<Response<Body>, Refused> {
    match asked(parts, shows)? {
        Asked::Health(question) => {
            health::answer_of(question, &parts.method, (worker.broker(), &String::new))
        }
        Asked::Status => {
            let json = HeaderValue::from_static("application/json");
            health::text(&parts.method, json, worker.broker().status().to_string())
        }
        Asked::Numbers => {
            let more = more().await;
            health::text(
                &parts.method,
                HeaderValue::from_static(health::OPEN_METRICS),
                joined(&more, &worker.broker().metrics_text()),
            )
        }
    }
}

/// Both in one text, whose end is that of the second.
fn joined(more: &str, own: &str) -> String {
    format!("{more}{own}")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Health(Question),
    Numbers,
    Status,
}

fn asked(parts: &Parts, shows: Shows) -> Result<Asked, Refused> {
    let browser::Guarded { .. } = browser::guard(&parts.headers, &[])?;
    let Near { .. } = near(parts)?;
    match parts.uri.path() {
        "/metrics" => Ok(Asked::Numbers),
        "/healthz" => Ok(Asked::Health(Question::Alive)),
        "/readyz" => Ok(Asked::Health(Question::Ready)),
        "/status" if shows == Shows::Status => Ok(Asked::Status),
        _ => Err(Refused::nothing("nothing is served under this path")
            .hint("ask `/metrics`, `/healthz` or `/readyz`")),
    }
}

/// Proof that the host is an address or a name without a dot, which no page of the web has. Only [`near`] makes one.
#[derive(Debug)]
#[must_use]
pub(crate) struct Near(());

pub(crate) fn near(parts: &Parts) -> Result<Near, Refused> {
    let header = || parts.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
    let written = parts.uri.authority().map(http::uri::Authority::as_str).or_else(header);
    let host = written.map(|host| match host.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => host,
        _ => host,
    });
    let six = |host: &str| {
        host.strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .is_some_and(|host| host.parse::<Ipv6Addr>().is_ok())
    };
    match host {
        Some(host) if six(host) || host.parse::<Ipv4Addr>().is_ok() => Ok(Near(())),
        Some(host) if !host.is_empty() && !host.contains(['.', ':', '[']) => Ok(Near(())),
        _ => Err(Refused::misdirected("the request addresses a host that this door does not serve")
            .hint("ask by address, or by a name without dots")),
    }
}

#[cfg(test)]
mod tests;
