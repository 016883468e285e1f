//! What is known of integrations' upstreams beyond where they are: the way there, whether one is left alone because it
//! fails, and how many repetitions are left. Integrations that say nothing of this are not in here.
//!
//! # Invariants
//!
//! - What is known belongs to the settings that it was made from. Other settings begin anew; the same ones, read again, keep
//!   their connections and their memory.
//! - A client certificate and a password for the proxy have a way of their own, told by what they are: a new version of the secret is
//!   a new way, and connections that were made with the former one serve nobody any more.

use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock};

use catalog::{Connection, Integration};
use crypto::Digest;
use model::{Code, IntegrationName, QuickMap, Refusal};
use net::tls::ClientKey;
use net::{Reuse, Way, WayConfig};
use zeroize::Zeroizing;

pub(crate) use breaker::{Breaker, Health, Passing};
pub(crate) use budget::Budget;

mod breaker;
mod budget;

/// What is known of all of them.
#[derive(Debug, Default)]
pub(crate) struct Upstreams(RwLock<QuickMap<IntegrationName, Arc<Known>>>);

/// What is known of the upstream of one integration.
#[derive(Debug)]
pub(crate) struct Known {
    connection: Arc<Connection>,
    /// One for those that show nothing, one for each certificate.
    ways: Mutex<Vec<(Option<Digest>, Arc<Way>)>>,
    breaker: Option<Breaker>,
    budget: Option<Budget>,
}

/// What nobody but the other end may see, wiped when it is dropped.
type Wiped = Zeroizing<Vec<u8>>;

/// What was lent to one call to be shown on the way: a certificate chain and its key in a handshake, a user name and a password to
/// the proxy. Wiped when the call is over.
pub(crate) struct Shown {
    /// Both in PEM.
    certificate: Option<(Wiped, Wiped)>,
    /// `user:password`.
    proxy: Option<Wiped>,
}

impl Shown {
    /// `None` where nothing is shown.
    pub(crate) fn of(certificate: Option<(Wiped, Wiped)>, proxy: Option<Wiped>) -> Option<Self> {
        (certificate.is_some() || proxy.is_some()).then_some(Self { certificate, proxy })
    }

    /// Tells it from every other, without holding it.
    fn digest(&self) -> Digest {
        let (chain, key) = self.certificate.as_ref().map(|(chain, key)| (&***chain, &***key)).unzip();
        let proxy = self.proxy.as_ref().map(|pair| &***pair);
        let mut hasher = crypto::Hasher::new();
        for part in [chain, key, proxy] {
            // What is not there is not the same as what is empty.
            let length = part.map_or(u64::MAX, |part| u64::try_from(part.len()).unwrap_or(u64::MAX - 1));
            hasher.update(&length.to_be_bytes());
            hasher.update(part.unwrap_or_default());
        }
        hasher.finish()
    }
}

impl Upstreams {
    /// What is known of an integration's upstream; `None` where its connections are like any other, and nothing is shown on
    /// them.
    pub(crate) fn of(&self, integration: &Integration, shown: Option<&Shown>) -> Option<Arc<Known>> {
        match (integration.connection(), shown) {
            (Some(connection), _) => Some(self.known(integration, connection)),
            (None, Some(_)) => Some(self.known(integration, &USUAL)),
            (None, None) => None,
        }
    }

    fn known(&self, integration: &Integration, connection: &Arc<Connection>) -> Arc<Known> {
        let same = |known: &&Arc<Known>| {
            Arc::ptr_eq(&known.connection, connection) || known.connection == *connection
        };
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(integration.name()).filter(same) {
            return Arc::clone(found);
        }
        drop(known);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(integration.name()).filter(same) {
            return Arc::clone(found);
        }
        let made = Arc::new(Known::new(Arc::clone(connection)));
        known.insert(integration.name().clone(), Arc::clone(&made));
        made
    }

    /// The integrations whose upstream is left alone at the moment.
    pub(crate) fn left_alone(&self) -> Vec<IntegrationName> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let open = known.iter().filter(|(_, known)| known.breaker.as_ref().is_some_and(Breaker::is_open));
        let mut names: Vec<_> = open.map(|(name, _)| name.clone()).collect();
        names.sort();
        names
    }
}

impl Known {
    fn new(connection: Arc<Connection>) -> Self {
        let breaker = connection.breaker.map(Breaker::new);
        let budget = connection.retries.map(Budget::new);
        Self { connection, ways: Mutex::default(), breaker, budget }
    }

    /// Whether a call may be sent more than once, or not at all because others failed.
    pub(crate) const fn persists(&self) -> bool {
        self.breaker.is_some() || self.budget.is_some()
    }

    pub(crate) const fn breaker(&self) -> Option<&Breaker> {
        self.breaker.as_ref()
    }

    pub(crate) const fn budget(&self) -> Option<&Budget> {
        self.budget.as_ref()
    }

    /// The way there; `None` where it is like any other.
    pub(crate) fn way(&self, shown: Option<&Shown>) -> Result<Option<Arc<Way>>, Refusal> {
        if shown.is_none() && self.connection.is_usual() {
            return Ok(None);
        }
        let digest = shown.map(Shown::digest);
        let mut ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, way)) = ways.iter().find(|(known, _)| *known == digest) {
            return Ok(Some(Arc::clone(way)));
        }
        let way = self.make(shown).map_err(|error| unusable(&error))?;
        if ways.len() >= MOST_WAYS {
            ways.remove(0);
        }
        ways.push((digest, Arc::clone(&way)));
        Ok(Some(way))
    }

    fn make(&self, shown: Option<&Shown>) -> Result<Arc<Way>, net::Error> {
        let Connection {
            authorities,
            authorities_from: _,
            proxy,
            idle,
            idle_for,
            most,
            keep_alive,
            handshake,
            retries: _,
            breaker: _,
        } = &*self.connection;
        let certificate = shown.and_then(|shown| shown.certificate.as_ref());
        let client_key = certificate.map(|(chain, key)| ClientKey::from_pem(chain, key)).transpose()?;
        Way::new(WayConfig {
            authorities: authorities.as_deref(),
            client_key,
            proxy: proxy.clone(),
            proxy_basic: shown.and_then(|shown| shown.proxy.as_ref()).map(|pair| &***pair),
            idle: *idle,
            idle_for: *idle_for,
            reuse: if *keep_alive { Reuse::Often } else { Reuse::Never },
            handshake: *handshake,
            most: *most,
        })
    }
}

/// What is wrong is said; what it was read from is not.
fn unusable(error: &net::Error) -> Refusal {
    let refusal = Refusal::new(Code::SecretMissing, error.to_string());
    match error.hint() {
        Some(hint) => refusal.hint(hint),
        None => refusal,
    }
}

static USUAL: LazyLock<Arc<Connection>> = LazyLock::new(Arc::default);
/// Certificates of one integration that have connections at the same time: those of several tenants, or of a rotation.
const MOST_WAYS: usize = 8;

#[cfg(test)]
mod tests;
