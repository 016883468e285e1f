//! The whole body of a request, for those who have to look into it before it is sent: operations with inputs in it, rules
//! about it, signatures over it.

use std::time::Duration;

use bytes::Bytes;
use catalog::{Limits, Message};
use http::header::{CONTENT_ENCODING, HeaderName, HeaderValue};
use http_body::Body as _;
use model::{Code, Refusal};
use net::Body;
use net::body::{Bounds, CollectError, collect_bounded};

use super::Forward;

impl Forward {
    /// Reads the whole body once, within the limits of the integration and of memory, and puts it back as it was. What is
    /// given is exactly what will be sent.
    ///
    /// # Errors
    /// When it is too large, does not come in time, or breaks off.
    pub(crate) async fn whole(&mut self, limits: &Limits) -> Result<Bytes, Refusal> {
        if let Some(known) = &self.read {
            return Ok(known.clone());
        }
        if self.body.is_end_stream() {
            return Ok(Bytes::new());
        }
        let most = usize::try_from(limits.body).unwrap_or(usize::MAX).min(MOST_READ);
        let bounds = Bounds { bytes: most, frame: limits.idle, whole: limits.total.min(LONGEST_READ) };
        let body = std::mem::take(&mut self.body);
        let bytes = collect_bounded(body, bounds).await.map_err(|error| match error {
            CollectError::TooLarge(most) => Refusal::new(
                Code::TooLarge,
                format!("the body is larger than the {most} bytes that can be looked into before it is sent"),
            ),
            error => Refusal::new(Code::BadRequest, error.to_string()),
        })?;
        self.body = Body::full(bytes.clone());
        self.read = Some(bytes.clone());
        Ok(bytes)
    }

    /// The request of an operation by its name, in place of whatever stood here.
    pub(crate) fn write(&mut self, written: Message) {
        let Message { headers, body } = written;
        let pairs = headers.iter().filter_map(|(name, value)| {
            Some((HeaderName::try_from(name).ok()?, HeaderValue::from_str(value).ok()?))
        });
        self.headers = pairs.collect();
        let bytes = Bytes::from(body.unwrap_or_default());
        self.body = if bytes.is_empty() { Body::empty() } else { Body::full(bytes.clone()) };
        self.read = Some(bytes);
    }

    /// The body as it was read; `None` where nobody did, and there is one.
    pub(crate) fn known(&self) -> Option<Bytes> {
        self.read.clone().or_else(|| self.body.is_end_stream().then(Bytes::new))
    }

    /// The whole body in the clear: inputs and rules can't be found in a compressed one.
    ///
    /// # Errors
    /// Those of [`Self::whole`], and where the body is compressed.
    pub(crate) async fn readable(&mut self, limits: &Limits) -> Result<Bytes, Refusal> {
        match self.packed() {
            Some(refusal) => Err(refusal),
            None => self.whole(limits).await,
        }
    }

    /// Why what is in the body can't be read, where it is compressed.
    pub(crate) fn packed(&self) -> Option<Refusal> {
        // Some clients say of a plain body that it is `identity`, which RFC 9110, section 8.4.1, knows as nothing done.
        let mut codings = net::headers::all(&self.headers, &CONTENT_ENCODING);
        let plain = codings.all(|coding| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity"));
        drop(codings);
        let message = "the body is compressed, so what is in it can't be read";
        (!plain).then(|| Refusal::new(Code::BadRequest, message).hint("send it without `Content-Encoding`"))
    }
}

/// A body that is looked into is held in memory; larger ones are refused whatever the integration allows.
const MOST_READ: usize = 8 << 20;
const LONGEST_READ: Duration = Duration::from_secs(60);
