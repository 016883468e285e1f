//! Where a credential goes on a request. Where, not what: the secret itself never comes here.

use model::SecretRef;
use percent_encoding::utf8_percent_encode;

mod derived;
mod parts;

pub use derived::{
    Assertion, AzureManagedIdentity, AzureService, AzureServicePrincipal, ClientAuth, Derived, Endpoint,
    GcpMetadata, GcpWorkloadIdentity, GithubApp, GoogleServiceAccount, GoogleWanted, Grant, JwtAlgorithm,
    JwtSigned, OAuth2, SignedIn, TokenSource, VaultLogin, VaultMethod,
};
pub(crate) use parts::DEFAULT_REST;
pub use parts::{
    Assume, Basic, BytesForm, Choice, ClientCertificate, DigestAuth, Find, HashName, Hmac, OAuth1,
    OciSignature, ProxyBasic, Replace, SigV4, Within, is_placeholder,
};

/// A secret that an integration needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretField {
    /// The name for people.
    pub title: String,
    /// Where it is.
    pub reference: SecretRef,
    /// How such a secret begins; empty where that is not known.
    pub prefixes: Vec<String>,
}

/// How a credential is put on a request. The texts named `secret` are names of fields in [`crate::Integration::secrets`].
///
/// Schemes stand in the order in which they are applied: what the caller wrote is replaced first, and signatures come last,
/// because they cover the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthScheme {
    /// `Authorization: Bearer …` (RFC 6750, section 2.1).
    Bearer {
        /// The fields.
        secret: Choice,
    },
    /// Any header.
    Header {
        /// The header's name, in lower case.
        name: String,
        /// What stands before the secret.
        prefix: String,
        /// The fields.
        secret: Choice,
    },
    /// `Authorization: Basic …` (RFC 7617), or the same in another header.
    Basic {
        /// The header's name, in lower case.
        name: String,
        /// What stands before the Base64.
        prefix: String,
        /// User name and password.
        pair: Basic,
    },
    /// A query parameter.
    Query {
        /// Its name.
        name: String,
        /// The fields.
        secret: Choice,
    },
    /// The first segment behind the base path; one that the caller wrote in this form is replaced.
    Path {
        /// What stands before the secret.
        prefix: String,
        /// What stands behind it.
        suffix: String,
        /// The fields.
        secret: Choice,
    },
    /// The last segment of the path.
    PathEnd {
        /// The fields.
        secret: Choice,
    },
    /// A cookie (RFC 6265).
    Cookie {
        /// Its name.
        name: String,
        /// The fields.
        secret: Choice,
    },
    /// In the place of a placeholder that the caller wrote.
    Replace(Box<Replace>),
    /// A token that is made on the way.
    Derived(Box<Derived>),
    /// An HMAC of the body.
    Hmac(Box<Hmac>),
    /// AWS Signature Version 4.
    SigV4(Box<SigV4>),
    /// OAuth 1.0.
    OAuth1(Box<OAuth1>),
    /// Digest.
    Digest(Box<DigestAuth>),
    /// The signature of Oracle Cloud Infrastructure.
    Oci(OciSignature),
    /// A client certificate.
    ClientCertificate(Box<ClientCertificate>),
    /// User name and password for the proxy on the way, which never see the service.
    ProxyBasic(Box<ProxyBasic>),
}

/// A placement with texts in the place of secrets: for case files, whose secrets are canaries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rendered {
    /// Name and value of a header. Basic is shown before its Base64: `Basic user:password`.
    Header(String, String),
    /// Name and value of a query parameter, percent-encoded.
    Query(String, String),
    /// A segment of the path behind the base path, percent-encoded.
    Path(String),
    /// The last segment of the path, percent-encoded.
    PathEnd(String),
    /// Name and value of a cookie.
    Cookie(String, String),
    /// What depends on the time, on the whole request, or on what the caller wrote; a case can't show it.
    Untold,
}

