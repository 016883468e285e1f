//! A secret in memory, and the handle that lends it to one call.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use memory::Secret;
use model::{SecretRef, Timestamp};
use serde::Deserialize;

use crate::Error;
use crate::error::Unfit;
use crate::mask::{Mask, SHORTEST, Unmaskable};
use crate::source::config::Ages;
use crate::source::secret_text::SecretText;
use crate::source::{Stamp, Trouble, is_no_secret};

/// A secret with what masks it and every version before that has not ended, shared by the cache and the calls that it is lent to.
pub(crate) struct Held {
    reference: SecretRef,
    version: u64,
    secret: Secret,
    mask: Arc<Mask>,
    /// What masks it as `user:password`, once a call used it as that.
    pair: OnceLock<Arc<Mask>>,
    before: Vec<Before>,
    stamp: Stamp,
    ends: Option<Timestamp>,
    ages: Ages,
    fetched: Timestamp,
    checked: AtomicU64,
    refresh: Refresh,
}

/// How the reading again of a secret goes.
#[derive(Default)]
struct Refresh {
    running: AtomicBool,
    /// When its source was last out of reach; 0 while it is not.
    failed: AtomicU64,
    why: Mutex<Option<Arc<Trouble>>>,
}

/// A version before, until its overlap ends. Its service takes it until then, and may repeat it.
pub(crate) struct Before {
    pub(crate) held: Arc<Held>,
    pub(crate) expires: Option<Timestamp>,
}

/// What a secret was found as.
pub(crate) struct Found {
    pub(crate) version: u64,
    pub(crate) secret: Secret,
    pub(crate) stamp: Stamp,
    pub(crate) before: Vec<Before>,
    /// When it ends, where its source says so.
    pub(crate) ends: Option<Timestamp>,
    pub(crate) ages: Ages,
}

/// A secret that is lent though its source is out of reach.
#[derive(Debug, Clone)]
pub struct Stale {
    /// Which one.
    pub reference: SecretRef,
    /// When it was read.
    pub fetched: Timestamp,
    /// When it stops being lent, if its source stays out of reach.
    pub until: Timestamp,
    /// What is wrong with its source.
    pub why: Arc<Trouble>,
}

/// A secret that is lent to one call. Cannot be cloned, printed or kept beyond the call.
pub struct Opened {
    held: Arc<Held>,
    at: Timestamp,
}

/// Whether a held secret may be lent without looking at its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// It may.
    Fresh,
    /// It may, and is to be read again meanwhile.
    Due,
    /// Only when its stamp is still the same.
    Doubtful,
    /// It must be read again.
    Stale,
}

impl Held {
    pub(crate) fn new(reference: &SecretRef, found: Found, now: Timestamp) -> Result<Self, Error> {
        let Found { version, secret, stamp, before, ends, ages } = found;
        let is_told = is_no_secret(reference) && secret.len() < SHORTEST;
        let own = if is_told {
            Mask::join(&[])
        } else {
            Mask::new(&secret).and_then(|own| with_parts(own, &secret))
        };
        let mask = own.and_then(|own| with_before(own, &before, |held| Ok(Arc::clone(&held.mask))));
        let mask = mask.map_err(|why| match why {
            Unmaskable::Short => Error::unfit(reference.as_str(), Unfit::Short),
            Unmaskable::Memory | Unmaskable::Search => Error::Crypto(crypto::Error::Memory),
        })?;
        Ok(Self {
            reference: reference.clone(),
            version,
            secret,
            mask: Arc::new(mask),
            pair: OnceLock::new(),
            before,
            stamp,
            ends,
            ages,
            fetched: now,
            checked: AtomicU64::new(now.millis()),
            refresh: Refresh::default(),
        })
    }

    pub(crate) fn freshness(&self, now: Timestamp) -> Freshness {
        let checked = Timestamp::from_millis(self.checked.load(Ordering::Relaxed));
        match self.stamp {
            Stamp::Fixed => Freshness::Fresh,
            // A clock that was set back must not make a secret fresh for as long as it was set back.
            Stamp::File(_) if now < checked || now.since(self.fetched) >= LIFE => Freshness::Stale,
            Stamp::File(_) if now.since(checked) >= LOOK => Freshness::Doubtful,
            Stamp::File(_) => Freshness::Fresh,
            Stamp::Aged => self.age(now),
        }
    }

    /// One that nothing but its age tells about.
    fn age(&self, now: Timestamp) -> Freshness {
        if !self.is_usable(now) {
            return Freshness::Stale;
        }
        let age = now.since(self.fetched);
        let life = self.ends.map_or(self.ages.refresh, |end| end.since(self.fetched).min(self.ages.refresh));
        if age < life.mul_f64(DUE) {
            return Freshness::Fresh;
        }
        // Behind its age it is used only when its source was asked, and is out of reach.
        let asked = self.refresh.failed.load(Ordering::Relaxed) != 0;
        if age < life || asked { Freshness::Due } else { Freshness::Stale }
    }

    /// Whether it may be lent at all while its source is out of reach.
    pub(crate) fn is_usable(&self, now: Timestamp) -> bool {
        self.stamp == Stamp::Aged
            && now >= self.fetched
            && self.ends.is_none_or(|end| now < end)
            && now.since(self.fetched) < self.ages.stale
    }

    /// Whether the one who asks is to read it again: one at a time, and not at once after its source was out of reach.
    pub(crate) fn begin_refresh(&self, now: Timestamp) -> bool {
        let failed = Timestamp::from_millis(self.refresh.failed.load(Ordering::Relaxed));
        now.since(failed) >= PAUSE && !self.refresh.running.swap(true, Ordering::Relaxed)
    }

