//! Sessions of people who signed in, and the one-time codes by which a session begins.
//!
//! A session is a random text in a cookie. It says nothing by itself: what it stands for is here, under its hash. It begins with
//! a code that somebody proven was given (over the broker's socket, or after a sign-in at an identity provider), or with a key of
//! the API, and acts as that principal with the roles that the principal has at each moment.
//!
//! All of it is in memory. What is open is kept under its hash by whoever holds this, and opened again after a restart; codes are not.
//!
//! # Invariants
//!
//! - A code opens one session, once, within [`CODE_LIVES`].
//! - A session ends [`LIVES`] after it began, or after [`IDLE`] without a request; with its sign-out; with a change of its
//!   principal's roles; with the key that it began with.
//! - The text of neither a code nor a session is kept: what it is found by is its SHA-256, and each has 256 random bits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crypto::{Digest, MacKey};
use model::{Code, KeyId, PrincipalName, Refusal, SessionId, TenantName, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What a session begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// A link that the broker's socket gave.
    Link,
    /// A key of the API.
    Key(KeyId),
    /// A sign-in at an identity provider.
    Oidc,
}

impl How {
    /// The word used in answers and evidence.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Key(_) => "key",
            Self::Oidc => "oidc",
        }
    }
}

/// A session that is open, or that a code will open.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedIn {
    /// Which one it is.
    pub id: SessionId,
    /// The tenant of who signed in.
    pub tenant: TenantName,
    /// Who signed in.
    pub principal: PrincipalName,
    /// The name that an identity provider gave.
    pub subject: Option<String>,
    /// What it began with.
    pub how: How,
    /// When it began; of one that waits, when its code was made.
    pub began: Timestamp,
    /// When something was last asked with it.
    used: Timestamp,
}

impl SignedIn {
    /// One that begins now.
    #[must_use]
    pub fn new(
        id: SessionId,
        (tenant, principal): (TenantName, PrincipalName),
        how: How,
        now: Timestamp,
    ) -> Self {
        Self { id, tenant, principal, subject: None, how, began: now, used: now }
    }

    /// The same under the name that an identity provider gave.
    #[must_use]
    pub fn called(self, subject: String) -> Self {
        Self { subject: Some(subject), ..self }
    }

    /// When it is over in any case.
    #[must_use]
    pub fn expires(&self) -> Timestamp {
        self.began.after(LIVES)
    }

    /// When it is over where nothing more is asked with it.
    #[must_use]
    pub fn idle(&self) -> Timestamp {
        self.used.after(IDLE).min(self.expires())
    }

    /// When something was last asked with it.
    #[must_use]
    pub const fn used(&self) -> Timestamp {
        self.used
    }

    fn is_of(&self, tenant: &TenantName, principal: &PrincipalName) -> bool {
        self.tenant == *tenant && self.principal == *principal
    }
}

/// All codes and sessions of a broker.
#[derive(Default)]
pub struct Sessions {
    codes: Mutex<BTreeMap<Digest, SignedIn>>,
    open: Mutex<BTreeMap<Digest, SignedIn>>,
}

impl Sessions {
    /// A code that opens this session once.
    ///
    /// # Errors
    /// When there are no random bits, or too many codes wait.
    pub fn code(&self, session: SignedIn, now: Timestamp) -> Result<Zeroizing<String>, Refusal> {
        let code = made(CODE)?;
        let mut codes = locked(&self.codes);
        codes.retain(|_, waiting| now < waiting.began.after(CODE_LIVES));
        let of_same = codes.values().filter(|one| one.is_of(&session.tenant, &session.principal)).count();
        if of_same >= MOST_CODES || codes.len() >= MOST {
            return Err(Refusal::new(Code::RateLimited, "too many links wait to be opened")
                .retry(model::Retry::After(CODE_LIVES)));
        }
        codes.insert(found_by(code.as_bytes()), session);
        Ok(code)
    }

    /// What a code would open. It is not spent by this.
    ///
    /// # Errors
    /// `unauthenticated` for one that is unknown, spent or too old.
    pub fn waiting(&self, code: &[u8], now: Timestamp) -> Result<SignedIn, Refusal> {
        let found = locked(&self.codes).get(&found_by(code)).cloned();
        found.filter(|session| now < session.began.after(CODE_LIVES)).ok_or_else(stale_code)
    }

    /// Spends a code. Of two who come with the same one, the other is refused.
    ///
    /// # Errors
    /// As [`Self::waiting`].
    pub fn spend(&self, code: &[u8], now: Timestamp) -> Result<SignedIn, Refusal> {
        let found = locked(&self.codes).remove(&found_by(code));
        let mut session =
            found.filter(|session| now < session.began.after(CODE_LIVES)).ok_or_else(stale_code)?;
        (session.began, session.used) = (now, now);
        Ok(session)
    }

    /// Opens a session; gives the text that stands for it.
    ///
    /// # Errors
    /// When there are no random bits, or no room.
    pub fn open(&self, session: SignedIn, now: Timestamp) -> Result<Zeroizing<String>, Refusal> {
        let token = made(SESSION)?;
        let mut open = locked(&self.open);
        open.retain(|_, one| now < one.idle());
        let own: Vec<(Timestamp, Digest)> = open
            .iter()
            .filter(|(_, one)| one.is_of(&session.tenant, &session.principal))
            .map(|(digest, one)| (one.used, *digest))
            .collect();
        // Somebody who opens more than anybody needs loses the one that was used longest ago, and nobody else loses any.
        if own.len() >= MOST_SESSIONS
            && let Some((_, oldest)) = own.iter().min()
        {
            open.remove(oldest);
        }
        if open.len() >= MOST {
            return Err(Refusal::new(Code::RateLimited, "too many sessions are open")
                .retry(model::Retry::After(IDLE)));
        }
        open.insert(found_by(token.as_bytes()), session);
        Ok(token)
    }

