//! Scrubbing by value: a secret that was lent is masked in whatever comes back, in every usual encoding of it.
//!
//! A reply is searched for four-byte fragments of the forms in which the secret may come back (see `forms`); the whole
//! form is compared only where a fragment was found. Where escapes stand, what they mean is searched as well (see `escapes`). So the search runs at the speed of memory, and the forms stay in
//! guarded memory. What is found is overwritten by as many other bytes, so that a `content-length` stays true.
//!
//! What this does not find: most encodings within encodings (base 64 of a percent-encoded secret), base 64 that is broken into
//! lines, compressed bodies (unpack them first), and a secret that the upstream sends piece by piece. In base 64 up to
//! six bits of the first and of the last byte may stay, because they share a character with their neighbours.
//!
//! # Invariants
//!
//! - Not more than one fragment a form is kept outside guarded memory, all of the same few bytes of the secret.
//! - What is held back in a stream depends on public properties of the bytes (white space), never on how much of the
//!   secret they resemble; otherwise the delay would tell a guess apart from a wrong one.

mod escapes;
mod forms;
mod said;
mod stream;

use aho_corasick::{AhoCorasick, Input, MatchKind, packed};
use memory::Secret;
use zeroize::Zeroizing;

pub use said::{said_without, said_without_all};
pub use stream::{MaskStream, Part, Passed};

use forms::{Form, Fragment};

/// What finds one or more secrets in a reply and masks them. Has no `Debug`, for it holds them.
pub struct Mask {
    forms: Secret,
    entries: Vec<Entry>,
    /// For each fragment that is searched, the forms that have it.
    targets: Vec<Vec<usize>>,
    finder: Finder,
    reach: Reach,
}

/// Why a secret can't be masked, and so must not be lent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unmaskable {
    /// It would be found everywhere.
    #[error("a secret shorter than 8 bytes can't be masked")]
    Short,
    /// No guarded memory for its forms.
    #[error("there is no guarded memory left for masking")]
    Memory,
    /// The search could not be prepared.
    #[error("the search for the secret could not be prepared")]
    Search,
}

/// Bytes in which something was masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masked {
    /// The bytes to send on, as many as before.
    pub bytes: Vec<u8>,
    /// How many places were masked.
    pub hits: u64,
}

/// One form in the guarded bytes.
struct Entry {
    from: usize,
    length: usize,
    fragment: usize,
}

/// How far the forms reach, which decides what a stream holds back.
#[derive(Clone, Copy)]
struct Reach {
    shortest: usize,
    longest: usize,
    /// The longest form, where there is white space in any.
    spaced: usize,
}

enum Finder {
    Nothing,
    Packed(packed::Searcher),
    Automaton(AhoCorasick),
}

impl Mask {
    /// What finds this secret.
    ///
    /// # Errors
    /// When it is too short to be told apart from other text.
    #[expect(clippy::disallowed_methods, reason = "derives the forms in which the secret may come back")]
    pub fn new(secret: &Secret) -> Result<Self, Unmaskable> {
        if secret.len() < SHORTEST {
            return Err(Unmaskable::Short);
        }
        Self::assemble(secret.expose(forms::of))
    }

