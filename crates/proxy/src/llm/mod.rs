//! The door of any OpenAI client: `/v1/…` on the gateway, with a capability as the API key.
//!
//! Which provider answers is a setting. With `openai` a request goes on as it came. The service behind `openai-codex` knows the Responses
//! API alone, streams only, stores nothing and wants instructions: what a client asks for is written so, in both APIs, and what comes back is
//! written as the client wants it. What can't be said there is refused, and nothing is left out in silence.
//!
//! The translation stands before the path and behind it: what is permitted, recorded and sent is the translated request.
//!
//! # Invariants
//!
//! - A refusal is told in the vendor's shape, and a client is told not to repeat what may have been done.

mod chat;
mod events;
mod reply;
mod stream;
mod told;

use std::sync::Arc;
use std::time::Duration;

use broker::{Outbound, Worker, document};
use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, HeaderValue};
use http::{Method, Response};
use hyper::body::Incoming;
use model::{IntegrationName, Target};
use net::body::{Bounds, collect_bounded};
use net::{Body, problem};
use serde_json::Value;

use crate::correlation;
use crate::gateway::Call;
use crate::refused::Refused;
use crate::route::Route;

pub(crate) use told::refused;

/// Who answers under `/v1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// OpenAI's API with a key: the integration `openai`.
    OpenAi,
    /// A person's ChatGPT subscription: the integration `openai-codex`.
    Codex,
}

/// A request of an OpenAI client, and how it is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// As it came.
    Same,
    /// A response of the Responses API, for a service that streams only.
    Response,
    /// A chat completion, as a response.
    Chat,
}

/// What a client wants back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wants {
    /// What the service says.
    Same,
    /// One document of the Responses API.
    Response,
    /// One chat completion.
    Chat,
    /// Chunks of a chat completion, at the end with the tokens that were used or without.
    ChatStream(Usage),
}

/// Whether a stream ends with the tokens that were used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usage {
    /// It does.
    Told,
    /// It does not.
    Untold,
}

impl Provider {
    /// The word of the settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Codex => "openai-codex",
        }
    }

    /// The integration and the target behind it, and how the request is written for it.
    pub(crate) fn route(self, method: &Method, target: Target) -> Result<(Route, Turn), Refused> {
        let integration: IntegrationName = self.as_str().parse()?;
        if self == Self::OpenAi {
            return Ok((Route { integration, target }, Turn::Same));
        }
        let turn = match (method, target.path()) {
            (&Method::POST, "/v1/responses") => Turn::Response,
            (&Method::POST, "/v1/chat/completions") => Turn::Chat,
            (method, path) => {
                let path: String = path.chars().take(64).collect();
                return Err(Refused::nothing(format!(
                    "the provider `openai-codex` has no `{method} {path}`"
                ))
                .hint("it has `POST /v1/responses` and `POST /v1/chat/completions`; `openai` has them all"));
            }
        };
        Ok((Route { integration, target: "/responses".parse()? }, turn))
    }
}

impl std::str::FromStr for Provider {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "openai" => Ok(Self::OpenAi),
            "openai-codex" => Ok(Self::Codex),
            _ => Err("write `openai` or `openai-codex`"),
        }
    }
}

/// Whether a path is one of this door.
pub(crate) fn is_ours(path: &str) -> bool {
    path.starts_with("/v1/")
}

/// Carries a request of a client.
pub(crate) async fn answer(
    worker: &Arc<Worker>,
    mut call: Call,
    turn: Turn,
    body: Incoming,
) -> Response<Body> {
    let request_id = call.request_id.take();
    let (body, wants) = match written(&mut call, turn, body).await {
        Ok(written) => written,
        Err(refused) => return told::refused(refused.refusal()),
    };
    let mut reply = match worker.call(call.with(body)).await {
        Ok(Outbound::Reply(evidence, mut reply)) => {
            problem::mark(reply.headers_mut(), evidence);
            reply::read(*reply, wants).await
        }
        // No service answers so; one that did stays here.
        Ok(Outbound::Answer(answer) | Outbound::Lease(answer, _)) => crate::gateway::told(&answer),
        Err(refusal) => told::refused(&refusal),
    };
    correlation::echo(reply.headers_mut(), request_id);
    reply
}

/// The body as the service takes it.
async fn written(call: &mut Call, turn: Turn, body: Incoming) -> Result<(Body, Wants), Refused> {
    if turn == Turn::Same {
        return Ok((Body::from(body), Wants::Same));
    }
    let headers = &mut call.forward.headers;
    if call.forward.upgrade.is_some() || net::headers::has(headers, &CONTENT_ENCODING) {
        return Err(Refused::bad("a request that is translated is plain JSON")
            .hint("send it without a content encoding"));
    }
    let body = collect_bounded(body, BOUNDS).await.map_err(|error| Refused::bad(error.to_string()))?;
    let asked = document::read(&body).map_err(|error| match document::says_twice(&error) {
        true => Refused::bad("a key is there twice in the body"),
        false => Refused::bad("the body is not JSON"),
    })?;
    let Value::Object(asked) = asked else { return Err(Refused::bad("the body is not a JSON object")) };
    let (document, wants) = match turn {
        Turn::Chat => chat::chat(asked)?,
        Turn::Response | Turn::Same => chat::response(asked)?,
    };
    // The length is that of what is sent, and the service answers in events that are read here.
    headers.remove(CONTENT_LENGTH);
    headers.remove(ACCEPT_ENCODING);
    headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
    Ok((Body::full(Bytes::from(document.to_string())), wants))
}

/// As much as the integration takes.
const BOUNDS: Bounds =
    Bounds { bytes: 32 << 20, frame: Duration::from_secs(30), whole: Duration::from_secs(300) };

#[cfg(test)]
mod tests;
