//! What the owner of a running broker tells it: read the files again, show the settings. And what it does by itself: look
//! whether policy files have changed.
//!
//! # Invariants
//!
//! - Reading again is all or nothing: where one file is wrong, what was in force stays, and the file is named.

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use broker::Broker;
use model::{Code, Refusal};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::preauthorized::Preauthorized;
use crate::failure::{Failure, Outcome};
use crate::gateway::Peer;
use crate::home::Home;
use crate::print::Printer;
use crate::print::table::{at, cell};
use crate::settings;
use crate::settings::agent::{AgentSettings, Places, Typed};
use crate::supervisor::Supervisor;

/// The desk where the owner's word arrives.
pub(crate) struct Office {
    pub(crate) broker: Arc<Broker>,
    pub(crate) supervisor: Supervisor,
    places: Places,
    typed: Typed,
    settings: Mutex<AgentSettings>,
    /// What the policy files looked like when they were read.
    seen: Mutex<Vec<Seen>>,
    /// How many policies are in force, and since when.
    loaded: Mutex<(usize, Instant)>,
    /// What is asked for at the start, until whoever asks takes it.
    preauthorized: Mutex<Preauthorized>,
    /// Another gateway's files, and the home under them.
    peer: OnceLock<(Arc<Peer>, Home)>,
}

/// One policy file as it was: name, time of change, bytes.
type Seen = (std::ffi::OsString, Option<SystemTime>, u64);

impl Office {
    /// Sets the agent of a broker up as its settings say; gives the warnings as well.
    ///
    /// # Errors
    /// The policy file that is wrong.
    pub(crate) fn open(
        broker: Arc<Broker>,
        supervisor: Supervisor,
        (places, typed): (Places, Typed),
        settings: AgentSettings,
    ) -> Outcome<(Arc<Self>, Configured)> {
        let seen = Mutex::new(look(&settings.policies.value));
        let configured = configure(&broker, &settings)?;
        let preauthorized = settings.preauthorize.as_deref().map(Preauthorized::read).transpose()?;
        let preauthorized = Mutex::new(preauthorized.unwrap_or_default());
        let settings = Mutex::new(settings);
        let loaded = Mutex::new((configured.policies, Instant::now()));
        let office = Self {
            broker,
            supervisor,
            places,
            typed,
            settings,
            seen,
            loaded,
            preauthorized,
            peer: OnceLock::new(),
        };
        Ok((Arc::new(office), configured))
    }