    /// What finds a secret that is a user name and a password with a colon between them, and the half of it that is secret by itself.
    /// That is the password; and the user name where the password is none of its own, as services with API keys have it. Other user
    /// names are left as they are: a service needs them in its replies.
    ///
    /// # Errors
    /// As [`Self::new`] says. A half that is too short to be told apart is not looked for.
    #[expect(
        clippy::disallowed_methods,
        reason = "derives the forms in which a half of the secret may come back"
    )]
    pub fn of_pair(secret: &Secret) -> Result<Self, Unmaskable> {
        if secret.len() < SHORTEST {
            return Err(Unmaskable::Short);
        }
        Self::assemble(secret.expose(|pair| {
            let mut all = forms::of(pair);
            all.extend(secret_half(pair).map(forms::of).into_iter().flatten());
            all
        }))
    }

    /// What finds the secrets of all these; of none, what finds nothing.
    ///
    /// # Errors
    /// When there is no guarded memory left.
    #[expect(
        clippy::disallowed_methods,
        reason = "copies the forms into the guarded memory of the joint mask"
    )]
    pub fn join(masks: &[&Self]) -> Result<Self, Unmaskable> {
        let mut all = Vec::new();
        for mask in masks {
            mask.forms.expose(|forms| {
                for entry in &mask.entries {
                    let bytes = forms.get(entry.from..entry.from + entry.length).unwrap_or_default();
                    all.push(Form { bytes: Zeroizing::new(bytes.to_vec()), fragment: entry.fragment });
                }
            });
        }
        Self::assemble(all)
    }

    /// Masks a header value, a path, or any other short text. `None` where there is nothing to mask.
    #[must_use]
    pub fn text(&self, text: &[u8]) -> Option<Masked> {
        if text.len() < self.reach.shortest {
            return None;
        }
        let spans = merge(self.hits(text), None);
        if spans.is_empty() {
            return None;
        }
        let mut bytes = text.to_vec();
        let hits = u64::try_from(spans.len()).unwrap_or(u64::MAX);
        paint(&mut bytes, 0, &spans);
        Some(Masked { bytes, hits })
    }

    /// Whether a secret stands in the name of a header, which the HTTP library wrote in lower case.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "compares a name with each form, in lower case")]
    pub fn is_in_name(&self, name: &[u8]) -> bool {
        let found = |form: &[u8]| {
            let form = Zeroizing::new(form.to_ascii_lowercase());
            name.windows(form.len().max(1)).any(|seen| crypto::same(seen, &form).is_ok())
        };
        name.len() >= self.reach.shortest
            && self.forms.expose(|forms| {
                let form = |entry: &Entry| forms.get(entry.from..entry.from + entry.length);
                self.entries.iter().filter(|entry| entry.length <= name.len()).filter_map(form).any(found)
            })
    }

    /// What masks a body that comes in pieces.
    #[must_use]
    pub fn stream(self: &std::sync::Arc<Self>) -> MaskStream {
        MaskStream::new(std::sync::Arc::clone(self))
    }

    /// Whether there is anything to look for.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn assemble(mut all: Vec<Form>) -> Result<Self, Unmaskable> {
        all.sort_by(|a, b| a.bytes.cmp(&b.bytes));
        all.dedup_by(|a, b| a.bytes == b.bytes);
        let mut patterns: Vec<Fragment> = Vec::new();
        let mut targets: Vec<Vec<usize>> = Vec::new();
        let mut entries = Vec::with_capacity(all.len());
        let mut reach = Reach { shortest: usize::MAX, longest: 0, spaced: 0 };
        let mut from = 0;
        for (at, form) in all.iter().enumerate() {
            let fragment = form.fragment_bytes().ok_or(Unmaskable::Search)?;
            match patterns.iter().position(|known| *known == fragment) {
                Some(known) => targets.get_mut(known).ok_or(Unmaskable::Search)?.push(at),
                None => {
                    patterns.push(fragment);
                    targets.push(vec![at]);
                }
            }
            let length = form.bytes.len();
            reach.shortest = reach.shortest.min(length);
            reach.longest = reach.longest.max(length);
            if !form.bytes.iter().all(|byte| is_dense(*byte)) {
                reach.spaced = 1;
            }
            entries.push(Entry { from, length, fragment: form.fragment });
            from += length;
        }
        if reach.spaced > 0 {
            // White space that is left as it is may stand between escapes of any length.
            reach.spaced = reach.longest;
        }
        let forms = Secret::filled(from, |mut to| {
            for form in &all {
                if let Some((head, tail)) = std::mem::take(&mut to).split_at_mut_checked(form.bytes.len()) {
                    head.copy_from_slice(&form.bytes);
                    to = tail;
                }
            }
        });
        let forms = forms.map_err(|_| Unmaskable::Memory)?;
        Ok(Self { forms, entries, targets, finder: Finder::new(&patterns)?, reach })
    }

    /// Every place where a form stands, as it is or escaped, sorted; they may overlap.
    fn hits(&self, text: &[u8]) -> Vec<(usize, usize)> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut found = self.places(text);
        escapes::hits(text, self.reach.longest, |meant| self.places(meant), &mut found);
        found.sort_unstable();
        found
    }

    /// Every place where a form stands as it is.
    #[expect(clippy::disallowed_methods, reason = "compares what was found with the whole form")]
    fn places(&self, text: &[u8]) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        let mut from = 0;
        while let Some((pattern, at)) = self.finder.find(text, from) {
            from = at + 1;
            for entry in
                self.targets.get(pattern).into_iter().flatten().filter_map(|at| self.entries.get(*at))
            {
                let Some(start) = at.checked_sub(entry.fragment) else { continue };
                let Some(seen) = text.get(start..start + entry.length) else { continue };
                let same = self.forms.expose(|forms| {
                    let form = forms.get(entry.from..entry.from + entry.length)?;
                    crypto::same(seen, form).ok()
                });
                if same.is_some() {
                    found.push((start, start + entry.length));
                }
            }
        }
        found
    }
}

