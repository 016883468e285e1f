//! Bodies with a cloud's token in the middle.
//!
//! # Invariants
//!
//! - The memory of a body is wiped when its reply is gone, and never grows.

use bytes::Bytes;
use zeroize::Zeroizing;

use crate::bearer::Bearer;

/// `head`, the token, `tail`. A [`Bearer`] has no character that JSON would escape.
pub(crate) fn around(head: &str, token: &Bearer, tail: &str) -> Bytes {
    let mut body = Zeroizing::new(Vec::with_capacity(head.len() + token.len() + tail.len()));
    body.extend_from_slice(head.as_bytes());
    token.lend(|token| body.extend_from_slice(token));
    body.extend_from_slice(tail.as_bytes());
    Bytes::from_owner(body)
}
