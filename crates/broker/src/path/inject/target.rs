//! The target with the credential in it, and the proof that nothing else of it changed.
//!
//! Each change is noted: where it stands, what stood there before, and what is in front of and behind the credential. So the
//! last look can take the credentials out again and compare what is left, byte for byte, with what was permitted.

use std::borrow::Cow;

use model::{Code, Refusal, Target};

/// A target that credentials are written into.
pub(super) struct Written<'a> {
    permitted: &'a str,
    text: Cow<'a, str>,
    edits: Vec<Edit>,
}

/// One credential in the target.
struct Edit {
    /// Where it begins, in the text as it is now.
    at: usize,
    /// What stands in front of the credential and came with it.
    lead: String,
    /// How long the credential is.
    length: usize,
    /// What stands behind it and came with it.
    tail: String,
    /// What was there before.
    was: String,
}

/// Proof that a target is the permitted one, but for credentials. Only [`Written::checked`] makes one.
#[must_use]
pub(super) struct Intact(());

impl<'a> Written<'a> {
    pub(super) fn new(target: &'a Target) -> Self {
        Self { permitted: target.as_str(), text: Cow::Borrowed(target.as_str()), edits: Vec::new() }
    }

    /// Whether it began as this target.
    pub(super) fn is_for(&self, target: &Target) -> bool {
        self.permitted == target.as_str()
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Where the query begins, or the target ends.
    pub(super) fn path_end(&self) -> usize {
        self.text.find('?').unwrap_or(self.text.len())
    }

    /// Puts a credential, percent-encoded, between `lead` and `tail` at `at`, in the place of `replaced` bytes.
    pub(super) fn put(&mut self, (at, replaced): (usize, usize), lead: &str, credential: &str, tail: &str) {
        let text = self.text.to_mut();
        let was = text.get(at..at + replaced).unwrap_or_default().to_owned();
        let put = [lead, credential, tail].concat();
        if !text.is_char_boundary(at) || !text.is_char_boundary(at + was.len()) {
            return;
        }
        text.replace_range(at..at + was.len(), &put);
        for edit in self.edits.iter_mut().filter(|edit| edit.at >= at) {
            edit.at = edit.at + put.len() - was.len();
        }
        let (lead, tail) = (lead.to_owned(), tail.to_owned());
        self.edits.push(Edit { at, lead, length: credential.len(), tail, was });
    }

    /// Writes each `+` of the query as `%20`. Some services read it as a space and some as itself, and a signature of AWS holds
    /// for one of the two only; a space is what forms and our own rules read.
    pub(super) fn spaces(&mut self) {
        let plus = |text: &str| {
            text.split_once('?').and_then(|(path, query)| Some(path.len() + 1 + query.find('+')?))
        };
        while let Some(at) = plus(&self.text) {
            self.put((at, 1), "", "%20", "");
        }
    }

    /// The last look: without the credentials this is what was permitted, and no credential reaches out of its place.
    pub(super) fn checked(&self, sent: &str) -> Result<Intact, Refusal> {
        let changed =
            || Refusal::new(Code::AddressForbidden, "the credential would change more than its own place");
        if self.edits.is_empty() {
            return if sent == self.permitted { Ok(Intact(())) } else { Err(changed()) };
        }
        let mut edits: Vec<&Edit> = self.edits.iter().collect();
        edits.sort_by_key(|edit| edit.at);
        let (mut back, mut rest, mut from) = (String::with_capacity(sent.len()), sent, 0);
        for edit in edits {
            let (kept, behind) =
                edit.at.checked_sub(from).and_then(|at| rest.split_at_checked(at)).ok_or_else(changed)?;
            let behind = behind.strip_prefix(edit.lead.as_str()).ok_or_else(changed)?;
            let (credential, behind) = behind.split_at_checked(edit.length).ok_or_else(changed)?;
            let behind = behind.strip_prefix(edit.tail.as_str()).ok_or_else(changed)?;
            if !is_escaped(credential) {
                return Err(changed());
            }
            back.push_str(kept);
            back.push_str(&edit.was);
            from = edit.at + edit.lead.len() + edit.length + edit.tail.len();
            rest = behind;
        }
        back.push_str(rest);
        if back == self.permitted { Ok(Intact(())) } else { Err(changed()) }
    }
}

/// Whether nothing of it can be read as more than one name or value (RFC 3986, section 2).
fn is_escaped(text: &str) -> bool {
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => return !matches!(text, "" | "." | ".."),
            [b'%', high, low, behind @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => behind,
            [byte, behind @ ..] if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) => behind,
            _ => return false,
        };
    }
}

#[cfg(test)]
mod tests;
