//! What was ignored, or is surprising, in a profile that can be used all the same.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What was ignored, or is surprising, in a profile that can be used all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "warning", deny_unknown_fields)]
#[non_exhaustive]
pub enum Warning {
    /// A duration can't be read, so the default stands.
    Duration {
        /// The profile; `None` for a variable, which is one for all of them.
        profile: Option<String>,
        /// The key or variable.
        key: String,
        /// What stands there.
        text: String,
    },
    /// A setting has none of its values, so the default stands.
    Choice {
        /// The profile; `None` for a variable, which is one for all of them.
        profile: Option<String>,
        /// The key or variable.
        key: String,
        /// What stands there.
        text: String,
    },
    /// A setting that decides whose credentials these are comes from `[default]`; the AWS CLI does not inherit it.
    FromDefault {
        /// The profile.
        profile: String,
        /// The key.
        key: String,
    },
    /// A variable, not the file, makes this a profile with a role, or with another role.
    FromEnvironment {
        /// The profile.
        profile: String,
        /// The variable.
        variable: String,
    },
    /// There is no such `[sso-session]`.
    NoSsoSession {
        /// The profile.
        profile: String,
        /// The session that it names.
        session: String,
    },
    /// There is no such profile to include.
    NoInclude {
        /// The profile that names it.
        profile: String,
        /// The profile that it names.
        include: String,
    },
    /// There is no such section of services.
    NoServices {
        /// The profile.
        profile: String,
        /// The section that it names.
        services: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duration { profile: None, key, text } => {
                write!(f, "the variable `{key}` is `{text}`, which is no duration; it is passed over")
            }
            Self::Duration { profile: Some(profile), key, text } => {
                write!(
                    f,
                    "profile `{profile}`: `{key}` is `{text}`, which is no duration; the default is used"
                )
            }
            Self::Choice { profile: None, key, text } => {
                write!(f, "the variable `{key}` is `{text}`, which it can't be; the default is used")
            }
            Self::Choice { profile: Some(profile), key, text } => {
                write!(f, "profile `{profile}`: `{key}` is `{text}`, which it can't be; the default is used")
            }
            Self::FromDefault { profile, key } => {
                write!(
                    f,
                    "profile `{profile}`: `{key}` comes from `[default]`; the AWS CLI does not inherit it"
                )
            }
            Self::FromEnvironment { profile, variable } => {
                write!(
                    f,
                    "profile `{profile}`: the role comes from the variable `{variable}`, not from the file"
                )
            }
            Self::NoSsoSession { profile, session } => {
                write!(f, "profile `{profile}`: there is no `[sso-session {session}]`")
            }
            Self::NoInclude { profile, include } => {
                write!(f, "profile `{profile}`: there is no profile `{include}` to include")
            }
            Self::NoServices { profile, services } => {
                write!(f, "profile `{profile}`: there is no `[services {services}]`")
            }
        }
    }
}
