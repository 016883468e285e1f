//! Checks a signature of version 4 as AWS does: takes the request apart again and computes it anew.
//!
//! Source: IAM User Guide, "AWS Signature Version 4 for API requests". Only `crypto::sha256` is shared with the house:
//! HMAC and the canonical request are written here a second time on purpose, so that the signer is not checked by itself.

use http::HeaderMap;
use model::Timestamp;

use super::answer::Refused;
use super::server::Heard;

/// What the header `Authorization` says.
#[derive(Debug, Clone)]
pub(super) struct Signed {
    pub(super) key: String,
    pub(super) date: String,
    pub(super) region: String,
    pub(super) service: String,
    headers: Vec<String>,
    signature: String,
}

impl Signed {
    /// Reads the header; `None` where there is none, or one of another kind.
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get("authorization")?.to_str().ok()?;
        let fields = text.strip_prefix("AWS4-HMAC-SHA256")?;
        let field = |name: &str| {
            fields
                .split(',')
                .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
                .map(str::to_owned)
        };
        let credential = field("Credential")?;
        // From the right: an access key id may be anything.
        let mut parts = credential.rsplitn(5, '/');
        if parts.next()? != "aws4_request" {
            return None;
        }
        let (service, region, date, key) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            key: key.to_owned(),
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            headers: field("SignedHeaders")?.split(';').map(str::to_owned).collect(),
            signature: field("Signature")?,
        })
    }

    /// Compares the signature with the one that this secret gives.
    ///
    /// # Errors
    /// In the words of AWS: another signature, another day, a time too far from now, or a header that has to be signed.
    pub(super) fn check(&self, heard: &Heard, secret: &str, now: Timestamp) -> Result<(), Refused> {
        let stamp = header(&heard.headers, "x-amz-date");
        let said = instant(&stamp)
            .ok_or_else(|| mismatch("Date in the request is not in the form YYYYMMDDTHHMMSSZ"))?;
        if said.since(now).max(now.since(said)) > FURTHEST {
            return Err(mismatch("Signature expired: the time of the request is too far from now"));
        }
        if !stamp.starts_with(&self.date) {
            return Err(mismatch(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date",
            ));
        }
        for name in heard.headers.keys().map(http::HeaderName::as_str) {
            let must = name == "host" || (name.starts_with("x-amz-") && name != "x-amz-user-agent");
            if must && !self.headers.iter().any(|signed| signed == name) {
                return Err(mismatch(&format!("'{name}' must be a signed header")));
            }
        }
        let scope = format!("{}/{}/{}/aws4_request", self.date, self.region, self.service);
        let canonical = crypto::to_hex(&crypto::sha256(&[self.canonical(heard).as_bytes()]));
        let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{canonical}");
        let mut key = hmac(format!("AWS4{secret}").as_bytes(), self.date.as_bytes());
        for part in [self.region.as_str(), self.service.as_str(), "aws4_request"] {
            key = hmac(&key, part.as_bytes());
        }
        if crypto::to_hex(&hmac(&key, text.as_bytes())) == self.signature {
            return Ok(());
        }
        Err(mismatch(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
             Access Key and signing method. Consult the service documentation for details.",
        ))
    }

    fn canonical(&self, heard: &Heard) -> String {
        let headers = self.headers.iter().fold(String::new(), |mut lines, name| {
            lines.push_str(&format!("{name}:{}\n", header(&heard.headers, name)));
            lines
        });
        let body = match heard.headers.get("x-amz-content-sha256").and_then(|value| value.to_str().ok()) {
            Some(said) => said.to_owned(),
            None => crypto::to_hex(&crypto::sha256(&[&heard.body])),
        };
        format!(
            "{}\n{}\n{}\n{headers}\n{}\n{body}",
            heard.method,
            encoded(&heard.path, true),
            query(&heard.query),
            self.headers.join(";")
        )
    }
}

/// HMAC-SHA-256 (RFC 2104) with a key of any length.
fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; 64];
    let hashed = crypto::sha256(&[key]);
    let key = if key.len() > block.len() { &hashed } else { key };
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let inner = crypto::sha256(&[&block.map(|byte| byte ^ 0x36), text]);
    crypto::sha256(&[&block.map(|byte| byte ^ 0x5c), &inner])
}

/// All values of a header, each trimmed and with single blanks, joined by commas.
fn header(headers: &HeaderMap, name: &str) -> String {
    let values = headers.get_all(name).iter().map(|value| {
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    });
    values.collect::<Vec<_>>().join(",")
}

/// The query with its pairs encoded once and sorted.
fn query(query: &str) -> String {
    let mut pairs: Vec<_> = super::server::pairs(query)
        .into_iter()
        .map(|(name, value)| (encoded(&name, false), encoded(&value, false)))
        .collect();
    pairs.sort();
    pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Percent-encoding of all but the unreserved characters of RFC 3986.
fn encoded(text: &str, slashes: bool) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
            b'/' if slashes => out.push('/'),
            other => out.push_str(&format!("%{other:02X}")),
        }
        out
    })
}

/// `20261122T090000Z` as a point in time.
fn instant(stamp: &str) -> Option<Timestamp> {
    let part = |range: std::ops::Range<usize>| stamp.get(range);
    let text = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0..4)?,
        part(4..6)?,
        part(6..8)?,
        part(9..11)?,
        part(11..13)?,
        part(13..15)?
    );
    text.parse().ok().filter(|_| stamp.len() == 16)
}

fn mismatch(message: &str) -> Refused {
    Refused::new(403, "SignatureDoesNotMatch", message)
}

/// How far a request's time may be from now.
const FURTHEST: std::time::Duration = std::time::Duration::from_secs(15 * 60);
