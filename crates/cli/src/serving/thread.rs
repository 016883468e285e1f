//! A thread of the gateway, with a runtime of its own.

use std::sync::Arc;

use broker::{Broker, Worker};
use net::fellow::{Entrance, Entrances, Handing};
use net::tls::Outbound;
use net::{Bound, Draining, Listener, ServeLimits};
use proxy::Gateway;
use tokio::sync::mpsc;

use super::secured::Secured;
use super::settled;
use crate::failure::{Failure, Outcome};
use crate::wire;

/// What all threads of the gateway serve with.
#[derive(Clone)]
pub(super) struct Threads {
    pub(super) broker: Arc<Broker>,
    pub(super) tls: Outbound,
    pub(super) gateway: Gateway,
    pub(super) secured: Option<Secured>,
    pub(super) draining: Draining,
    pub(super) limits: ServeLimits,
}

impl Threads {
    /// Starts one on each bound door; gives where their ends are told, and how many they are.
    pub(super) fn start(
        self,
        bound: Vec<Bound>,
        entrances: &mut Entrances,
    ) -> Outcome<(mpsc::Receiver<Outcome>, usize)> {
        let running = bound.len();
        let (ended, ends) = mpsc::channel(running.max(1));
        for (number, bound) in bound.into_iter().enumerate() {
            let one = Thread { with: self.clone(), handing: entrances.to(Entrance::Gateway), number };
            one.start(bound, ended.clone())?;
        }
        Ok((ends, running))
    }
}

struct Thread {
    with: Threads,
    /// What other brokers hand on.
    handing: Handing,
    number: usize,
}

impl Thread {
    fn start(self, bound: Bound, ended: mpsc::Sender<Outcome>) -> Outcome {
        let name = format!("gateway-{}", self.number);
        let started = std::thread::Builder::new().name(name).spawn(move || {
            let end = wire::runtime().and_then(|runtime| runtime.block_on(self.serve(bound)));
            // Nobody listens any more only where the process is ending.
            let _ = ended.blocking_send(end);
        });
        started.map(drop).map_err(|error| Failure::doing("could not start a thread", &error))
    }

    async fn serve(self, bound: Bound) -> Outcome {
        let Self { with: Threads { broker, tls, gateway, secured, draining, limits }, handing, number } =
            self;
        let worker: Arc<Worker> = wire::worker(&broker, &tls, number)?;
        let mut listener: Listener = bound.listener()?.with_handed(handing);
        if let Some(secured) = secured {
            listener = secured.secure(listener);
        }
        let drained = gateway.serve(Arc::clone(&worker), listener, limits, draining).await;
        if drained.cut > 0 {
            tracing::warn!(connections = drained.cut, "connections were cut because the grace was over");
        }
        settled(&worker).await;
        Ok(())
    }
}
