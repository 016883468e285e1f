//! What somebody saw before they changed it: `If-Match` of the API. Compared where the change is made, so that nobody comes between.

use model::{Code, Refusal};
use serde_json::Value;

use super::Managing;

/// The tag of what was seen, where somebody says so.
#[derive(Clone)]
pub(super) struct Seen(Option<String>);

/// Proof that it is still the same, or that nobody asked.
#[must_use]
pub(super) struct Unchanged(());

impl Seen {
    pub(super) fn of(managing: &Managing<'_>) -> Self {
        Self(managing.inputs.get("seen").cloned())
    }

    /// Compares with what a reader is shown now.
    ///
    /// # Errors
    /// `conflict` where it is another one; the API says 412.
    pub(super) fn still(&self, shown: &Value, what: &str) -> Result<Unchanged, Refusal> {
        match &self.0 {
            Some(seen) if *seen != crate::etag(shown.to_string().as_bytes()) => {
                Err(Refusal::new(Code::Conflict, format!("{what} is another one than that which was seen"))
                    .because("changed")
                    .hint("look at it again"))
            }
            _ => Ok(Unchanged(())),
        }
    }
}
