//! 1Password by a Connect server: its HTTP API (1Password Connect Server API reference, version 1.8).

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode};
use memory::Secret;
use model::Authority;
use net::body::{Bounds, collect_bounded};
use net::tls::{Outbound, Trust};
use net::{Body, Dial, Private, Upstream, UpstreamConfig, Verify};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Listed, Shelf};
use crate::worker::Worker;
use crate::{Ask, Error, Item, Keyring, Kind, Question, Settings, name};

/// Items of a vault, by the server.
pub(crate) struct Connect {
    shelf: Shelf,
    dial: Dial,
    timeout: Duration,
    ask: Arc<dyn Ask>,
    token: OnceCell<HeaderValue>,
    line: OnceCell<Line>,
}

/// The thread that sends. Made with the first request.
struct Line {
    worker: Worker,
    upstream: Arc<Upstream>,
}

impl Connect {
    /// Reads the settings. Nothing is dialled, and the token is asked for when it is needed.
    pub(crate) fn open(settings: &Settings) -> Result<Self, Error> {
        let shelf = Shelf::new(KIND, settings)?;
        let host = settings.op.host.as_deref().map(|host| host.trim().trim_end_matches('/'));
        let host = host.filter(|host| !host.is_empty());
        let authority: Option<Authority> = host.and_then(|host| host.parse().ok());
        let authority = authority.ok_or(Error::Setting {
            kind: KIND,
            what: "the address of the Connect server, such as `http://localhost:8080` (`--op-connect-host`)",
        })?;
        let timeout = settings.op.timeout;
        // It usually is on this machine or beside it. Plain http still goes to such addresses only.
        let dial = Dial {
            authority,
            private: Private::Allowed,
            verify: Verify::Checked,
            connect: timeout,
            way: None,
        };
        let ask = Arc::clone(&settings.ask);
        Ok(Self { shelf, dial, timeout, ask, token: OnceCell::new(), line: OnceCell::new() })
    }

    fn line(&self) -> Result<&Line, Error> {
        if self.line.get().is_none() {
            let worker = Worker::start(KIND)?;
            let upstream = Upstream::new(UpstreamConfig::new(Outbound::on_demand(Trust::default())))
                .map_err(|error| unreachable(&error))?;
            let _ = self.line.set(Line { worker, upstream: Arc::new(upstream) });
        }
        self.line.get().ok_or_else(|| Error::unavailable(KIND, "its thread is gone"))
    }

    fn token(&self) -> Result<HeaderValue, Error> {
        if self.token.get().is_none() {
            let answer = self.ask.ask(&Question::OpConnectToken);
            let answer = answer.map_err(|source| Error::Ask { kind: KIND, source })?;
            let _ = self.token.set(bearer(&answer)?);
        }
        self.token.get().cloned().ok_or(Error::Setting { kind: KIND, what: "a token" })
    }

    fn exchange(
        &self,
        method: Method,
        rest: &str,
        body: Option<&[u8]>,
        what: &'static str,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/v1/vaults/{}/items{rest}", self.shelf.vault))
            .header(AUTHORIZATION, self.token()?)
            .header(ACCEPT, "application/json");
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = body.map_or_else(Body::empty, |bytes| Body::full(Bytes::copy_from_slice(bytes)));
        let request = request
            .body(body)
            .map_err(|_| Error::Setting { kind: KIND, what: "a vault and a token that can be sent" })?;
        let line = self.line()?;
        let (upstream, dial, timeout) = (Arc::clone(&line.upstream), self.dial.clone(), self.timeout);
        let (status, bytes) = line.worker.run(timeout * 2, move || async move {
            let reply = upstream.send(&dial, request, timeout).await.map_err(|error| unreachable(&error))?;
            let status = reply.status();
            let bounds = Bounds { bytes: MOST, frame: timeout, whole: timeout };
            let bytes = collect_bounded(reply.into_body(), bounds).await;
            let bytes = bytes.map_err(|error| Error::refused(KIND, what, &error.to_string()))?;
            Ok((status, Zeroizing::new(bytes.to_vec())))
        })?;
        match status {
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::UNAUTHORIZED => {
                Err(Error::Locked { kind: KIND, why: "the server does not accept the token" })
            }
            status if status.is_success() => Ok(Some(bytes)),
            status => Err(Error::refused(KIND, what, &said(status, &bytes))),
        }
    }

