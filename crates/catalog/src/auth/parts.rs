//! What auth schemes are made of: fields, placeholders, algorithms.

use std::time::Duration;

use super::Endpoint;

/// The fields of which one serves a call: one, or several in rotation. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    first: String,
    more: Vec<String>,
    rest: Duration,
}

impl Choice {
    /// One field.
    #[must_use]
    pub const fn one(field: String) -> Self {
        Self { first: field, more: Vec::new(), rest: DEFAULT_REST }
    }

    /// Several in rotation; one that was answered with 401 or 429 rests for so long.
    #[must_use]
    pub const fn rotation(first: String, more: Vec<String>, rest: Duration) -> Self {
        Self { first, more, rest }
    }

    /// All of them, in the order in which they are written.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.first.as_str()).chain(self.more.iter().map(String::as_str))
    }

    /// The fields, behind another one.
    pub(super) fn needs<'a>(&'a self, before: Option<&'a String>) -> Needs<'a> {
        Needs { some: [before, Some(&self.first), None, None], more: &self.more }
    }

    /// Whether there is more than one.
    #[must_use]
    pub const fn is_rotation(&self) -> bool {
        !self.more.is_empty()
    }

    /// For how long one that the upstream did not take is left alone.
    #[must_use]
    pub const fn rest(&self) -> Duration {
        self.rest
    }
}

/// What user name and password of Basic are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Basic {
    /// Fields that hold `user:password`.
    Joined {
        /// The fields.
        secret: Choice,
    },
    /// A user name that is no secret, and the field of the password.
    Named {
        /// The user name.
        username: String,
        /// The field of the password.
        password: String,
    },
    /// Two fields. Without a password field the password is empty, as services with API keys want it.
    Fields {
        /// The field of the user name.
        username: String,
        /// The field of the password.
        password: Option<String>,
    },
}

impl Basic {
    /// The fields that it needs: those by name, and those that take turns with the first.
    pub(super) fn needs(&self) -> Needs<'_> {
        match self {
            Self::Joined { secret } => secret.needs(None),
            Self::Named { username: _, password } => Needs::of([Some(password), None, None, None]),
            Self::Fields { username, password } => Needs::of([Some(username), password.as_ref(), None, None]),
        }
    }
}

/// Names of fields, without an allocation: this is asked twice for each call.
pub(super) struct Needs<'a> {
    pub(super) some: [Option<&'a String>; 4],
    pub(super) more: &'a [String],
}

impl<'a> Needs<'a> {
    pub(super) const fn of(some: [Option<&'a String>; 4]) -> Self {
        Self { some, more: &[] }
    }
}

/// A placeholder that the caller writes, in whose place the credential is put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replace {
    /// The placeholder.
    pub find: Find,
    /// The fields.
    pub secret: Choice,
    /// Where it is looked for.
    pub within: Vec<Within>,
}

/// What a placeholder is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Find {
    /// This text.
    Text(String),
    /// The text in this field, so that it is not in a file.
    Secret(String),
}

/// A part of a request in which a placeholder is looked for. Host and names of headers are no such parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Within {
    /// The path behind the base path.
    Path,
    /// The query.
    Query,
    /// The values of headers; Basic credentials are decoded and encoded again.
    Header,
    /// The body, written as its content type wants it.
    Body,
}

/// An HMAC of the body in a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hmac {
    /// The header's name, in lower case.
    pub name: String,
    /// What stands before the HMAC.
    pub prefix: String,
    /// Over which hash.
    pub algorithm: HashName,
    /// How it is written.
    pub encoding: BytesForm,
    /// The fields of the key.
    pub secret: Choice,
}

/// A hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashName {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How bytes are written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BytesForm {
    /// Lower-case hexadecimal digits.
    Hex,
    /// Base64 with padding.
    Base64,
}

/// AWS Signature Version 4 in the headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigV4 {
    /// The field of the id of the access key.
    pub access_key_id: String,
    /// The field of the secret access key.
    pub secret_access_key: String,
    /// The field of the session token.
    pub session_token: Option<String>,
    /// The region; from the caller's own signature, or the host, where it is absent.
    pub region: Option<String>,
    /// The service's signing name; from the caller's own signature, or the host, where it is absent.
    pub service: Option<String>,
    /// The role whose session signs, where the key itself only asks for that.
    pub assume: Option<Assume>,
}

/// A role that is assumed with a stored key. Nothing else is signed with the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assume {
    /// The role's ARN.
    pub role: String,
    /// The name of the session; `{principal}` in it is whoever calls.
    pub session: String,
    /// How long a session lasts.
    pub lasts: Duration,
    /// What the role's owner demands of a third party.
    pub external_id: Option<String>,
    /// Where sessions are asked for.
    pub endpoint: Endpoint,
    /// The region that this is signed for.
    pub region: String,
}

/// OAuth 1.0 (RFC 5849), in the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuth1 {
    /// The field of the client's identifier.
    pub consumer_key: String,
    /// The field of the client's secret.
    pub consumer_secret: String,
    /// The fields of token and token secret; neither for requests of the client alone.
    pub token: Option<(String, String)>,
    /// `HMAC-SHA1` or `HMAC-SHA256`.
    pub algorithm: HashName,
    /// The realm, where the service has one.
    pub realm: Option<String>,
}

/// Digest access authentication (RFC 7616).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestAuth {
    /// What user name and password are made of.
    pub pair: Basic,
}

/// The signature of Oracle Cloud Infrastructure: RSA with SHA-256 over the request ("Request Signatures", docs.oracle.com).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OciSignature {
    /// The field of the key's document: `tenancy_ocid`, `user_ocid`, `fingerprint`, `private_key`.
    pub key: String,
}

/// User name and password for the proxy through which the upstream is reached (RFC 9110, section 11.7.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyBasic {
    /// What user name and password are made of.
    pub pair: Basic,
}

/// A client certificate on the TLS connection to the upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The field of the certificate chain, PEM.
    pub certificate: String,
    /// The field of the private key, PEM.
    pub key: String,
    /// The header that says the common name of the certificate as well, for a service behind somebody who ends TLS.
    pub named: Option<String>,
}

/// How long one of several credentials rests, unless the file says otherwise.
pub(crate) const DEFAULT_REST: Duration = Duration::from_secs(60);

/// Whether bytes can be a placeholder: long enough to be found nowhere by accident, and without signs that mean something in an
/// address, in JSON or in HTML, where they would be written in several ways.
#[must_use]
pub fn is_placeholder(bytes: &[u8]) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~{}$@:!*()".contains(&b);
    (8..=128).contains(&bytes.len()) && bytes.iter().all(|b| plain(*b))
}
