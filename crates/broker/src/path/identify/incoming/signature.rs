//! Signatures of webhooks and of other senders: an HMAC over what came, as each service makes it.
//!
//! What is signed are the bytes as they came. A time counts only where it is signed.

use std::time::Duration;

use catalog::incoming::{Digest, Encoding, Hmac, Key, Manner, Once, Part, Place, Signature};
use crypto::jws::Hash;
use http::HeaderMap;
use model::Timestamp;
use serde_json::Value;

use super::{Accepted, Asking, Came, No, presented, single};

/// What is signed, with which tags it may be.
struct Claimed<'a> {
    hash: Hash,
    parts: Vec<&'a [u8]>,
    tags: Vec<Vec<u8>>,
}

/// Whether there is anything like a signature; looked at before a body is read.
pub(super) fn announced(signature: &Signature, headers: &HeaderMap) -> Result<(), No> {
    let name = match &signature.manner {
        Manner::Slack { signature_header, .. } => signature_header,
        Manner::Github(place) => &place.header,
        Manner::Stripe { header, .. } | Manner::Twilio { header, .. } => header,
        Manner::Hmac(hmac) => &hmac.place.header,
    };
    single(headers, name).map(|_| ())
}

impl Asking<'_> {
    pub(super) async fn signature(&self, signature: &Signature, came: &Came<'_>) -> Result<Accepted, No> {
        let (id, spent) = match &signature.manner {
            Manner::Slack { version, signature_header, timestamp_header, tolerance } => {
                let time = self.timely(came.headers, timestamp_header, *tolerance)?;
                let place = Place { header: signature_header.clone(), prefix: format!("{version}=") };
                let tag = hex(presented(&place, came.headers)?)?;
                let parts = vec![version.as_bytes(), b":", time.as_bytes(), b":", &came.body];
                let claimed = Claimed { hash: Hash::Sha256, parts, tags: vec![tag] };
                let id = self.claimed(&signature.keys, &claimed).await?;
                (id, vec![signature_header.clone(), timestamp_header.clone()])
            }
            Manner::Github(place) => {
                let tag = hex(presented(place, came.headers)?)?;
                let claimed = Claimed { hash: Hash::Sha256, parts: vec![&came.body], tags: vec![tag] };
                (self.claimed(&signature.keys, &claimed).await?, vec![place.header.clone()])
            }
            Manner::Stripe { header, tolerance } => {
                let written = text(single(came.headers, header)?)?;
                let (time, tags) = stripe(written)?;
                self.within(time, *tolerance)?;
                let parts = vec![time.as_bytes(), b".", &came.body];
                let claimed = Claimed { hash: Hash::Sha256, parts, tags };
                (self.claimed(&signature.keys, &claimed).await?, vec![header.clone()])
            }
            Manner::Twilio { header, base } => {
                (self.twilio(&signature.keys, base.as_deref(), header, came).await?, vec![header.clone()])
            }
            Manner::Hmac(hmac) => self.hmac(&signature.keys, hmac, came).await?,
        };
        let delivery = delivery(signature, came).map(|key| (key, self.now.after(signature.window)));
        Ok(Accepted { id, spent, delivery, ..Accepted::default() })
    }

    async fn hmac(
        &self,
        keys: &[Key],
        hmac: &Hmac,
        came: &Came<'_>,
    ) -> Result<(Option<String>, Vec<String>), No> {
        let mut spent = vec![hmac.place.header.clone()];
        let mut time = "";
        if let Some((header, tolerance)) = &hmac.timestamp {
            time = self.timely(came.headers, header, *tolerance)?;
            spent.push(header.clone());
        }
        let written = presented(&hmac.place, came.headers)?;
        let tag = match hmac.encoding {
            Encoding::Hex => hex(written)?,
            Encoding::Base64 => base64(written)?,
        };
        let part = |part| match part {
            &Part::Body => &came.body[..],
            Part::Timestamp => time.as_bytes(),
            Part::Method => came.method.as_str().as_bytes(),
            Part::Target => came.written.as_bytes(),
            Part::Text(text) => text.as_bytes(),
        };
        let hash = match hmac.algorithm {
            Digest::Sha1 => Hash::LegacySha1,
            Digest::Sha256 => Hash::Sha256,
            Digest::Sha512 => Hash::Sha512,
        };
        let claimed = Claimed { hash, parts: hmac.over.iter().map(part).collect(), tags: vec![tag] };
        Ok((self.claimed(keys, &claimed).await?, spent))
    }

    /// The name of the key that made one of the tags.
    async fn claimed(&self, keys: &[Key], claimed: &Claimed<'_>) -> Result<Option<String>, No> {
        self.signed(keys, claimed.hash, &claimed.parts, &claimed.tags).await
    }

    /// The same for parts and tags apart.
    pub(super) async fn signed(
        &self,
        keys: &[Key],
        hash: Hash,
        parts: &[&[u8]],
        tags: &[Vec<u8>],
    ) -> Result<Option<String>, No> {
        let name = self.integration.name();
        let key = self
            .any(keys, |checking, key| {
                if let Some(why) = checking.unfit_for_hmac() {
                    tracing::warn!(integration = %name, field = %key.secret, why, "a secret checks no signature");
                }
                let mut answers = tags.iter().map(|tag| checking.signed(hash, parts, tag));
                answers.find(Result::is_ok).unwrap_or(Err(secrets::Mismatch))
            })
            .await?;
        Ok(key.id.clone())
    }

    /// The time in a header, as it is written, where it is near enough to ours.
    fn timely<'a>(&self, headers: &'a HeaderMap, name: &str, tolerance: Duration) -> Result<&'a str, No> {
        let time = text(single(headers, name)?)?;
        self.within(time, tolerance)?;
        Ok(time)
    }

    /// Whether a time in seconds since 1970 is near enough to ours, before or behind it.
    fn within(&self, time: &str, tolerance: Duration) -> Result<(), No> {
        let digits = !time.is_empty() && time.len() <= 12 && time.bytes().all(|b| b.is_ascii_digit());
        let seconds: u64 = time.parse().ok().filter(|_| digits).ok_or(No::Wrong("the time is no number"))?;
        let then = Timestamp::from_millis(seconds.saturating_mul(1_000));
        let apart = self.now.since(then).max(then.since(self.now));
        if apart > tolerance { Err(No::Wrong("the time is too far from ours")) } else { Ok(()) }
    }
}

