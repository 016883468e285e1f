//! The two transports.

use std::fmt::Display;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use rmcp::ServiceExt;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use crate::{Known, Operations, Server};

/// A reply of the HTTP transport.
pub type Reply = Response<BoxBody<Bytes, std::convert::Infallible>>;

/// Serves one client over stdin and stdout until it closes them.
///
/// # Errors
/// When the client does not speak the protocol, or the pipes break.
pub async fn stdio<O: Operations>(operations: Arc<O>, capability: Option<HeaderValue>) -> Result<(), String> {
    let transport = (tokio::io::stdin(), tokio::io::stdout());
    let serving =
        Server::new(operations, capability).serve(transport).await.map_err(|error| error.to_string())?;
    serving.waiting().await.map(|_| ()).map_err(|error| error.to_string())
}

/// Serves one request of a client over streamable HTTP, without a session: each request presents its capability. `hosts` are the
/// names and addresses under which this door is called; any other `Host` is refused, and so is every page of a browser.
pub async fn http<O: Operations, B>(
    (operations, known): (Arc<O>, Arc<Known>),
    hosts: &[String],
    request: Request<B>,
) -> Reply
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Display,
{
    if !request.headers().contains_key(AUTHORIZATION) {
        return unauthenticated();
    }
    let mut config = StreamableHttpServerConfig::default();
    config.legacy_session_mode = false;
    config.json_response = true;
    config.allowed_hosts = hosts.to_vec();
    let config = config.enforce_origin_validation();
    let make = move || Ok(Server::new(Arc::clone(&operations), None).knowing(Arc::clone(&known)));
    let service = StreamableHttpService::new(make, Arc::new(NeverSessionManager::default()), config);
    service.handle(request).await
}

/// The answer to somebody who presented nothing (RFC 6750, section 3).
fn unauthenticated() -> Reply {
    let text = r#"{"error":"unauthenticated","error_description":"send a capability as `Authorization: Bearer cap1_...`"}"#;
    let mut reply = Response::new(Full::new(Bytes::from_static(text.as_bytes())).boxed());
    *reply.status_mut() = StatusCode::UNAUTHORIZED;
    let headers = reply.headers_mut();
    headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"doorward\""));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}
