//! What an upstream says behind a WebSocket handshake, looked through for the credential before it is passed on.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use net::websocket::{Frames, Part};
use secrets::{Mask, MaskStream, Part as Masked};

/// Bytes that were not passed on yet, and what is known of them.
pub(super) struct Watched {
    frames: Frames,
    /// As they came.
    held: BytesMut,
    mask: Option<Arc<Mask>>,
    /// The data message that has not ended.
    message: Option<MaskStream>,
    /// Stretches of the held bytes that are data, from the first one that waits: where each begins, and how long it is.
    stretches: VecDeque<(usize, usize)>,
    /// How many of the last bytes of these may be the beginning of the credential.
    waiting: usize,
    /// The control frame that has not ended: where what it says begins, and how long it is.
    control: Option<(usize, usize)>,
    /// Where the last whole frame outside of a message ends in the held bytes; `None` where a part of a frame behind it was passed on.
    ended: Option<usize>,
    hits: u64,
}

/// It is no frame, or it is the credential.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unsound;

impl Watched {
    pub(super) fn new(mask: Option<&Arc<Mask>>) -> Self {
        Self {
            frames: Frames::default(),
            held: BytesMut::new(),
            mask: mask.cloned(),
            message: None,
            stretches: VecDeque::new(),
            waiting: 0,
            control: None,
            ended: Some(0),
            hits: 0,
        }
    }

    /// How often the credential was found.
    pub(super) const fn hits(&self) -> u64 {
        self.hits
    }

    /// Whether all that came was passed on, to the end of a frame: another frame can stand here.
    pub(super) fn is_between(&self) -> bool {
        self.frames.is_between() && self.held.is_empty()
    }

    /// What stands whole in front of that which is unsound, once something is; behind it another frame can stand.
    pub(super) fn innocent(&mut self) -> Bytes {
        let Some(ended) = self.ended else { return Bytes::new() };
        let innocent = self.held.split_to(ended.min(self.held.len())).freeze();
        self.held.clear();
        self.frames = Frames::default();
        innocent
    }

    /// Takes the next bytes, and gives those that may be passed on.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<Bytes, Unsound> {
        let mut at = self.held.len();
        self.held.extend_from_slice(piece);
        let mut rest = piece;
        while let Some(part) = self.frames.next(rest).map_err(|_| Unsound)? {
            let taken = match part {
                Part::Head(taken) | Part::Data(taken) | Part::Control(taken) => taken,
                Part::MessageEnd | Part::ControlEnd => 0,
            };
            let (here, behind) = rest.split_at_checked(taken).ok_or(Unsound)?;
            match part {
                Part::Head(_) => {}
                Part::Data(_) => self.data(at, here)?,
                Part::MessageEnd => self.message_end()?,
                Part::Control(taken) => self.control.get_or_insert((at, 0)).1 += taken,
                Part::ControlEnd => self.control_end()?,
            }
            rest = behind;
            at += taken;
            if matches!(part, Part::MessageEnd | Part::ControlEnd) && self.message.is_none() {
                self.ended = Some(at);
            }
        }
        let sound = self.sound();
        self.ended = self.ended.and_then(|ended| ended.checked_sub(sound));
        for (start, _) in &mut self.stretches {
            *start -= sound;
        }
        if let Some((start, _)) = &mut self.control {
            *start -= sound;
        }
        Ok(self.held.split_to(sound).freeze())
    }

    fn data(&mut self, at: usize, here: &[u8]) -> Result<(), Unsound> {
        let Some(mask) = &self.mask else { return Ok(()) };
        if here.is_empty() {
            return Ok(());
        }
        let message = self.message.get_or_insert_with(|| mask.stream());
        let passed = message.push(here);
        self.hits += message.hits();
        if message.hits() > 0 {
            return Err(Unsound);
        }
        let clear = passed.before.len()
            + match passed.chunk {
                Masked::Same(count) => count,
                Masked::Instead(bytes) => bytes.len(),
            };
        self.stretches.push_back((at, here.len()));
        self.waiting = (self.waiting + here.len()).saturating_sub(clear);
        Ok(())
    }

    fn message_end(&mut self) -> Result<(), Unsound> {
        if let Some(mut message) = self.message.take() {
            let _ = message.finish();
            self.hits += message.hits();
            if message.hits() > 0 {
                return Err(Unsound);
            }
        }
        self.waiting = 0;
        Ok(())
    }

    fn control_end(&mut self) -> Result<(), Unsound> {
        let Some((start, length)) = self.control.take() else { return Ok(()) };
        let said = self.held.get(start..start + length).ok_or(Unsound)?;
        match self.mask.as_ref().and_then(|mask| mask.text(said)) {
            Some(found) => {
                self.hits += found.hits;
                Err(Unsound)
            }
            None => Ok(()),
        }
    }

    /// How many of the held bytes may be passed on.
    fn sound(&mut self) -> usize {
        let all: usize = self.stretches.iter().map(|(_, length)| length).sum();
        let mut clear = all.saturating_sub(self.waiting);
        while let Some((start, length)) = self.stretches.front_mut() {
            let here = clear.min(*length);
            (*start, *length) = (*start + here, *length - here);
            clear -= here;
            if *length > 0 {
                break;
            }
            self.stretches.pop_front();
        }
        let data = self.stretches.front().map_or(self.held.len(), |(start, _)| *start);
        let control = self.control.map_or(self.held.len(), |(start, _)| start);
        data.min(control)
    }
}

#[cfg(test)]
mod tests;
