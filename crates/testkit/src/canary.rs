//! Secrets that are planted to be found where they must not be.

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
    PLANTED.lock().unwrap_or_else(PoisonError::into_inner).push(canary.clone());
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

/// Fails the test when any canary that was planted in this process is in `bytes`, in any of its encodings.
#[track_caller]
pub fn assert_absent(bytes: impl AsRef<[u8]>, what: &str) {
    let planted = PLANTED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert!(!planted.is_empty(), "no canary was planted, so there is nothing to find");
    for canary in &planted {
        assert_free_of(bytes.as_ref(), canary, what);
    }
}

/// Fails the test when this canary is in `bytes`, in any of its encodings. The bytes are not printed.
#[track_caller]
pub fn assert_free_of(bytes: impl AsRef<[u8]>, canary: &str, what: &str) {
    let found = found(bytes.as_ref(), canary);
    assert!(found.is_none(), "a canary is in {what}, as {}", found.unwrap_or_default());
}

/// The encoding in which the canary is in `bytes`, where it is.
#[must_use]
pub fn found(bytes: &[u8], canary: &str) -> Option<&'static str> {
    encodings(canary).into_iter().find(|(_, needle)| contains(bytes, needle)).map(|(name, _)| name)
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    let Some((first, rest)) = needle.split_first() else { return false };
    bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| *byte == first)
        .any(|(at, _)| bytes.get(at + 1..).is_some_and(|behind| behind.starts_with(rest)))
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
static PLANTED: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[cfg(test)]
mod tests;
