//! AWS Signature Version 4 over the request as it will be sent.
//!
//! A client that speaks to AWS signs already, with whatever key it has. Its signature is dropped; what it was made for (region and
//! service) is taken over where the file doesn't say, and the request is signed again. A presigned query is refused when the
//! call is found.
//!
//! # Invariants
//!
//! - The signature covers `Host`, the content type and every `x-amz-*` header, and the path and query as they stand on the wire.
//! - A body is not covered only where the client says so itself or it is too long to be read first: Amazon S3, over https.

use catalog::{AuthScheme, Integration, SigV4};
use crypto::sigv4::{Claim, Payload, Request, Rules, Signer};
use http::header::{AUTHORIZATION, HeaderMap, HeaderName};
use memory::Secret;
use model::{Authority, Code, Method, Refusal, Scheme, Timestamp};
use secrets::Opened;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::super::{Draft, bytes_of, put};
use super::authority;
use crate::path::resolve::{Lent, Special};

mod chunks;

/// What a client's own signature says. Nothing of it is believed but for what it asks to be signed.
#[derive(Debug, Default)]
pub(crate) struct Signing {
    region: Option<String>,
    service: Option<String>,
    payload: Covered,
}

/// How the signature covers the body.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Covered {
    /// By its hash, which is made here.
    #[default]
    Whole,
    /// By the hash that the client made; the service compares it with the body.
    Digest([u8; 32]),
    /// Not at all.
    Unsigned,
    /// Not at all, with a checksum behind it.
    UnsignedTrailer,
    /// In chunks that the client signed, with what stands behind them. What is short enough is put together again and covered
    /// whole, what is longer is signed anew chunk by chunk.
    Chunked(Behind),
}

/// What stands behind chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behind {
    Nothing,
    Trailers,
}

/// What the headers of a client ask for.
pub(crate) fn asked(headers: &HeaderMap) -> Result<Signing, Refusal> {
    let mut signing = Signing::default();
    if let Some(value) = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok())
        && value.starts_with("AWS4-")
    {
        if value.starts_with("AWS4-ECDSA-P256-SHA256") {
            return Err(asymmetric());
        }
        if !value.starts_with("AWS4-HMAC-SHA256 ") {
            return Err(unsupported("the signature algorithm of the client"));
        }
        let claim =
            Claim::from_header(value).map_err(|error| Refusal::new(Code::BadRequest, error.to_string()))?;
        (signing.region, signing.service) =
            (Some(claim.region().to_owned()), Some(claim.service().to_owned()));
    }
    let Some(hash) = headers.get(CONTENT_HASH) else { return Ok(signing) };
    signing.payload = match hash.to_str().unwrap_or_default() {
        "UNSIGNED-PAYLOAD" => Covered::Unsigned,
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Covered::UnsignedTrailer,
        text if text.starts_with("STREAMING-AWS4-ECDSA") => return Err(asymmetric()),
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Covered::Chunked(Behind::Nothing),
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Covered::Chunked(Behind::Trailers),
        text => match crypto::from_hex(text).ok().and_then(|bytes| bytes.try_into().ok()) {
            Some(digest) => Covered::Digest(digest),
            None => return Err(unsupported("`x-amz-content-sha256` of the client")),
        },
    };
    Ok(signing)
}

/// Whether the body has to be read before it can be signed. `length` is how long it is, where that is known.
pub(crate) fn reads_body(
    headers: &HeaderMap,
    length: Option<u64>,
    (integration, authority): (&Integration, &Authority),
) -> Result<bool, Refusal> {
    let Some(sigv4) = integration.auth().iter().find_map(of) else { return Ok(false) };
    let signing = asked(headers)?;
    Ok(match signing.payload {
        Covered::Chunked(Behind::Trailers) => true,
        Covered::Chunked(Behind::Nothing) => {
            let (_, service) = scope(sigv4, &signing, authority)?;
            !is_s3(&service) || chunks::decoded(headers).is_none_or(|length| length <= LONGEST_READ)
        }
        Covered::Digest(_) | Covered::Unsigned | Covered::UnsignedTrailer => false,
        Covered::Whole => {
            let short = length.is_some_and(|length| length <= LONGEST_READ);
            let (_, service) = scope(sigv4, &signing, authority)?;
            short || !may_be_unsigned(&service, integration)
        }
    })
}

fn of(scheme: &AuthScheme) -> Option<&SigV4> {
    match scheme {
        AuthScheme::SigV4(sigv4) => Some(sigv4),
        _ => None,
    }
}

