//! Frames: lines of at most so many bytes, read from a socket.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};
use zeroize::{Zeroize, Zeroizing};

/// What comes from the other end, frame by frame.
pub(crate) struct Frames {
    most: usize,
    buffer: Zeroizing<Vec<u8>>,
    /// Where the next frame begins.
    start: usize,
    /// Up to where there is no line end.
    looked: usize,
    ended: bool,
}

/// Why there is no frame.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoFrame {
    /// It has more bytes than a frame may have.
    #[error("the frame is larger than {0} bytes")]
    TooLarge(usize),
    /// The connection broke.
    #[error("the connection broke")]
    Broken(#[source] io::Error),
}

impl Frames {
    /// Frames of at most this many bytes.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, buffer: Zeroizing::new(Vec::new()), start: 0, looked: 0, ended: false }
    }

    /// The next frame that is not empty; `None` where the other end has said all. May be cancelled and asked again.
    pub(crate) async fn next(
        &mut self,
        from: &mut (impl AsyncRead + Unpin),
    ) -> Result<Option<&[u8]>, NoFrame> {
        let (begin, end) = loop {
            match self.found() {
                Found::Frame(begin, end) => break (begin, end),
                Found::TooLarge => return Err(NoFrame::TooLarge(self.most)),
                Found::Nothing if self.ended => return Ok(None),
                Found::Nothing => {
                    self.make_room();
                    let read = from.read_buf(&mut *self.buffer).await.map_err(NoFrame::Broken)?;
                    self.ended = read == 0;
                }
            }
        };
        Ok(self.buffer.get(begin..end))
    }

    /// The next frame of what is there. Behind the last one of a connection there may be no line end.
    fn found(&mut self) -> Found {
        loop {
            let rest = self.buffer.get(self.looked..).unwrap_or_default();
            let length = rest.iter().position(|byte| *byte == b'\n');
            let end = match length {
                Some(length) => self.looked + length,
                None if self.ended && self.start < self.buffer.len() => self.buffer.len(),
                None => {
                    self.looked = self.buffer.len();
                    let pending = self.buffer.len() - self.start;
                    return if pending > self.most { Found::TooLarge } else { Found::Nothing };
                }
            };
            let begin = self.start;
            self.start = (end + 1).min(self.buffer.len());
            self.looked = self.start;
            if end - begin > self.most {
                return Found::TooLarge;
            }
            let frame = self.buffer.get(begin..end).unwrap_or_default();
            if !frame.trim_ascii().is_empty() {
                return Found::Frame(begin, end);
            }
        }
    }

    /// Moves what is left to the front and wipes what it leaves behind.
    fn make_room(&mut self) {
        let left = self.buffer.len() - self.start;
        if self.start > 0 {
            self.buffer.copy_within(self.start.., 0);
            if let Some(rest) = self.buffer.get_mut(left..) {
                rest.zeroize();
            }
            self.buffer.truncate(left);
            (self.start, self.looked) = (0, self.looked - self.start);
            if left == 0 && self.buffer.capacity() > KEPT {
                *self.buffer = Vec::new();
            }
        }
        if self.buffer.capacity() - left < ROOM {
            self.buffer.reserve(ROOM.max(left).min(self.most + ROOM));
        }
    }
}

enum Found {
    Frame(usize, usize),
    TooLarge,
    Nothing,
}

/// Bytes that are read at once.
const ROOM: usize = 4 * 1024;
/// A buffer that grew beyond this is let go of when it is empty.
const KEPT: usize = 64 * 1024;

#[cfg(test)]
mod tests;
