//! What endpoints are asked: requests, and which secrets are in them.

use bytes::Bytes;
use cloud::Sent;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request};
use model::{Code, Refusal};
use net::Body;
use zeroize::Zeroizing;

/// A request for an endpoint, and the secrets that are in its body.
pub(super) struct Question {
    pub(super) request: Request<Body>,
    pub(super) sent: Sent,
}

/// What an endpoint answered, and which secrets it was sent.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) sent: Sent,
}

impl From<Request<Body>> for Question {
    fn from(request: Request<Body>) -> Self {
        Self { request, sent: Sent::default() }
    }
}

impl Question {
    /// Its parts; the secrets are those of its headers too.
    pub(super) fn parts(self) -> (Request<Body>, Sent) {
        let Self { request, mut sent } = self;
        add_headers(&mut sent, request.headers());
        (request, sent)
    }
}

/// Adds what stands in the headers that hold secrets: whole, without the name of its scheme, and the signature at its end.
fn add_headers(sent: &mut Sent, headers: &HeaderMap) {
    for value in headers.values().filter(|value| value.is_sensitive()).map(HeaderValue::as_bytes) {
        let behind = |mark: &[u8]| {
            let at = value.windows(mark.len()).position(|seen| seen == mark)?;
            value.get(at + mark.len()..)
        };
        let parts = [Some(value), behind(b" "), behind(b"Signature=")];
        // What is shorter is the word that a metadata service wants, such as `true`.
        for part in parts.into_iter().flatten().filter(|part| part.len() >= secrets::SHORTEST) {
            sent.push(part);
        }
    }
}

/// A request with a form in it.
pub(super) fn form(path: &str, form: cloud::Form) -> Result<Question, Refusal> {
    let mut request = bare(Method::POST, path)?;
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    let (body, sent) = form.parts();
    *request.body_mut() = Body::full(Bytes::from_owner(body));
    Ok(Question { request, sent })
}

pub(super) fn bare(method: Method, path: &str) -> Result<Request<Body>, Refusal> {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = method;
    *request.uri_mut() =
        path.parse().map_err(|_| Refusal::new(Code::BadRequest, "the token endpoint can't be asked for"))?;
    Ok(request)
}

/// Whoever asks proves itself with this.
pub(super) fn bearer(request: &mut Request<Body>, token: &[u8]) -> Result<(), Refusal> {
    authorization(request, &Zeroizing::new([b"Bearer ".as_slice(), token].concat()))
}

pub(super) fn authorization(request: &mut Request<Body>, text: &Zeroizing<Vec<u8>>) -> Result<(), Refusal> {
    let value = HeaderValue::from_bytes(text);
    let mut value =
        value.map_err(|_| Refusal::new(Code::SecretMissing, "a credential can't stand in a header"))?;
    value.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, value);
    Ok(())
}