/// Signs a draft.
pub(in crate::path::inject) fn sign(
    draft: &mut Draft,
    sigv4: &SigV4,
    (integration, lent): (&Integration, &Lent),
    (method, target): (Method, &str),
    at: Timestamp,
) -> Result<(), Refusal> {
    let signing = draft.signing.take().unwrap_or_default();
    let authority = authority(integration, lent);
    let (region, service) = scope(sigv4, &signing, authority)?;
    for name in [CONTENT_HASH, "x-amz-date", "x-amz-security-token", "authorization"] {
        draft.headers.remove(name);
    }
    let mut covered = signing.payload;
    let streams = matches!(covered, Covered::Chunked(_)) && draft.whole.is_none();
    if matches!(covered, Covered::Chunked(_)) && !streams {
        chunks::together(draft)?;
        covered = Covered::Whole;
    }
    if covered == Covered::Whole && draft.whole.is_none() {
        covered = Covered::Unsigned;
    }
    if matches!(covered, Covered::Unsigned | Covered::UnsignedTrailer)
        && !may_be_unsigned(&service, integration)
    {
        let message = "a body that the signature does not cover is for Amazon S3 over https";
        return Err(Refusal::new(Code::BadRequest, message));
    }
    let payload = match covered {
        Covered::Digest(digest) => Payload::Digest(digest),
        Covered::Unsigned => Payload::Unsigned,
        Covered::UnsignedTrailer => Payload::UnsignedTrailer,
        Covered::Chunked(_) => Payload::Streaming,
        Covered::Whole => Payload::Bytes(draft.whole.as_deref().unwrap_or_default()),
    };
    let host = authority.host_header();
    let headers = signed_headers(&draft.headers, &host)?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let Keys { id, secret, token } = Keys::of(sigv4, (integration, lent))?;
    let rules = if is_s3(&service) { Rules::S3 } else { Rules::STANDARD };
    let (region, service) = (region.as_str(), service.as_str());
    let (secret, token) = (kept(&secret)?, token.as_deref());
    let signing = token.map(|token| kept(token)).transpose()?;
    let signer =
        Signer { access_key_id: &id, secret: &secret, token: signing.as_ref(), region, service, rules };
    let request = Request { method: method.as_str(), path, query, headers: &headers, payload };
    let mut signed = signer.sign(&request, at).map_err(|error| {
        Refusal::new(Code::BadRequest, format!("the request can't be signed for AWS: {error}"))
    })?;
    put(&mut draft.headers, "x-amz-date", signed.date.clone().into_bytes())?;
    if let Some(hash) = signed.content_sha256.take() {
        put(&mut draft.headers, CONTENT_HASH, hash.into_bytes())?;
    }
    if let Some(token) = token {
        put(&mut draft.headers, "x-amz-security-token", token.to_vec())?;
    }
    put(&mut draft.headers, "authorization", std::mem::take(&mut signed.authorization).into_bytes())?;
    if streams { chunks::anew(draft, signed.chunks()) } else { Ok(()) }
}

#[expect(clippy::disallowed_methods, reason = "signs with the session, and puts its token on the request")]
fn exposed(secret: &Secret) -> Zeroizing<Vec<u8>> {
    secret.expose(|bytes| Zeroizing::new(bytes.to_vec()))
}

/// A key for AWS, from its fields, from one document, or of the session of the role that was assumed.
struct Keys {
    id: String,
    secret: Zeroizing<Vec<u8>>,
    token: Option<Zeroizing<Vec<u8>>>,
}

/// A key as one document, as tenants keep it, or as `credential_process` prints it.
#[derive(Deserialize)]
struct Document {
    #[serde(alias = "AccessKeyId")]
    access_key_id: String,
    #[serde(alias = "SecretAccessKey")]
    secret_access_key: String,
    #[serde(alias = "SessionToken")]
    session_token: Option<String>,
}

impl Keys {
    /// One secret in the place of both is a document that has both.
    fn of(sigv4: &SigV4, (integration, lent): (&Integration, &Lent)) -> Result<Self, Refusal> {
        if sigv4.assume.is_some() {
            let session = lent.special().and_then(Special::session);
            let (session, minted) = session.ok_or_else(|| crate::path::resolve::missing("session"))?;
            let (id, token) = (session.access_key_id.clone(), Some(exposed(&session.token)));
            return Ok(Self { id, secret: exposed(&minted.value), token });
        }
        let opened = |field: &str| lent.find(integration, field);
        let (id, secret) = (opened(&sigv4.access_key_id)?, opened(&sigv4.secret_access_key)?);
        if id.reference() == secret.reference() {
            let read = serde_json::from_slice::<Document>(&bytes_of(id));
            let Document { access_key_id, secret_access_key, session_token } =
                read.map_err(|_| unusable("document"))?;
            let bytes = |text: String| Zeroizing::new(text.into_bytes());
            let token = session_token.filter(|token| !token.is_empty()).map(bytes);
            return Ok(Self { id: access_key_id, secret: bytes(secret_access_key), token });
        }
        let trimmed = |opened: &Opened| Zeroizing::new(bytes_of(opened).trim_ascii().to_vec());
        let id = str::from_utf8(&trimmed(id)).map_err(|_| unusable("id"))?.to_owned();
        let token = sigv4.session_token.as_deref().map(opened).transpose()?.map(trimmed);
        Ok(Self { id, secret: trimmed(secret), token })
    }
}

fn kept(bytes: &[u8]) -> Result<Secret, Refusal> {
    Secret::new(bytes.to_vec()).map_err(|_| unusable("secret"))
}

