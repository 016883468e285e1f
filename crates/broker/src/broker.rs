//! What all threads share: the catalogue, policies, grants, limits, and, while unsealed, the keys and the evidence log.
//!
//! Everything that a decision reads is in memory and swapped whole on a change, so that no call waits for the disk but for
//! its own evidence.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption};
use evidence::{Log, Outcomes};
use model::{Clock, Code, PrincipalName, Refusal, Timestamp};
use policy::{DEVELOPMENT, Grants, Known, OWNER, Policies, PrincipalKind, Principals, Rules};
use secrets::{KeyProvider, Keyring, Secrets, Setup};
use store::Storage;

use crate::agent::{Agent, AuditLog, Config, Lately, Mode, Rows};
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::outgoing::Outgoing;
use crate::path::identify::incoming::Memory;
use crate::people::People;
use crate::plan::Live;
use crate::programs::Machine;
use crate::spans::Watcher;
use crate::upstreams::Upstreams;
use tenancy::Tenancy;

mod agent;
mod calls;
mod edition;
mod lists;
mod load;
mod named;
mod reload;
mod remembered;
mod roles;
mod rounds;
mod rulings;
mod running;
mod settings;
mod showing;
mod sources;
mod tenants;
mod tidying;
mod unsealed;
mod verified;
mod way_back;

use reload::Reloads;
use remembered::Remembered;
use rulings::Kept;
use running::{Ending, Running, announce};
use tenants::Brought;

pub(crate) use edition::Edition;
pub use lists::{home_lists, read_lists};
pub(crate) use load::{GrantRow, PolicyRow, RevocationRow};
pub use load::{Operations, check_policies};
pub(crate) use remembered::Lost;
pub use remembered::forget_rows;
pub(crate) use roles::PrincipalRow;
pub use rounds::{Due, Often, Round};
pub use settings::{Overlay, Readiness, Reading, Settings, State, Stores, WrittenList};
pub use sources::{Named, stands};
pub(crate) use unsealed::Unsealed;

/// The broker of a home.
pub struct Broker {
    settings: Settings,
    clock: Arc<dyn Clock>,
    stores: Stores,
    edition: ArcSwap<Edition>,
    overlay: ArcSwap<Overlay>,
    rules: ArcSwap<Rules>,
    rulings: Arc<Kept>,
    bound: OnceLock<()>,
    watcher: OnceLock<Arc<dyn Watcher>>,
    grants: Grants,
    /// The agent as it is set up.
    agent: ArcSwap<Agent>,
    rows: Arc<Rows>,
    audit: ArcSwapOption<AuditLog>,
    /// Why the agent's policy files are not those that are there.
    policy_trouble: ArcSwapOption<String>,
    refused_lately: Lately,
    /// Whether a secret that was stored as disclosable may be shown, as long as no policy says otherwise.
    reveals: AtomicBool,
    /// When what is long over was last looked for, in milliseconds.
    cleaned: AtomicU64,
    /// Whether the capabilities with names were read from the storage.
    named: Mutex<bool>,
    principals: Principals,
    tenancy: Tenancy,
    brought: Brought,
    people: People,
    plans: Live,
    limits: Limits,
    incoming: Memory,
    metrics: Metrics,
    outgoing: Outgoing,
    secrets: Arc<Secrets>,
    upstreams: Upstreams,
    machine: Machine,
    /// When evidence could not be written for the last time, in milliseconds; 0 where that never was.
    unrecorded: AtomicU64,
    owner: PrincipalName,
    unsealed: ArcSwapOption<Unsealed>,
    was_sealed: AtomicBool,
    reloads: Reloads,
    opened: Timestamp,
    remembered: Remembered,
    /// Held while the state changes; remembers the log that is ending.
    changing: Mutex<Ending>,
    /// Held while rows that decisions are made from are written and read again, so that no reader puts older ones back.
    writing: Mutex<()>,
}

