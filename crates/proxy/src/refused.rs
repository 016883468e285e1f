//! What this door itself refuses, with the status of HTTP that says it best.

use http::header::{ALLOW, HeaderValue};
use http::{Response, StatusCode};
use model::{Code, ParseError, Refusal, Retry};
use net::{Body, problem};

use crate::dialect::{self, Dialect};

/// A refusal before the broker was asked: the request has no reading, or more than one.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Boxed, because it rides in every result of this crate.
    refusal: Box<Refusal>,
    /// Where HTTP has a closer status than the code.
    status: Option<StatusCode>,
    allow: Option<&'static str>,
    /// Whether what was wrong is a name.
    name: bool,
}

impl Refused {
    /// The request is malformed or ambiguous.
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Refusal::new(Code::BadRequest, message).into()
    }

    /// There is nothing under what the request names.
    pub(crate) fn nothing(message: impl Into<String>) -> Self {
        Refusal::new(Code::NotFound, message).into()
    }

    /// It addresses a host that is not ours.
    pub(crate) fn misdirected(message: impl Into<String>) -> Self {
        Self { status: Some(StatusCode::MISDIRECTED_REQUEST), ..Self::bad(message) }
    }

    /// It comes from a page of the web that was not named.
    pub(crate) fn foreign(message: impl Into<String>) -> Self {
        Refusal::new(Code::Denied, message).into()
    }

    /// The method is none of `allowed`.
    pub(crate) fn method(message: impl Into<String>, allowed: &'static str) -> Self {
        Self {
            status: Some(StatusCode::METHOD_NOT_ALLOWED),
            allow: Some(allowed),
            ..Self::bad(message).hint(format!("send one of {allowed}"))
        }
    }

    /// The same with a hint.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { refusal: Box::new(self.refusal.hint(hint)), ..self }
    }

    /// Whether the request was read, but for a name in it.
    pub(crate) const fn is_about_a_name(&self) -> bool {
        self.name
    }

    /// What is refused.
    pub(crate) fn refusal(&self) -> &Refusal {
        &self.refusal
    }

    /// The same in another gateway's words, where the gateway speaks those as well. `name` is what the request named.
    pub(crate) fn reply_in(&self, speech: Speech, dialect: &Dialect, name: &str) -> Response<Body> {
        let mut reply = self.reply(speech);
        if dialect.is_foreign() {
            match self.status {
                Some(StatusCode::OK) => dialect::mark_ours(reply.headers_mut()),
                status => dialect::translate(&mut reply, (&self.refusal, status), name, speech),
            }
        }
        reply
    }

    /// The reply in the words that the caller speaks.
    pub(crate) fn reply(&self, speech: Speech) -> Response<Body> {
        let Self { refusal, status, allow, name: _ } = self;
        let mut reply = match (speech, status) {
            (Speech::Grpc, _) => return problem::grpc(refusal),
            (Speech::Http | Speech::HeadOnly, Some(status)) => problem::reply_as(refusal, *status),
            (Speech::Http | Speech::HeadOnly, None) => problem::reply(refusal),
        };
        if let Some(allow) = allow {
            reply.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
        }
        if speech == Speech::HeadOnly {
            *reply.body_mut() = Body::empty();
        }
        reply
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        // A delivery that was carried is one that its sender may count as delivered. Senders read nothing but the status, and
        // send what was refused again and again, until they switch the address off.
        let carried = refusal.code == Code::Replayed && refusal.retry == Retry::No;
        let status = carried.then_some(StatusCode::OK);
        Self { refusal: Box::new(refusal), status, allow: None, name: false }
    }
}

impl From<ParseError> for Refused {
    fn from(error: ParseError) -> Self {
        Self { name: true, ..Self::bad(error.to_string()) }
    }
}

/// In which words a refusal is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speech {
    /// Problem details.
    Http,
    /// The head of problem details, in answer to `HEAD`.
    HeadOnly,
    /// A status of gRPC.
    Grpc,
}

impl Speech {
    /// How whoever sent this request wants to be spoken to.
    pub(crate) fn of(parts: &http::request::Parts) -> Self {
        if parts.method == http::Method::HEAD {
            return Self::HeadOnly;
        }
        let spoken = parts.headers.get(http::header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        match spoken {
            Some(spoken)
                if spoken.starts_with(b"application/grpc") && parts.version == http::Version::HTTP_2 =>
            {
                Self::Grpc
            }
            _ => Self::Http,
        }
    }
}
