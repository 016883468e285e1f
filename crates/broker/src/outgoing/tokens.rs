//! Tokens that were made, until they end: one for each tenant, integration, scheme and set of secrets that it was made from.
//!
//! One call makes a token while the others wait for it, or use the one that is still good. A token is made anew a minute before
//! it ends; where that fails, the old one serves until it really ends, and the next try waits a little.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use memory::Secret;
use model::{IntegrationName, Refusal, TenantName, Timestamp};
use secrets::Mask;
use tokio::sync::{Mutex as AsyncMutex, MutexGuard as AsyncMutexGuard};

/// The tokens of a broker.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<HashMap<At, Arc<Slot>>>);

/// Whose token it is: of which tenant, integration and scheme of it, and for whom where it names somebody.
pub(crate) type At = (TenantName, IntegrationName, usize, String);

/// The place of one token.
pub(crate) struct Slot {
    /// What the token is made from: an HMAC of the scheme and its secrets. Other secrets make another token.
    from: [u8; 32],
    current: ArcSwapOption<Minted>,
    /// How often one was made, or was not to be had.
    tries: AtomicU64,
    /// When one was forgotten because its service did not take it, in milliseconds; zero for never.
    rejected: AtomicU64,
    making: AsyncMutex<Making>,
}

/// What only the call that makes a token sees.
#[derive(Default)]
pub(crate) struct Making {
    /// What came of the last try, where it failed, and until when it is left alone.
    failed: Option<(Refusal, Timestamp)>,
    /// A refresh token that came and could not be stored; nothing else is done before it is.
    pub(crate) unstored: Option<Secret>,
}

/// What a call finds at a slot.
pub(crate) enum Taken<'a> {
    /// A token that is good.
    Have(Arc<Minted>),
    /// It is this call that makes one; the old one is there as long as it is good.
    Make(AsyncMutexGuard<'a, Making>, Option<Arc<Minted>>),
}

/// How a token came here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    /// It was asked for, or signed.
    Asked,
    /// It was there, and is used as it is.
    Taken,
}

/// A token in memory. Has no `Debug`, for it holds one.
pub(crate) struct Minted {
    pub(crate) value: Secret,
    /// What masks it, and the secrets that it was made from.
    pub(crate) mask: Arc<Mask>,
    /// The sign-in that it is of.
    pub(crate) profile: Option<String>,
    /// What a session of AWS has besides its secret access key.
    pub(crate) session: Option<Assumed>,
    pub(crate) made: Made,
    renew: Timestamp,
    ends: Timestamp,
}

/// What a session of AWS has besides its secret access key. Has no `Debug`, for it holds a token.
pub(crate) struct Assumed {
    /// The id of its access key; no secret.
    pub(crate) access_key_id: String,
    pub(crate) token: Secret,
    /// Who it is to AWS.
    pub(crate) arn: String,
}

impl Tokens {
    /// The place of a token that is made from this.
    pub(crate) fn slot(&self, at: At, from: [u8; 32]) -> Arc<Slot> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match slots.get(&at) {
            Some(slot) if slot.from == from => Arc::clone(slot),
            _ => {
                let slot = Slot::alone(from);
                slots.insert(at, Arc::clone(&slot));
                slot
            }
        }
    }

    /// Forgets all of them. What is being made meanwhile is kept nowhere.
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Slot {
    /// One of its own, for a token that no other call uses.
    pub(crate) fn alone(from: [u8; 32]) -> Arc<Self> {
        let (current, tries) = (ArcSwapOption::empty(), AtomicU64::new(0));
        Arc::new(Self { from, current, tries, rejected: AtomicU64::new(0), making: AsyncMutex::default() })
    }

    /// The token that is there, or leave to make one. Of calls that wait for one that could not be made, all fail with it.
    pub(crate) async fn take(&self, now: Timestamp) -> Result<Taken<'_>, Refusal> {
        if let Some(have) = self.current.load_full().filter(|have| now < have.ends) {
            if now < have.renew {
                return Ok(Taken::Have(have));
            }
            let Ok(making) = self.making.try_lock() else { return Ok(Taken::Have(have)) };
            let quiet = making.failed.as_ref().is_some_and(|(_, until)| now < *until);
            return match self.current.load_full().filter(|newer| now < newer.renew) {
                Some(newer) => Ok(Taken::Have(newer)),
                None if quiet => Ok(Taken::Have(have)),
                None => Ok(Taken::Make(making, Some(have))),
            };
        }
        let seen = self.tries.load(Ordering::Acquire);
        let making = self.making.lock().await;
        if let Some(have) = self.current.load_full().filter(|have| now < have.renew) {
            return Ok(Taken::Have(have));
        }
        match &making.failed {
            Some((refusal, _)) if self.tries.load(Ordering::Acquire) != seen => Err(refusal.clone()),
            _ => Ok(Taken::Make(making, None)),
        }
    }

    /// Keeps what was made. Where nothing was, the old token serves as long as it is good.
    pub(crate) fn keep(
        &self,
        making: &mut Making,
        made: Result<Minted, Refusal>,
        old: Option<Arc<Minted>>,
        now: Timestamp,
    ) -> Result<Arc<Minted>, Refusal> {
        self.tries.fetch_add(1, Ordering::AcqRel);
        match made {
            Ok(minted) => {
                let minted = Arc::new(minted);
                self.current.store(Some(Arc::clone(&minted)));
                making.failed = None;
                Ok(minted)
            }
            Err(refusal) => {
                making.failed = Some((refusal.clone(), now.after(QUIET)));
                old.filter(|old| now < old.ends).ok_or(refusal)
            }
        }
    }

    /// Forgets a token that its service does not take. Once in a while only, or a service that takes none would be asked for one
    /// with each call.
    pub(crate) fn reject(&self, minted: &Arc<Minted>, now: Timestamp) -> bool {
        let current = self.current.load_full();
        let same = current.is_some_and(|current| Arc::ptr_eq(&current, minted));
        let before = self.rejected.load(Ordering::Acquire);
        let lately = before != 0 && now.since(Timestamp::from_millis(before)) < QUIET;
        let rejected = same
            && !lately
            && self
                .rejected
                .compare_exchange(before, now.millis(), Ordering::AcqRel, Ordering::Relaxed)
                .is_ok();
        if rejected {
            self.current.store(None);
        }
        rejected
    }
}

impl Minted {
    /// The same, of this sign-in.
    pub(crate) fn of(self, profile: String, made: Made) -> Self {
        Self { profile: Some(profile), made, ..self }
    }

    /// A token, and when it is made anew: a minute before it ends, or for a short one earlier than its last quarter.
    pub(crate) fn new(value: Secret, mask: Arc<Mask>, since: Timestamp, ends: Timestamp) -> Self {
        let life = ends.since(since);
        let early = EARLY.min(life / 4);
        let renew = since.after(life.saturating_sub(early));
        Self { value, mask, profile: None, session: None, made: Made::Asked, renew, ends }
    }

    /// The same, whose value is the secret access key of this session.
    pub(crate) fn of_session(self, session: Assumed) -> Self {
        Self { session: Some(session), ..self }
    }
}

const EARLY: Duration = Duration::from_secs(60);
/// How long a service that gave no token is left alone while an older token serves, and one that took none.
const QUIET: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
