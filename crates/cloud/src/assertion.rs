//! Assertions: JSON Web Tokens that a private key signs (RFC 7523), and what is read of those that a cloud signed.

use crypto::{Error, to_base64url};
use model::Timestamp;
use serde_json::Value;

/// Makes an assertion: both parts, and what `sign` makes of them.
///
/// # Errors
/// Those of `sign`.
pub fn signed(
    header: &Value,
    claims: &Value,
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, Error>,
) -> Result<String, Error> {
    let part = |value: &Value| to_base64url(value.to_string().as_bytes());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = sign(message.as_bytes())?;
    Ok(format!("{message}.{}", to_base64url(&signature)))
}

/// Seconds since the epoch, as claims write times.
#[must_use]
pub const fn seconds(at: Timestamp) -> u64 {
    at.millis() / 1000
}

/// When a token that a cloud signed ends, as it says itself. Nothing else of it is believed here; whoever it is for checks it.
pub(crate) fn end_of(token: &[u8]) -> Option<Timestamp> {
    let text = str::from_utf8(token).ok()?;
    let claims = crypto::from_base64url(text.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    let end = claims.get("exp")?.as_u64()?;
    Some(Timestamp::from_millis(end.checked_mul(1000)?))
}