impl Broker {
    /// A sealed broker over a home that was set up. Blocks.
    ///
    /// # Errors
    /// When the catalogue or a policy can't be read: nothing is served with half the rules.
    pub fn open(
        stores: Stores,
        clock: Arc<dyn Clock>,
        settings: Settings,
        setup: Setup,
    ) -> Result<Self, Refusal> {
        let storage = &stores.state;
        let catalog = load::catalog(&settings.layer, &settings.overlay, None)?;
        let rulings = Arc::new(Kept::new(Arc::clone(storage), settings.tenant.clone()));
        let rules = load::rules(storage, &catalog, &settings, &rulings)?;
        let lists = lists::at_start(&settings, &catalog)?;
        let secrets = Arc::new(Secrets::new(Arc::clone(storage), Arc::clone(&clock), setup));
        let grants = Grants::new();
        load::grants(&**storage, &grants)?;
        let bound = load::bound_at_once(&settings, &secrets, &catalog);
        let mode = if settings.development { Mode::Development } else { Mode::Standard };
        let (agent, _) = Agent::read(Config { mode, ..Config::default() }, clock.now())?;
        let outgoing =
            Outgoing::new().map_err(|error| Refusal::new(Code::SourceUnavailable, error.to_string()))?;
        let broker = Self {
            reloads: Reloads::default(),
            opened: clock.now(),
            remembered: Remembered::default(),
            rows: Arc::new(Rows::new(Arc::clone(storage))),
            clock,
            stores,
            edition: ArcSwap::from_pointee(Edition::new(catalog, lists)),
            overlay: ArcSwap::new(Arc::clone(&settings.overlay)),
            rules: ArcSwap::from_pointee(rules),
            rulings,
            bound,
            watcher: OnceLock::new(),
            grants,
            agent: ArcSwap::from_pointee(agent),
            audit: ArcSwapOption::empty(),
            policy_trouble: ArcSwapOption::empty(),
            refused_lately: Lately::default(),
            reveals: AtomicBool::new(settings.development),
            cleaned: AtomicU64::new(0),
            named: Mutex::new(false),
            principals: Principals::new(),
            tenancy: Tenancy::default(),
            brought: Brought::default(),
            people: People::default(),
            plans: Live::default(),
            limits: Limits::default(),
            incoming: Memory::default(),
            metrics: Metrics::new(),
            outgoing,
            secrets,
            upstreams: Upstreams::default(),
            machine: Machine::default(),
            unrecorded: AtomicU64::new(0),
            owner: name("owner")?,
            unsealed: ArcSwapOption::empty(),
            was_sealed: AtomicBool::new(false),
            changing: Mutex::default(),
            writing: Mutex::default(),
            settings,
        };
        broker.assign_roles()?;
        broker.read_roles()?;
        broker.read_tenants()?;
        Ok(broker)
    }

    /// Takes the keys and opens the evidence log. Blocks: a passphrase costs half a second on purpose.
    ///
    /// # Errors
    /// When the provider gives no key, or the evidence does not fit its last checkpoint.
    pub fn unseal(&self, provider: &dyn KeyProvider) -> Result<(), Refusal> {
        let mut ending = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.unsealed.load().is_some() {
            return Ok(());
        }
        let keyring = secrets::unseal_on_demand(&self.stores.state, provider)
            .map_err(|error| refused(&error, error.code(), error.hint()))?;
        let running = self.running(&ending, &keyring)?;
        self.rulings.unlock(Some(&keyring.house().hashing_key()));
        self.secrets.unseal(keyring);
        let unsealed = self.prepared(&running).inspect_err(|_| self.secrets.seal())?;
        self.admit_root(&unsealed)?;
        self.open_granted(&unsealed);
        *ending = Ending::of(&running);
        self.was_sealed.store(false, Ordering::Relaxed);
        self.unsealed.store(Some(Arc::clone(&unsealed)));
        if self.settings.reading == Reading::AtOnce
            && let Err(refusal) = self.read_named(&unsealed)
        {
            self.unsealed.store(None);
            self.secrets.seal();
            return Err(refusal);
        }
        if self.settings.reading == Reading::AtOnce {
            self.reopen_sessions(&unsealed);
        }
        Ok(())
    }

    /// The log that calls from before the sealing still write to, or a new one. Two never write to one chain.
    fn running(&self, ending: &Ending, keyring: &Keyring) -> Result<Arc<Running>, Refusal> {
        if let Some(running) = ending.running_still() {
            return Ok(running);
        }
        ending.wait()?;
        let key =
            keyring.house().evidence_key().map_err(|error| refused(&error, error.code(), error.hint()))?;
        let _looked = self.look_for_the_end(&key.public())?;
        let (storage, clock) = (Arc::clone(&self.stores.evidence), Arc::clone(&self.clock));
        let log = Log::open(storage, key, self.settings.origin.clone(), clock)
            .map_err(|error| refused(&error, Code::EvidenceUnavailable, error.hint()))?;
        let outcomes = match self.settings.reading {
            Reading::AtOnce => Outcomes::Settled,
            // Whoever made it for one call closes it before the answer is given.
            Reading::OnDemand { .. } => Outcomes::Closed,
        };
        Ok(Arc::new(Running::new(log, self.settings.threads, outcomes)))
    }

