//! Reads a reply that may have credentials in it: bounded, and wiped when it is dropped.

use std::future::poll_fn;
use std::pin::Pin;

use http_body::Body as _;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use crate::body::CollectError;

/// Reads a body of at most `most` bytes that is there whole by the deadline.
pub(super) async fn collect(
    mut body: hyper::body::Incoming,
    most: usize,
    deadline: Instant,
) -> Result<Zeroizing<Vec<u8>>, CollectError> {
    let length = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if length > most {
        return Err(CollectError::TooLarge(most));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(length.max(START)));
    loop {
        let next = timeout_at(deadline, poll_fn(|cx| Pin::new(&mut body).poll_frame(cx))).await;
        let frame = match next.map_err(|_| CollectError::Stalled)? {
            None => return Ok(bytes),
            Some(frame) => frame.map_err(|error| CollectError::Broken(error.into()))?,
        };
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > most.saturating_sub(bytes.len()) {
            return Err(CollectError::TooLarge(most));
        }
        if bytes.capacity() - bytes.len() < data.len() {
            // A vector that grows leaves a copy of what was in it behind; this one is wiped.
            let room = (bytes.len() + data.len()).saturating_mul(2).min(most);
            let mut larger = Zeroizing::new(Vec::with_capacity(room));
            larger.extend_from_slice(&bytes);
            bytes = larger;
        }
        bytes.extend_from_slice(&data);
    }
}

const START: usize = 8 * 1024;
