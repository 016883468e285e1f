//! HTTP to a source: bounded in size and time, TLS checked, no redirect followed, nothing of an answer repeated.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, header};
use memory::Secret;
use model::Authority;
use net::egress::{Egress, EgressConfig, EgressLimits, Proxies, Roots};
use serde::de::DeserializeOwned;
use std::time::Duration;
use zeroize::Zeroizing;

use super::{Environment, Trouble};
use crate::fit::LONGEST;

/// One server, and how it is reached. Connections are kept open by the runtime that made them; another runtime that finds
/// one closed opens its own.
pub(crate) struct Web {
    name: &'static str,
    authority: Authority,
    path: String,
    egress: Egress,
}

/// Whose certificates are believed, and through which proxy it is reached.
pub(crate) struct Way {
    pub(crate) roots: Roots,
    pub(crate) proxies: Proxies,
}

/// A request.
pub(crate) struct Asked<'a> {
    pub(crate) method: Method,
    /// Path and query behind the path of the server, percent-encoded.
    pub(crate) target: &'a str,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// A JSON document; empty is none.
    pub(crate) json: Zeroizing<Vec<u8>>,
}

/// An answer with a status of 2xx, or one that the source gives a meaning to.
pub(crate) struct Reply {
    at: String,
    pub(crate) status: StatusCode,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl Web {
    /// The server at an address such as `https://vault.example.com:8200`. Plain http is for this machine and private
    /// networks; `net` holds that.
    pub(crate) fn new(name: &'static str, address: &str, way: Way) -> Result<Self, Trouble> {
        Self::within(name, address, way, REPLY)
    }

    /// The same with another limit on one answer.
    pub(crate) fn within(
        name: &'static str,
        address: &str,
        way: Way,
        reply: Duration,
    ) -> Result<Self, Trouble> {
        let wrong = |why: &str| Trouble::setting(format!("the address of {name} {why}"));
        let address = address.trim().trim_end_matches('/');
        let (scheme, rest) =
            address.split_once("://").ok_or_else(|| wrong("does not begin with `https://`"))?;
        let (host, path) = rest.find('/').and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, ""));
        let plain = path.bytes().all(|byte| byte.is_ascii_graphic()) && !path.contains(['?', '#']);
        if host.contains('@') || !plain {
            return Err(wrong("holds more than host and path"));
        }
        let authority = format!("{}://{}", scheme.to_ascii_lowercase(), host.to_ascii_lowercase());
        let authority = authority.parse().map_err(|_| wrong("is none"))?;
        // A body of base 64 in JSON, with what is around it.
        let limits = EgressLimits { connect: CONNECT, reply, bytes: LONGEST * 3 };
        let egress = Egress::new(EgressConfig {
            proxies: way.proxies,
            roots: way.roots,
            limits,
            ..EgressConfig::default()
        });
        Ok(Self { name, authority, path: path.to_owned(), egress })
    }

    /// Whom we talk to, for people.
    pub(crate) fn shown(&self) -> String {
        format!("{} at `{}{}`", self.name, self.authority, self.path)
    }

    /// Asks. What says that it can't right now (429 and 5xx) is out of reach, not an answer.
    pub(crate) async fn ask(&self, asked: Asked<'_>) -> Result<Reply, Trouble> {
        let Asked { method, target, headers, json } = asked;
        let at = self.shown();
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{target}", self.path))
            .body(Bytes::new())
            .map_err(|_| Trouble::Wrong("its path can't be asked for"))?;
        let fixed = [
            (header::USER_AGENT, HeaderValue::from_static(USER_AGENT)),
            (header::ACCEPT, HeaderValue::from_static("application/json")),
        ];
        request.headers_mut().extend(fixed.into_iter().chain(headers));
        if !json.is_empty() {
            let kind = HeaderValue::from_static("application/json");
            request.headers_mut().insert(header::CONTENT_TYPE, kind);
            *request.body_mut() = Bytes::from_owner(json);
        }
        let reply = self.egress.send(&self.authority, request).await;
        let reply = reply.map_err(|error| unreached(at.clone(), &error))?;
        let status = reply.status();
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            return Err(Trouble::Unreachable { at, what: format!("answered {}", status.as_u16()) });
        }
        Ok(Reply { at, status, body: reply.into_body() })
    }
}

