//! Sessions that outlive the broker: a row of the house for each, sealed, found by the hash of what its holder shows.
//!
//! What is open is in memory; the rows follow it. They are written before whoever signed in has an answer, and removed before whoever
//! signed out has one. When something was last asked is written now and then only: after a crash a session may be over some minutes early.
//!
//! # Invariants
//!
//! - No row opens a session: it holds a hash, and is made and read with keys of the home.
//! - Roles that groups gave are taken back with the row only where the settings still let a group give them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crypto::Digest;
use model::{Refusal, Timestamp};
use policy::{Known, PrincipalKind};
use serde::{Deserialize, Serialize};
use tenancy::sessions::{How, SignedIn};

use crate::Broker;
use crate::broker::Unsealed;
use crate::sealed::Desk;

/// Which sessions have rows, and when each was last used as its row says.
#[derive(Default)]
pub(super) struct Kept(Mutex<BTreeMap<Digest, Timestamp>>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    digest: Digest,
    session: SignedIn,
    /// What the groups of its person gave.
    #[serde(default)]
    roles: Vec<String>,
}

impl Broker {
    /// Writes which sessions are open, where that has changed. Blocks.
    pub(crate) fn keep_sessions(&self) -> Result<(), Refusal> {
        if !self.settings().sessions_stay {
            return Ok(());
        }
        let unsealed = self.unsealed()?;
        let desk = Desk::of(self, &unsealed, &self.settings().tenant);
        let mut kept = self.people().kept.0.lock().unwrap_or_else(PoisonError::into_inner);
        let open: BTreeMap<Digest, SignedIn> = self.sessions().opened(self.now()).into_iter().collect();
        let over: Vec<Digest> = kept.keys().filter(|digest| !open.contains_key(*digest)).copied().collect();
        let mut steps: Vec<_> = over.iter().map(|digest| desk.delete(&key(digest))).collect();
        let mut written = Vec::new();
        for (digest, session) in open {
            match kept.get(&digest) {
                Some(used) if session.used() < used.after(LAZY) => continue,
                Some(_) => steps.push(desk.delete(&key(&digest))),
                None => {}
            }
            written.push((digest, session.used()));
            let roles = self.given_by_groups(&session);
            steps.push(desk.insert(&key(&digest), &Row { digest, session, roles })?);
        }
        if steps.is_empty() {
            return Ok(());
        }
        desk.commit(steps)?;
        kept.retain(|digest, _| !over.contains(digest));
        kept.extend(written);
        Ok(())
    }

    /// Opens the sessions again that were open when the broker ended. Those that can't be read are over.
    pub(crate) fn reopen_sessions(&self, unsealed: &Arc<Unsealed>) {
        let desk = Desk::of(self, unsealed, &self.settings().tenant);
        let rows = match desk.all::<Row>(PREFIX) {
            Ok(rows) => rows,
            Err(refusal) => {
                tracing::warn!(code = %refusal.code, "sessions of people could not be read, and are over");
                return;
            }
        };
        if !self.settings().sessions_stay {
            let over = rows.iter().map(|row| desk.delete(&key(&row.digest))).collect::<Vec<_>>();
            if !over.is_empty() && desk.commit(over).is_err() {
                tracing::warn!("rows of sessions that are over could not be removed");
            }
            return;
        }
        let now = self.now();
        let mut kept = self.people().kept.0.lock().unwrap_or_else(PoisonError::into_inner);
        for Row { digest, session, roles } in rows {
            // What does not stand any more loses its row with the next look.
            kept.insert(digest, session.used());
            if now < session.idle() && self.still_given(&session, &roles) {
                self.sessions().reopen(digest, session);
            }
        }
    }

    /// The roles that a person has by groups alone.
    fn given_by_groups(&self, session: &SignedIn) -> Vec<String> {
        if session.how != How::Oidc {
            return Vec::new();
        }
        let known = self.principals().find(&session.tenant, &session.principal);
        known.roles().map(ToOwned::to_owned).collect()
    }

    /// Gives a person the roles again that groups gave; whether there were any to be given.
    fn still_given(&self, session: &SignedIn, roles: &[String]) -> bool {
        if session.how != How::Oidc {
            return true;
        }
        let Some(provider) = self.people().provider.get() else { return false };
        let can: BTreeSet<&str> = provider.roles.values().flatten().map(String::as_str).collect();
        if roles.is_empty() || !roles.iter().all(|role| can.contains(role.as_str())) {
            return false;
        }
        let Ok(known) = Known::new(PrincipalKind::Person, roles.iter().map(String::as_str)) else {
            return false;
        };
        self.principals().put(&session.tenant, &session.principal, known);
        self.people().persons.is_here(&session.principal, self.now());
        true
    }
}

fn key(digest: &Digest) -> String {
    format!("{PREFIX}{}", crypto::to_hex(digest))
}

const PREFIX: &str = "session/";
/// How far a row may be behind what was last asked.
const LAZY: Duration = Duration::from_secs(300);
