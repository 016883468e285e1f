//! Secrets that are planted to be found where they must not be.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

/// A new canary that says what it was planted for. It has characters that encodings change, and no two are the same.
#[must_use]
pub fn plant(name: &str) -> String {
    let random = || std::hash::RandomState::new().build_hasher().finish();
    let mut canary =
        format!("xoxb-CANARY-{name}-{:016x}/{:016x}+{:08x}", random(), random(), random() & 0xffff_ffff);
    // A whole number of base 64 groups, so that its encoding has no loose end.
    while canary.len() % 3 != 0 {
        canary.push('0');
    }
    PLANTED.lock().unwrap_or_else(PoisonError::into_inner).add(&canary);
    canary
}

/// The ways in which a program may write a secret without meaning to, by name.
#[must_use]
pub fn encodings(canary: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = canary.as_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut all = vec![
        ("raw", bytes.to_vec()),
        ("hex", hex.clone().into_bytes()),
        ("upper-case hex", hex.to_ascii_uppercase().into_bytes()),
        ("percent", percent(bytes, |byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte), "%")),
        ("percent of everything", percent(bytes, |_| false, "%")),
        (
            "percent, lower case",
            percent(bytes, |byte| byte.is_ascii_alphanumeric(), "%").to_ascii_lowercase(),
        ),
        ("JSON with escaped slashes", canary.replace('/', "\\/").into_bytes()),
        (
            "JSON of escapes only",
            canary.encode_utf16().flat_map(|unit| format!("\\u{unit:04x}").into_bytes()).collect(),
        ),
        ("reversed", bytes.iter().rev().copied().collect()),
        ("split at 8 by lines", bytes.chunks(8).collect::<Vec<_>>().join(&b'\n')),
        ("split at 8 by spaces", bytes.chunks(8).collect::<Vec<_>>().join(&b' ')),
        ("UTF-16", canary.encode_utf16().flat_map(u16::to_le_bytes).collect()),
    ];
    for (offset, standard, url) in [
        (0, "base 64", "base 64 for URLs"),
        (1, "base 64 behind one byte", "base 64 for URLs behind one byte"),
        (2, "base 64 behind two bytes", "base 64 for URLs behind two bytes"),
    ] {
        all.push((standard, aligned(&STANDARD, bytes, offset)));
        all.push((url, aligned(&URL_SAFE, bytes, offset)));
    }
    // Some encodings are the same for some canaries.
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|(_, needle)| seen.insert(needle.clone()));
    all
}

/// Secrets in all their encodings, searched for in one pass, however many they are: tests look through megabytes for thousands.
#[derive(Default)]
pub struct Forms(BTreeMap<[u8; START], BTreeMap<Vec<u8>, &'static str>>);

impl Forms {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds the encodings of a secret.
    pub fn add(&mut self, secret: &str) {
        for (name, form) in encodings(secret) {
            let start = *form.first_chunk().expect("an encoding is longer than what it is found by");
            self.0.entry(start).or_default().insert(form, name);
        }
    }

    /// The encoding in which one of the secrets is in `bytes`, where one is.
    #[must_use]
    pub fn found_in(&self, bytes: &[u8]) -> Option<&'static str> {
        (0..bytes.len()).find_map(|at| {
            let rest = bytes.get(at..)?;
            let mut forms = self.0.get(rest.first_chunk()?)?.iter();
            forms.find(|(form, _)| rest.starts_with(form)).map(|(_, name)| *name)
        })
    }
}

/// Fails the test when any canary that was planted in this process is in `bytes`, in any of its encodings.
#[track_caller]
pub fn assert_absent(bytes: impl AsRef<[u8]>, what: &str) {
    let planted = PLANTED.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(!planted.0.is_empty(), "no canary was planted, so there is nothing to find");
    assert_none(planted.found_in(bytes.as_ref()), what);
}

/// Fails the test when this canary is in `bytes`, in any of its encodings. The bytes are not printed.
#[track_caller]
pub fn assert_free_of(bytes: impl AsRef<[u8]>, canary: &str, what: &str) {
    assert_none(found(bytes.as_ref(), canary), what);
}

#[track_caller]
fn assert_none(found: Option<&'static str>, what: &str) {
    assert!(found.is_none(), "a canary is in {what}, as {}", found.unwrap_or_default());
}

/// The encoding in which the canary is in `bytes`, where it is.
#[must_use]
pub fn found(bytes: &[u8], canary: &str) -> Option<&'static str> {
    let mut forms = Forms::new();
    forms.add(canary);
    forms.found_in(bytes)
}

fn percent(bytes: &[u8], plain: impl Fn(u8) -> bool, escape: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in bytes {
        if plain(*byte) {
            out.push(*byte);
        } else {
            out.extend(format!("{escape}{byte:02X}").into_bytes());
        }
    }
    out
}

/// The part of base 64 that is the same whatever `offset` bytes stand before the canary, and whatever stands behind.
fn aligned(alphabet: &Alphabet, bytes: &[u8], offset: usize) -> Vec<u8> {
    let whole = [&vec![0; offset], bytes].concat();
    let text = GeneralPurpose::new(alphabet, NO_PAD).encode(&whole).into_bytes();
    let front = [0, 2, 3].get(offset).copied().unwrap_or(0);
    let back = text.len() - usize::from(whole.len() % 3 != 0);
    text.get(front..back).unwrap_or_default().to_vec()
}

/// Every canary of this process.
static PLANTED: Mutex<Forms> = Mutex::new(Forms::new());
/// So many first bytes of an encoding find it.
const START: usize = 4;

#[cfg(test)]
mod tests;
