//! Names with exactly one spelling. Parsing refuses everything else; nothing is folded, trimmed or repaired, because a
//! name that two parsers read differently is how rules are bypassed.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ParseError;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $valid:expr, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseError;

            fn from_str(text: &str) -> Result<Self, ParseError> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) { Ok(Self(text.into())) } else { Err(ParseError::new($what, text, $expected)) }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// A tenant's name: the isolation boundary. A laptop has the tenant `local`.
    TenantName, "tenant name", is_tenant,
    "lower-case letters, digits, `-` and `_`, 1 to 63 characters, not starting with `-`"
);
name!(
    /// An integration's name, which is also a host label at the gateway: `slack`, `slack-prod`.
    IntegrationName, "integration name", |text| is_label(text, 63) && !text.contains('_') && !text.ends_with('-'),
    "lower-case letters, digits and `-`, 1 to 63 characters, starting with a letter or digit, not ending with `-`"
);
name!(
    /// An operation of one integration: `chat.post`, `unknown`.
    OperationName, "operation name", |text| text.len() <= 63 && text.split('.').all(|part| is_label(part, 63)),
    "lower-case words joined by `.`, each of letters, digits, `-` and `_`"
);
name!(
    /// A principal's name within its tenant: `ada`, `ci-bot`, `billing.worker`.
    PrincipalName, "principal name", |text| text.len() <= 127 && text.split('.').all(|part| is_label(part, 63)),
    "lower-case words joined by `.`, each of letters, digits, `-` and `_`"
);
name!(
    /// A secret's name in our own store: `slack/token`.
    SecretName, "secret name", |text| text.len() <= 191 && text.split('/').all(|part| {
        is_label(part, 63) || part.split('.').all(|word| is_label(word, 63))
    }),
    "lower-case words joined by `/`, such as `slack/token`"
);
name!(
    /// What an operation works on, in the words of the service: `repo:octo/hello`, `channel:C1`; `*` where it has none.
    Resource, "resource", |text| {
        !text.is_empty() && text.len() <= 512 && !text.chars().any(|c| c.is_control() || c.is_whitespace())
    },
    "1 to 512 characters without white space"
);

impl TenantName {
    /// The tenant of a laptop.
    #[must_use]
    pub fn local() -> Self {
        static LOCAL: LazyLock<TenantName> = LazyLock::new(|| TenantName("local".into()));
        LOCAL.clone()
    }
}

impl Resource {
    /// The resource of an operation that works on nothing in particular.
    #[must_use]
    pub fn any() -> Self {
        static ANY: LazyLock<Resource> = LazyLock::new(|| Resource("*".into()));
        ANY.clone()
    }
}

/// Slugs of applications may begin with `_`.
fn is_tenant(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('-') && is_word(text, 63)
}

fn is_label(text: &str, longest: usize) -> bool {
    let first = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    first && is_word(text, longest)
}

fn is_word(text: &str, longest: usize) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    text.bytes().all(plain) && text.len() <= longest
}

#[cfg(test)]
mod tests;
