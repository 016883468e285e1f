//! Why there is no way to the credentials of a profile.

/// Why there is no way to the credentials of a profile.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing says where credentials come from.
    #[error("profile `{profile}` has no credentials: no keys are stored for it, and it names no source")]
    NoCredentials {
        /// The profile at the end of the chain.
        profile: String,
    },
    /// A part of the SSO settings is missing.
    #[error("profile `{profile}` has an SSO start URL, but no `{key}`")]
    Sso {
        /// The profile.
        profile: String,
        /// The key that is missing.
        key: &'static str,
    },
    /// A web identity without a role.
    #[error("profile `{profile}` has a web identity token, but no `role_arn`")]
    WebIdentity {
        /// The profile.
        profile: String,
    },
    /// A source of credentials for a role without a role.
    #[error("profile `{profile}` has a `credential_source`, but no `role_arn`")]
    NoRole {
        /// The profile.
        profile: String,
    },
    /// A session policy that no call of the plan takes.
    #[error("profile `{profile}` has a session policy, but assumes no role that it would narrow")]
    Policy {
        /// The profile.
        profile: String,
    },
    /// There are no stored keys to rotate.
    #[error("no keys are stored for profile `{profile}` or any of its sources")]
    NoMaster {
        /// The profile.
        profile: String,
    },
}

impl Error {
    /// What the user can do.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoCredentials { .. } => Some(
                "store keys with `doorward aws add`, or set `source_profile`, `sso_session` or `credential_process`; check the spelling of `source_profile`",
            ),
            Self::Sso { .. } => Some("`aws configure sso` writes all four SSO settings"),
            Self::WebIdentity { .. } | Self::NoRole { .. } => Some("set `role_arn` in the same profile"),
            Self::Policy { .. } => Some("take `policy` and `policy_arns` out, or set `role_arn`"),
            Self::NoMaster { .. } => Some("only keys that are stored here can be rotated"),
        }
    }

    /// The words of aws-vault for the same thing, for its command line.
    #[must_use]
    pub fn compatible(&self) -> String {
        match self {
            Self::NoCredentials { profile } => format!("profile {profile}: credentials missing"),
            Self::NoMaster { .. } => "No master credentials found".to_owned(),
            other => other.to_string(),
        }
    }
}
