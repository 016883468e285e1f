//! Typed, prefixed, sortable ids: `grt_01J…`. Two kinds never mix.
//!
//! The 26 characters behind the prefix are a ULID (48 bits of milliseconds, 80 random bits) in Crockford's base 32, lower
//! case, so that ids sort by time. Only the canonical spelling parses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{ParseError, Timestamp};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// What stands before the 26 characters.
            pub const PREFIX: &'static str = $prefix;

            /// An id from the time of its making and 10 random bytes.
            #[must_use]
            pub fn new(at: Timestamp, random: [u8; 10]) -> Self {
                Self(compose(at, random))
            }

            /// The id as 16 bytes, big-endian, as it stands in evidence and tokens.
            #[must_use]
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.to_be_bytes()
            }

            /// The id as text, for what is written with every call.
            #[must_use]
            pub fn to_text(self) -> [u8; TEXT] {
                text($prefix, self.0)
            }

            /// The id that [`Self::to_bytes`] gave.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(u128::from_be_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(std::str::from_utf8(&self.to_text()).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseError;

            fn from_str(text: &str) -> Result<Self, ParseError> {
                text.strip_prefix($prefix)
                    .and_then(parse_base32)
                    .map(Self)
                    .ok_or_else(|| ParseError::new("id", text, concat!("`", $prefix, "` and 26 characters")))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// A tenant.
    TenantId, "ten_"
);
id!(
    /// A principal: a person, service, workload or agent.
    PrincipalId, "prn_"
);
id!(
    /// A grant: the stored row behind a root capability.
    GrantId, "grt_"
);
id!(
    /// One narrowing of a capability; a revocation may name it.
    CapabilityId, "cap_"
);
id!(
    /// One call in the evidence: its intent and its outcome carry it.
    EvidenceId, "evd_"
);
id!(
    /// An approval.
    ApprovalId, "apr_"
);
id!(
    /// A plan: steps that are approved together and run once.
    PlanId, "pln_"
);
id!(
    /// A lease: a derived credential with an end.
    LeaseId, "lse_"
);
id!(
    /// A key of a tenant for its API.
    KeyId, "key_"
);
id!(
    /// A session of somebody who signed in.
    SessionId, "ses_"
);
id!(
    /// Somebody who is told what happens.
    WebhookId, "whk_"
);
id!(
    /// One thing that a webhook is told, however often it is tried.
    DeliveryId, "msg_"
);
id!(
    /// A credential that a tenant keeps for a provider.
    CredentialId, "crd_"
);
id!(
    /// A run: one program that `doorward run` started, with everything that it starts.
    RunId, "run_"
);

impl CredentialId {
    /// An id that is a UUID of version 7 (RFC 9562, section 5.7) as well, for programs of tenants, who know such ids: six bits say so, in the
    /// place of random ones.
    #[must_use]
    pub fn of_uuid(at: Timestamp, random: [u8; 10]) -> Self {
        Self(versioned(compose(at, random)))
    }

    /// The same bits as a UUID; of an older id those say what it is that say so of newer ones.
    #[must_use]
    pub fn to_uuid(self) -> String {
        let hex = format!("{:032x}", versioned(self.0));
        let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| hex.get(part).unwrap_or_default());
        parts.join("-")
    }
}

const fn versioned(bits: u128) -> u128 {
    bits & !(0xf << 76) & !(0b11 << 62) | (0x7 << 76) | (0b10 << 62)
}

fn compose(at: Timestamp, random: [u8; 10]) -> u128 {
    let mut bytes = [0_u8; 16];
    let [_, _, _, _, _, _, tail @ ..] = &mut bytes;
    *tail = random;
    // Forty-eight bits of time, which last until the year 10889.
    u128::from_be_bytes(bytes) | (u128::from(at.millis()) << 80)
}

fn text(prefix: &str, value: u128) -> [u8; TEXT] {
    let mut text = [b'0'; TEXT];
    let mut rest = value;
    for to in text.iter_mut().rev().take(LENGTH) {
        *to = usize::try_from(rest & 31).ok().and_then(|digit| ALPHABET.get(digit)).copied().unwrap_or(b'0');
        rest >>= 5;
    }
    for (to, from) in text.iter_mut().zip(prefix.bytes()) {
        *to = from;
    }
    text
}

fn parse_base32(text: &str) -> Option<u128> {
    if text.len() != LENGTH || !text.starts_with(|first: char| ('0'..='7').contains(&first)) {
        return None;
    }
    text.bytes().try_fold(0_u128, |value, byte| {
        let digit = ALPHABET.iter().position(|a| *a == byte)?;
        Some((value << 5) | u128::try_from(digit).ok()?)
    })
}

const LENGTH: usize = 26;
/// Length of an id as text, in bytes: every prefix has four.
const TEXT: usize = 4 + LENGTH;
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

#[cfg(test)]
mod tests;
