//! Masking a body that comes in pieces, without copying what has nothing in it.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::{Mask, Span, is_dense, merge, paint};

/// Masks a body piece by piece. Give it every piece in order, and [`MaskStream::finish`] at the end.
///
/// It holds back the unbroken text at the end of a piece, at most one byte less than the longest form: a secret may go on
/// in the next piece. A piece that ends with white space, as every server-sent event does, is passed on whole, unless the
/// secret has white space itself.
pub struct MaskStream {
    mask: Arc<Mask>,
    held: Zeroizing<Vec<u8>>,
    /// What is left of a masked stretch whose beginning was sent already.
    carry: Option<Span>,
    hits: u64,
}

/// What may be sent after one piece came: first `before`, then `chunk`.
#[must_use]
pub struct Passed {
    /// Bytes of earlier pieces that were held back.
    pub before: Vec<u8>,
    /// What to send of this piece.
    pub chunk: Part,
}

/// What to send of a piece.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// Its first bytes, this many, as they are.
    Same(usize),
    /// These bytes instead of as many first bytes of it.
    Instead(Vec<u8>),
}

impl MaskStream {
    pub(super) fn new(mask: Arc<Mask>) -> Self {
        Self { mask, held: Zeroizing::new(Vec::new()), carry: None, hits: 0 }
    }

    /// Takes the next piece and says what may be sent.
    pub fn push(&mut self, chunk: &[u8]) -> Passed {
        if self.mask.is_empty() {
            return Passed { before: Vec::new(), chunk: Part::Same(chunk.len()) };
        }
        let before = self.held.len();
        let total = before + chunk.len();
        let release = total - self.tail(chunk).min(total);
        let spans = merge(self.all_hits(chunk), self.carry.take());
        let fresh = spans.iter().filter(|span| span.into == 0 && span.start < release).count();
        self.hits += u64::try_from(fresh).unwrap_or(u64::MAX);
        // A stretch that was begun stays begun, even if nothing of it can be sent now.
        let begun = |span: &&Span| (span.start < release || span.into > 0) && span.end > release;
        self.carry = spans.iter().find(begun).map(|span| Span {
            start: 0,
            end: span.end - release,
            into: span.into + (release - span.start),
        });
        let passed = self.release(chunk, release, &spans);
        self.hold(chunk, release);
        passed
    }

    /// The end of the body: what was held back.
    #[must_use]
    pub fn finish(&mut self) -> Vec<u8> {
        let spans = merge(self.all_hits(b""), self.carry.take());
        let fresh = spans.iter().filter(|span| span.into == 0).count();
        self.hits += u64::try_from(fresh).unwrap_or(u64::MAX);
        let mut last = std::mem::take(&mut *self.held);
        paint(&mut last, 0, &spans);
        last
    }

    /// How many places were masked in what was passed on.
    #[must_use]
    pub const fn hits(&self) -> u64 {
        self.hits
    }

    /// Places in the held bytes and the piece behind them, counted from the first held byte.
    fn all_hits(&self, chunk: &[u8]) -> Vec<(usize, usize)> {
        let before = self.held.len();
        let mut found = Vec::new();
        if before > 0 {
            // Only the seam is copied: what begins in the held bytes can't reach further.
            let reach = chunk.get(..self.mask.reach.longest.min(chunk.len())).unwrap_or_default();
            let mut seam = Zeroizing::new(Vec::with_capacity(before + reach.len()));
            seam.extend_from_slice(&self.held);
            seam.extend_from_slice(reach);
            found.extend(self.mask.hits(&seam).into_iter().filter(|(start, _)| *start < before));
        }
        found.extend(self.mask.hits(chunk).into_iter().map(|(start, end)| (start + before, end + before)));
        found
    }

    /// How many bytes at the end may be the beginning of a form.
    fn tail(&self, chunk: &[u8]) -> usize {
        let longest = self.mask.reach.longest.saturating_sub(1);
        let backwards = chunk.iter().rev().chain(self.held.iter().rev());
        let dense = backwards.take(longest).take_while(|byte| is_dense(**byte)).count();
        dense.max(self.mask.reach.spaced.saturating_sub(1))
    }

    fn release(&self, chunk: &[u8], release: usize, spans: &[Span]) -> Passed {
        let held = self.held.len();
        let mut before = self.held.get(..release.min(held)).unwrap_or_default().to_vec();
        paint(&mut before, 0, spans);
        let count = release.saturating_sub(held);
        let touched = spans.iter().any(|span| span.end > held && span.start < held + count);
        if count == 0 || !touched {
            return Passed { before, chunk: Part::Same(count) };
        }
        let mut instead = chunk.get(..count).unwrap_or_default().to_vec();
        paint(&mut instead, held, spans);
        Passed { before, chunk: Part::Instead(instead) }
    }

    fn hold(&mut self, chunk: &[u8], release: usize) {
        let held = self.held.len();
        let rest = chunk.get(release.saturating_sub(held)..).unwrap_or_default();
        let mut next = Zeroizing::new(Vec::with_capacity(held.saturating_sub(release) + rest.len()));
        next.extend_from_slice(self.held.get(release.min(held)..).unwrap_or_default());
        next.extend_from_slice(rest);
        self.held = next;
    }
}

impl Passed {
    /// Adds what may be sent to a buffer; `chunk` is the piece that was pushed.
    pub fn write(&self, chunk: &[u8], to: &mut Vec<u8>) {
        to.extend_from_slice(&self.before);
        match &self.chunk {
            Part::Same(count) => to.extend_from_slice(chunk.get(..*count).unwrap_or_default()),
            Part::Instead(bytes) => to.extend_from_slice(bytes),
        }
    }
}

#[cfg(test)]
mod tests;
