//! Who gets in at the HTTP transport, before the protocol is spoken: the authorization of the specification, as a resource server.
//!
//! A capability of Doorward is one kind of bearer. Where an issuer is set up, an access token of it is another one; this door then says
//! where tokens are had (RFC 9728), and with each refusal what was wrong (RFC 6750, section 3).
//!
//! # Invariants
//!
//! - A page of a browser gets nothing, and neither does a request by a name that is not ours: somebody else's DNS may lead here.
//! - A bearer is read from the one header `Authorization`, never from a query.
//! - A token opens this door and goes nowhere: calls behind it are made with what it was exchanged for.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use model::{Code, Refusal, Retry};
use serde_json::json;

use crate::serve::Reply;

/// Under which names the door is called, and whose access tokens it takes.
#[derive(Debug, Clone, Default)]
pub struct Entrance {
    hosts: Vec<String>,
    resource: Option<Resource>,
}

/// The door as a protected resource (RFC 9728).
#[derive(Debug, Clone)]
struct Resource {
    /// Where its description is, as others find it.
    described_at: String,
    /// The path of that.
    path: String,
    document: String,
    scopes: String,
}

/// What a request presents.
pub(crate) enum Bearer {
    /// A capability of ours.
    Capability(HeaderValue),
    /// What may be an access token of the issuer.
    Token(HeaderValue),
}

/// Proof that a request came by one of our names, and from no page.
#[must_use]
pub(crate) struct Direct(());

impl Entrance {
    /// A door that is called by these names and addresses, and takes capabilities.
    #[must_use]
    pub fn new(hosts: Vec<String>) -> Self {
        Self { hosts, resource: None }
    }