impl AuthScheme {
    /// The fields that it needs, in the order in which they are written. A field may be there twice.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        let parts::Needs { some, more } = self.needs();
        some.into_iter().flatten().chain(more).map(String::as_str)
    }

    /// Whether a secret itself stands on the request, and not only what was made with one: then a service can repeat it.
    #[must_use]
    pub const fn is_sent(&self) -> bool {
        !matches!(
            self,
            Self::Hmac(_)
                | Self::SigV4(_)
                | Self::OAuth1(_)
                | Self::Oci(_)
                | Self::Digest(_)
                | Self::ClientCertificate(_)
        )
    }

    /// Whether the secret of a field stands in a header as it is, so that it has to be made of what a header can carry.
    #[must_use]
    pub fn stands_in_header(&self, field: &str) -> bool {
        match self {
            Self::Bearer { secret } | Self::Header { secret, .. } | Self::Cookie { secret, .. } => {
                secret.fields().any(|one| one == field)
            }
            _ => false,
        }
    }

    fn needs(&self) -> parts::Needs<'_> {
        match self {
            Self::Bearer { secret }
            | Self::Header { secret, .. }
            | Self::Query { secret, .. }
            | Self::Path { secret, .. }
            | Self::PathEnd { secret }
            | Self::Cookie { secret, .. } => secret.needs(None),
            Self::Basic { pair, .. } => pair.needs(),
            Self::Replace(replace) => replace.secret.needs(match &replace.find {
                Find::Text(_) => None,
                Find::Secret(field) => Some(field),
            }),
            Self::Derived(derived) => derived.source.needs(),
            Self::Hmac(hmac) => hmac.secret.needs(None),
            Self::SigV4(sigv4) => parts::Needs::of([
                Some(&sigv4.access_key_id),
                Some(&sigv4.secret_access_key),
                sigv4.session_token.as_ref(),
                None,
            ]),
            Self::OAuth1(oauth1) => {
                let (token, secret) = oauth1.token.as_ref().map(|(token, secret)| (token, secret)).unzip();
                parts::Needs::of([Some(&oauth1.consumer_key), Some(&oauth1.consumer_secret), token, secret])
            }
            Self::Digest(digest) => digest.pair.needs(),
            Self::ProxyBasic(own) => own.pair.needs(),
            Self::Oci(oci) => parts::Needs::of([Some(&oci.key), None, None, None]),
            Self::ClientCertificate(own) => {
                parts::Needs::of([Some(&own.certificate), Some(&own.key), None, None])
            }
        }
    }

    /// The fields of which one serves a call, for a scheme that has such.
    #[must_use]
    pub const fn choice(&self) -> Option<&Choice> {
        match self {
            Self::Bearer { secret }
            | Self::Header { secret, .. }
            | Self::Query { secret, .. }
            | Self::Path { secret, .. }
            | Self::PathEnd { secret }
            | Self::Cookie { secret, .. }
            | Self::Basic { pair: Basic::Joined { secret }, .. } => Some(secret),
            Self::Replace(replace) => Some(&replace.secret),
            Self::Hmac(hmac) => Some(&hmac.secret),
            Self::Basic { .. }
            | Self::Derived(_)
            | Self::SigV4(_)
            | Self::OAuth1(_)
            | Self::Digest(_)
            | Self::Oci(_)
            | Self::ClientCertificate(_)
            | Self::ProxyBasic(_) => None,
        }
    }

    /// Whether it only writes a secret that is there into one place: no token is made, no body is read, nothing is chosen.
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        match self {
            Self::Bearer { secret }
            | Self::Header { secret, .. }
            | Self::Query { secret, .. }
            | Self::Path { secret, .. }
            | Self::PathEnd { secret }
            | Self::Cookie { secret, .. }
            | Self::Basic { pair: Basic::Joined { secret }, .. } => !secret.is_rotation(),
            Self::Basic { .. } => true,
            Self::Replace(_)
            | Self::Derived(_)
            | Self::Hmac(_)
            | Self::SigV4(_)
            | Self::OAuth1(_)
            | Self::Digest(_)
            | Self::Oci(_)
            | Self::ClientCertificate(_)
            | Self::ProxyBasic(_) => false,
        }
    }

    /// The role that is assumed before anything is signed, for a scheme that has one.
    #[must_use]
    pub fn assume(&self) -> Option<&Assume> {
        match self {
            Self::SigV4(sigv4) => sigv4.assume.as_ref(),
            _ => None,
        }
    }

    /// What would be written if `text` gave the text of each field. For canaries only: real secrets never become text.
    #[must_use]
    pub fn render(&self, text: &dyn Fn(&str) -> String) -> Rendered {
        let escaped = |text: &str| utf8_percent_encode(text, crate::path::SEGMENT).to_string();
        // Of several, a case shows the first.
        let chosen = |secret: &Choice| secret.fields().next().map(text).unwrap_or_default();
        match self {
            Self::Bearer { secret } => {
                Rendered::Header("authorization".to_owned(), format!("Bearer {}", chosen(secret)))
            }
            Self::Header { name, prefix, secret } => {
                Rendered::Header(name.clone(), format!("{prefix}{}", chosen(secret)))
            }
            Self::Basic { name, prefix, pair } => {
                let pair = match pair {
                    Basic::Joined { secret } => chosen(secret),
                    Basic::Named { username, password } => format!("{username}:{}", text(password)),
                    Basic::Fields { username, password } => {
                        format!("{}:{}", text(username), password.as_deref().map(text).unwrap_or_default())
                    }
                };
                Rendered::Header(name.clone(), format!("{prefix}{pair}"))
            }
            Self::Query { name, secret } => Rendered::Query(escaped(name), escaped(&chosen(secret))),
            Self::Path { prefix, suffix, secret } => {
                Rendered::Path(format!("{prefix}{}{suffix}", escaped(&chosen(secret))))
            }
            Self::PathEnd { secret } => Rendered::PathEnd(escaped(&chosen(secret))),
            Self::Cookie { name, secret } => Rendered::Cookie(name.clone(), chosen(secret)),
            Self::Derived(derived) => {
                // A bare token in the place of a sign-in is sent as it is.
                let name = match &derived.source {
                    TokenSource::SignedIn(signed) => signed.key.as_str(),
                    _ => "minted",
                };
                Rendered::Header(derived.header.clone(), format!("{}{}", derived.prefix, text(name)))
            }
            Self::Replace(_)
            | Self::Hmac(_)
            | Self::SigV4(_)
            | Self::OAuth1(_)
            | Self::Digest(_)
            | Self::Oci(_)
            | Self::ClientCertificate(_)
            | Self::ProxyBasic(_) => Rendered::Untold,
        }
    }
}
