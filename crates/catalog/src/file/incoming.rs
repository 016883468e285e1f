//! An incoming scheme as it is written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::incoming::{Digest, Encoding, JwsAlgorithm, Once};

/// How callers or webhooks prove themselves. All schemes of an integration have to accept.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(tag = "scheme", rename_all = "snake_case")]
pub(crate) enum IncomingEntry {
    /// A static text in a header.
    Token(TokenEntry),
    /// User name and password (RFC 7617).
    Basic(BasicEntry),
    /// A JSON Web Token that keys of the file, of secrets, or of an address verify.
    Jwt(JwtEntry),
    /// A JSON Web Token of an issuer that is found by OpenID Connect Discovery.
    Oidc(OidcEntry),
    /// An identity token of Google.
    GoogleOidc(GoogleEntry),
    /// A certificate that the door verified.
    ClientCertificate(CertificateEntry),
    /// `X-Forwarded-Client-Cert`, from a proxy that is trusted.
    EnvoyXfcc(XfccEntry),
    /// A webhook of Slack.
    SlackSignature(SlackEntry),
    /// A webhook of GitHub.
    GithubSignature(GithubEntry),
    /// A webhook of Stripe.
    StripeSignature(StripeEntry),
    /// A webhook of Twilio.
    TwilioSignature(TwilioEntry),
    /// An HMAC in a header.
    Hmac(HmacEntry),
    /// A secret as the last segment of the path, which is cut off.
    UrlPath(UrlPathEntry),
}

/// One of several secrets, any of which is accepted.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyEntry {
    /// The name of whoever shows it, for rules and evidence.
    pub(crate) id: Option<String>,
    /// `basic`: the user name; the secret is the password alone then.
    pub(crate) user: Option<String>,
    /// The secret, a name under `secrets`.
    pub(crate) secret: String,
    /// The secret is an imprint, made by `doorward secret put --imprint`: what is presented can't be read from it.
    #[serde(default)]
    pub(crate) imprint: bool,
}

/// A static text in a header.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenEntry {
    /// The header.
    pub(crate) header: String,
    /// What stands before the text.
    #[serde(default)]
    pub(crate) prefix: String,
    /// The one secret; or `keys`.
    pub(crate) secret: Option<String>,
    /// Several secrets.
    pub(crate) keys: Option<Vec<KeyEntry>>,
}

/// User name and password.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BasicEntry {
    /// The header; `authorization` where it is absent.
    pub(crate) header: Option<String>,
    /// What stands before the text; `Basic ` where it is absent.
    pub(crate) prefix: Option<String>,
    /// The one secret, `user:password`; or `keys`.
    pub(crate) secret: Option<String>,
    /// Several secrets.
    pub(crate) keys: Option<Vec<KeyEntry>>,
}

/// One text or several.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Texts {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Texts {
    pub(crate) fn list(&self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text.clone()],
            Self::Several(texts) => texts.clone(),
        }
    }
}

/// One key for tokens.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JwtKeyEntry {
    /// The key id that tokens name; a token without one is tried with each key of its algorithm.
    pub(crate) kid: Option<String>,
    /// The one algorithm that this key verifies.
    pub(crate) algorithm: JwsAlgorithm,
    /// The secret that holds the key: a symmetric one as it is, a public key or a certificate in PEM.
    pub(crate) secret: Option<String>,
    /// A public key or a certificate in PEM, as it is.
    pub(crate) public_key: Option<String>,
}

