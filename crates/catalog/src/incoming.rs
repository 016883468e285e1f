//! How callers and webhooks prove themselves to an integration. Where, not what: no secret comes here.
//!
//! What the broker does with it is in its step 1. Names of headers are in lower case; fields are names under `secrets`.

use std::time::Duration;

use ipnet::IpNet;
use model::Authority;
use schemars::JsonSchema;
use serde::Deserialize;

/// One way. Where an integration has several, all have to accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// A static text in a header.
    Token(Shown),
    /// User name and password (RFC 7617).
    Basic(Shown),
    /// A JSON Web Token (RFC 7519).
    Jwt(Box<Jwt>),
    /// A certificate that the door verified.
    ClientCertificate(CertificateNames),
    /// What a trusted proxy says of the certificate that it verified.
    EnvoyXfcc(Xfcc),
    /// A signature over what came.
    Signature(Box<Signature>),
    /// A secret as the last segment of the path, which is cut off.
    UrlPath(Vec<Key>),
}

impl Incoming {
    /// The word in files.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Token(_) => "token",
            Self::Basic(_) => "basic",
            Self::Jwt(jwt) => jwt.word(),
            Self::ClientCertificate(_) => "client_certificate",
            Self::EnvoyXfcc(_) => "envoy_xfcc",
            Self::Signature(signature) => signature.manner.word(),
            Self::UrlPath(_) => "url_path",
        }
    }

    /// The fields of the secrets that it checks with.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        let (keys, jwt): (&[Key], &[JwtKey]) = match self {
            Self::Token(shown) | Self::Basic(shown) => (&shown.keys, &[]),
            Self::UrlPath(keys) => (keys, &[]),
            Self::Signature(signature) => (&signature.keys, &[]),
            Self::Jwt(jwt) => match &jwt.keys {
                JwtKeys::Named(keys) => (&[], keys),
                JwtKeys::Set(_) | JwtKeys::At(_) | JwtKeys::Discovered(..) => (&[], &[]),
            },
            Self::ClientCertificate(_) | Self::EnvoyXfcc(_) => (&[], &[]),
        };
        let jwt = jwt.iter().filter_map(|key| match &key.material {
            Material::Secret(field) => Some(field.as_str()),
            Material::Public(_) => None,
        });
        keys.iter().map(|key| key.secret.as_str()).chain(jwt)
    }
}

/// One of several secrets, any of which is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The name of whoever shows it.
    pub id: Option<String>,
    /// `basic`: the user name, where the secret is the password alone.
    pub user: Option<String>,
    /// The field.
    pub secret: String,
    /// What is stored.
    pub form: Form,
}

/// What is stored of a text that callers present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The text.
    Plain,
    /// An imprint of it, from which it can't be had.
    Imprint,
}

/// Where a text is presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The header.
    pub header: String,
    /// What stands before the text. One that ends in a space is the name of a scheme, and its case does not count.
    pub prefix: String,
}

/// A text in a header, and what it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Where.
    pub place: Place,
    /// Which.
    pub keys: Vec<Key>,
}

// === tokens ===

/// A JSON Web Token: where it is, and what has to be true of it. `exp` always has to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwt {
    /// Where.
    pub place: Place,
    /// `iss`.
    pub issuer: Wanted,
    /// `aud`.
    pub audience: Wanted,
    /// What verifies it.
    pub keys: JwtKeys,
    /// The algorithms of keys from a set.
    pub algorithms: Vec<JwsAlgorithm>,
    /// How far clocks may differ.
    pub leeway: Duration,
    /// The claim that names the caller.
    pub id: String,
    /// Whether a token without that claim is taken.
    pub unnamed: bool,
    /// Claims that have to have one of these values.
    pub claims: Vec<(String, Vec<String>)>,
    /// Whether it is a token of Google.
    pub google: bool,
}

impl Jwt {
    const fn word(&self) -> &'static str {
        match (&self.keys, self.google) {
            (_, true) => "google_oidc",
            (JwtKeys::Discovered(..), false) => "oidc",
            (JwtKeys::Named(_) | JwtKeys::Set(_) | JwtKeys::At(_), false) => "jwt",
        }
    }
}

/// What a claim may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Anything, in the user's own words.
    Any,
    /// One of these.
    OneOf(Vec<String>),
}

/// What verifies tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JwtKeys {
    /// Keys that are written or stored, each for one algorithm.
    Named(Vec<JwtKey>),
    /// A set that is written in the file (RFC 7517, section 5).
    Set(String),
    /// A set at an address.
    At(Address),
    /// The set of an issuer, which says itself where it is. The text is the issuer as it is written.
    Discovered(String, Address),
}