    /// What is asked for at the start; given once.
    pub(super) fn take_preauthorized(&self) -> Preauthorized {
        std::mem::take(&mut *self.preauthorized.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on these files count as well whenever everything is read again.
    pub(crate) fn follows(&self, peer: Arc<Peer>, home: &Home) {
        let _ = self.peer.set((peer, home.clone()));
    }

    /// Says when another gateway's files have changed, where they are watched. The thread ends with whoever listens.
    pub(super) fn watched(&self) -> mpsc::Receiver<()> {
        let (changed, changes) = mpsc::channel(1);
        if let Some((peer, _)) = self.peer.get().filter(|(peer, _)| peer.watches) {
            let peer = Arc::clone(peer);
            let watch = move || {
                while !changed.is_closed() {
                    std::thread::sleep(LOOK);
                    if peer.changed() && changed.blocking_send(()).is_err() {
                        return;
                    }
                }
            };
            if let Err(error) = std::thread::Builder::new().name("watch".to_owned()).spawn(watch) {
                tracing::warn!(%error, "files are not watched");
            }
        }
        changes
    }

    /// Reads the catalogue, the lists and the policies again, all or nothing, and counts how that went.
    fn everything_again(&self) -> Result<(), Refusal> {
        let read = match self.peer.get() {
            Some((peer, home)) => peer
                .lay(&self.broker, home)
                .and_then(|_| crate::sources::announce_unreadable(&self.broker))
                .map_err(|failure| refusal(&failure)),
            None => self.broker.reload_where(|next| {
                crate::sources::refuse_worse(&self.broker, next).map_err(|failure| refusal(&failure))
            }),
        };
        self.broker.reloaded(read.as_ref().err().map(|refusal| refusal.message.as_str()));
        read
    }

    /// The settings in force.
    pub(crate) fn settings(&self) -> AgentSettings {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads every file again; what is said about it is the payload of `agent_response`.
    pub(crate) async fn again(office: &Arc<Self>) -> Result<Value, Refusal> {
        let office = Arc::clone(office);
        let read = tokio::task::spawn_blocking(move || office.read_again());
        read.await
            .unwrap_or_else(|_| Err(Refusal::new(Code::SourceUnavailable, "could not read the files again")))
    }

    fn read_again(&self) -> Result<Value, Refusal> {
        let settings = AgentSettings::load(&self.places, &self.typed, &settings::environment)
            .map_err(|failure| refusal(&failure))?;
        let seen = look(&settings.policies.value);
        self.everything_again()?;
        let Configured { policies, mut warnings } =
            configure(&self.broker, &settings).map_err(|failure| refusal(&failure))?;
        let from = settings
            .file
            .as_deref()
            .map_or_else(|| "the defaults".to_owned(), |path| path.display().to_string());
        warnings.extend(self.unchanged(&settings));
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner) = settings;
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        self.has_loaded(policies);
        let message = if warnings.is_empty() {
            "Agent reloaded successfully"
        } else {
            "Agent reloaded successfully with warnings"
        };
        Ok(json!({
            "status": "reloaded",
            "message": message,
            "policies": policies,
            "warnings": warnings,
            "messages": [
                "Reloading Aether Vault Agent...",
                format!("Configuration reloaded from {from}"),
                "Policy cache refreshed",
                format!("Policy engine restarted with {policies} policies"),
                "Existing connections maintained",
                message,
            ],
        }))
    }

    /// What was changed in the file and is not looked at before the next start.
    fn unchanged(&self, fresh: &AgentSettings) -> Vec<String> {
        let old = self.settings();
        let changed = [
            ("socket_path", old.socket.value != fresh.socket.value),
            ("ipc", old.limits != fresh.limits || old.access != fresh.access),
            ("pid_file", old.pid_file != fresh.pid_file),
            ("health", old.metrics != fresh.metrics),
            ("audit", old.audit.value != fresh.audit.value),
        ];
        let changed = changed.into_iter().filter(|(_, changed)| *changed);
        changed.map(|(key, _)| format!("`{key}` has changed, which counts from the next start on")).collect()
    }

    /// For the socket door.
    pub(crate) fn reloading(office: &Arc<Self>) -> Arc<dyn Fn() -> agent::Reloading + Send + Sync> {
        let office = Arc::clone(office);
        Arc::new(move || {
            let office = Arc::clone(&office);
            Box::pin(async move {
                office.supervisor.reloading();
                let told = Self::again(&office).await;
                office.supervisor.ready();
                told
            })
        })
    }

    /// For the socket door.
    pub(crate) fn configured(office: &Arc<Self>) -> Arc<dyn Fn() -> Value + Send + Sync> {
        let office = Arc::clone(office);
        Arc::new(
            move || json!({ "status": "ok", "message": "Agent Configuration", "config": office.settings().document() }),
        )
    }

    fn has_loaded(&self, policies: usize) {
        *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = (policies, Instant::now());
    }

    /// For the socket door.
    pub(crate) fn counted(office: &Arc<Self>) -> Arc<dyn Fn() -> Value + Send + Sync> {
        let office = Arc::clone(office);
        Arc::new(move || {
            let (policies, since) = *office.loaded.lock().unwrap_or_else(PoisonError::into_inner);
            let ago = since.elapsed().as_secs();
            let ago = match (ago / 3600, ago / 60) {
                (0, 0) => format!("{ago}s ago"),
                (0, minutes) => format!("{minutes}m ago"),
                (hours, _) => format!("{hours}h ago"),
            };
            json!({ "loaded_policies": policies, "last_policy_reload": ago })
        })
    }

    /// Says what was read again.
    pub(crate) fn said(&self, told: &Value, printer: Printer) {
        // A gateway without policy files for capabilities lacks nothing, and its callers are not denied for it.
        let lacks_nothing = self.typed.beside && at(told, "policies").as_u64() == Some(0);
        for warning in at(told, "warnings").as_array().into_iter().flatten().filter(|_| !lacks_nothing) {
            Printer::say(&format!("Warning: {}", cell(warning)));
        }
        if printer.is_json() {
            let _ = printer.json(&json!({ "event": "reloaded", "policies": at(told, "policies") }));
        } else {
            Printer::say("Read integrations and policies again.");
        }
    }

    /// How often it is looked whether policy files have changed.
    pub(crate) fn looks_again(&self) -> tokio::time::Interval {
        let every = self.settings().reload_interval.unwrap_or(NEVER);
        let mut interval = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        interval
    }

    /// Reads them again where they have, on a thread that may wait. Owned by the runtime, which waits for it at the end.
    pub(crate) fn look(office: &Arc<Self>) {
        let office = Arc::clone(office);
        drop(tokio::task::spawn_blocking(move || {
            let settings = office.settings();
            let now = look(&settings.policies.value);
            let mut seen = office.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if *seen == now {
                return;
            }
            // Also where they are wrong: that is said once, and not each minute.
            *seen = now;
            drop(seen);
            match configure(&office.broker, &settings) {
                Ok(Configured { policies, .. }) => {
                    office.has_loaded(policies);
                    tracing::info!(policies, "policy files have changed and were read")
                }
                Err(failure) => {
                    tracing::warn!(%failure, "policy files have changed and are wrong; the former ones stay in force")
                }
            }
        }));
    }
}

/// What was read.
pub(crate) struct Configured {
    pub(crate) policies: usize,
    pub(crate) warnings: Vec<String>,
}

/// Hands the settings to the broker, which reads the policy files.
fn configure(broker: &Broker, settings: &AgentSettings) -> Outcome<Configured> {
    let mut warnings = Vec::new();
    let folder = &settings.policies.value;
    let there = folder.is_dir();
    if !there {
        warnings
            .push(format!("Failed to load policy directory {}: No such file or directory", folder.display()));
    }
    let read = broker.configure_agent(settings.config(there.then(|| folder.clone()))?)?;
    warnings.extend(read.warnings);
    Ok(Configured { policies: read.policies, warnings })
}

/// What stands in a folder, so that a change is seen without reading it.
fn look(folder: &Path) -> Vec<Seen> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut seen: Vec<Seen> = entries
        .flatten()
        .filter_map(|entry| {
            let found = std::fs::metadata(entry.path()).ok()?;
            Some((entry.file_name(), found.modified().ok(), found.len()))
        })
        .collect();
    seen.sort();
    seen
}

fn refusal(failure: &Failure) -> Refusal {
    let refusal = Refusal::new(Code::BadRequest, failure.to_string());
    match &failure.hint {
        Some(hint) => refusal.hint(hint.to_string()),
        None => refusal,
    }
}

/// How often it is looked whether watched files have changed.
const LOOK: Duration = Duration::from_millis(400);
const NEVER: Duration = Duration::from_secs(365 * 86_400);