/// A JSON Web Token.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JwtEntry {
    /// The header; `authorization` where it is absent.
    pub(crate) header: Option<String>,
    /// What stands before the token; `Bearer ` where it is absent.
    pub(crate) prefix: Option<String>,
    /// Who issued it: `iss` is one of these. `any` takes every issuer.
    pub(crate) issuer: Texts,
    /// For whom it is: `aud` has one of these. `any` takes every audience.
    pub(crate) audience: Texts,
    /// Keys of secrets or of this file.
    pub(crate) keys: Option<Vec<JwtKeyEntry>>,
    /// A set of public keys (RFC 7517, section 5), as it is.
    pub(crate) jwks: Option<serde_json::Value>,
    /// Where a set of public keys is.
    pub(crate) jwks_url: Option<String>,
    /// With a set of keys: the algorithms that are accepted; RS256, ES256 and EdDSA where it is absent.
    pub(crate) algorithms: Option<Vec<JwsAlgorithm>>,
    /// How far clocks may differ; `30s` where it is absent, at most `5m`.
    pub(crate) leeway: Option<String>,
    /// The claim that names the caller; `sub` where it is absent.
    pub(crate) id: Option<String>,
    /// Whether a token without that claim is taken, from a caller without a name.
    #[serde(default)]
    pub(crate) unnamed: bool,
    /// Claims that have to have one of these values.
    #[serde(default)]
    pub(crate) claims: BTreeMap<String, Texts>,
}

/// A token of an issuer that publishes its keys.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OidcEntry {
    /// The header; `authorization` where it is absent.
    pub(crate) header: Option<String>,
    /// What stands before the token; `Bearer ` where it is absent.
    pub(crate) prefix: Option<String>,
    /// The issuer, such as `https://id.example.com/realm`.
    pub(crate) issuer: String,
    /// For whom it is: `aud` has one of these. `any` takes every audience.
    pub(crate) audience: Texts,
    /// The algorithms that are accepted; RS256, ES256 and EdDSA where it is absent.
    pub(crate) algorithms: Option<Vec<JwsAlgorithm>>,
    /// How far clocks may differ; `30s` where it is absent, at most `5m`.
    pub(crate) leeway: Option<String>,
    /// The claim that names the caller; `sub` where it is absent.
    pub(crate) id: Option<String>,
    /// Claims that have to have one of these values.
    #[serde(default)]
    pub(crate) claims: BTreeMap<String, Texts>,
}

/// An identity token of Google.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GoogleEntry {
    /// The header; `authorization` where it is absent.
    pub(crate) header: Option<String>,
    /// What stands before the token; `Bearer ` where it is absent.
    pub(crate) prefix: Option<String>,
    /// For whom it is: `aud` has one of these. `any` takes every audience.
    pub(crate) audience: Texts,
    /// The claim `hd`: the organisation of a Workspace.
    pub(crate) hosted_domain: Option<Texts>,
    /// The claim `email`, which has to be verified too.
    pub(crate) email: Option<Texts>,
    /// How far clocks may differ; `30s` where it is absent, at most `5m`.
    pub(crate) leeway: Option<String>,
    /// The claim that names the caller; `sub` where it is absent.
    pub(crate) id: Option<String>,
}

/// A certificate that the door verified.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CertificateEntry {
    /// Common names of the subject.
    #[serde(default)]
    pub(crate) common_names: Vec<String>,
    /// Host names among the alternative names.
    #[serde(default)]
    pub(crate) dns_names: Vec<String>,
    /// URIs among the alternative names, such as `spiffe://example.org/billing`.
    #[serde(default)]
    pub(crate) uris: Vec<String>,
    /// What such a URI may begin with, such as `spiffe://example.org/`.
    #[serde(default)]
    pub(crate) uri_prefixes: Vec<String>,
    /// Every certificate of the door's authorities is accepted.
    #[serde(default)]
    pub(crate) any: bool,
}

/// `X-Forwarded-Client-Cert`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct XfccEntry {
    /// The header; `x-forwarded-client-cert` where it is absent.
    pub(crate) header: Option<String>,
    /// Addresses of the proxies that are believed, such as `10.0.0.0/8`; loopback where it is absent.
    pub(crate) from: Option<Vec<String>>,
    /// URIs that are accepted.
    #[serde(default)]
    pub(crate) allowed_uris: Vec<String>,
    /// What a URI that is accepted may begin with.
    #[serde(default)]
    pub(crate) allowed_uri_prefixes: Vec<String>,
    /// URIs that do not count, such as that of the proxy itself.
    #[serde(default)]
    pub(crate) ignored_uris: Vec<String>,
}

