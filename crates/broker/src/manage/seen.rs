//! What somebody saw before they changed it, or that they saw nothing: `If-Match` and `If-None-Match: *` of the API (RFC 9110, section 13.1).
//! Compared where the change is made, so that nobody comes between.

use model::{Code, Refusal};
use serde_json::Value;

use super::Managing;

/// The tags of what was seen, where somebody says so; and whether they say that there is nothing.
#[derive(Clone)]
pub(super) struct Seen {
    tags: Option<String>,
    nothing: bool,
}

/// Proof that it is still the same, or that nobody asked.
#[must_use]
pub(super) struct Unchanged(());

impl Seen {
    pub(super) fn of(managing: &Managing<'_>) -> Self {
        Self { tags: managing.inputs.get("seen").cloned(), nothing: managing.inputs.contains_key("absent") }
    }

    /// Compares with what a reader is shown now.
    ///
    /// # Errors
    /// `conflict` where it is another one; the API says 412.
    pub(super) fn still(&self, shown: &Value, what: &str) -> Result<Unchanged, Refusal> {
        let there = shown.get("status").and_then(Value::as_str) != Some(ABSENT);
        let refused =
            |message| Refusal::new(Code::Conflict, message).because("changed").hint("look at it again");
        if self.nothing && there {
            return Err(refused(format!("{what} is there already")));
        }
        let Some(tags) = &self.tags else { return Ok(Unchanged(())) };
        let own = crate::etag(shown.to_string().as_bytes());
        let is = |tag: &str| if tag == "*" { there } else { tag == own };
        if tags.split(',').map(str::trim).any(is) {
            return Ok(Unchanged(()));
        }
        Err(refused(format!("{what} is another one than that which was seen")))
    }
}

/// How something is shown that is not there.
const ABSENT: &str = "NOT_CONFIGURED";
