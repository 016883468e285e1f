//! What the fake says: answers of the query protocol, JSON, and the error documents of AWS.
//!
//! The forms are those of the API references of STS (2011-06-15), IAM (2010-05-08), SSO and SSO OIDC (2019-06-10).

use bytes::Bytes;
use http::{Response, StatusCode, header};
use http_body::Body as _;
use http_body_util::Full;
use serde_json::{Value, json};

/// An answer ready to be sent.
pub(super) type Reply = Response<Full<Bytes>>;

/// An answer of the query protocol as JSON, for whoever accepts that: each element a member, an error without its envelope's name.
pub(super) fn as_json(reply: Reply) -> Reply {
    let (parts, mut body) = reply.into_parts();
    // It is all there already.
    let mut now = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Some(Ok(frame))) = std::pin::Pin::new(&mut body).poll_frame(&mut now) else {
        return send(parts.status.as_u16(), "application/json", "{}".to_owned());
    };
    let text = frame.into_data().unwrap_or_default();
    let mut document = elements(&String::from_utf8_lossy(&text));
    if let Some(error) = document.as_object_mut().and_then(|members| members.remove("ErrorResponse")) {
        document = error;
    }
    send(parts.status.as_u16(), "application/json", document.to_string())
}

/// The elements of a document without mixed content.
fn elements(text: &str) -> Value {
    let mut members = serde_json::Map::new();
    let mut rest = text;
    while let Some((_, begun)) = rest.split_once('<') {
        let Some((tag, behind)) = begun.split_once('>') else { break };
        let name = tag.split(' ').next().unwrap_or_default();
        let end = format!("</{name}>");
        let Some((inside, after)) = behind.split_once(end.as_str()) else { break };
        members.insert(name.to_owned(), elements(inside));
        rest = after;
    }
    if members.is_empty() { Value::String(text.to_owned()) } else { Value::Object(members) }
}

/// Which of the two services of the query protocol speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Sts,
    Iam,
}

/// A refusal in the words of AWS.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) message: String,
}

impl Service {
    /// The name in calls and in signatures.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sts => "sts",
            Self::Iam => "iam",
        }
    }

    fn namespace(self) -> &'static str {
        match self {
            Self::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            Self::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
        }
    }

    /// An answer to an operation; `None` where it has no result.
    pub(super) fn result(self, action: &str, inner: Option<&str>) -> Reply {
        let result =
            inner.map(|inner| format!("<{action}Result>{inner}</{action}Result>")).unwrap_or_default();
        let body = format!(
            "<{action}Response xmlns=\"{}\">{result}<ResponseMetadata><RequestId>{REQUEST_ID}</RequestId>\
             </ResponseMetadata></{action}Response>",
            self.namespace()
        );
        send(200, "text/xml", body)
    }

    /// A refusal as an XML document.
    pub(super) fn refusal(self, refused: &Refused) -> Reply {
        let kind = if refused.status >= 500 { "Receiver" } else { "Sender" };
        let body = format!(
            "<ErrorResponse xmlns=\"{}\"><Error><Type>{kind}</Type><Code>{}</Code><Message>{}</Message></Error>\
             <RequestId>{REQUEST_ID}</RequestId></ErrorResponse>",
            self.namespace(),
            escaped(&refused.code),
            escaped(&refused.message)
        );
        send(refused.status, "text/xml", body)
    }
}

impl Refused {
    /// With this status, code and message.
    pub(super) fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into() }
    }

    /// As OIDC says it: the type of the exception in a header, `error` in the body (RFC 6749, section 5.2).
    pub(super) fn oidc(&self) -> Reply {
        let body = json!({"error": self.message, "error_description": self.message});
        typed(self.status, &self.code, &body)
    }

    /// As the portal says it.
    pub(super) fn portal(&self) -> Reply {
        typed(self.status, &self.code, &json!({"message": self.message}))
    }
}

/// JSON.
pub(super) fn json(status: u16, body: &Value) -> Reply {
    send(status, "application/json", body.to_string())
}

/// Anything.
pub(super) fn send(status: u16, kind: &'static str, body: String) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(body)));
    *reply.status_mut() = StatusCode::from_u16(status).expect("the test kit works");
    reply.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
    reply.headers_mut().insert("x-amzn-requestid", http::HeaderValue::from_static(REQUEST_ID));
    reply
}

/// Text as the content of an XML element.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn typed(status: u16, kind: &str, body: &Value) -> Reply {
    let mut reply = json(status, body);
    if let Ok(kind) = http::HeaderValue::from_str(kind) {
        reply.headers_mut().insert("x-amzn-errortype", kind);
    }
    reply
}

const REQUEST_ID: &str = "fake";