impl Reply {
    /// The same, where its status is one of success; else a refusal in our words.
    pub(crate) fn accepted(self) -> Result<Self, Trouble> {
        let why = match self.status {
            status if status.is_success() => return Ok(self),
            StatusCode::UNAUTHORIZED => "it does not know our credential, or not any more (401)".to_owned(),
            StatusCode::FORBIDDEN => "our credential may not do this (403)".to_owned(),
            StatusCode::BAD_REQUEST => "it does not take the request, or our credential (400)".to_owned(),
            status if status.is_redirection() => {
                format!("it sends us elsewhere ({}), and no redirect is followed", status.as_u16())
            }
            status => format!("it answered {}", status.as_u16()),
        };
        Err(Trouble::Refused { at: self.at, why })
    }

    /// The document.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Trouble> {
        serde_json::from_slice(&self.body).map_err(|_| self.wrong("is not the document that is expected"))
    }

    /// An answer that is not what it should be.
    pub(crate) fn wrong(&self, what: &'static str) -> Trouble {
        Trouble::Answer { at: self.at.clone(), what }
    }
}

/// What kept a request from being answered. A certificate that is not the server's is nothing that passes.
fn unreached(at: String, error: &net::Error) -> Trouble {
    match error {
        net::Error::Tls { .. } => {
            Trouble::Refused { at, why: "its certificate is not one that we believe".into() }
        }
        net::Error::Address { reason, .. } => Trouble::setting(format!("{at} may not be dialled: {reason}")),
        net::Error::Unreachable { source, .. } => {
            Trouble::Unreachable { at, what: format!("could not be reached ({})", source.kind()) }
        }
        net::Error::Timeout { .. } => Trouble::late(at),
        net::Error::Body(_) => Trouble::Answer { at, what: "is too long or broke off" },
        net::Error::Protocol { .. } => Trouble::Answer { at, what: "is no HTTP" },
        net::Error::Certificate { path, what, .. } => {
            Trouble::setting(format!("the certificates in `{}` can't be used: {what}", path.display()))
        }
        net::Error::Request(what) => Trouble::Wrong(what),
        _ => Trouble::Unreachable { at, what: "closed the connection before it answered".into() },
    }
}

/// The usual proxies of the environment. Never for a cluster's own API or for metadata, which no proxy should see.
pub(crate) fn proxies(environment: &Environment) -> Result<Proxies, Trouble> {
    let either = |upper: &str, lower: &str| environment.text(upper).or_else(|| environment.text(lower));
    let (https, http, no) = (
        either("HTTPS_PROXY", "https_proxy"),
        either("HTTP_PROXY", "http_proxy"),
        either("NO_PROXY", "no_proxy"),
    );
    let proxies = Proxies::new(https.as_deref(), http.as_deref(), no.as_deref());
    proxies.map_err(|error| Trouble::setting(error.to_string()))
}

/// A header with a credential of ours: some text, then the secret, without the line end that a file may have.
#[expect(clippy::disallowed_methods, reason = "puts the credential of a source on its request")]
pub(crate) fn credential(before: &str, secret: &Secret) -> Result<HeaderValue, Trouble> {
    let value = secret.expose(|bytes| {
        HeaderValue::from_bytes(&Zeroizing::new([before.as_bytes(), bytes.trim_ascii()].concat()))
    });
    let mut value =
        value.map_err(|_| Trouble::setting("the credential of its source can't be put on a request"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The segments of a path that a reference names: nothing that a server or a proxy would read as another path.
pub(crate) fn safe_path(path: &str) -> Result<&str, Trouble> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~+@=,".contains(&byte);
    let segment = |text: &str| !text.is_empty() && text != "." && text != ".." && text.bytes().all(plain);
    if path.split('/').all(segment) {
        return Ok(path);
    }
    Err(Trouble::Wrong("its path may hold letters, digits, `-_.~+@=,` and single slashes"))
}

const CONNECT: Duration = Duration::from_secs(4);
pub(crate) const REPLY: Duration = Duration::from_secs(6);
const USER_AGENT: &str = concat!("doorward/", env!("CARGO_PKG_VERSION"));
