//! A recording fake of a service of AWS, on a port that the system picks, and time that does not pass by itself.

use std::collections::VecDeque;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Response, StatusCode};
use memory::Secret;
use model::{Clock, Timestamp};
use net::body::{Bounds, collect_bounded};
use net::egress::EgressConfig;
use net::{Body, Drain, ServeLimits};
use percent_encoding::percent_decode_str;

use super::super::{Endpoint, Pause, Wire};
use crate::Lease;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// An answer to give.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// A running service. It stops when it is dropped.
pub(crate) struct Fake {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    _drain: Drain,
}

/// Time that moves only when somebody waits.
#[derive(Default)]
pub(crate) struct Time {
    millis: AtomicU64,
    waits: Mutex<Vec<Duration>>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The pairs of the body, decoded.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        pairs(&self.body)
    }

    /// The value of a pair of the body.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        self.form().into_iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    /// The value of a pair of the query.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        pairs(query).into_iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
    let split = |pair: &str| pair.split_once('=').map(|(name, value)| (decoded(name), decoded(value)));
    text.split('&').filter_map(split).collect()
}

impl Answer {
    pub(crate) fn ok(body: impl Into<String>) -> Self {
        Self::status(200, body)
    }

    pub(crate) fn status(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// An error of STS and IAM.
    pub(crate) fn fault(status: u16, code: &str, message: &str) -> Self {
        Self::status(
            status,
            format!(
                "<ErrorResponse xmlns=\"x\"><Error><Type>Sender</Type><Code>{code}</Code>\
                 <Message>{message}</Message></Error><RequestId>req-1</RequestId></ErrorResponse>"
            ),
        )
    }

    /// An answer of STS or IAM with this result.
    pub(crate) fn result(action: &str, inner: &str) -> Self {
        Self::ok(format!(
            "<?xml version=\"1.0\"?><{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <{action}Result>{inner}</{action}Result>\
             <ResponseMetadata><RequestId>req-1</RequestId></ResponseMetadata></{action}Response>"
        ))
    }
}

impl Fake {
    /// Gives these answers in their order; one request more is answered with 418.
    pub(crate) fn start(answers: impl Into<VecDeque<Answer>>) -> Self {
        let loopback = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
        let bound = net::bind_tcp(loopback, NonZeroUsize::MIN).unwrap().pop().unwrap();
        let address = bound.address().unwrap();
        let (drain, draining) = net::drain::channel();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let answers = Arc::new(Mutex::new(answers.into()));
        let kept = Arc::clone(&seen);
        let service = move |request: http::Request<_>, _| {
            let (answers, kept) = (Arc::clone(&answers), Arc::clone(&kept));
            async move {
                let (parts, body) = request.into_parts();
                let soon = Duration::from_secs(120);
                let body =
                    collect_bounded(body, Bounds { bytes: 1 << 20, frame: soon, whole: soon }).await.unwrap();
                kept.lock().unwrap().push(Seen {
                    method: parts.method.to_string(),
                    target: parts.uri.to_string(),
                    headers: parts.headers,
                    body: String::from_utf8(body.to_vec()).unwrap(),
                });
                let answer = answers.lock().unwrap().pop_front();
                let Answer { status, headers, body } = answer.unwrap_or_else(|| Answer::status(418, ""));
                let mut reply = Response::new(Body::full(body));
                *reply.status_mut() = StatusCode::from_u16(status).unwrap();
                for (name, value) in headers {
                    reply.headers_mut().insert(name, HeaderValue::from_str(&value).unwrap());
                }
                reply
            }
        };
        tokio::spawn(net::serve(bound.listener().unwrap(), service, ServeLimits::default(), draining));
        Self { address, seen, _drain: drain }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::at(&self.url(), "eu-central-1").unwrap()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn only(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.into_iter().next().unwrap()
    }
}

impl Time {
    pub(crate) fn at(text: &str) -> Arc<Self> {
        let time: Timestamp = text.parse().unwrap();
        Arc::new(Self { millis: AtomicU64::new(time.millis()), waits: Mutex::default() })
    }

    pub(crate) fn waits(&self) -> Vec<Duration> {
        self.waits.lock().unwrap().clone()
    }
}

impl Clock for Time {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.load(Ordering::SeqCst))
    }
}

impl Pause for Time {
    fn pause(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.millis.fetch_add(u64::try_from(duration.as_millis()).unwrap(), Ordering::SeqCst);
        self.waits.lock().unwrap().push(duration);
        Box::pin(std::future::ready(()))
    }
}

pub(crate) const NOW: &str = "2026-11-22T09:00:00Z";

/// A wire that does not wait, and its time.
pub(crate) fn wire() -> (Wire, Arc<Time>) {
    let time = Time::at(NOW);
    let clock: Arc<dyn Clock> = Arc::clone(&time) as Arc<dyn Clock>;
    let pause: Arc<dyn Pause> = Arc::clone(&time) as Arc<dyn Pause>;
    (Wire::new(EgressConfig::default(), clock, pause), time)
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec()).unwrap()
}

/// What is in a secret.
pub(crate) fn open(secret: &Secret) -> String {
    #[expect(clippy::disallowed_methods, reason = "a test looks at what it got")]
    secret.expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

/// A long-lived key of the documentation.
pub(crate) fn key() -> Lease {
    Lease {
        access_key_id: "AKIACANARY0000000001".to_owned(),
        secret_access_key: secret("CANARY-secret"),
        session_token: None,
        expiration: None,
    }
}

/// A session.
pub(crate) fn session() -> Lease {
    Lease {
        access_key_id: "ASIACANARY0000000002".to_owned(),
        secret_access_key: secret("CANARY-session-secret"),
        session_token: Some(secret("CANARY-session-token")),
        expiration: Some("2026-11-22T10:00:00Z".parse().unwrap()),
    }
}