    pub(crate) fn end_refresh(&self) {
        self.refresh.running.store(false, Ordering::Relaxed);
    }

    /// Its source was out of reach.
    pub(crate) fn out_of_reach(&self, now: Timestamp, why: &Arc<Trouble>) {
        self.refresh.failed.store(now.millis().max(1), Ordering::Relaxed);
        *self.refresh.why.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(why));
    }

    /// What is known of it while its source is out of reach.
    pub(crate) fn stale(&self) -> Option<Stale> {
        let why = self.refresh.why.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let until = self.fetched.after(self.ages.stale);
        let until = self.ends.map_or(until, |end| end.min(until));
        Some(Stale { reference: self.reference.clone(), fetched: self.fetched, until, why })
    }

    pub(crate) const fn reference(&self) -> &SecretRef {
        &self.reference
    }

    pub(crate) const fn fetched(&self) -> Timestamp {
        self.fetched
    }

    pub(crate) const fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    pub(crate) fn looked_at(&self, now: Timestamp) {
        self.checked.store(now.millis(), Ordering::Relaxed);
    }
}

// === impl Opened ===

impl Opened {
    pub(crate) const fn new(held: Arc<Held>, at: Timestamp) -> Self {
        Self { held, at }
    }

    /// Lends the bytes to `use_it`, which puts them on a request.
    #[expect(clippy::disallowed_methods, reason = "the one place where a lent secret is used")]
    pub fn expose<R>(&self, use_it: impl FnOnce(&[u8]) -> R) -> R {
        self.held.secret.expose(use_it)
    }

    /// What masks this secret in whatever comes back.
    #[must_use]
    pub fn mask(&self) -> &Arc<Mask> {
        &self.held.mask
    }

    /// The same where it is a user name and a password with a colon between them: what masks the password alone as well.
    ///
    /// # Errors
    /// When there is no guarded memory left.
    pub fn pair_mask(&self) -> Result<Arc<Mask>, Unmaskable> {
        if let Some(mask) = self.held.pair.get() {
            return Ok(Arc::clone(mask));
        }
        let own = Mask::of_pair(&self.held.secret)?;
        let of_pair = |held: &Held| Mask::of_pair(&held.secret).map(Arc::new);
        let mask = Arc::new(with_before(own, &self.held.before, of_pair)?);
        Ok(Arc::clone(self.held.pair.get_or_init(|| mask)))
    }

    /// Its version in our own store; 0 where its source has none.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.held.version
    }

    /// Where it was found.
    #[must_use]
    pub fn reference(&self) -> &SecretRef {
        self.held.reference()
    }

    /// The version before, while its overlap lasts: for an upstream that does not know the new one yet.
    #[must_use]
    pub fn previous(&self) -> Option<Self> {
        // The one before, and none that is older: a rotation without an overlap ends everything that was.
        let previous = self.held.before.iter().find(|one| one.held.version + 1 == self.held.version)?;
        let usable = previous.expires.is_some_and(|end| self.at < end);
        usable.then(|| Self { held: Arc::clone(&previous.held), at: self.at })
    }
}

/// The key of AWS in one document with its id and its token: those halves of it are sent, or could be repeated, alone.
#[derive(Deserialize)]
struct KeyOfAws {
    #[serde(alias = "SecretAccessKey")]
    secret_access_key: SecretText,
    #[serde(alias = "SessionToken")]
    session_token: Option<SecretText>,
}

/// A mask that finds the secret halves of such a document as well.
#[expect(
    clippy::disallowed_methods,
    reason = "derives what may come back of a document that is a key of AWS"
)]
fn with_parts(own: Mask, secret: &Secret) -> Result<Mask, Unmaskable> {
    let read = secret.expose(|bytes| match bytes.trim_ascii_start() {
        [b'{', ..] => serde_json::from_slice::<KeyOfAws>(bytes).ok(),
        _ => None,
    });
    let Some(KeyOfAws { secret_access_key, session_token }) = read else { return Ok(own) };
    let parts = [Some(secret_access_key), session_token].into_iter().flatten();
    let parts = parts.filter(|part| part.0.len() >= SHORTEST).map(|part| Mask::new(&part.0));
    let parts = parts.collect::<Result<Vec<_>, _>>()?;
    Mask::join(&std::iter::once(&own).chain(&parts).collect::<Vec<_>>())
}

/// A mask that finds the versions before as well. Made once for each that is kept, whether or not one of them ends meanwhile: what is masked
/// a while longer harms nobody.
fn with_before(
    own: Mask,
    before: &[Before],
    mask: impl Fn(&Held) -> Result<Arc<Mask>, Unmaskable>,
) -> Result<Mask, Unmaskable> {
    if before.is_empty() {
        return Ok(own);
    }
    let before = before.iter().map(|one| mask(&one.held)).collect::<Result<Vec<_>, _>>()?;
    let all: Vec<&Mask> = std::iter::once(&own).chain(before.iter().map(|mask| &**mask)).collect();
    Mask::join(&all)
}

/// How long a file is trusted not to have changed.
const LOOK: Duration = Duration::from_secs(1);
/// After this long it is read again, whatever its stamp says.
const LIFE: Duration = Duration::from_secs(60);
/// At which part of its life a secret is read again in the background.
const DUE: f64 = 0.8;
/// How long a source that was out of reach is left alone.
const PAUSE: Duration = Duration::from_secs(5);