/// One key for tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtKey {
    /// The key id that tokens name.
    pub kid: Option<String>,
    /// The one algorithm that it verifies.
    pub algorithm: JwsAlgorithm,
    /// The key itself.
    pub material: Material,
}

/// Where a key for tokens is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Material {
    /// In a secret.
    Secret(String),
    /// In the file, in PEM.
    Public(String),
}

/// An algorithm of RFC 7518, section 3.1, or RFC 8037.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names are the algorithms")]
pub enum JwsAlgorithm {
    HS256,
    HS384,
    HS512,
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    ES512,
    EdDSA,
}

impl JwsAlgorithm {
    /// Whether who verifies could also sign.
    #[must_use]
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::HS256 | Self::HS384 | Self::HS512)
    }
}

/// An address that we ask ourselves.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// Scheme, host and port.
    pub authority: Authority,
    /// Path and query.
    pub target: String,
}

// === certificates ===

/// Which certificates are accepted, by a name in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateNames {
    /// Common names of the subject.
    pub common_names: Vec<String>,
    /// Host names, in lower case.
    pub dns_names: Vec<String>,
    /// URIs.
    pub uris: Vec<String>,
    /// What URIs may begin with.
    pub uri_prefixes: Vec<String>,
    /// Whether every certificate of the door's authorities is accepted.
    pub any: bool,
}

/// What a trusted proxy may say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Xfcc {
    /// The header.
    pub header: String,
    /// Addresses of the proxies that are believed.
    pub from: Vec<IpNet>,
    /// URIs that are accepted.
    pub allowed_uris: Vec<String>,
    /// What a URI that is accepted may begin with.
    pub allowed_uri_prefixes: Vec<String>,
    /// URIs that do not count.
    pub ignored_uris: Vec<String>,
}

// === signatures ===

/// A signature over what came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// What it is made with.
    pub keys: Vec<Key>,
    /// How it is made.
    pub manner: Manner,
    /// What makes a delivery the same as one before.
    pub once: Once,
    /// For how long deliveries are remembered.
    pub window: Duration,
}

/// How a signature is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manner {
    /// Slack: hex HMAC-SHA-256 over `version:time:body`.
    Slack {
        /// The version.
        version: String,
        /// The header of the signature.
        signature_header: String,
        /// The header of the time.
        timestamp_header: String,
        /// How old it may be.
        tolerance: Duration,
    },
    /// GitHub: hex HMAC-SHA-256 over the body.
    Github(Place),
    /// Stripe: hex HMAC-SHA-256 over `time.body`; time and signatures are in one header.
    Stripe {
        /// The header.
        header: String,
        /// How old it may be.
        tolerance: Duration,
    },
    /// Twilio: base 64 HMAC-SHA-1 over the whole URL and the fields of the form.
    Twilio {
        /// The header.
        header: String,
        /// The address under which Twilio calls, without what stands behind it in a request.
        base: Option<String>,
    },
    /// Any other HMAC.
    Hmac(Hmac),
}

impl Manner {
    const fn word(&self) -> &'static str {
        match self {
            Self::Slack { .. } => "slack_signature",
            Self::Github(_) => "github_signature",
            Self::Stripe { .. } => "stripe_signature",
            Self::Twilio { .. } => "twilio_signature",
            Self::Hmac(_) => "hmac",
        }
    }
}

/// An HMAC in a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hmac {
    /// Where.
    pub place: Place,
    /// The hash.
    pub algorithm: Digest,
    /// How it is written.
    pub encoding: Encoding,
    /// What is signed, in order.
    pub over: Vec<Part>,
    /// The header of the time, and how old it may be.
    pub timestamp: Option<(String, Duration)>,
}

/// A part of what is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The body as it came.
    Body,
    /// The time as it is written in its header.
    Timestamp,
    /// The method.
    Method,
    /// Path and query behind the service root.
    Target,
    /// This text.
    Text(String),
}

/// The hash of an HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Digest {
    /// SHA-1, for senders that know nothing better.
    Sha1,
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Hexadecimal digits.
    #[default]
    Hex,
    /// Base 64 with padding.
    Base64,
}

/// What makes a delivery the same as one before, so that it is not carried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Once {
    /// The id that the sender gives it: of the event where the service signs one, else of its delivery; without any, the
    /// signature.
    Sender,
    /// Its signature: the same bytes are carried once.
    Signature,
    /// Nothing: the same bytes may come again.
    Off,
}
