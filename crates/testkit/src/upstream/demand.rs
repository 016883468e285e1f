//! How an upstream wants to be shown the credential.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;

/// The credential that an upstream demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Demand {
    /// `Authorization: Bearer` and this.
    Bearer(String),
    /// A header with exactly this value.
    Header(String, String),
    /// A parameter of the query with this value, percent-encoded or not.
    Query(String, String),
    /// `Authorization: Basic` of user and password.
    Basic(String, String),
    /// Nothing; everybody is served. The text is what `/header-echo` and the like give away all the same.
    Nothing(String),
}

impl Demand {
    /// The secret part.
    #[must_use]
    pub fn secret(&self) -> &str {
        match self {
            Self::Bearer(secret)
            | Self::Header(_, secret)
            | Self::Query(_, secret)
            | Self::Basic(_, secret)
            | Self::Nothing(secret) => secret,
        }
    }

    /// Whether a request shows it, exactly once.
    pub(crate) fn is_met(&self, headers: &HeaderMap, query: Option<&str>) -> bool {
        let one = |name: &str, wanted: &str| {
            let mut values = headers.get_all(name).iter();
            values.next().is_some_and(|value| value.as_bytes() == wanted.as_bytes())
                && values.next().is_none()
        };
        match self {
            Self::Bearer(secret) => one(AUTHORIZATION.as_str(), &format!("Bearer {secret}")),
            Self::Header(name, secret) => one(name, secret),
            Self::Basic(user, password) => one(
                AUTHORIZATION.as_str(),
                &format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))),
            ),
            Self::Query(name, secret) => {
                let pairs = query.into_iter().flat_map(|query| query.split('&'));
                let values: Vec<_> =
                    pairs.filter_map(|pair| pair.split_once('=')).filter(|(key, _)| key == name).collect();
                matches!(*values, [(_, value)] if unescaped(value) == secret.as_bytes())
            }
            Self::Nothing(_) => true,
        }
    }
}

/// Percent-decoded; a broken escape stays as it is.
fn unescaped(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let escape = behind.get(..2).filter(|_| *first == b'%');
        let byte = escape.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        out.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { behind.get(2..).unwrap_or_default() } else { behind };
    }
    out
}
