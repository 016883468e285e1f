//! Who holds which key: what the fake issued, what it was told of, and what was deleted.

use std::collections::{BTreeMap, BTreeSet};

use model::Timestamp;

use super::answer::Refused;
use super::options::{Options, Rule};

/// Everything that was issued.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    issued: BTreeMap<String, Key>,
    deleted: BTreeSet<String>,
    created: u64,
    /// When long-lived keys were made.
    made: BTreeMap<String, Timestamp>,
    /// The long-lived keys that have signed something, from the fake or from elsewhere.
    signed: BTreeSet<String>,
    /// How often a fresh key was used, for [`Options::new_key_refusals`].
    uses: BTreeMap<String, u64>,
    /// Codes of MFA that were used.
    pub(super) codes: BTreeSet<(String, String)>,
    /// Access tokens of OIDC.
    pub(super) bearers: BTreeSet<String>,
    /// The codes of the authorization code flow, with their PKCE challenge.
    pub(super) challenges: BTreeMap<String, String>,
    /// How many polls for a token were answered.
    pub(super) polls: usize,
    /// How many calls for role credentials of the portal were answered.
    pub(super) portal_calls: usize,
}

/// One key.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) kind: Kind,
    pub(super) secret: String,
    pub(super) token: Option<String>,
    pub(super) ends: Option<Timestamp>,
}

/// What a key is, because AWS lets each kind do other things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A long-lived key of a user.
    User,
    /// From `GetSessionToken`.
    Session { mfa: bool },
    /// From `AssumeRole`, web identity or the portal.
    Role,
    /// From `GetFederationToken`.
    Federated,
}

/// The access key id that the call with this number issues.
pub(super) fn issued_id(n: u64) -> String {
    format!("ASIAFAKE{n:012}")
}

impl Ledger {
    /// Writes down what the call with this number issues, and gives its id.
    pub(super) fn issue(&mut self, n: u64, kind: Kind, ends: Timestamp) -> String {
        let id = issued_id(n);
        let key =
            Key { kind, secret: format!("secret-{n}"), token: Some(format!("token-{n}")), ends: Some(ends) };
        self.issued.insert(id.clone(), key);
        id
    }

    /// Makes a long-lived key, and gives its id and secret.
    ///
    /// # Errors
    /// When the user has two already.
    pub(super) fn create(
        &mut self,
        n: u64,
        now: Timestamp,
        options: &Options,
    ) -> Result<(String, String), Refused> {
        let deleted = u64::try_from(self.deleted.len()).unwrap_or(u64::MAX);
        let has = (options.keys_at_start + self.created).saturating_sub(deleted);
        if has >= 2 && options.demands(Rule::TwoKeys) {
            return Err(Refused::new(409, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2"));
        }
        let (id, secret) = (format!("AKIANEW{n:013}"), format!("newsecret-{n}"));
        let key = Key { kind: Kind::User, secret: secret.clone(), token: None, ends: None };
        self.issued.insert(id.clone(), key);
        self.created += 1;
        self.made.insert(id.clone(), now);
        Ok((id, secret))
    }

    /// Deletes a long-lived key.
    ///
    /// # Errors
    /// When there is none of this id, or no longer.
    pub(super) fn delete(&mut self, id: &str, options: &Options) -> Result<(), Refused> {
        let there = self.find(id, options).is_some_and(|key| key.kind == Kind::User);
        if there && self.deleted.insert(id.to_owned()) {
            return Ok(());
        }
        let message = format!("The Access Key with id {id} cannot be found.");
        Err(Refused::new(404, "NoSuchEntity", message))
    }

    /// The key of this id, as long as it was not deleted.
    pub(super) fn find(&self, id: &str, options: &Options) -> Option<Key> {
        if self.deleted.contains(id) {
            return None;
        }
        if let Some(key) = self.issued.get(id) {
            return Some(key.clone());
        }
        if let Some(known) = options.known.get(id) {
            let kind = if known.token.is_some() { Kind::Role } else { Kind::User };
            return Some(Key { kind, secret: known.secret.clone(), token: known.token.clone(), ends: None });
        }
        let seeded = id.starts_with("AKIA") && !id.starts_with("AKIANEW");
        seeded.then(|| Key { kind: Kind::User, secret: format!("secret-of-{id}"), token: None, ends: None })
    }

    /// Whether a fresh key has not spread yet; counts the use.
    pub(super) fn is_too_fresh(&mut self, id: &str, options: &Options) -> bool {
        if !id.starts_with("AKIANEW") {
            return false;
        }
        let uses = self.uses.entry(id.to_owned()).or_default();
        *uses += 1;
        *uses <= options.new_key_refusals
    }

    /// Writes down that a key signed something that was taken.
    pub(super) fn note_use(&mut self, id: &str) {
        self.signed.insert(id.to_owned());
    }

    /// Whether a key has signed anything.
    pub(super) fn was_used(&self, id: &str) -> bool {
        self.signed.contains(id)
    }

    /// The long-lived keys of the user that are there and that the fake has heard of, with the time when each was made.
    pub(super) fn users_keys(&self) -> BTreeMap<String, Option<Timestamp>> {
        let heard = self.signed.iter().filter(|id| id.starts_with("AKIA")).map(|id| (id.clone(), None));
        let made = self.made.iter().map(|(id, at)| (id.clone(), Some(*at)));
        heard.chain(made).filter(|(id, _)| !self.deleted.contains(id)).collect()
    }
}
