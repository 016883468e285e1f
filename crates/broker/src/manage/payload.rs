//! What comes with an operation and is not an input: a secret to store, the text of a policy.

use memory::Secret;
use model::{Code, Refusal};

/// Bytes in guarded memory.
pub struct Payload(Secret);

impl Payload {
    /// Moves the bytes into guarded memory and wipes where they were.
    ///
    /// # Errors
    /// When there is no guarded memory left.
    pub fn new(bytes: Vec<u8>) -> Result<Self, Refusal> {
        let secret =
            Secret::new(bytes).map_err(|error| Refusal::new(Code::SourceUnavailable, error.to_string()))?;
        Ok(Self(secret))
    }

    /// The number of bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As the secret that it is.
    #[must_use]
    pub fn into_secret(self) -> Secret {
        self.0
    }

    /// SHA-256 of the bytes.
    #[expect(clippy::disallowed_methods, reason = "an approval is bound to what came along")]
    pub(crate) fn digest(&self) -> crypto::Digest {
        self.0.expose(|bytes| crypto::sha256(&[bytes]))
    }

    /// As text that is no secret: a policy, an integration's file, a capability to look at.
    #[expect(clippy::disallowed_methods, reason = "the text of a policy or an integration is not a secret")]
    pub fn text(&self) -> Result<String, Refusal> {
        let text = self.0.expose(|bytes| String::from_utf8(bytes.to_vec()));
        text.map_err(|_| Refusal::new(Code::BadRequest, "what came with the operation is not UTF-8 text"))
    }
}
