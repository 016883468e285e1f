//! Credentials for AWS with an end.

use memory::Secret;
use model::Timestamp;
use zeroize::Zeroizing;

use crate::wire::json::Object;

/// Credentials for AWS: from a call to STS or SSO, from a program, or a stored key that is used as it is.
pub struct Lease {
    /// The id of the access key. Not secret: AWS shows it in every log.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: Secret,
    /// The session token; a long-lived key has none.
    pub session_token: Option<Secret>,
    /// When AWS stops accepting them; a long-lived key has no end.
    pub expiration: Option<Timestamp>,
}

impl Lease {
    /// The JSON of `credential_process`, on one line. `None` where a secret is not text.
    ///
    /// Source: AWS SDKs and tools reference guide, "Process credential provider".
    #[must_use]
    pub fn to_process_json(&self) -> Option<Zeroizing<String>> {
        let object = Object::with_room(4096).number("Version", 1).text("AccessKeyId", &self.access_key_id);
        let mut object = object.secret("SecretAccessKey", &self.secret_access_key)?;
        if let Some(token) = &self.session_token {
            object = object.secret("SessionToken", token)?;
        }
        if let Some(end) = self.expiration {
            object = object.text("Expiration", &crate::session::rfc3339(end));
        }
        Some(object.end())
    }
}
