//! Where a secret is to be found: `scheme:path#field`. Safe to print.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ParseError;

/// A reference to a secret, such as `store:slack/token`, `env:SLACK_TOKEN` or `file:/run/secrets/all#SLACK`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretRef {
    text: Arc<str>,
    scheme: usize,
    field: Option<usize>,
}

impl SecretRef {
    /// The name of the secret source, such as `env`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.text.get(..self.scheme).unwrap_or_default()
    }

    /// What stands between the scheme and the field.
    #[must_use]
    pub fn path(&self) -> &str {
        let end = self.field.unwrap_or(self.text.len());
        self.text.get(self.scheme + 1..end).unwrap_or_default()
    }

    /// The field behind `#`, where there is one.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.field.and_then(|at| self.text.get(at + 1..))
    }

    /// The whole reference, as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for SecretRef {
    type Err = ParseError;

    /// What was written is not repeated in the error: people paste raw secrets where a reference belongs.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = || ParseError::hidden("secret reference", FORMS);
        let (scheme, rest) = text.split_once(':').ok_or_else(wrong)?;
        let known = SCHEMES.contains(&scheme);
        let longest = if SEALED.contains(&scheme) { LONGEST_SEALED } else { LONGEST };
        let clean = !rest.is_empty() && rest.len() <= longest && !rest.chars().any(char::is_control);
        if !known || !clean || rest != rest.trim() {
            return Err(wrong());
        }
        let field = rest.find('#').map(|at| scheme.len() + 1 + at);
        if field.is_some_and(|at| at == scheme.len() + 1 || at + 1 == text.len()) {
            return Err(wrong());
        }
        Ok(Self { text: text.into(), scheme: scheme.len(), field })
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for SecretRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Every scheme that a source answers to. A test in `secrets` holds this list equal to the sources that exist.
const SCHEMES: &[&str] = &[
    "store",
    "env",
    "file",
    "command",
    "keyring",
    "secretservice",
    "kwallet",
    "keychain",
    "wincred",
    "pass",
    "vault",
    "aws-sm",
    "aws-ssm",
    "aws-kms",
    "aws",
    "aws-session",
    "gcp-sm",
    "gcp-kms",
    "gcp",
    "azure-kv",
    "azure",
    "k8s",
    "llm",
    "op",
    "bitwarden",
    "sops",
    "age",
    "dangerousLiteral",
];
/// Those whose references hold a ciphertext.
const SEALED: &[&str] = &["aws-kms", "aws", "gcp-kms", "gcp"];
/// Bytes behind the scheme.
const LONGEST: usize = 1024;
/// The same with a ciphertext in it, in base 64.
const LONGEST_SEALED: usize = 96 * 1024;
const FORMS: &str = "`store:NAME`, `env:VARIABLE`, `file:PATH`, `file:PATH#KEY`, or that of another source, such as \
                     `vault:PATH#KEY` (docs/reference/sources.md)";

#[cfg(test)]
mod tests;
