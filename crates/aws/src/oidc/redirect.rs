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
use tokio::sync::{mpsc, watch};
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

    /// Waits for the browser, exchanges the code that it brings, tells the browser how that went, and closes the address.
    ///
    /// # Errors
    /// [`Error::Expired`] when it does not come within that time, [`Error::Page`] when it comes with an error. What the exchange
    /// made is within.
    pub async fn exchanged<T, E, F>(
        self,
        state: State,
        within: Duration,
        exchange: impl FnOnce(Secret) -> F,
    ) -> Result<Result<T, E>, Error>
    where
        F: Future<Output = Result<T, E>>,
    {
        let (sender, mut outcomes) = mpsc::channel(1);
        let (told, how) = watch::channel(None);
        let (drain, draining) = net::drain::channel();
        let expected = Arc::new(Expected { state, host: self.host, path: self.path });
        let service = move |request: http::Request<_>, _| {
            let (parts, _) = request.into_parts();
            let answer = expected.answer(&parts.method, &parts.uri, &parts.headers, &sender);
            let mut how = how.clone();
            async move {
                match answer {
                    Answer::Page(page) => *page,
                    Answer::Ending => {
                        ended(how.wait_for(Option::is_some).await.is_ok_and(|how| *how == Some(true)))
                    }
                }
            }
        };
        let limits = ServeLimits {
            connections: 16,
            head: Duration::from_secs(10),
            grace: Duration::from_secs(2),
            ..ServeLimits::default()
        };
        let door = net::serve(self.listener, service, limits, draining);
        let wait = async {
            let done = match tokio::time::timeout(within, outcomes.recv()).await {
                Ok(Some(Ok(code))) => match Secret::new(code.as_bytes().to_vec()) {
                    Ok(code) => Ok(exchange(code).await),
                    Err(error) => Err(crate::wire::Error::from(error).into()),
                },
                Ok(Some(Err(page))) => Err(Error::Page(page)),
                Ok(None) | Err(_) => Err(Error::Expired),
            };
            let _ = told.send(Some(matches!(done, Ok(Ok(_)))));
            // The page that the browser is given is still on its way.
            drain.start();
            done
        };
        let (_, done) = tokio::join!(door, wait);
        done
    }
}

/// What the browser is given.
enum Answer {
    Page(Box<Response<Body>>),
    /// How the sign-in ended, once that is known.
    Ending,
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
    ) -> Answer {
        let page = |status, text| Answer::Page(Box::new(page(status, text)));
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
        let outcome = match (one(query, "code"), one(query, "error")) {
            (Some(code), None) if !code.is_empty() => Ok(code),
            (None, Some(error)) => {
                let shown: String = error.chars().filter(|sign| sign.is_ascii_graphic()).take(64).collect();
                Err(shown.into())
            }
            _ => return page(StatusCode::BAD_REQUEST, "There is no code in this address."),
        };
        // The first one counts; there is room for one.
        let _ = sender.try_send(outcome);
        Answer::Ending
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

fn ended(signed_in: bool) -> Response<Body> {
    let text = match signed_in {
        true => "You are signed in. This window can be closed.",
        false => "The sign-in failed; the terminal where it began says why. This window can be closed.",
    };
    page(StatusCode::OK, text)
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
