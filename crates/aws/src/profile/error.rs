//! Why a profile can't be resolved.

use std::path::PathBuf;

/// Why a profile can't be resolved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name has neither a section nor stored keys.
    #[error("there is no profile `{name}` in {}, and no keys are stored for it", path.display())]
    Unknown {
        /// The name.
        name: String,
        /// The profile file.
        path: PathBuf,
    },
    /// Profiles include one another.
    #[error("profiles include one another: {}", cycle.join(" → "))]
    IncludeCycle {
        /// The names; the last one is the first again.
        cycle: Vec<String>,
    },
    /// Profiles are the sources of one another.
    #[error("profiles are the source of one another: {}", cycle.join(" → "))]
    SourceCycle {
        /// The names; the last one is the first again.
        cycle: Vec<String>,
    },
    /// More sources than anybody means.
    #[error("profile `{name}` has more than {longest} sources behind one another")]
    TooLong {
        /// The profile that was asked for.
        name: String,
        /// How many there may be.
        longest: usize,
    },
    /// Session tags that can't be read.
    #[error("profile `{profile}`: could not read `{key}` as `key=value,key=value`")]
    Tags {
        /// The profile.
        profile: String,
        /// The key or variable.
        key: String,
    },
    /// A `credential_source` that nobody knows.
    #[error("profile `{profile}`: `{text}` is no `credential_source`")]
    CredentialSource {
        /// The profile.
        profile: String,
        /// What is there.
        text: String,
    },
    /// Two places from which credentials would come.
    #[error("profile `{profile}` has both `source_profile` and `credential_source`")]
    TwoSources {
        /// The profile.
        profile: String,
    },
    /// A switch that is neither on nor off, where guessing would send calls elsewhere.
    #[error("profile `{profile}`: `{key}` is neither `true` nor `false`")]
    Switch {
        /// The profile.
        profile: String,
        /// The key or variable.
        key: String,
    },
}

impl Error {
    /// What the user can do.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unknown { .. } => {
                Some("`doorward aws list` shows the profiles; `doorward aws add` stores keys")
            }
            Self::IncludeCycle { .. } => Some("take `include_profile` out of one of them"),
            Self::SourceCycle { .. } | Self::TooLong { .. } => Some(
                "take `source_profile` out of one of them; a profile without one inherits that of `[default]`",
            ),
            Self::Tags { .. } => Some("an item without `=`, and a comma at the end, are errors"),
            Self::CredentialSource { .. } => {
                Some("it is `Environment`, `Ec2InstanceMetadata` or `EcsContainer`, written like this")
            }
            Self::TwoSources { .. } => {
                Some("take one of them out: a role is assumed with credentials of one place")
            }
            Self::Switch { .. } => Some("write `true` or `false`"),
        }
    }

    /// The words of aws-vault for the same thing, for its command line.
    #[must_use]
    pub fn compatible(&self) -> String {
        match self {
            Self::Unknown { name, .. } => {
                format!("profile '{name}' not found in ~/.aws/config and no stored credentials exist for it")
            }
            Self::IncludeCycle { cycle } => {
                let first = cycle.first().map_or("", String::as_str);
                format!("Loop detected in config file for profile '{first}' ({})", cycle.join(" → "))
            }
            Self::Tags { key, .. } if key == "session_tags" => {
                format!("Failed to parse session_tags profile setting: {TAGS}")
            }
            Self::Tags { key, .. } => format!("Failed to parse {key} environment setting: {TAGS}"),
            other => other.to_string(),
        }
    }
}

const TAGS: &str = "session tags string must be <key1>=<value1>,[<key2>=<value2>[,...]]";
