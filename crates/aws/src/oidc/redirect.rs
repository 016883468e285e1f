//! The address on this machine that the browser comes back to (RFC 8252, section 7.3).
//!
//! Open for one sign-in, on loopback only. A request without the right state is answered with an error and changes
//! nothing: any page in any browser can send one.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use memory::Secret;
use net::{Body, Listener, ServeLimits};
use percent_encoding::percent_decode_str;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::Error;
use super::pkce::State;

/// What is registered: any port of this address is meant.
pub const REGISTERED: &str = "http://127.0.0.1/oauth/callback";

/// An open address.
pub struct Redirect {
    listener: Listener,
    /// Name and port, as the browser sends them.
    host: String,
    path: &'static str,
}

/// With what the browser came back.
type Outcome = Result<Zeroizing<String>, Box<str>>;

impl Redirect {
    /// Opens a port that the system picks.
    ///
    /// # Errors
    /// [`Error::Redirect`] when there is none.
    pub fn open() -> Result<Self, Error> {
        Self::at(0, "127.0.0.1", PATH)
    }

    /// Opens the port and path that a client is registered with, by the name of this machine that it is registered with. Port 0 is one
    /// that the system picks.
    ///
    /// # Errors
    /// [`Error::Redirect`] when somebody else has it.
    pub fn at(port: u16, name: &str, path: &'static str) -> Result<Self, Error> {
        let loopback = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
        let bound = net::bind_tcp(loopback, NonZeroUsize::MIN).map_err(Error::Redirect)?.pop();
        let bound = bound.ok_or(Error::Redirect(net::Error::Request("no address was opened")))?;
        let port = bound.address().map_err(Error::Redirect)?.port();
        let host = format!("{name}:{port}");
        Ok(Self { listener: bound.listener().map_err(Error::Redirect)?, host, path })
    }

    /// The address, for the page and for the exchange of the code.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("http://{}{}", self.host, self.path)
    }

    /// Waits for the browser and closes the address.
    ///
    /// # Errors
    /// [`Error::Expired`] when it does not come within that time, [`Error::Page`] when it comes with an error.
    pub async fn code(self, state: State, within: Duration) -> Result<Secret, Error> {
        let (sender, mut outcomes) = mpsc::channel(1);
        let (drain, draining) = net::drain::channel();
        let expected = Arc::new(Expected { state, host: self.host, path: self.path });
        let service = move |request: http::Request<_>, _| {
            let (parts, _) = request.into_parts();
            let answer = expected.answer(&parts.method, &parts.uri, &parts.headers, &sender);
            async move { answer }
        };
        let limits = ServeLimits {
            connections: 16,
            head: Duration::from_secs(10),
            grace: Duration::from_secs(2),
            ..ServeLimits::default()
        };
        let door = net::serve(self.listener, service, limits, draining);
        let wait = async {
            let outcome = tokio::time::timeout(within, outcomes.recv()).await;
            // The page that the browser was just given is still on its way.
            drain.start();
            outcome
        };
        let (_, outcome) = tokio::join!(door, wait);
        match outcome {
            Ok(Some(Ok(code))) => {
                Ok(Secret::new(code.as_bytes().to_vec()).map_err(crate::wire::Error::from)?)
            }
            Ok(Some(Err(page))) => Err(Error::Page(page)),
            Ok(None) | Err(_) => Err(Error::Expired),
        }
    }
}

/// What a redirect has to have.
struct Expected {
    state: State,
    host: String,
    path: &'static str,
}

impl Expected {
    fn answer(
        &self,
        method: &Method,
        uri: &http::Uri,
        headers: &HeaderMap,
        sender: &mpsc::Sender<Outcome>,
    ) -> Response<Body> {
        let host = headers.get(header::HOST).map(HeaderValue::as_bytes);
        if uri.path() != self.path {
            return page(StatusCode::NOT_FOUND, "There is nothing here.");
        }
        if method != Method::GET || host != Some(self.host.as_bytes()) {
            return page(StatusCode::BAD_REQUEST, "This is not the address of a sign-in.");
        }
        let query = uri.query().unwrap_or_default();
        if !one(query, "state").is_some_and(|state| self.is_ours(&state)) {
            return page(StatusCode::BAD_REQUEST, "This sign-in was not started here.");
        }
        let (outcome, answer) = match (one(query, "code"), one(query, "error")) {
            (Some(code), None) if !code.is_empty() => {
                (Ok(code), page(StatusCode::OK, "You are signed in. This window can be closed."))
            }
            (None, Some(error)) => {
                let shown: String = error.chars().filter(|sign| sign.is_ascii_graphic()).take(64).collect();
                (Err(shown.into()), page(StatusCode::OK, "The sign-in failed. This window can be closed."))
            }
            _ => return page(StatusCode::BAD_REQUEST, "There is no code in this address."),
        };
        // The first one counts; there is room for one.
        let _ = sender.try_send(outcome);
        answer
    }

    fn is_ours(&self, state: &str) -> bool {
        #[expect(
            clippy::disallowed_methods,
            reason = "compares the state that came back with the one that was sent"
        )]
        self.state.secret().expose(|ours| crypto::same(ours, state.as_bytes()).is_ok())
    }
}

/// The one value of a parameter, decoded.
fn one(query: &str, name: &str) -> Option<Zeroizing<String>> {
    let mut found =
        query.split('&').filter_map(|pair| pair.split_once('=')).filter(|(other, _)| *other == name);
    let (_, value) = found.next().filter(|_| found.next().is_none())?;
    percent_decode_str(value).decode_utf8().ok().map(|text| Zeroizing::new(text.into_owned()))
}

fn page(status: StatusCode, text: &'static str) -> Response<Body> {
    let html = format!("<!doctype html><meta charset=\"utf-8\"><title>Doorward</title><p>{text}</p>\n");
    let mut reply = Response::new(Body::full(html));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
    reply
}

const PATH: &str = "/oauth/callback";

#[cfg(test)]
mod tests;