    /// The same for access tokens of an issuer as well. `resource` is the address of the door as its clients write it, such as
    /// `https://mcp.gateway.example/mcp`; its host is one of our names from then on.
    ///
    /// # Errors
    /// When the address is none that tokens can be made for (RFC 8707, section 2).
    pub fn with_issuer(mut self, resource: &str, issuer: &str, scopes: &[String]) -> Result<Self, String> {
        let wrong = |why: &str| format!("`{resource}` {why}");
        let uri: Uri = resource.parse().map_err(|_| wrong("is no address"))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(wrong("has to begin with `https://` and a name"));
        };
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let near = host == "localhost"
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        if scheme != "https" && !(scheme == "http" && near) {
            return Err(wrong("would have tokens go unprotected: it has to begin with `https://`"));
        }
        if resource.contains(['#', '?', '@']) || (resource.ends_with('/') && uri.path() != "/") {
            return Err(wrong("may have no query, no fragment, no name of a user, and no slash at its end"));
        }
        let behind = if uri.path() == "/" { "" } else { uri.path() };
        let path = format!("{WELL_KNOWN}{behind}");
        let document = json!({
            "resource": resource, "authorization_servers": [issuer], "scopes_supported": scopes,
            "bearer_methods_supported": ["header"], "resource_name": "Doorward",
        });
        self.hosts.push(host.to_owned());
        let described_at = format!("{scheme}://{authority}{path}");
        let (document, scopes) = (document.to_string(), scopes.join(" "));
        self.resource = Some(Resource { described_at, path, document, scopes });
        Ok(self)
    }

    pub(crate) fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// What is said of the door to whoever asks at this path. It is no secret.
    pub(crate) fn description(&self, path: &str) -> Option<Reply> {
        let resource = self.resource.as_ref().filter(|resource| resource.path == path)?;
        Some(json_reply(StatusCode::OK, resource.document.clone()))
    }

    /// Looks at where a request came from.
    pub(crate) fn direct(&self, uri: &Uri, headers: &HeaderMap) -> Result<Direct, Reply> {
        let from_page = headers.contains_key(ORIGIN);
        let mut hosts = headers.get_all(HOST).iter();
        let host = match (uri.host(), hosts.next(), hosts.next()) {
            (_, _, Some(_)) | (None, None, _) => None,
            (_, Some(host), None) => {
                host.to_str().ok().and_then(|text| text.parse::<http::uri::Authority>().ok())
            }
            (Some(_), None, None) => uri.authority().cloned(),
        };
        let named = host.is_some_and(|authority| {
            let host = authority.host().trim_matches(['[', ']']);
            self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
        });
        if from_page || !named {
            let why =
                if from_page { "pages of browsers are not served" } else { "there is nobody of that name" };
            return Err(error(StatusCode::FORBIDDEN, "forbidden", why));
        }
        Ok(Direct(()))
    }

    /// What the request presents.
    pub(crate) fn bearer(&self, headers: &HeaderMap) -> Result<Bearer, Reply> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(self.unauthenticated(None));
        };
        let bearer = bearer(value).ok_or_else(|| self.unauthenticated(None))?;
        if bearer.as_bytes().starts_with(CAPABILITY) || self.resource.is_none() {
            return Ok(Bearer::Capability(bearer));
        }
        // Whatever has another form is not worth a question.
        let text = bearer.to_str().unwrap_or_default();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let parts: Vec<&str> = text.split('.').collect();
        let is_token =
            parts.len() == 3 && parts.iter().all(|part| !part.is_empty() && part.chars().all(plain));
        if !is_token || text.len() > LONGEST {
            return Err(self.unauthenticated(Some("it is neither a capability nor an access token")));
        }
        Ok(Bearer::Token(bearer))
    }

    /// The answer to somebody who presented nothing (no error, RFC 6750, section 3.1), or something that does not hold.
    pub(crate) fn unauthenticated(&self, why: Option<&str>) -> Reply {
        let (word, text) = match why {
            None if self.resource.is_some() => {
                ("unauthenticated", "send an access token or a capability as `Authorization: Bearer`")
            }
            None => ("unauthenticated", "send a capability as `Authorization: Bearer cap1_...`"),
            Some(why) => ("invalid_token", why),
        };
        let mut reply = error(StatusCode::UNAUTHORIZED, word, text);
        self.challenge(&mut reply, why.map(|why| ("invalid_token", why)));
        reply
    }

    /// The answer to somebody whose bearer was refused.
    pub(crate) fn refused(&self, refusal: &Refusal) -> Reply {
        match refusal.code {
            Code::Unauthenticated | Code::Expired | Code::Revoked => {
                self.unauthenticated(Some(&refusal.message))
            }
            Code::Denied => {
                let mut reply = error(StatusCode::FORBIDDEN, "insufficient_scope", &refusal.message);
                self.challenge(&mut reply, Some(("insufficient_scope", &refusal.message)));
                reply
            }
            code => {
                let status =
                    StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
                let mut reply = error(status, code.as_str(), &refusal.message);
                if let Retry::After(wait) = refusal.retry {
                    reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
                }
                reply
            }
        }
    }

    fn challenge(&self, reply: &mut Reply, error: Option<(&str, &str)>) {
        let mut text = "Bearer realm=\"doorward\"".to_owned();
        if let Some((word, why)) = error {
            // Within quotes; nothing of it came with the request.
            let why = why.replace(['"', '\\', '`'], "'");
            text.push_str(&format!(", error=\"{word}\", error_description=\"{why}\""));
        }
        if let Some(Resource { described_at, scopes, .. }) = &self.resource {
            if !scopes.is_empty() {
                text.push_str(&format!(", scope=\"{scopes}\""));
            }
            text.push_str(&format!(", resource_metadata=\"{described_at}\""));
        }
        let value = HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("Bearer"));
        reply.headers_mut().insert(WWW_AUTHENTICATE, value);
    }
}

/// What stands behind `Bearer`.
fn bearer(value: &HeaderValue) -> Option<HeaderValue> {
    let text = value.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    let mut token =
        scheme.eq_ignore_ascii_case("bearer").then(|| HeaderValue::from_str(token.trim()).ok())??;
    token.set_sensitive(true);
    Some(token)
}

/// An error as OAuth prints it.
pub(crate) fn error(status: StatusCode, word: &str, text: &str) -> Reply {
    json_reply(status, json!({ "error": word, "error_description": text }).to_string())
}

pub(crate) fn json_reply(status: StatusCode, text: String) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(text)).boxed());
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}

/// What a capability begins with.
const CAPABILITY: &[u8] = b"cap1_";
/// Longest access token, in bytes.
const LONGEST: usize = 16 * 1024;
/// RFC 9728, section 3.
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

#[cfg(test)]
mod tests;