    /// Lists items by a filter of the API.
    fn list(&self, filter: &str) -> Result<Vec<Listed>, Error> {
        let rest = format!("?filter={}", utf8_percent_encode(filter, NON_ALPHANUMERIC));
        let text = self.exchange(Method::GET, &rest, None, "list its entries")?;
        let text = text.ok_or_else(|| Error::refused(KIND, "list its entries", "there is no such vault"))?;
        serde_json::from_slice(&text)
            .map_err(|_| Error::refused(KIND, "list its entries", "the list is not understood"))
    }

    fn id(&self, name: &str) -> Result<Option<String>, Error> {
        let _valid = name::check(name)?;
        let title = self.shelf.title(name);
        // How quotes are escaped in a filter is not documented, so such a title is looked for in the whole list.
        let filter = if title.contains(['"', '\\']) { self.ours() } else { format!("title eq \"{title}\"") };
        self.shelf.find(name, self.list(&filter)?)
    }

    fn ours(&self) -> String {
        format!("tag eq \"{}\"", self.shelf.tag)
    }
}

impl Keyring for Connect {
    fn kind(&self) -> Kind {
        KIND
    }

    fn names(&self) -> Result<Vec<String>, Error> {
        self.shelf.names(self.list(&self.ours())?)
    }

    fn get(&self, name: &str) -> Result<Item, Error> {
        let missing = || Error::missing(KIND, name);
        let id = self.id(name)?.ok_or_else(missing)?;
        let text = self.exchange(Method::GET, &format!("/{id}"), None, "read an entry")?;
        self.shelf.entry(name, &text.ok_or_else(missing)?)
    }

    fn set(&self, item: Item) -> Result<(), Error> {
        let id = self.id(&item.name)?;
        let text = self.shelf.document(&item, id.as_deref())?;
        let (method, rest) = match &id {
            Some(id) => (Method::PUT, format!("/{id}")),
            None => (Method::POST, String::new()),
        };
        let done = self.exchange(method, &rest, Some(&text), "store an entry")?;
        done.map(drop).ok_or_else(|| Error::refused(KIND, "store an entry", "there is no such vault or item"))
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        let missing = || Error::missing(KIND, name);
        let id = self.id(name)?.ok_or_else(missing)?;
        let done = self.exchange(Method::DELETE, &format!("/{id}"), None, "remove an entry")?;
        done.map(drop).ok_or_else(missing)
    }
}

fn bearer(token: &Secret) -> Result<HeaderValue, Error> {
    #[expect(clippy::disallowed_methods, reason = "puts the token on the requests to the Connect server")]
    let value = token.expose(|bytes| {
        let bytes = bytes.trim_ascii();
        let mut text = Zeroizing::new(Vec::with_capacity(bytes.len() + 7));
        text.extend_from_slice(b"Bearer ");
        text.extend_from_slice(bytes);
        if bytes.is_empty() { None } else { HeaderValue::from_bytes(&text).ok() }
    });
    let mut value = value.ok_or(Error::Setting { kind: KIND, what: "a token that is text" })?;
    value.set_sensitive(true);
    Ok(value)
}

fn unreachable(error: &net::Error) -> Error {
    Error::refused(KIND, "reach its server", &error.to_string())
}

/// What the server says of an error: `{"status": 403, "message": ".."}`.
fn said(status: StatusCode, body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Problem {
        message: String,
    }
    let message = serde_json::from_slice::<Problem>(body).map(|problem| problem.message).unwrap_or_default();
    format!("it answered {status} {message}")
}

const KIND: Kind = Kind::OpConnect;
/// Longest answer in bytes.
const MOST: usize = 16 * 1024 * 1024;
