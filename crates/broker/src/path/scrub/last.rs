//! Evidence fields of a stream of server-sent events: some services tell at the end what was used.
//!
//! Nothing is held back: what goes to the caller is looked at as it passes, and the newest event that tells a usage is remembered.
//! An event that is longer than [`LONGEST`] is not.

use std::sync::Arc;

use bytes::Bytes;
use catalog::Integration;
use memchr::memmem;
use model::OperationName;
use secrets::Mask;
use serde_json::Value;

use crate::path::admit::Admitted;

/// What was seen of a stream.
pub(crate) struct Last {
    integration: Arc<Integration>,
    operation: OperationName,
    line: Vec<u8>,
    /// The rest of this line is not looked at.
    skips: bool,
    kept: Option<Bytes>,
}

impl Last {
    /// For the reply of this call.
    pub(super) fn of(admitted: &Admitted) -> Self {
        let operation = admitted.permit.call().operation().clone();
        let integration = Arc::clone(&admitted.integration);
        Self { integration, operation, line: Vec::new(), skips: false, kept: None }
    }

    /// Looks at what is sent.
    pub(crate) fn sees(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, behind) = rest.split_at(end);
            self.takes(line);
            self.ends();
            rest = behind.get(1..).unwrap_or_default();
        }
        self.takes(rest);
    }

    /// The fields of the operation as the last event tells them. Those that it does not tell are left out.
    pub(crate) fn fields(&self, mask: Option<&Mask>) -> Vec<(String, String)> {
        let Some(kept) = &self.kept else { return Vec::new() };
        // Events of OpenAI's Responses API have the whole response in them; chunks of a chat are what they tell.
        let document = match serde_json::from_slice::<Value>(kept) {
            Ok(Value::Object(mut event)) => match event.remove("response") {
                Some(response @ Value::Object(_)) => response.to_string(),
                _ => String::from_utf8_lossy(kept).into_owned(),
            },
            _ => return Vec::new(),
        };
        let mut fields = self.integration.fields(&self.operation, &|_| None, document.as_bytes());
        super::masked(&mut fields, mask);
        fields
    }

    fn takes(&mut self, part: &[u8]) {
        if self.skips || self.line.len() + part.len() > LONGEST {
            (self.skips, self.line) = (true, Vec::new());
        } else {
            self.line.extend_from_slice(part);
        }
    }

    fn ends(&mut self) {
        let (line, skipped) = (std::mem::take(&mut self.line), std::mem::take(&mut self.skips));
        let Some(data) = line.strip_prefix(b"data:").filter(|_| !skipped) else { return };
        // A chunk in the middle says `"usage":null`.
        let tells = memmem::find(data, b"\"total_tokens\"").is_some();
        if tells {
            self.kept = Some(Bytes::copy_from_slice(data.trim_ascii()));
        }
    }
}

/// Longest event that is remembered: that of a long answer has all of it.
const LONGEST: usize = 256 * 1024;

#[cfg(test)]
mod tests;
