//! The two transports.

use std::fmt::Display;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::combinators::BoxBody;
use rmcp::ServiceExt;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use crate::entrance::{Bearer, Entrance, error};
use crate::lines::Lines;
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
    service.handle(request).await
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
