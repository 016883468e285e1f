//! `credential_source`: credentials that the machine has where it runs: in the environment, from EC2, from a container.
//!
//! Source: the AWS SDKs and tools reference guide, "Assume role credential provider"; for the documents, the guides of EC2
//! ("Retrieve security credentials from instance metadata") and ECS ("Task IAM role").

mod ask;

use model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Lease;
use crate::wire::json::{SecretText, optional};

pub use ask::credentials;

/// Where the credentials come from that assume the role of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialSource {
    /// `AWS_ACCESS_KEY_ID` and its siblings.
    Environment {
        /// The id that is there, which tells whose credentials they are. `None`: there are none.
        access_key_id: Option<String>,
    },
    /// The role of the EC2 instance.
    Ec2InstanceMetadata,
    /// The role of the container.
    EcsContainer,
}

/// Why there are no credentials. Nothing of a document is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is something else.
    #[error("what the metadata service answered is not the document of credentials")]
    Document,
    /// The service says that it has none.
    #[error("the metadata service has no credentials: `{0}`")]
    Code(String),
    /// They are over.
    #[error("the credentials of the metadata service ended at {0}")]
    Expired(Timestamp),
    /// The environment lacks a variable.
    #[error("`credential_source = Environment`, and `{0}` is not set")]
    Variable(&'static str),
    /// A variable is no time.
    #[error("`{0}` is no time, such as 2026-01-31T12:00:00Z")]
    Time(&'static str),
    /// The credentials in the environment are over.
    #[error("the credentials in the environment have ended")]
    Over,
    /// The metadata service was switched off.
    #[error("`AWS_EC2_METADATA_DISABLED` is set, and the profile names EC2 as its source")]
    Disabled,
    /// The instance has no role.
    #[error("the instance has no role")]
    NoRole,
    /// This is no container of AWS.
    #[error(
        "`credential_source = EcsContainer`, and neither `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` nor \
         `AWS_CONTAINER_CREDENTIALS_FULL_URI` is set"
    )]
    NoContainer,
    /// The token for the metadata service can't be read.
    #[error("could not read `{file}`")]
    TokenFile {
        /// The file.
        file: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The token for the metadata service is not one line.
    #[error("the token for the metadata service is not one line")]
    Token,
    /// The metadata service did not answer.
    #[error("the metadata service did not answer in time")]
    Late,
    /// The metadata service could not be asked.
    #[error(transparent)]
    Neighbour(#[from] net::NeighbourError),
    /// There is no guarded memory left.
    #[error(transparent)]
    Memory(#[from] memory::Error),
}

impl Error {
    /// What the reader can do about it.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Variable(_) => Some("set the access key in the environment, or name another source"),
            Self::Over | Self::Expired(_) => Some("get new ones"),
            Self::NoRole => Some("give it an instance profile, or name another source"),
            Self::NoContainer => Some("ECS and EKS set one of them in the container"),
            Self::Late => Some("`credential_source` is for programs that run there"),
            Self::Neighbour(net::NeighbourError::Address(_)) => {
                Some("they are plain http on this machine, or at the addresses of EC2, ECS and EKS")
            }
            _ => None,
        }
    }
}

impl CredentialSource {
    /// Reads the value of `credential_source`. `access_key_id` is the one in the environment.
    #[must_use]
    pub fn read(text: &str, access_key_id: Option<String>) -> Option<Self> {
        match text {
            "Environment" => Some(Self::Environment { access_key_id }),
            "Ec2InstanceMetadata" => Some(Self::Ec2InstanceMetadata),
            "EcsContainer" => Some(Self::EcsContainer),
            _ => None,
        }
    }

    /// The word in the profile file.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Environment { .. } => "Environment",
            Self::Ec2InstanceMetadata => "Ec2InstanceMetadata",
            Self::EcsContainer => "EcsContainer",
        }
    }
}

/// Reads the credentials in a document of EC2's metadata service, or of the credentials endpoint of a container.
///
/// # Errors
/// See [`Error`].
pub fn document(body: &[u8], now: Timestamp) -> Result<Lease, Error> {
    let given: Given = serde_json::from_slice(body).map_err(|_| Error::Document)?;
    if let Some(code) = given.code.filter(|code| code != "Success") {
        // A code is one word; whatever else stands there is not repeated.
        let word = code.len() <= LONGEST_CODE && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        return Err(if word { Error::Code(code) } else { Error::Document });
    }
    let (Some(id), Some(secret)) = (given.id.filter(|id| !id.is_empty()), given.secret) else {
        return Err(Error::Document);
    };
    let expiration = given.expiration.map(|text| text.parse()).transpose().map_err(|_| Error::Document)?;
    if let Some(ended) = expiration.filter(|end| *end <= now) {
        return Err(Error::Expired(ended));
    }
    Ok(Lease {
        access_key_id: id,
        secret_access_key: secret.0,
        session_token: given.token.map(|token| token.0),
        expiration,
    })
}

#[derive(Deserialize)]
struct Given {
    #[serde(rename = "Code")]
    code: Option<String>,
    #[serde(rename = "AccessKeyId")]
    id: Option<String>,
    #[serde(rename = "SecretAccessKey", default, deserialize_with = "optional")]
    secret: Option<SecretText>,
    #[serde(rename = "Token", default, deserialize_with = "optional")]
    token: Option<SecretText>,
    #[serde(rename = "Expiration")]
    expiration: Option<String>,
}

const LONGEST_CODE: usize = 64;

#[cfg(test)]
mod tests;
