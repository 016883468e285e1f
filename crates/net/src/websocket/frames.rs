//! Where the frames of a server begin and end (RFC 6455, section 5.2), byte for byte as they come.
//!
//! # Invariants
//!
//! - What has more than one reading, or what a server may not send, is an error: a masked frame, a reserved bit or opcode, a
//!   control frame that is long or in pieces, a length that is written longer than it has to be, a message inside another.

/// Follows the frames that a server sends.
#[derive(Debug, Default)]
pub struct Frames {
    head: Head,
    /// Bytes of the payload that are still to come, and what kind they are.
    left: u64,
    kind: Kind,
    last: Last,
    /// A data message was begun and not ended.
    inside: bool,
}

/// What the next bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// So many bytes of a head.
    Head(usize),
    /// So many bytes of what a data message says.
    Data(usize),
    /// So many bytes of what a control frame says.
    Control(usize),
    /// No byte: a control frame has ended.
    ControlEnd,
    /// No byte: a data message has ended.
    MessageEnd,
}

/// These are no frames of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the upstream sent a malformed WebSocket frame: {0}")]
pub struct Unframed(&'static str);

#[derive(Debug, Default)]
struct Head {
    bytes: [u8; 10],
    have: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Kind {
    /// Between two frames.
    #[default]
    None,
    Data,
    Control,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Last {
    #[default]
    No,
    Yes,
}

impl Frames {
    /// Whether the last frame that came has ended, and no other has begun.
    #[must_use]
    pub fn is_between(&self) -> bool {
        self.kind == Kind::None && self.head.have == 0
    }

    /// What the first of these bytes are; `None` where more are needed to say anything. Called again with what is left.
    ///
    /// # Errors
    /// [`Unframed`]; nothing behind it has a meaning.
    pub fn next(&mut self, bytes: &[u8]) -> Result<Option<Part>, Unframed> {
        if self.kind != Kind::None {
            if self.left == 0 {
                return Ok(Some(self.end()));
            }
            if bytes.is_empty() {
                return Ok(None);
            }
            let here = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
            self.left -= u64::try_from(here).unwrap_or(self.left);
            return Ok(Some(if self.kind == Kind::Data { Part::Data(here) } else { Part::Control(here) }));
        }
        let mut taken = 0;
        while self.head.have < self.head.wanted() {
            let (Some(byte), Some(place)) = (bytes.get(taken), self.head.bytes.get_mut(self.head.have))
            else {
                break;
            };
            *place = *byte;
            self.head.have += 1;
            taken += 1;
        }
        if self.head.have >= 2 && self.head.have == self.head.wanted() {
            self.begin()?;
        }
        Ok((taken > 0).then_some(Part::Head(taken)))
    }

    /// A head is complete.
    fn begin(&mut self) -> Result<(), Unframed> {
        let Head { bytes, .. } = std::mem::take(&mut self.head);
        let [first, second, ..] = bytes;
        if first & RESERVED != 0 {
            return Err(Unframed("a reserved bit is set, though no extension was agreed on"));
        }
        if second & MASKED != 0 {
            return Err(Unframed("it is masked"));
        }
        let length = length(&bytes).ok_or(Unframed("its length is not written in the shortest way"))?;
        self.last = if first & LAST != 0 { Last::Yes } else { Last::No };
        self.kind = match first & OPCODE {
            0x0 if self.inside => Kind::Data,
            0x1 | 0x2 if !self.inside => Kind::Data,
            0x0..=0x2 => return Err(Unframed("a message begins or goes on in the wrong place")),
            0x8..=0xA if self.last == Last::Yes && length <= 125 => Kind::Control,
            0x8..=0xA => return Err(Unframed("a control frame is long, or in pieces")),
            _ => return Err(Unframed("its opcode is reserved")),
        };
        if self.kind == Kind::Data {
            self.inside = self.last == Last::No;
        }
        self.left = length;
        Ok(())
    }

    /// A payload is complete.
    fn end(&mut self) -> Part {
        let kind = std::mem::take(&mut self.kind);
        match (kind, self.last) {
            (Kind::Data, Last::Yes) => Part::MessageEnd,
            (Kind::Control, _) => Part::ControlEnd,
            // The message goes on in another frame.
            (Kind::Data | Kind::None, _) => Part::Data(0),
        }
    }
}

impl Head {
    /// How long it is, as far as it is known.
    fn wanted(&self) -> usize {
        let [_, second, ..] = self.bytes;
        match (self.have, second & LENGTH) {
            (0 | 1, _) => 2,
            (_, 126) => 4,
            (_, 127) => 10,
            _ => 2,
        }
    }
}

/// The length of a payload, where it is written in the shortest way.
fn length(head: &[u8; 10]) -> Option<u64> {
    let [_, second, rest @ ..] = head;
    let [a, b, ..] = *rest;
    match second & LENGTH {
        126 => Some(u64::from(u16::from_be_bytes([a, b]))).filter(|length| *length > 125),
        127 => Some(u64::from_be_bytes(*rest))
            .filter(|length| *length > u64::from(u16::MAX) && *length <= i64::MAX.unsigned_abs()),
        short => Some(u64::from(short)),
    }
}

const LAST: u8 = 0x80;
const RESERVED: u8 = 0x70;
const OPCODE: u8 = 0x0F;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7F;

#[cfg(test)]
mod tests;
