//! Who signed in at the identity provider, and the roles that their groups give them.
//!
//! These roles stand for as long as the sessions do that they were given for, and in the rows of those (`kept`). A person who signs in again with other
//! groups has other roles from then on, and what was begun with the former ones ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use model::{PrincipalName, SessionId, TenantName, Timestamp};
use policy::{Known, PrincipalKind};
use serde_json::{Map, Value};
use tenancy::sessions::{How, SignedIn};

use super::{Failed, Provider};
use crate::Broker;

/// Whose roles stand in memory because they signed in, and since when.
#[derive(Default)]
pub(super) struct Persons(Mutex<BTreeMap<PrincipalName, Timestamp>>);

impl Persons {
    /// Forgets who is not signed in any more, so that a group's role ends with the last session that it gave.
    pub(super) fn tidy(&self, broker: &Broker) {
        let (tenant, now) = (&broker.settings().tenant, broker.now());
        let mut signed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if signed.is_empty() {
            return;
        }
        let here = broker.sessions().principals(tenant, now);
        signed.retain(|principal, since| {
            let stays = here.contains(principal) || now < since.after(MOMENT);
            if !stays {
                broker.principals().forget(tenant, principal);
            }
            stays
        });
    }

    /// Notes that a person is signed in, as a session says that was open before.
    pub(super) fn is_here(&self, principal: &PrincipalName, now: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(principal.clone(), now);
    }

    /// Gives a person roles, and a code for a session.
    fn give(
        &self,
        broker: &Broker,
        (tenant, principal): (TenantName, PrincipalName),
        known: Known,
        email: String,
    ) -> Result<HeaderValue, Failed> {
        let now = broker.now();
        // Held until the code is made, so that nobody forgets meanwhile what it stands for.
        let mut signed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *broker.principals().find(&tenant, &principal) != known {
            broker.sessions().end_of(&tenant, &principal);
        }
        broker.principals().put(&tenant, &principal, known);
        signed.insert(principal.clone(), now);
        let id = SessionId::new(now, broker.random().map_err(|_| Failed::CLOSED)?);
        let session = SignedIn::new(id, (tenant, principal), How::Oidc, now).called(email);
        let code = broker.sessions().code(session, now).map_err(|_| Failed::BUSY)?;
        let mut value = HeaderValue::from_str(&code).map_err(|_| Failed::CLOSED)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// Who that is, and what they may do.
pub(super) fn signed_in(
    broker: &Broker,
    provider: &Provider,
    claims: &Map<String, Value>,
) -> Result<HeaderValue, Failed> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let missing = |why| move || Failed::CLAIMS.because(why);
    let sub = text("sub").ok_or_else(missing("the ID token has no `sub`"))?;
    let email = text("email").ok_or_else(missing("the ID token has no `email`"))?;
    if claims.get("email_verified").is_some_and(|verified| *verified != Value::Bool(true)) {
        return Err(Failed::CLAIMS.because("the provider has not verified the address"));
    }
    let groups = claims.get("groups").and_then(Value::as_array);
    let groups = groups.ok_or_else(missing("the ID token has no list `groups`"))?;
    let roles: BTreeSet<&str> = groups
        .iter()
        .filter_map(|group| provider.roles.get(group.as_str()?))
        .flatten()
        .map(String::as_str)
        .collect();
    if roles.is_empty() {
        return Err(Failed::GROUPS.because("none of the groups has a role"));
    }
    let known = Known::new(PrincipalKind::Person, roles)
        .map_err(|_| Failed::GROUPS.because("the roles of the groups are none"))?;
    let principal = principal(provider, sub)?;
    let email: String = email.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    let tenant = broker.settings().tenant.clone();
    broker.people().persons.give(broker, (tenant, principal), known, email)
}

/// The principal of a person: the same for the same `sub` of the same issuer, whatever their address is now.
fn principal(provider: &Provider, sub: &str) -> Result<PrincipalName, Failed> {
    named(&provider.issuer, sub).ok_or(Failed::CLOSED)
}

/// The name of whom an issuer calls so.
pub(super) fn named(issuer: &str, sub: &str) -> Option<PrincipalName> {
    let digest = crypto::sha256(&[issuer.as_bytes(), b"\0", sub.as_bytes()]);
    format!("{PREFIX}{}", crypto::to_hex(digest.get(..16).unwrap_or_default())).parse().ok()
}

/// What the names of these principals begin with. Roles of such a name are given by groups, and by nobody else.
pub(crate) const PREFIX: &str = "oidc.";
/// Longer than a code waits and a session takes to open.
const MOMENT: Duration = Duration::from_secs(600);
const LONGEST: usize = 200;