// === impl Finder ===

impl Finder {
    fn new(patterns: &[Fragment]) -> Result<Self, Unmaskable> {
        if patterns.is_empty() {
            return Ok(Self::Nothing);
        }
        // The vectorised search is not there on every processor, nor for very many patterns.
        if let Some(packed) = packed::Searcher::new(patterns) {
            return Ok(Self::Packed(packed));
        }
        let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(patterns);
        automaton.map(Self::Automaton).map_err(|_| Unmaskable::Search)
    }

    /// The first fragment at or behind `from`: which one, and where.
    fn find(&self, text: &[u8], from: usize) -> Option<(usize, usize)> {
        if from >= text.len() {
            return None;
        }
        let found = match self {
            Self::Nothing => None,
            Self::Packed(packed) => packed.find_in(text, (from..text.len()).into()),
            Self::Automaton(automaton) => automaton.find(Input::new(text).range(from..)),
        }?;
        Some((found.pattern().as_usize(), found.start()))
    }
}

/// The half of `user:password` that is secret and long enough to be found.
fn secret_half(pair: &[u8]) -> Option<&[u8]> {
    let at = pair.iter().position(|byte| *byte == b':')?;
    let (user, password) = (pair.get(..at)?, pair.get(at + 1..)?);
    let is_filler = password.len() < SHORTEST || FILLERS.contains(&password);
    Some(if is_filler { user } else { password }).filter(|half| half.len() >= SHORTEST)
}

// === spans ===

/// A stretch to be overwritten; `into` is how much of it was sent already.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    into: usize,
}

/// Joins places that overlap. `carry` is what is left of a stretch that began earlier; it stays the first one.
fn merge(hits: Vec<(usize, usize)>, carry: Option<Span>) -> Vec<Span> {
    let mut spans: Vec<Span> = carry.into_iter().collect();
    for (start, end) in hits {
        match spans.last_mut() {
            Some(last) if start < last.end => last.end = last.end.max(end),
            _ => spans.push(Span { start, end, into: 0 }),
        }
    }
    spans
}

/// Overwrites the spans in bytes that begin at `offset`.
fn paint(bytes: &mut [u8], offset: usize, spans: &[Span]) {
    for span in spans {
        let (start, end) = (span.start.max(offset), span.end.min(offset + bytes.len()));
        if start >= end {
            continue;
        }
        let first = span.into + (start - span.start);
        for (into, byte) in (first..).zip(bytes.get_mut(start - offset..end - offset).into_iter().flatten()) {
            *byte = MARK.get(into).copied().unwrap_or(b'*');
        }
    }
}

/// Bytes that are neither white space nor control characters.
const fn is_dense(byte: u8) -> bool {
    byte > b' ' && byte != 0x7f
}

/// The shortest secret that can be told apart from other text.
pub const SHORTEST: usize = 8;
/// Passwords that services want beside an API key as the user name, and that are the same for everybody.
const FILLERS: [&[u8]; 2] = [b"api_token", b"x-oauth-basic"];
/// What a masked stretch begins with; asterisks follow.
const MARK: &[u8] = b"[masked";

#[cfg(test)]
mod tests;
