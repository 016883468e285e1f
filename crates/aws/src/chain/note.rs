//! What a plan does differently from what the settings seem to say.

use std::fmt;
use std::time::Duration;

use crate::profile::show_duration;

/// What a plan does differently from what the settings seem to say. Not a mistake; shown when somebody asks, or wonders.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// A role lives shorter than it was to.
    Capped {
        /// The profile.
        profile: String,
        /// As it was to be.
        wanted: Duration,
        /// As it is.
        got: Duration,
        /// Whose credentials sign the call.
        below: Below,
    },
    /// `role_arn` has no effect next to SSO or `credential_process`.
    RoleIgnored {
        /// The profile.
        profile: String,
    },
    /// No MFA code is sent, for AWS takes none from this signer.
    NoMfa {
        /// The profile.
        profile: String,
        /// Whose credentials sign the call.
        below: Below,
    },
    /// A session is made although source and profile don't share an MFA device, because the stored keys themselves would
    /// come out otherwise.
    KeysKept {
        /// The profile whose keys they are.
        profile: String,
    },
}

/// Whose credentials sign a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Below {
    /// The stored keys.
    Keys,
    /// Stored keys that are temporary themselves.
    TemporaryKeys,
    /// A session of `GetSessionToken`.
    Session,
    /// An assumed role.
    Role,
    /// A role of IAM Identity Center.
    Sso,
    /// A role assumed with a web identity.
    WebIdentity,
    /// Whatever a program printed.
    Process,
    /// What this machine has.
    Machine,
}

impl Below {
    /// Whether AWS allows a role no more than an hour on top: all but long-lived keys, which a program may print as well,
    /// but that is known only when it did.
    pub(super) const fn caps(self) -> bool {
        !matches!(self, Self::Keys)
    }

    /// Whether a code may go with the call: a user signs, and did not show a device before. A session that feeds a role
    /// always did.
    pub(super) const fn may_send_mfa(self) -> bool {
        match self {
            Self::Keys | Self::Process | Self::Machine => true,
            Self::TemporaryKeys | Self::Session | Self::Role | Self::Sso | Self::WebIdentity => false,
        }
    }
}

impl fmt::Display for Below {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keys => "stored keys",
            Self::TemporaryKeys => "temporary keys",
            Self::Session => "a session",
            Self::Role => "another role",
            Self::Sso => "an SSO role",
            Self::WebIdentity => "a web identity",
            Self::Process => "a program's credentials",
            Self::Machine => "the credentials of this machine",
        })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capped { profile, wanted, got, below } => write!(
                f,
                "the role of profile `{profile}` lasts {} instead of {}: AWS allows no more for a role that is assumed with {below}",
                show_duration(*got),
                show_duration(*wanted)
            ),
            Self::RoleIgnored { profile } => {
                write!(
                    f,
                    "`role_arn` of profile `{profile}` has no effect next to SSO or `credential_process`; put the role into a profile with this one as its `source_profile`"
                )
            }
            Self::NoMfa { profile, below } => {
                write!(
                    f,
                    "no MFA code is sent for the role of profile `{profile}`: it is assumed with {below}, which has no MFA device"
                )
            }
            Self::KeysKept { profile } => {
                write!(
                    f,
                    "a session is made so that the stored keys of profile `{profile}` stay where they are"
                )
            }
        }
    }
}
