//! Calls that go on while whoever made them lets others have what it keeps them from: the home, which one process has at a time.
//!
//! Whoever made such a call is told [`Error::GoesOn`]. It ends, lets go, waits for the answer ([`Wire::landed`]), and begins
//! from the start with the same wire: what AWS answered meanwhile is answered from here.
//!
//! # Invariants
//!
//! - A request that goes on is sent once, and its answer is used for the same request only: same credentials, same body.
//! - Behind a call that goes on, no other one is begun before its maker has begun from the start.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Response;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::{Error, Prepared, Wire};

/// Something that is done aside.
pub type Flight = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How a process lets others have what it keeps them from while AWS is asked.
pub trait Aside: Send + Sync {
    /// Whether it is this process that asks: no while another one asks for the same.
    fn begins(&self) -> bool;

    /// Runs something to its end, also when the runtime of the call is gone by then.
    fn run(&self, flight: Flight);

    /// Comes when others have waited for long enough.
    fn wanted(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// What AWS said to one request, or why it did not.
pub(super) type Said = Result<Response<Zeroizing<Vec<u8>>>, net::Error>;

/// A request on its way.
pub(super) type Sending = Pin<Box<dyn Future<Output = Said> + Send>>;

/// The calls of a wire that may go on aside.
pub(super) struct Flights {
    aside: Arc<dyn Aside>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What was answered, by the digest of the request.
    answers: Vec<(Digest, Zeroizing<Vec<u8>>)>,
    up: Option<(Digest, u32, Landing)>,
    /// Something goes on, or another process asks for the same; nothing is begun before the maker was told.
    goes_on: bool,
    /// Calls are made in place.
    stays: bool,
}

enum Landing {
    Awaited(oneshot::Receiver<Said>),
    Here(Said),
    /// Whatever it ran on is gone.
    Lost,
}

pub(super) type Digest = [u8; 32];

impl Wire {
    /// The same with calls that may go on aside.
    #[must_use]
    pub fn aside(self, aside: Arc<dyn Aside>) -> Self {
        Self { flights: Some(Flights { aside, state: Mutex::default() }), ..self }
    }

    /// Whether something goes on because of which the call was not made to its end. Asked once for each time.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.flights.as_ref().is_some_and(|flights| std::mem::take(&mut flights.state().goes_on))
    }

    /// Whether a request was sent whose answer nobody has used.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.flights.as_ref().is_some_and(|flights| flights.state().up.is_some())
    }

    /// Makes all calls in place from now on: for what can't begin from the start. Says whether it is this process that asks.
    #[must_use]
    pub fn stays(&self) -> bool {
        let Some(flights) = &self.flights else { return true };
        flights.state().stays = true;
        let begins = flights.aside.begins();
        flights.state().goes_on = !begins;
        begins
    }

    /// Waits for so long, or until others want what this process has: then it says no.
    pub async fn rests(&self, duration: std::time::Duration) -> bool {
        let Some(flights) = &self.flights else {
            self.rest(duration).await;
            return true;
        };
        tokio::select! {
            () = self.rest(duration) => true,
            () = flights.aside.wanted() => false,
        }
    }

    /// Waits for the answer to what goes on. Says no where nothing does: then another process asks for the same.
    pub async fn landed(&self) -> bool {
        let Some(flights) = &self.flights else { return false };
        let up = flights.state().up.take();
        let Some((digest, attempt, landing)) = up else { return false };
        let landing = match landing {
            Landing::Awaited(said) => said.await.map_or(Landing::Lost, Landing::Here),
            landing => landing,
        };
        flights.state().up = Some((digest, attempt, landing));
        true
    }
}

impl Flights {
    /// What was answered to a request before.
    ///
    /// # Errors
    /// [`Error::GoesOn`] where nothing may be begun now.
    pub(super) fn before(&self, call: &Prepared<'_>) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let state = self.state();
        if state.goes_on {
            return Err(Error::GoesOn(call.operation));
        }
        let digest = call.digest();
        Ok(state.answers.iter().find(|(of, _)| *of == digest).map(|(_, body)| body.clone()))
    }

    /// Which attempt of a request is under way, where one is.
    pub(super) fn attempt(&self, call: &Prepared<'_>) -> Option<u32> {
        let digest = call.digest();
        self.state().up.as_ref().filter(|(of, ..)| *of == digest).map(|(_, attempt, _)| *attempt)
    }

    /// One attempt: the one that is under way, else a new one.
    pub(super) async fn fly(
        &self,
        (call, attempt): (&Prepared<'_>, u32),
        send: impl FnOnce() -> Result<Sending, Error>,
    ) -> Result<Said, Error> {
        let digest = call.digest();
        let up = self.state().up.take().filter(|(of, ..)| *of == digest);
        let mut said = match up {
            Some((_, _, Landing::Here(said))) => return Ok(said),
            Some((_, _, Landing::Lost)) => return Err(lost()),
            Some((_, _, Landing::Awaited(said))) => said,
            None if !self.aside.begins() => {
                self.state().goes_on = true;
                return Err(Error::GoesOn(call.operation));
            }
            None => {
                let (tell, said) = oneshot::channel();
                let sending = send()?;
                self.aside.run(Box::pin(async move {
                    // Nobody may want it any more.
                    let _ = tell.send(sending.await);
                }));
                said
            }
        };
        tokio::select! {
            biased;
            said = &mut said => said.map_err(|_| lost()),
            () = self.aside.wanted() => {
                let mut state = self.state();
                state.up = Some((digest, attempt, Landing::Awaited(said)));
                state.goes_on = true;
                Err(Error::GoesOn(call.operation))
            }
        }
    }

    /// Keeps an answer for the next time that the same is asked.
    pub(super) fn keep(&self, call: &Prepared<'_>, body: &Zeroizing<Vec<u8>>) {
        self.state().answers.push((call.digest(), body.clone()));
    }

    pub(super) fn stay(&self) -> bool {
        self.state().stays
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change of it is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn lost() -> Error {
    Error::System("thread left to send requests on")
}
