//! Digest access authentication (RFC 7616): the challenge of a service, and the answer to it.
//!
//! MD5 and SHA-256, with `qop=auth`. The form without `qop` of RFC 2069 is refused: it does not cover our own nonce. A challenge
//! is remembered, so that later calls need no second try.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use http::header::{HeaderMap, WWW_AUTHENTICATE};
use model::{IntegrationName, TenantName};
use zeroize::Zeroizing;

/// Challenges by integration.
#[derive(Default)]
pub(crate) struct Challenges(Mutex<HashMap<(TenantName, IntegrationName), Arc<Challenge>>>);

/// What a service wants to be answered.
#[derive(Debug)]
pub(crate) struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    /// Whether the algorithm was named, so that it is named in the answer.
    named: bool,
    stale: bool,
    used: AtomicU32,
}

/// A hash function of Digest, the stronger one greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Algorithm {
    Md5,
    Sha256,
}

impl Challenges {
    pub(crate) fn get(&self, at: &(TenantName, IntegrationName)) -> Option<Arc<Challenge>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(at).cloned()
    }

    /// Remembers the strongest challenge of a reply. Says whether another answer is worth a try: the first to any challenge, and
    /// one to a nonce that was good and has ended.
    pub(crate) fn learn(
        &self,
        at: (TenantName, IntegrationName),
        headers: &HeaderMap,
        answered: Option<&Challenge>,
    ) -> bool {
        // A realm may hold letters beyond ASCII.
        let texts = headers
            .get_all(WWW_AUTHENTICATE)
            .into_iter()
            .filter_map(|value| str::from_utf8(value.as_bytes()).ok());
        let strongest = texts.flat_map(read).max_by_key(|challenge| challenge.algorithm);
        let Some(challenge) = strongest else { return false };
        let again = answered.is_none_or(|answered| challenge.stale && answered.nonce != challenge.nonce);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(at, Arc::new(challenge));
        again
    }
}

impl Challenge {
    /// The value of `authorization`. `pair` is `user:password`.
    pub(crate) fn answer(
        &self,
        pair: &[u8],
        (method, target): (&str, &str),
        cnonce: &str,
    ) -> Option<Zeroizing<String>> {
        let colon = pair.iter().position(|byte| *byte == b':')?;
        let (user, password) = (pair.get(..colon)?, pair.get(colon + 1..)?);
        let user = str::from_utf8(user).ok()?;
        if user.chars().any(char::is_control) {
            return None;
        }
        let count = format!("{:08x}", self.used.fetch_add(1, Ordering::Relaxed).wrapping_add(1));
        let hash = |parts: &[&[u8]]| self.algorithm.hash(parts);
        let a1 = hash(&[user.as_bytes(), b":", self.realm.as_bytes(), b":", password]);
        let a2 = hash(&[method.as_bytes(), b":", target.as_bytes()]);
        let middle = format!(":{}:{count}:{cnonce}:auth:", self.nonce);
        let response = hash(&[a1.as_bytes(), middle.as_bytes(), a2.as_bytes()]);
        let mut text = Zeroizing::new(format!(
            "Digest username=\"{}\", realm=\"{}\", uri=\"{target}\", nonce=\"{}\", nc={count}, cnonce=\"{cnonce}\", \
             qop=auth, response=\"{}\"",
            *quoted(user),
            *quoted(&self.realm),
            *quoted(&self.nonce),
            *response
        ));
        if self.named {
            text.push_str(&format!(", algorithm={}", self.algorithm.name()));
        }
        if let Some(opaque) = &self.opaque {
            text.push_str(&format!(", opaque=\"{}\"", *quoted(opaque)));
        }
        Some(text)
    }
}

impl Algorithm {
    const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    fn hash(self, parts: &[&[u8]]) -> Zeroizing<String> {
        Zeroizing::new(match self {
            Self::Md5 => crypto::to_hex(&crypto::legacy_md5(parts)),
            Self::Sha256 => crypto::to_hex(&crypto::sha256(parts)),
        })
    }
}

/// The challenges of one header that we can answer.
fn read(text: &str) -> Vec<Challenge> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = word(rest, "digest ") {
        rest = rest.get(at + "digest ".len()..).unwrap_or_default();
        let (pairs, behind) = parameters(rest);
        rest = behind;
        found.extend(challenge(&pairs));
    }
    found
}

/// Where a scheme begins: at the start, or behind a comma.
fn word(text: &str, wanted: &str) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    lower.match_indices(wanted).map(|(at, _)| at).find(|at| {
        let before = lower.get(..*at).unwrap_or_default().trim_end();
        before.is_empty() || before.ends_with(',')
    })
}

/// The parameters of one challenge, and what stands behind it.
fn parameters(mut text: &str) -> (HashMap<String, String>, &str) {
    let mut pairs = HashMap::new();
    loop {
        text = text.trim_start_matches([' ', ',', '\t']);
        let Some((name, behind)) = text.split_once('=') else { return (pairs, text) };
        // The next scheme has a space before its first parameter.
        if name.trim().is_empty() || name.trim().contains([' ', ',', '"']) {
            return (pairs, text);
        }
        let behind = behind.trim_start();
        let (value, next) = match behind.strip_prefix('"') {
            Some(quoted) => match unquoted(quoted) {
                Some(read) => read,
                None => return (HashMap::new(), ""),
            },
            None => {
                let end = behind.find([',', ' ']).unwrap_or(behind.len());
                let (value, next) = behind.split_at_checked(end).unwrap_or((behind, ""));
                (value.to_owned(), next)
            }
        };
        pairs.insert(name.trim().to_ascii_lowercase(), value);
        text = next;
    }
}

fn unquoted(text: &str) -> Option<(String, &str)> {
    let (mut value, mut escaped) = (String::new(), false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => {
                value.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return Some((value, text.get(at + 1..)?)),
            c => value.push(c),
        }
    }
    None
}

/// What stands between the quotes of a quoted string (RFC 9110, section 5.6.4).
fn quoted(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn challenge(pairs: &HashMap<String, String>) -> Option<Challenge> {
    let plain = |text: &String| text.len() <= 1024 && !text.chars().any(char::is_control);
    let text = |name: &str| pairs.get(name).filter(|text| plain(text)).cloned();
    let algorithm = match pairs.get("algorithm").map(|name| name.to_ascii_uppercase()).as_deref() {
        None | Some("MD5") => Algorithm::Md5,
        Some("SHA-256") => Algorithm::Sha256,
        Some(_) => return None,
    };
    let auth =
        pairs.get("qop").is_some_and(|qop| qop.split(',').any(|one| one.trim().eq_ignore_ascii_case("auth")));
    if !auth {
        return None;
    }
    Some(Challenge {
        realm: text("realm")?,
        nonce: text("nonce")?,
        opaque: match pairs.get("opaque") {
            Some(_) => Some(text("opaque")?),
            None => None,
        },
        algorithm,
        named: pairs.contains_key("algorithm"),
        stale: pairs.get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        used: AtomicU32::new(0),
    })
}

#[cfg(test)]
mod tests;
