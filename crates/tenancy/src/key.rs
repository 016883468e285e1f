//! A key of a tenant's API: shown once, kept as a MAC.

use std::fmt;

use crypto::{MacKey, Tag};
use model::{Code, KeyId, PrincipalName, Refusal, TenantName, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Record, Table};
use zeroize::Zeroizing;

/// A key as a row. What is known by it is in here; it is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRow {
    /// Its id, which is its principal as well.
    pub id: KeyId,
    /// What it is for, in the words of whoever made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The MAC of the key under the hashing key of the house, in hex.
    tag: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it is over; `None` for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// When it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Timestamp>,
    /// Who made it.
    pub by: PrincipalName,
}

impl Record for KeyRow {
    const TABLE: Table = Table::ApiKeys;
}

/// What a key may do, such as `credentials:read`; policies see it as the role `credentials-read`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope(String);

/// A key that was made just now, and is shown once.
pub struct Fresh {
    /// The key.
    pub text: Zeroizing<String>,
    tag: Tag,
}

impl Fresh {
    /// A key of a tenant, from 256 random bits.
    ///
    /// # Errors
    /// When there are no random bits.
    pub fn make(tenant: &TenantName, hashing: &MacKey) -> Result<Self, Refusal> {
        let random: Zeroizing<[u8; 32]> = Zeroizing::new(
            crypto::array().map_err(|error| Refusal::new(Code::SourceUnavailable, error.to_string()))?,
        );
        let random = Zeroizing::new(crypto::to_base64url(&*random));
        let text = Zeroizing::new(format!("{tenant}{INFIX}{}", *random));
        let tag = KeyRow::tag_of(hashing, text.as_bytes());
        Ok(Self { text, tag })
    }

    /// The row of it.
    #[must_use]
    pub fn row(&self, id: KeyId, scopes: Vec<Scope>, by: PrincipalName, now: Timestamp) -> KeyRow {
        let tag = crypto::to_hex(&self.tag);
        KeyRow { id, label: None, scopes, tag, created: now, expires: None, revoked: None, by }
    }
}

impl KeyRow {
    /// The tenant that a key says to belong to, where it has the form of those that are made here. Nothing is proven by that.
    #[must_use]
    pub fn tenant_of(written: &[u8]) -> Option<TenantName> {
        let (front, _random) = written.split_at_checked(written.len().checked_sub(RANDOM)?)?;
        std::str::from_utf8(front.strip_suffix(INFIX.as_bytes())?).ok()?.parse().ok()
    }

    /// What a key is found by.
    #[must_use]
    pub fn tag_of(hashing: &MacKey, written: &[u8]) -> Tag {
        hashing.tag(&[b"api-key", written])
    }

    /// The row of a root key that was not made here, but brought.
    ///
    /// # Errors
    /// Never: the scope is ours.
    pub fn root(
        id: KeyId,
        tag: &Tag,
        label: &str,
        (by, now): (PrincipalName, Timestamp),
    ) -> Result<Self, Refusal> {
        let (scopes, tag) = (Scope::list(Scope::ROOT)?, crypto::to_hex(tag));
        let label = Some(label.to_owned());
        Ok(Self { id, label, scopes, tag, created: now, expires: None, revoked: None, by })
    }

    /// What this one is found by.
    ///
    /// # Errors
    /// When the row was changed by hand.
    pub fn tag(&self) -> Result<Tag, Refusal> {
        let bytes = crypto::from_hex(&self.tag).ok().and_then(|bytes| Tag::try_from(bytes).ok());
        bytes.ok_or_else(|| {
            Refusal::new(Code::SourceUnavailable, format!("the row of the key `{}` is damaged", self.id))
        })
    }

    /// The principal that it acts as.
    ///
    /// # Errors
    /// Never for an id of ours.
    pub fn principal(&self) -> Result<PrincipalName, Refusal> {
        crate::Tenancy::principal(self.id)
    }

    /// What it is in, in one word.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> &'static str {
        match (self.revoked, self.expires) {
            (Some(_), _) => "revoked",
            (None, Some(end)) if end <= now => "expired",
            (None, _) => "active",
        }
    }
}

impl Scope {
    /// The scope of the root key of the API: it makes tenants and keys.
    pub const ROOT: &'static str = "root";

    /// The scopes of a key where nobody says.
    #[must_use]
    pub fn usual() -> Vec<Self> {
        ["credentials:read", "credentials:write"].map(|scope| Self(scope.to_owned())).to_vec()
    }

    /// Scopes as they are written, separated by commas.
    ///
    /// # Errors
    /// `bad_request`.
    pub fn list(text: &str) -> Result<Vec<Self>, Refusal> {
        let wrong = |error: String| Refusal::new(Code::BadRequest, error).hint(EXPECTED);
        text.split(',').map(|one| Self::try_from(one.trim().to_owned()).map_err(wrong)).collect()
    }

    /// The role that policies see.
    #[must_use]
    pub fn role(&self) -> String {
        if self.0 == Self::ROOT { REGISTRAR.to_owned() } else { self.0.replace(':', "-") }
    }

    /// Whether it is the scope of the root key.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0 == Self::ROOT
    }
}

impl TryFrom<String> for Scope {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        // Two words, so that no scope is one of the roles that say more, such as `manager`.
        let pair = text.split_once(':').is_some_and(|(what, how)| word(what) && word(how));
        if (pair && text.len() <= LONGEST) || text == Self::ROOT {
            Ok(Self(text))
        } else {
            Err(format!("`{}` is no scope", text.escape_default()))
        }
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.0
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What stands between the tenant and the random part of a key.
const INFIX: &str = "_api_";
/// Characters of the random part: 32 bytes in base64 for addresses.
const RANDOM: usize = 43;
const REGISTRAR: &str = "registrar";
const EXPECTED: &str = "two words such as `credentials:read`, separated by commas where there are several";
const LONGEST: usize = 60;