/// A webhook of Slack.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SlackEntry {
    /// The one signing secret; or `keys`.
    pub(crate) secret: Option<String>,
    /// Several secrets.
    pub(crate) keys: Option<Vec<KeyEntry>>,
    /// The version of the signature; `v0` where it is absent.
    pub(crate) version: Option<String>,
    /// The header of the signature; `x-slack-signature` where it is absent.
    pub(crate) signature_header: Option<String>,
    /// The header of the time; `x-slack-request-timestamp` where it is absent.
    pub(crate) timestamp_header: Option<String>,
    /// How old it may be; `5m` where it is absent.
    pub(crate) tolerance: Option<String>,
    /// What makes a delivery the same as one before; `sender` where it is absent.
    pub(crate) once: Option<Once>,
}

/// A webhook of GitHub.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GithubEntry {
    /// The one secret; or `keys`.
    pub(crate) secret: Option<String>,
    /// Several secrets.
    pub(crate) keys: Option<Vec<KeyEntry>>,
    /// The header of the signature; `x-hub-signature-256` where it is absent.
    pub(crate) header: Option<String>,
    /// What stands before it; `sha256=` where it is absent.
    pub(crate) prefix: Option<String>,
    /// What makes a delivery the same as one before; `sender` where it is absent.
    pub(crate) once: Option<Once>,
    /// For how long deliveries are remembered; `1d` where it is absent, at most `7d`.
    pub(crate) window: Option<String>,
}

/// A webhook of Stripe.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StripeEntry {
    /// The one signing secret; or `keys`.
    pub(crate) secret: Option<String>,
    /// Several secrets.
    pub(crate) keys: Option<Vec<KeyEntry>>,
    /// The header of the signatures; `stripe-signature` where it is absent.
    pub(crate) header: Option<String>,
    /// How old it may be; `5m` where it is absent.
    pub(crate) tolerance: Option<String>,
    /// What makes a delivery the same as one before; `sender` where it is absent.
    pub(crate) once: Option<Once>,
}

/// A webhook of Twilio.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TwilioEntry {
    /// The one auth token; or `keys`.
    pub(crate) secret: Option<String>,
    /// Several secrets.
    pub(crate) keys: Option<Vec<KeyEntry>>,
    /// The header of the signature; `x-twilio-signature` where it is absent.
    pub(crate) header: Option<String>,
    /// The address under which Twilio calls this integration, without what stands behind it in a request, such as
    /// `https://hooks.example.com/twilio`. The request's own host with https where it is absent.
    pub(crate) base: Option<String>,
    /// What makes a delivery the same as one before; `sender` where it is absent.
    pub(crate) once: Option<Once>,
    /// For how long deliveries are remembered; `1d` where it is absent, at most `7d`.
    pub(crate) window: Option<String>,
}

/// An HMAC in a header.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HmacEntry {
    /// The one secret; or `keys`.
    pub(crate) secret: Option<String>,
    /// Several secrets.
    pub(crate) keys: Option<Vec<KeyEntry>>,
    /// The header of the signature; `x-signature` where it is absent.
    pub(crate) header: Option<String>,
    /// What stands before it.
    #[serde(default)]
    pub(crate) prefix: String,
    /// The hash; `sha256` where it is absent.
    #[serde(default)]
    pub(crate) algorithm: Digest,
    /// How the signature is written; `hex` where it is absent.
    #[serde(default)]
    pub(crate) encoding: Encoding,
    /// What is signed, of `{body}`, `{timestamp}`, `{method}`, `{target}` and text between them; `{body}` where it is absent.
    pub(crate) over: Option<String>,
    /// The header of the time, in seconds since 1970. Needed where `over` has `{timestamp}`.
    pub(crate) timestamp_header: Option<String>,
    /// How old it may be; `5m` where it is absent.
    pub(crate) tolerance: Option<String>,
    /// What makes a delivery the same as one before; `off` where it is absent.
    pub(crate) once: Option<Once>,
    /// Without a time: for how long deliveries are remembered; `1d` where it is absent, at most `7d`.
    pub(crate) window: Option<String>,
}

/// A secret as the last segment of the path.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UrlPathEntry {
    /// The one secret; or `keys`.
    pub(crate) secret: Option<String>,
    /// Several secrets.
    pub(crate) keys: Option<Vec<KeyEntry>>,
}