/// What makes a delivery the same as one before. An id in the body is signed with it; one in a header is the sender's word.
fn delivery(signature: &Signature, came: &Came<'_>) -> Option<[u8; 16]> {
    let header = |name: &str| single(came.headers, name).ok().map(|value| value.as_bytes().to_vec());
    let of_sender = || match &signature.manner {
        Manner::Slack { .. } => event(&came.body, "event_id", None),
        Manner::Stripe { .. } => event(&came.body, "id", Some("event")),
        Manner::Github(_) => header("x-github-delivery"),
        Manner::Twilio { .. } => header("i-twilio-idempotency-token"),
        Manner::Hmac(_) => None,
    };
    let own = match signature.once {
        Once::Off => return None,
        Once::Sender => of_sender().map(|id| crypto::sha256(&[b"id", &id])),
        Once::Signature => None,
    };
    let digest = own.unwrap_or_else(|| {
        let name = match &signature.manner {
            Manner::Slack { signature_header, .. } => signature_header,
            Manner::Github(place) => &place.header,
            Manner::Stripe { header, .. } | Manner::Twilio { header, .. } => header,
            Manner::Hmac(hmac) => &hmac.place.header,
        };
        let written = header(name).unwrap_or_default();
        // The same signature can be written with other letters, and a header of Stripe in another order.
        crypto::sha256(&[b"signature", &canonical(signature, &written, came)])
    });
    digest.first_chunk().copied()
}

/// What the signature is over, where it can be written in several ways; else itself.
fn canonical(signature: &Signature, written: &[u8], came: &Came<'_>) -> Vec<u8> {
    match &signature.manner {
        Manner::Stripe { .. } => {
            let time =
                str::from_utf8(written).ok().and_then(|written| stripe(written).ok()).map(|(time, _)| time);
            [time.unwrap_or_default().as_bytes(), b".", &crypto::sha256(&[&came.body])].concat()
        }
        _ => written.to_ascii_lowercase(),
    }
}

/// A text at the top of a JSON body.
fn event(body: &[u8], field: &str, object: Option<&str>) -> Option<Vec<u8>> {
    let read: Value = serde_json::from_slice(body).ok()?;
    if let Some(object) = object
        && read.get("object")?.as_str()? != object
    {
        return None;
    }
    let id = read.get(field)?.as_str()?;
    (!id.is_empty()).then(|| id.as_bytes().to_vec())
}

/// `t=1492774577,v1=5257a8..,v0=6ffbb5..`: the time and the signatures of `v1`, which is the only one with a live secret.
fn stripe(written: &str) -> Result<(&str, Vec<Vec<u8>>), No> {
    let wrong = || No::Wrong("the header has another form");
    let (mut time, mut tags) = (None, Vec::new());
    for pair in written.split(',') {
        match pair.trim().split_once('=').ok_or_else(wrong)? {
            ("t", seconds) if time.is_none() => time = Some(seconds),
            ("t", _) => return Err(wrong()),
            ("v1", tag) => tags.push(hex(tag.as_bytes())?),
            _ => {}
        }
    }
    if tags.is_empty() || tags.len() > MOST_TAGS {
        return Err(wrong());
    }
    Ok((time.ok_or_else(wrong)?, tags))
}

fn text(value: &http::HeaderValue) -> Result<&str, No> {
    value.to_str().map_err(|_| No::Wrong("the header is not text"))
}

fn hex(written: &[u8]) -> Result<Vec<u8>, No> {
    let wrong = |_| No::Wrong("the signature is not in hex");
    let lower = written.to_ascii_lowercase();
    crypto::from_hex(str::from_utf8(&lower).map_err(wrong)?)
        .map_err(|_| No::Wrong("the signature is not in hex"))
}

pub(super) fn base64(written: &[u8]) -> Result<Vec<u8>, No> {
    let wrong = || No::Wrong("the signature is not in base 64");
    crypto::from_base64(str::from_utf8(written).map_err(|_| wrong())?).map_err(|_| wrong())
}

/// Most signatures in one header: while a secret rolls over there are two.
const MOST_TAGS: usize = 8;

#[cfg(test)]
mod tests;
