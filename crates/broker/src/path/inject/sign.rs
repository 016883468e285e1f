//! Signatures over the request as it will be sent.

use catalog::{AuthScheme, BytesForm, ClientCertificate, DigestAuth, HashName, Hmac, Integration};
use crypto::HmacHash;
use http::HeaderMap;
use model::{Authority, Code, Method, Refusal};
use zeroize::Zeroizing;

use super::{Draft, bytes_of, pair, put};
use crate::path::resolve::Lent;
use crate::upstreams::Shown;

pub(crate) mod aws;
pub(crate) mod oauth1;
pub(crate) mod oci;

/// Puts an HMAC of the body into its header.
pub(super) fn hmac(
    headers: &mut HeaderMap,
    hmac: &Hmac,
    integration: &Integration,
    lent: &Lent,
    body: &[u8],
) -> Result<(), Refusal> {
    let opened = lent.chosen(integration, &hmac.secret)?;
    #[expect(clippy::disallowed_methods, reason = "the key of the HMAC that signs the body")]
    let tag = opened.expose(|key| crypto::hmac(hash(hmac.algorithm), key, &[body]));
    let text = match hmac.encoding {
        BytesForm::Hex => crypto::to_hex(&tag),
        BytesForm::Base64 => crypto::to_base64(&tag),
    };
    put(headers, &hmac.name, format!("{}{text}", hmac.prefix).into_bytes())
}

/// Answers the challenge that is known. Without one, the request goes out bare and is answered with one.
pub(super) fn digest(
    draft: &mut Draft,
    digest: &DigestAuth,
    (integration, lent): (&Integration, &Lent),
    (method, target): (Method, &str),
) -> Result<(), Refusal> {
    let challenge = lent.special().and_then(|special| special.challenge.as_ref());
    let Some(challenge) = challenge else { return Ok(()) };
    let pair = Zeroizing::new(pair(integration, &digest.pair, lent)?);
    let cnonce =
        crypto::array::<16>().map_err(|error| Refusal::new(Code::SourceUnavailable, error.to_string()))?;
    let answer = challenge.answer(&pair, (method.as_str(), target), &crypto::to_hex(&cnonce));
    let answer = answer.ok_or_else(|| {
        Refusal::new(Code::SecretMissing, "the stored user name and password can't be used for Digest")
            .hint("store them as `user:password`, without control characters in the user name")
    })?;
    put(&mut draft.headers, "authorization", answer.as_bytes().to_vec())
}

/// Where the request goes: what was permitted, where each call names its host.
fn authority<'a>(integration: &'a Integration, lent: &'a Lent) -> &'a Authority {
    lent.special().and_then(|special| special.authority.as_ref()).unwrap_or_else(|| integration.authority())
}

/// Says in a header whose certificate is shown in the handshake, where the file wants that. It is a name, and no proof.
pub(super) fn named(
    draft: &mut Draft,
    own: &ClientCertificate,
    (integration, lent): (&Integration, &Lent),
) -> Result<(), Refusal> {
    let Some(header) = &own.named else { return Ok(()) };
    let unusable = |error: net::Error| Refusal::new(Code::SecretMissing, error.to_string());
    let name =
        net::tls::common_name(&bytes_of(lent.find(integration, &own.certificate)?)).map_err(unusable)?;
    let name = name.ok_or_else(|| {
        let message = format!("the certificate has no common name that could stand in the header `{header}`");
        Refusal::new(Code::SecretMissing, message)
    })?;
    put(&mut draft.headers, header, name.into_bytes())
}

/// What is shown on the way: a certificate in the handshake, where the upstream wants one; a password to the proxy.
pub(super) fn shown(integration: &Integration, lent: &Lent) -> Result<Option<Box<Shown>>, Refusal> {
    let (mut certificate, mut proxy) = (None, None);
    for scheme in integration.auth() {
        match scheme {
            AuthScheme::ClientCertificate(own) => {
                let chain = bytes_of(lent.find(integration, &own.certificate)?);
                certificate = Some((chain, bytes_of(lent.find(integration, &own.key)?)));
            }
            AuthScheme::ProxyBasic(own) => proxy = Some(Zeroizing::new(pair(integration, &own.pair, lent)?)),
            _ => {}
        }
    }
    Ok(Shown::of(certificate, proxy).map(Box::new))
}

pub(super) const fn hash(name: HashName) -> HmacHash {
    match name {
        HashName::Sha1 => HmacHash::Sha1,
        HashName::Sha256 => HmacHash::Sha256,
        HashName::Sha512 => HmacHash::Sha512,
    }
}