    fn prepared(&self, running: &Arc<Running>) -> Result<Arc<Unsealed>, Refusal> {
        let keyring = self.secrets.keyring().map_err(|error| refused(&error, error.code(), error.hint()))?;
        if self.was_sealed.load(Ordering::Relaxed) {
            announce(running.log())?;
        }
        let (secrets, running) = (Arc::clone(&self.secrets), Arc::clone(running));
        Ok(Arc::new(Unsealed::new(keyring, secrets, running)))
    }

    /// Drops the keys. Calls that are under way end with what they have; new ones are refused at once.
    pub fn seal(&self) {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        self.unsealed.store(None);
        self.was_sealed.store(true, Ordering::Relaxed);
        self.rulings.unlock(None);
        self.secrets.seal();
        self.outgoing.seal();
    }

    /// Ends the evidence log in good order. Blocks until everything that was appended is durable.
    ///
    /// # Errors
    /// When the last group could not be written.
    pub fn close(&self) -> Result<(), Refusal> {
        let held = self.unsealed.load_full();
        self.seal();
        match held {
            Some(held) => {
                let closed = held.log().close();
                closed.map_err(|error| refused(&error, Code::EvidenceUnavailable, error.hint()))?;
                self.remember_ends(&held.log().public_key());
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Held while rows that decisions are made from change. What is done under it blocks.
    pub(crate) fn writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the keys are in memory.
    #[must_use]
    pub fn state(&self) -> State {
        if self.unsealed.load().is_some() { State::Unsealed } else { State::Sealed }
    }

    /// How it is set up.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn unsealed(&self) -> Result<Arc<Unsealed>, Refusal> {
        self.unsealed
            .load_full()
            .ok_or_else(|| Refusal::new(Code::Sealed, "the broker is sealed").hint("`doorward unseal`"))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Random bytes, for names and keys.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn random<const N: usize>(&self) -> Result<[u8; N], Refusal> {
        crypto::array().map_err(|error| Refusal::new(Code::SourceUnavailable, error.to_string()))
    }

    /// The policies in force.
    pub(crate) fn rules(&self) -> Arc<Rules> {
        self.rules.load_full()
    }

    /// The policies in force, compiled.
    pub(crate) fn policies(&self) -> Result<Arc<Policies>, Refusal> {
        self.rules().policies()
    }

    /// Makes sure that the integrations may have the secrets that they declare.
    pub(crate) fn bound(&self) -> Result<(), Refusal> {
        if self.bound.get().is_none() {
            let _writing = self.writing();
            self.secrets.bind(load::bindings(&self.catalog()));
            let _ = self.bound.set(());
        }
        Ok(())
    }

    pub(crate) const fn grants(&self) -> &Grants {
        &self.grants
    }

    pub(crate) const fn principals(&self) -> &Principals {
        &self.principals
    }

    /// What is remembered of callers that prove themselves by what comes with their requests.
    pub(crate) const fn incoming(&self) -> &Memory {
        &self.incoming
    }

    pub(crate) const fn owner(&self) -> &PrincipalName {
        &self.owner
    }

    pub(crate) fn storage(&self) -> &Arc<dyn Storage> {
        &self.stores.state
    }

    pub(crate) fn evidence_storage(&self) -> &Arc<dyn Storage> {
        &self.stores.evidence
    }

    fn assign_roles(&self) -> Result<(), Refusal> {
        let wrong = |error: policy::Error| Refusal::new(Code::BadRequest, error.to_string());
        let tenant = &self.settings.tenant;
        self.principals.put(tenant, &self.owner, Known::new(PrincipalKind::Person, [OWNER]).map_err(wrong)?);
        if self.settings.development {
            let known = Known::new(PrincipalKind::Person, [DEVELOPMENT]).map_err(wrong)?;
            self.principals.put(tenant, &name("developer")?, known);
        }
        Ok(())
    }
}

fn name(text: &str) -> Result<PrincipalName, Refusal> {
    text.parse().map_err(|error: model::ParseError| Refusal::new(Code::BadRequest, error.to_string()))
}

pub(crate) fn refused(error: &dyn std::error::Error, code: Code, hint: Option<impl ToString>) -> Refusal {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(one) = source {
        text = format!("{text}: {one}");
        source = one.source();
    }
    let refusal = Refusal::new(code, text);
    match hint {
        Some(hint) => refusal.hint(hint.to_string()),
        None => refusal,
    }
}
