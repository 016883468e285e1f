//! The two transports.

use std::fmt::Display;
use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use rmcp::ServiceExt;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use crate::entrance::{Bearer, Entrance, error, json_reply};
use crate::lines::{LONGEST, Lines, Read, understood};
use crate::{Known, Operations, Server};

/// A reply of the HTTP transport.
pub type Reply = Response<BoxBody<Bytes, std::convert::Infallible>>;

/// Serves one client over stdin and stdout until it closes them.
///
/// # Errors
/// When the client does not speak the protocol, or the pipes break.
pub async fn stdio<O: Operations>(operations: Arc<O>, capability: Option<HeaderValue>) -> Result<(), String> {
    let lines = Lines::new(tokio::io::stdin(), tokio::io::stdout());
    let serving =
        Server::new(operations, capability).serve(lines).await.map_err(|error| error.to_string())?;
    serving.waiting().await.map(|_| ()).map_err(|error| error.to_string())
}

/// Serves one request of a client over streamable HTTP under `/mcp`, without a session: each request presents its bearer. Any `Host`
/// that is none of the entrance's names is refused, and so is every page of a browser.
pub async fn http<O: Operations, B>(
    (operations, known): (Arc<O>, Arc<Known>),
    entrance: &Entrance,
    request: Request<B>,
) -> Reply
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Display,
{
    let _direct = match entrance.direct(request.uri(), request.headers()) {
        Ok(direct) => direct,
        Err(reply) => return reply,
    };
    let path = request.uri().path();
    if request.method() == Method::GET
        && let Some(described) = entrance.description(path)
    {
        return described;
    }
    if path != PATH {
        return error(StatusCode::NOT_FOUND, "not_found", "tools are served under `/mcp`");
    }
    let server = match admitted((operations, known), entrance, &request).await {
        Ok(server) => server,
        Err(reply) => return reply,
    };
    let mut config = StreamableHttpServerConfig::default();
    config.legacy_session_mode = false;
    config.json_response = true;
    config.allowed_hosts = entrance.hosts().to_vec();
    let config = config.enforce_origin_validation();
    let make = move || Ok(server.clone());
    let service = StreamableHttpService::new(make, Arc::new(NeverSessionManager::default()), config);
    if request.method() != Method::POST || !is_json(&request) {
        return service.handle(request).await;
    }
    match read(request).await {
        Ok(request) => service.handle(request).await,
        Err(reply) => reply,
    }
}

fn is_json<B>(request: &Request<B>) -> bool {
    let written =
        request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    written.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

/// The request with its body, where that is a message. The library answers anything else with a status of HTTP alone; a client of the
/// protocol is told in its words (JSON-RPC 2.0, section 5.1).
async fn read<B>(request: Request<B>) -> Result<Request<Full<Bytes>>, Reply>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Display,
{
    let (parts, body) = request.into_parts();
    let body = Limited::new(body.map_err(|error| error.to_string()), LONGEST).collect().await;
    let body = body.map_err(|error| match error.is::<LengthLimitError>() {
        true => error_reply(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long"),
        false => error_reply(StatusCode::BAD_REQUEST, "the body broke off"),
    })?;
    let body = body.to_bytes();
    match understood(if body.trim_ascii().is_empty() { b"?" } else { &body }) {
        Read::Message(_) => Ok(Request::from_parts(parts, Full::new(body))),
        Read::Nothing => {
            let mut reply = Response::new(Full::new(Bytes::new()).boxed());
            *reply.status_mut() = StatusCode::ACCEPTED;
            Err(reply)
        }
        Read::Wrong(answer) => Err(json_reply(StatusCode::BAD_REQUEST, answer.to_string())),
    }
}

fn error_reply(status: StatusCode, text: &str) -> Reply {
    error(status, "invalid_request", text)
}

/// The server for whoever sent this request. A bearer that is none gets no further.
async fn admitted<O: Operations, B>(
    (operations, known): (Arc<O>, Arc<Known>),
    entrance: &Entrance,
    request: &Request<B>,
) -> Result<Server<O>, Reply> {
    let server = match entrance.bearer(request.headers())? {
        Bearer::Capability(capability) => Server::new(operations, Some(capability)).knowing(known),
        Bearer::Token(token) => {
            let admitted = operations.admit(token).await.map_err(|refusal| entrance.refused(&refusal))?;
            Server::new(operations, None).knowing(known).holding(admitted)
        }
    };
    match server.stands().await {
        Err(refusal) if refusal.code.http_status() == 401 => Err(entrance.refused(&refusal)),
        // Whatever else is wrong is said in the words of the protocol.
        _ => Ok(server),
    }
}

const PATH: &str = "/mcp";
