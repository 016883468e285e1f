//! A delivery on its way: signed as Standard Webhooks say, to a public address over TLS, without following anybody elsewhere.

use std::time::{Duration, Instant};

use crypto::HmacHash;
use http::Request;
use http::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use model::{Authority, Code, Refusal, Scheme, Target, Timestamp};
use net::{Body, Dial, Private, Verify};
use secrets::Opened;
use zeroize::Zeroizing;

use super::Telling;
use super::rows::Delivery;
use crate::Worker;

/// Where a subscription is told.
pub(crate) struct Receiver {
    authority: Authority,
    target: Target,
}

/// What came of a try.
pub(crate) struct Sent {
    pub(crate) status: Option<u16>,
    pub(crate) error: Option<String>,
    pub(crate) took: Duration,
}

impl Sent {
    /// Nothing was sent, and why.
    pub(crate) fn not(refusal: &Refusal) -> Self {
        let why = refusal.message.chars().take(LONGEST).collect();
        Self { status: None, error: Some(why), took: Duration::ZERO }
    }
}

impl Receiver {
    /// Reads the address of a receiver.
    ///
    /// # Errors
    /// `bad_request` for one that is never told anything. Whether a name leads to a private address is seen when it is dialled.
    pub(crate) fn of(url: &str, telling: Telling) -> Result<Self, Refusal> {
        let wrong = |why: &str| {
            Refusal::new(Code::BadRequest, format!("`url`: {why}"))
                .hint("an address such as `https://hooks.example/doorward`")
        };
        let start = url.find("://").ok_or_else(|| wrong("it is not an `https://` address"))? + 3;
        let path = url.get(start..).and_then(|rest| rest.find(['/', '?']));
        let (authority, target) = path.map_or((url, "/"), |at| url.split_at(start + at));
        let target = if target.starts_with('?') { format!("/{target}") } else { target.to_owned() };
        let authority: Authority = authority.parse().map_err(|_| wrong("it has no plain host"))?;
        if !telling.dangerous_allow_private {
            if authority.scheme() != Scheme::Https {
                return Err(wrong("it is not an `https://` address"));
            }
            // A name is looked at when it is dialled: it may stand for another address by then.
            net::guard::literal(&authority, Private::Refused)
                .map_err(|forbidden| wrong(&forbidden.to_string()))?;
        }
        let target = target.parse().map_err(|_| wrong("its path can't be sent as it is written"))?;
        Ok(Self { authority, target })
    }

    /// Sends a delivery once. A redirect is an answer like any other, and none that takes it.
    pub(crate) async fn send(
        &self,
        worker: &Worker,
        (key, delivery): (&Opened, &Delivery),
        now: Timestamp,
    ) -> Sent {
        let began = started();
        let told = self.tell(worker, (key, delivery), now);
        let (status, error) = match tokio::time::timeout(PATIENCE, told).await {
            Ok(Ok(status)) => (Some(status), None),
            Ok(Err(why)) => (None, Some(why.chars().take(LONGEST).collect())),
            Err(_) => (None, Some("it did not answer in time".to_owned())),
        };
        Sent { status, error, took: began.elapsed() }
    }

    async fn tell(
        &self,
        worker: &Worker,
        (key, delivery): (&Opened, &Delivery),
        now: Timestamp,
    ) -> Result<u16, String> {
        let telling = worker.broker().hooks().telling();
        let dial = Dial {
            authority: self.authority.clone(),
            private: if telling.dangerous_allow_private { Private::Allowed } else { Private::Refused },
            verify: Verify::Checked,
            connect: CONNECT,
            way: None,
        };
        let (id, seconds) = (delivery.id.to_string(), (now.millis() / 1_000).to_string());
        let signature = signature(key, (&id, &seconds, &delivery.body)).map_err(|why| why.to_string())?;
        let request = Request::post(self.target.as_str())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, HeaderValue::from_static(AGENT))
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", signature)
            .body(Body::full(delivery.body.clone()))
            .map_err(|error| error.to_string())?;
        let reply =
            worker.upstream().send(&dial, request, PATIENCE).await.map_err(|error| error.to_string())?;
        // What it says beside that is nobody's business here.
        Ok(reply.status().as_u16())
    }
}

/// `webhook-signature`: one for each version of the key that signs now.
#[expect(clippy::disallowed_methods, reason = "signs a delivery with the key that was lent for it")]
fn signature(key: &Opened, (id, seconds, body): (&str, &str, &str)) -> Result<String, crypto::Error> {
    let parts = [id.as_bytes(), b".", seconds.as_bytes(), b".", body.as_bytes()];
    let signed = |key: &Opened| {
        key.expose(|text| {
            let unfit = || crypto::Error::Malformed("the signing key of a webhook");
            let text = text.strip_prefix(PREFIX.as_bytes()).and_then(|text| std::str::from_utf8(text).ok());
            let bytes = Zeroizing::new(crypto::from_base64(text.ok_or_else(unfit)?)?);
            if bytes.len() < LEAST {
                return Err(unfit());
            }
            Ok(format!("v1,{}", crypto::to_base64(&crypto::hmac(HmacHash::Sha256, &bytes, &parts))))
        })
    };
    let newest = signed(key)?;
    match key.previous() {
        None => Ok(newest),
        Some(former) => Ok(format!("{newest} {}", signed(&former)?)),
    }
}

fn started() -> Instant {
    Instant::now()
}

/// What a signing key begins with, as it is shown and stored.
pub(crate) const PREFIX: &str = "whsec_";
/// Bytes that a signing key has at least, as Standard Webhooks say.
const LEAST: usize = 24;
const AGENT: &str = concat!("doorward/", env!("CARGO_PKG_VERSION"));
const CONNECT: Duration = Duration::from_secs(5);
/// How long a receiver has for its answer.
const PATIENCE: Duration = Duration::from_secs(15);
const LONGEST: usize = 200;