    /// The session that a text stands for; it was used now.
    ///
    /// # Errors
    /// `unauthenticated` for one that is unknown or over.
    pub fn find(&self, token: &[u8], now: Timestamp) -> Result<SignedIn, Refusal> {
        let digest = found_by(token);
        let mut open = locked(&self.open);
        match open.get_mut(&digest) {
            Some(session) if now < session.idle() => {
                session.used = session.used.max(now);
                Ok(session.clone())
            }
            Some(_) => {
                open.remove(&digest);
                Err(over())
            }
            None => Err(over()),
        }
    }

    /// What is open, under what it is found by.
    #[must_use]
    pub fn opened(&self, now: Timestamp) -> Vec<(Digest, SignedIn)> {
        let open = locked(&self.open);
        open.iter().filter(|(_, one)| now < one.idle()).map(|(digest, one)| (*digest, one.clone())).collect()
    }

    /// Opens a session again that was open before, under what it is found by.
    pub fn reopen(&self, digest: Digest, session: SignedIn) {
        let mut open = locked(&self.open);
        if open.len() < MOST {
            open.entry(digest).or_insert(session);
        }
    }

    /// Ends one; says whether there was one.
    pub fn close(&self, id: SessionId) -> bool {
        let mut open = locked(&self.open);
        let before = open.len();
        open.retain(|_, session| session.id != id);
        open.len() < before
    }

    /// Ends all sessions and codes of a principal: what it may do has changed.
    pub fn end_of(&self, tenant: &TenantName, principal: &PrincipalName) {
        locked(&self.open).retain(|_, session| !session.is_of(tenant, principal));
        locked(&self.codes).retain(|_, session| !session.is_of(tenant, principal));
    }

    /// The principals of a tenant that have a session, or a code for one.
    #[must_use]
    pub fn principals(&self, tenant: &TenantName, now: Timestamp) -> BTreeSet<PrincipalName> {
        let mut found = BTreeSet::new();
        let mut take = |session: &SignedIn| {
            if session.tenant == *tenant {
                found.insert(session.principal.clone());
            }
        };
        locked(&self.open).values().filter(|one| now < one.idle()).for_each(&mut take);
        locked(&self.codes).values().filter(|one| now < one.began.after(CODE_LIVES)).for_each(&mut take);
        found
    }

    /// Forgets what is over.
    pub fn tidy(&self, now: Timestamp) {
        locked(&self.open).retain(|_, session| now < session.idle());
        locked(&self.codes).retain(|_, session| now < session.began.after(CODE_LIVES));
    }
}

// === how they are written ===

/// What a page has to send along with whatever changes something: a MAC under the session's own text, so that nothing has to
/// be kept.
#[must_use]
pub fn csrf(session: &[u8]) -> String {
    crypto::to_base64url(&MacKey::new(crypto::sha256(&[session])).tag(&[b"doorward csrf"]))
}

/// Whether it has the form of a code.
#[must_use]
pub fn is_code(written: &[u8]) -> bool {
    written.starts_with(CODE.as_bytes())
}

/// Whether it has the form of a session.
#[must_use]
pub fn is_session(written: &[u8]) -> bool {
    written.starts_with(SESSION.as_bytes())
}

fn made(prefix: &str) -> Result<Zeroizing<String>, Refusal> {
    let random: Zeroizing<[u8; 32]> = Zeroizing::new(
        crypto::array().map_err(|error| Refusal::new(Code::SourceUnavailable, error.to_string()))?,
    );
    Ok(Zeroizing::new(format!("{prefix}{}", *Zeroizing::new(crypto::to_base64url(&*random)))))
}

fn found_by(written: &[u8]) -> Digest {
    crypto::sha256(&[written])
}

fn locked(map: &Mutex<BTreeMap<Digest, SignedIn>>) -> MutexGuard<'_, BTreeMap<Digest, SignedIn>> {
    map.lock().unwrap_or_else(PoisonError::into_inner)
}

fn stale_code() -> Refusal {
    Refusal::new(Code::Unauthenticated, "the link was opened already, or is too old")
        .hint("`doorward console` makes another one")
}

/// The refusal for a session that is over, or none.
#[must_use]
pub fn over() -> Refusal {
    Refusal::new(Code::Unauthenticated, "the session is over").hint("`doorward console` begins another one")
}

/// A point can be in no name of a tenant, so no key of an API begins like one of these.
const CODE: &str = "dwc1.";
const SESSION: &str = "dws1.";
/// How long a link waits to be opened.
pub const CODE_LIVES: Duration = Duration::from_secs(120);
/// How long a session may last.
const LIVES: Duration = Duration::from_secs(8 * 3_600);
/// How long nothing may be asked with it.
const IDLE: Duration = Duration::from_secs(30 * 60);
const MOST_CODES: usize = 8;
const MOST_SESSIONS: usize = 32;
const MOST: usize = 16 * 1024;

#[cfg(test)]
mod tests;
