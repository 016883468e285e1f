//! The calls, and the connections that they share.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::connection::{Connection, late, left};
use crate::metrics::count;
use crate::settings::Settings;
use crate::types::{
    CapabilityFilter, CapabilityList, CapabilityRequest, CapabilityResponse, LogResponse, NarrowRequest,
    SecretResponse, UseRequest, UseResult, ValidationResult,
};
use crate::wire::{self, Call, Message};
use crate::{Error, Metrics};

/// Speaks with the agent. Safe for many threads, and after a fork.
#[derive(Default)]
pub struct Agent {
    settings: Settings,
    metrics: Metrics,
    pool: Mutex<Pool>,
    free: Condvar,
}

#[derive(Default)]
struct Pool {
    idle: Vec<Connection>,
    open: usize,
}

/// What [`secure_use`] and [`Keeper`](crate::Keeper) need of an agent: [`Agent`] has it, and
/// [`Mock`](crate::mock::Mock).
pub trait Asks {
    /// Asks for a capability. A denial is an answer.
    ///
    /// # Errors
    /// When the agent can't be asked, or refuses.
    fn request(&self, request: &CapabilityRequest) -> Result<CapabilityResponse, Error>;

    /// Whether it is valid now.
    ///
    /// # Errors
    /// When the agent can't be asked, or refuses.
    fn validate(&self, id: &str) -> Result<ValidationResult, Error>;

    /// Ends it, and all that was narrowed from it.
    ///
    /// # Errors
    /// When the agent can't be asked, or refuses.
    fn revoke(&self, id: &str, reason: &str) -> Result<(), Error>;

    /// The counters.
    fn metrics(&self) -> &Metrics;
}

/// What happens to a capability after its use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoke {
    /// It stays until its end.
    No,
    /// It is revoked: also when the use failed.
    Afterwards,
}

/// Validates a capability, runs `usage`, and revokes afterwards where asked to.
///
/// # Errors
/// [`Error::NotValid`] without running `usage`, or what the agent or `usage` answered with.
pub fn secure_use<T, E: From<Error>>(
    agent: &impl Asks,
    id: &str,
    revoke: Revoke,
    usage: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    let result = agent.validate(id)?;
    if !result.valid {
        return Err(Error::NotValid(Box::new(result)).into());
    }
    let used = usage();
    if revoke == Revoke::Afterwards {
        let revoked = agent.revoke(id, "Used successfully");
        // The failure of the use says more than that of the revocation.
        return used.and_then(|value| revoked.map(|()| value).map_err(E::from));
    }
    used
}

