//! The bodies that say a lease, as EC2 and ECS word them.
//!
//! # Invariants
//!
//! - A body is written into memory that is wiped when the last reply that refers to it is gone, and that never grows, so
//!   that no copy stays behind.

use std::time::Duration;

use broker::Lease;
use bytes::Bytes;
use model::{Code, Refusal, Timestamp};
use zeroize::Zeroizing;

/// How long credentials without an end are said to be valid.
pub(crate) const ENDLESS: Duration = Duration::from_secs(15 * 60);

/// One lease, said in two ways.
pub(crate) struct Bodies {
    /// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html>
    pub(crate) ec2: Bytes,
    /// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>
    pub(crate) ecs: Bytes,
}

/// Writes both.
///
/// # Errors
/// When a secret is not text.
#[expect(
    clippy::disallowed_methods,
    reason = "the caller asked for these credentials, and evidence comes first"
)]
pub(crate) fn bodies(lease: &Lease, now: Timestamp, ends: Timestamp) -> Result<Bodies, Refusal> {
    lease.secret_access_key.expose(|secret| match &lease.session_token {
        Some(token) => token.expose(|token| written(&lease.access_key_id, secret, Some(token), now, ends)),
        None => written(&lease.access_key_id, secret, None, now, ends),
    })
}

fn written(
    id: &str,
    secret: &[u8],
    token: Option<&[u8]>,
    now: Timestamp,
    ends: Timestamp,
) -> Result<Bodies, Refusal> {
    let (secret, token) = (text(secret)?, token.map(text).transpose()?);
    let (now, ends) = (seconds(now), seconds(ends));
    // EC2's readers insist on a token; ECS' readers take an absent one for a long-lived key.
    let ec2 = object(&[
        ("AccessKeyId", Some(id)),
        ("Code", Some("Success")),
        ("Expiration", Some(&ends)),
        ("LastUpdated", Some(&now)),
        ("SecretAccessKey", Some(secret)),
        ("Token", Some(token.unwrap_or_default())),
        ("Type", Some("AWS-HMAC")),
    ])?;
    let ecs = object(&[
        ("AccessKeyId", Some(id)),
        ("Expiration", Some(&ends)),
        ("SecretAccessKey", Some(secret)),
        ("Token", token),
    ])?;
    Ok(Bodies { ec2, ecs })
}

/// An object of texts in this order, without those that are absent, in memory that is wiped.
///
/// # Errors
/// Never in practice: writing to memory does not fail.
pub(crate) fn object(members: &[(&str, Option<&str>)]) -> Result<Bytes, Refusal> {
    let length = members
        .iter()
        .map(|(name, value)| name.len() + escaped(value.unwrap_or_default()) + 6)
        .sum::<usize>()
        + 3;
    let mut body = Zeroizing::new(Vec::with_capacity(length));
    body.push(b'{');
    for (name, value) in members {
        let Some(value) = value else { continue };
        if body.len() > 1 {
            body.push(b',');
        }
        quote(&mut body, name)?;
        body.push(b':');
        quote(&mut body, value)?;
    }
    // With a line end, as those servers answer that programs were written against.
    body.extend_from_slice(b"}\n");
    Ok(Bytes::from_owner(body))
}

fn quote(body: &mut Vec<u8>, text: &str) -> Result<(), Refusal> {
    serde_json::to_writer(body, text).map_err(|_| unreadable())
}

/// An upper bound for the length of a text once it is escaped.
fn escaped(text: &str) -> usize {
    text.bytes().map(|byte| if byte < 0x20 || matches!(byte, b'"' | b'\\' | 0x7f) { 6 } else { 1 }).sum()
}

fn text(secret: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(secret).map_err(|_| unreadable())
}

fn unreadable() -> Refusal {
    Refusal::new(Code::UpstreamReply, "the credentials that came are not text")
}

/// RFC 3339 in UTC with whole seconds, which is all that some SDKs read.
pub(crate) fn seconds(time: Timestamp) -> String {
    let shown = time.to_string();
    match shown.split_once('.') {
        Some((whole, _)) => format!("{whole}Z"),
        None => shown,
    }
}

#[cfg(test)]
mod tests;