/// The headers that are covered.
fn signed_headers<'a>(headers: &'a HeaderMap, host: &'a str) -> Result<Vec<(&'a str, &'a str)>, Refusal> {
    let wanted = |name: &HeaderName| {
        let name = name.as_str();
        name.starts_with("x-amz-") || matches!(name, "content-type" | "content-md5")
    };
    let mut all = vec![("host", host)];
    for (name, value) in headers.iter().filter(|(name, _)| wanted(name)) {
        let text = value.to_str().map_err(|_| {
            Refusal::new(Code::BadRequest, format!("the header `{name}` is not text, so it can't be signed"))
        })?;
        all.push((name.as_str(), text));
    }
    Ok(all)
}

/// Region and service: as the file says, else as the client signed for, else as the host says.
fn scope(sigv4: &SigV4, signing: &Signing, authority: &Authority) -> Result<(String, String), Refusal> {
    let host = of_host(authority.host());
    let (of_region, of_service) = host.unzip();
    let region = sigv4.region.clone().or_else(|| signing.region.clone()).or(of_region);
    let service = sigv4.service.clone().or_else(|| signing.service.clone()).or(of_service);
    match (region, service) {
        (Some(region), Some(service)) => Ok((region, service)),
        _ => {
            let message =
                format!("it can't be told for which region and service a request to `{authority}` is signed");
            Err(Refusal::new(Code::BadRequest, message)
                .hint("`region` and `service` of the auth scheme say it"))
        }
    }
}

/// Region and service that an endpoint of AWS names.
fn of_host(host: &str) -> Option<(String, String)> {
    let china = host.ends_with(".amazonaws.com.cn");
    let rest = [".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".on.aws"]
        .iter()
        .find_map(|suffix| host.strip_suffix(suffix))?;
    let labels: Vec<&str> = rest.split('.').filter(|label| *label != "dualstack").collect();
    let place = labels.iter().rposition(|label| is_region(label));
    let (region, service) = match place {
        // `search-x.eu-west-1.es`: the service stands behind the region.
        Some(at) => {
            let before = at.checked_sub(1).and_then(|at| labels.get(at));
            (*labels.get(at)?, *labels.get(at + 1).or(before)?)
        }
        None => {
            let last = *labels.last()?;
            match last.strip_prefix("s3-").filter(|region| is_region(region)) {
                Some(region) => (region, "s3"),
                None => (if china { "cn-north-1" } else { "us-east-1" }, last),
            }
        }
    };
    let service = service.strip_suffix("-fips").unwrap_or(service);
    let service = SIGNING_NAMES.iter().find(|(label, _)| *label == service).map_or(service, |(_, name)| name);
    Some((region.to_owned(), service.to_owned()))
}

/// `eu-central-1`, `us-gov-west-1`.
fn is_region(label: &str) -> bool {
    let mut parts = label.split('-');
    let first =
        parts.next().is_some_and(|part| part.len() == 2 && part.bytes().all(|b| b.is_ascii_lowercase()));
    let rest: Vec<&str> = parts.collect();
    let Some((number, names)) = rest.split_last() else { return false };
    let named = !names.is_empty()
        && names.iter().all(|name| name.len() > 2 && name.bytes().all(|b| b.is_ascii_lowercase()));
    first && named && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
}

fn is_s3(service: &str) -> bool {
    matches!(service, "s3" | "s3-object-lambda" | "s3-outposts" | "s3express")
}

fn may_be_unsigned(service: &str, integration: &Integration) -> bool {
    is_s3(service) && integration.authority().scheme() == Scheme::Https
}

fn unsupported(what: &str) -> Refusal {
    Refusal::new(Code::BadRequest, format!("{what} is none that can be signed again"))
        .hint("let the client sign with AWS4-HMAC-SHA256, or not at all")
}

/// SigV4A signs for several regions at once, with a key pair that is derived from the secret key.
fn asymmetric() -> Refusal {
    let message = "the client signs with SigV4A (AWS4-ECDSA-P256-SHA256), and requests are signed again with SigV4 only";
    Refusal::new(Code::BadRequest, message).hint(
        "let the client ask the endpoint of one region, or sign with `sigv4`; multi-region access points need SigV4A",
    )
}

fn unusable(what: &str) -> Refusal {
    Refusal::new(Code::SecretMissing, format!("the stored {what} of the AWS key can't be used"))
}

const CONTENT_HASH: &str = "x-amz-content-sha256";
/// A longer body goes to Amazon S3 without being read first.
const LONGEST_READ: u64 = 8 << 20;
/// Labels of hosts that are not the name that a service is signed for.
const SIGNING_NAMES: [(&str, &str); 9] = [
    ("appstream2", "appstream"),
    ("bedrock-agent", "bedrock"),
    ("bedrock-agent-runtime", "bedrock"),
    ("bedrock-runtime", "bedrock"),
    ("email", "ses"),
    ("iot", "iotdata"),
    ("queue", "sqs"),
    ("s3-accesspoint", "s3"),
    ("s3-control", "s3"),
];

#[cfg(test)]
mod tests;