impl Agent {
    /// The agent of this machine.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An agent at another place, or with other patience.
    #[must_use]
    pub fn with(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Opens a first connection, so that a wrong path is noticed now.
    ///
    /// # Errors
    /// When no agent is there.
    pub fn connect(&self) -> Result<(), Error> {
        self.with_retries(|deadline| {
            let connection = Connection::open(&self.settings.path(), deadline)?;
            self.pool().idle.push(connection);
            Ok(())
        })
    }

    /// Capabilities that a filter chooses.
    ///
    /// # Errors
    /// When the agent can't be asked, or refuses.
    pub fn list(&self, filter: &CapabilityFilter) -> Result<CapabilityList, Error> {
        self.run(&wire::listing(json!(filter)))
    }

    /// A child that allows less. For tokens there is [`crate::token`], which needs no agent.
    ///
    /// # Errors
    /// When it would allow more, or the agent can't be asked.
    pub fn narrow(&self, id: &str, less: &NarrowRequest) -> Result<CapabilityResponse, Error> {
        self.run(&wire::narrow(id, json!(less)))
    }

    /// Sends a request with the credential of an integration put on it; this program never has the credential.
    ///
    /// # Errors
    /// When the agent can't be asked or refuses; [`Error::OutcomeUnknown`] when no answer came.
    pub fn use_request(&self, id: &str, request: &UseRequest) -> Result<UseResult, Error> {
        self.run(&wire::use_request(id, request))
    }

    /// Runs a tool that the owner declared.
    ///
    /// # Errors
    /// As [`Agent::use_request`].
    pub fn use_tool(&self, id: &str, name: &str, inputs: &Map<String, Value>) -> Result<UseResult, Error> {
        self.run(&wire::use_tool(id, name, inputs))
    }

    /// The secret itself, where it was stored as disclosable and policy allows that.
    ///
    /// # Errors
    /// As [`Agent::use_request`].
    pub fn read_secret(&self, id: &str, resource: Option<&str>) -> Result<SecretResponse, Error> {
        self.run(&wire::read_secret(id, resource))
    }

    /// Appends a line to an evidence stream.
    ///
    /// # Errors
    /// As [`Agent::use_request`].
    pub fn append_log(
        &self,
        id: &str,
        message: &str,
        fields: Option<&Map<String, Value>>,
        resource: Option<&str>,
    ) -> Result<LogResponse, Error> {
        self.run(&wire::append_log(id, message, fields, resource))
    }

    /// The agent's server: its socket, connections and uptime.
    ///
    /// # Errors
    /// When the agent can't be asked.
    pub fn status(&self) -> Result<Value, Error> {
        self.run(&wire::plain("status_request", "status_response"))
    }

    /// All that the agent says about itself.
    ///
    /// # Errors
    /// When the agent can't be asked.
    pub fn agent_status(&self) -> Result<Value, Error> {
        self.run(&wire::plain("agent_status", "agent_status_response"))
    }

    /// Whether an agent answers.
    ///
    /// # Errors
    /// When none does.
    pub fn ping(&self) -> Result<(), Error> {
        self.run(&wire::plain("ping_request", "ping_response")).map(drop)
    }

    /// Closes the idle connections. The agent may be used again.
    pub fn close(&self) {
        self.pool().idle.clear();
    }

    // === how a call is made ===

    fn run<T>(&self, call: &Call<T>) -> Result<T, Error> {
        let made = call
            .message()
            .and_then(|message| self.with_retries(|deadline| self.once(call, &message, deadline)));
        made.inspect_err(|_| count(&self.metrics.errors))
    }

    fn with_retries<T>(&self, attempt: impl Fn(Instant) -> Result<T, Error>) -> Result<T, Error> {
        let deadline = Instant::now() + self.settings.timeout;
        let mut number = 0;
        loop {
            let error = match attempt(deadline) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let wait = self.settings.retry.wait(number);
            number += 1;
            let over = number >= self.settings.retry.attempts || Instant::now() + wait >= deadline;
            if over || !error.may_go_again() {
                return Err(error);
            }
            count(&self.metrics.retries);
            thread::sleep(wait);
        }
    }

    fn once<T>(&self, call: &Call<T>, message: &Message, deadline: Instant) -> Result<T, Error> {
        let mut place = self.place(deadline)?;
        let mut connection = match place.take_idle() {
            Some(idle) => idle,
            None => Connection::open(&self.settings.path(), deadline)?,
        };
        let line = connection.exchange(&message.line, deadline).map_err(|broken| {
            if broken.sent && !call.repeatable { broken.error.after_sending() } else { broken.error }
        })?;
        let result = call.result(&message.id, &line);
        // A refusal is a whole answer, so the next one is that to the next message.
        if matches!(result, Ok(_) | Err(Error::Refused { .. })) {
            place.give_back(connection);
        }
        result
    }

    /// Waits for one of the places for connections.
    fn place(&self, deadline: Instant) -> Result<Place<'_>, Error> {
        let mut pool = self.pool();
        while pool.open >= self.settings.connections.max(1) {
            let left = left(deadline).unwrap_or(Duration::ZERO);
            let waited = self.free.wait_timeout(pool, left).unwrap_or_else(PoisonError::into_inner);
            if waited.1.timed_out() {
                return Err(late());
            }
            pool = waited.0;
        }
        pool.open += 1;
        Ok(Place { agent: self })
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        // Each change of the pool is whole, so a thread that panicked has left nothing half done.
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asks for Agent {
    fn request(&self, request: &CapabilityRequest) -> Result<CapabilityResponse, Error> {
        count(&self.metrics.capability_requests);
        let response = self.run(&wire::request(json!(request)))?;
        let granted = response.granted().is_some();
        count(if granted { &self.metrics.capability_grants } else { &self.metrics.capability_denials });
        Ok(response)
    }

    fn validate(&self, id: &str) -> Result<ValidationResult, Error> {
        count(&self.metrics.validation_requests);
        let result = self.run(&wire::validate(id, None))?;
        count(if result.valid {
            &self.metrics.validation_success
        } else {
            &self.metrics.validation_failures
        });
        Ok(result)
    }

    fn revoke(&self, id: &str, reason: &str) -> Result<(), Error> {
        let reason = Some(reason).filter(|text| !text.is_empty());
        self.run(&wire::revoke(id, reason)).map(drop)
    }

    fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

// So that a program need not import the trait.
impl Agent {
    /// Asks for a capability. A denial is an answer with the status `denied`, not an error.
    ///
    /// # Errors
    /// When the agent can't be asked, or refuses.
    pub fn request(&self, request: &CapabilityRequest) -> Result<CapabilityResponse, Error> {
        Asks::request(self, request)
    }

    /// Whether it is valid now. Consumes nothing.
    ///
    /// # Errors
    /// When the agent can't be asked, or refuses.
    pub fn validate(&self, id: &str) -> Result<ValidationResult, Error> {
        Asks::validate(self, id)
    }

    /// Ends it, and all that was narrowed from it.
    ///
    /// # Errors
    /// When the agent can't be asked, or refuses.
    pub fn revoke(&self, id: &str, reason: &str) -> Result<(), Error> {
        Asks::revoke(self, id, reason)
    }

    /// The counters.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

/// A place for a connection; it is free again when this is dropped.
struct Place<'a> {
    agent: &'a Agent,
}

impl Place<'_> {
    fn take_idle(&mut self) -> Option<Connection> {
        let mut pool = self.agent.pool();
        while let Some(mut idle) = pool.idle.pop() {
            if idle.is_quiet() {
                return Some(idle);
            }
        }
        None
    }

    fn give_back(&mut self, connection: Connection) {
        self.agent.pool().idle.push(connection);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.agent.pool().open -= 1;
        self.agent.free.notify_one();
    }
}
