//! Server-sent events (WHATWG HTML, section 9.2), as far as the service sends them: lines of data between empty lines.

use serde_json::Value;

/// Reads events piece by piece.
#[derive(Debug, Default)]
pub(super) struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
}

/// An event is longer than any that there should be, or no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the service can't be read")]
pub(super) struct Unreadable;

impl Events {
    /// The events that end in this piece. The mark `[DONE]` is none.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<Vec<Value>, Unreadable> {
        let mut found = Vec::new();
        let mut rest = piece;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, behind) = rest.split_at(end);
            self.line.extend_from_slice(line);
            rest = behind.get(1..).unwrap_or_default();
            found.extend(self.line_ended()?);
        }
        self.line.extend_from_slice(rest);
        if self.line.len() + self.data.len() > LONGEST { Err(Unreadable) } else { Ok(found) }
    }

    fn line_ended(&mut self) -> Result<Option<Value>, Unreadable> {
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            if data.is_empty() || data == b"[DONE]" {
                return Ok(None);
            }
            return serde_json::from_slice(&data).map(Some).map_err(|_| Unreadable);
        }
        if let Some(data) = line.strip_prefix(b"data:") {
            if !self.data.is_empty() {
                self.data.push(b'\n');
            }
            self.data.extend_from_slice(data.strip_prefix(b" ").unwrap_or(data));
        }
        Ok(None)
    }
}

/// The last event has the whole answer in it.
const LONGEST: usize = 8 << 20;
