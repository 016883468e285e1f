//! Access tokens at the HTTP door: each is exchanged once, at the broker, for the capabilities that calls are made with.
//!
//! # Invariants
//!
//! - A token is known here by its hash only, for as long as what it gave lasts.
//! - What did not hold is not asked again for half a minute, and so many new ones a minute are asked at most: whoever makes up tokens
//!   fills no disk with their records.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::HeaderValue;
use model::{Code, Refusal, Retry, Timestamp};
use serde::Deserialize;
use serde_json::Value;

/// What tokens were exchanged for.
#[derive(Default)]
pub(super) struct Admissions(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    given: HashMap<crypto::Digest, (Result<Vec<HeaderValue>, Refusal>, Instant)>,
    /// Since when failures are counted, and how many there were.
    failures: Option<(Instant, u32)>,
}

/// What the broker says.
#[derive(Deserialize)]
pub(super) struct Exchanged {
    until: u64,
    capabilities: Vec<Capability>,
}

#[derive(Deserialize)]
struct Capability {
    token: String,
}

/// What is known of a token, or that it may be asked.
pub(super) enum Seen {
    Known(Result<Vec<HeaderValue>, Refusal>),
    New(crypto::Digest),
}

impl Admissions {
    /// What is known of this token.
    pub(super) fn look(&self, token: &HeaderValue) -> Seen {
        let digest = crypto::sha256(&[token.as_bytes()]);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if let Some((known, until)) = kept.given.get(&digest)
            && now < *until
        {
            return Seen::Known(known.clone());
        }
        if let Some((since, count)) = kept.failures {
            let left = MINUTE.saturating_sub(now.saturating_duration_since(since));
            if left.is_zero() {
                kept.failures = None;
            } else if count >= MOST_FAILURES {
                let refusal = Refusal::new(Code::RateLimited, "too many access tokens that did not hold");
                return Seen::Known(Err(refusal.retry(Retry::After(left))));
            }
        }
        Seen::New(digest)
    }

    /// Keeps what came of one.
    pub(super) fn keep(
        &self,
        digest: crypto::Digest,
        answer: Result<Exchanged, Refusal>,
        clock: Timestamp,
    ) -> Result<Vec<HeaderValue>, Refusal> {
        let now = Instant::now();
        let (came, lasts) = match answer {
            Ok(exchanged) => {
                let left = exchanged.until.saturating_sub(clock.millis());
                (exchanged.capabilities(), Duration::from_millis(left))
            }
            // The token may hold: nothing is said against it.
            Err(refusal) if refusal.code.http_status() >= 500 => return Err(refusal),
            Err(refusal) => (Err(refusal), AGAIN),
        };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if came.is_err() {
            let (since, count) = kept.failures.unwrap_or((now, 0));
            kept.failures = Some((since, count + 1));
        }
        kept.given.retain(|_, (_, until)| now < *until);
        if kept.given.len() < MOST {
            kept.given.insert(digest, (came.clone(), now + lasts));
        }
        came
    }
}

impl Exchanged {
    /// Reads the broker's answer.
    pub(super) fn read(value: Value) -> Result<Self, Refusal> {
        serde_json::from_value(value).map_err(|error| {
            Refusal::new(Code::SourceUnavailable, format!("the broker's answer can't be understood: {error}"))
        })
    }

    fn capabilities(self) -> Result<Vec<HeaderValue>, Refusal> {
        let capabilities = self.capabilities.into_iter().map(|one| {
            let mut value = HeaderValue::from_str(&one.token).map_err(|_| {
                Refusal::new(Code::SourceUnavailable, "the broker gave a capability that can't be sent")
            })?;
            value.set_sensitive(true);
            Ok(value)
        });
        capabilities.collect()
    }
}

const MINUTE: Duration = Duration::from_secs(60);
/// How long a token that did not hold is not asked again.
const AGAIN: Duration = Duration::from_secs(30);
/// Most tokens that don't hold, a minute.
const MOST_FAILURES: u32 = 600;
/// Most tokens that are known at a time.
const MOST: usize = 4_096;

#[cfg(test)]
mod tests;
