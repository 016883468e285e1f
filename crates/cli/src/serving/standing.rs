//! A broker beside others of the same store: its doors are open before it leads, and what comes is handed on to the one that does.
//!
//! # Invariants
//!
//! - The doors that a broker opens while it stands by are those that it serves when it leads: no caller finds them closed in between.
//! - While it stands by it reads one row, where the other one is. It lends nothing, decides nothing and writes nothing.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::TenantName;
use net::fellow::{Entrance, Entrances, FellowKeys, Leader, Onward, Plain};
use net::{Bound, Drain, Draining};
use serde_json::json;
use store::{Batch, Postgres, Storage, Table};

use super::signals::Signals;
use crate::failure::{Failure, Outcome};
use crate::home::Home;
use crate::keys::KeySource;
use crate::place::{self, Place};
use crate::print::Printer;
use crate::settings::store::Fellows;
use crate::wire;

/// The doors for callers, bound.
pub(crate) struct Doors {
    pub(crate) gateway: Vec<Bound>,
    pub(crate) api: Option<Bound>,
}

/// The door for other brokers, and what is handed on to the one that leads.
pub(crate) struct Standing {
    taking: Bound,
    announced: String,
    keys: FellowKeys,
    onward: Onward,
    leads: Drain,
}

/// Where the doors for callers are to be.
pub(crate) struct Wanted {
    pub(crate) gateway: Option<(SocketAddr, NonZeroUsize)>,
    pub(crate) api: Option<SocketAddr>,
    /// What the gateway speaks.
    pub(crate) plain: Plain,
}

/// Opens the doors of a broker that others may lead, where the settings say how brokers find each other.
pub(crate) fn open(home: &Home, wanted: &Wanted, printer: Printer) -> Outcome<Option<(Standing, Doors)>> {
    let Place::Server(store) = place::of(home)? else { return Ok(None) };
    let Some(fellows) = store.fellows.clone() else { return Ok(None) };
    let mut setup = store.setup()?;
    if let Some(owner) = &setup.owner {
        // What is read here has to be there.
        Postgres::prepare(owner, &setup.target.whom().role)?;
    }
    // For one row.
    setup.connections = 1;
    let reader: Arc<dyn Storage> = Arc::new(Postgres::reader(&setup)?);
    let keys = match keys(home, &reader) {
        Ok(Some(keys)) => keys,
        Ok(None) => {
            Printer::say(
                "Somebody has to type what opens this home, so nothing is handed on to another broker.",
            );
            return Ok(None);
        }
        Err(failure) => {
            Printer::say(&format!("Nothing is handed on to another broker: {failure}"));
            return Ok(None);
        }
    };
    let gateway = match wanted.gateway {
        Some((address, threads)) => net::bind_tcp(address, threads)?,
        None => Vec::new(),
    };
    let api = wanted.api.map(alone).transpose()?;
    let Fellows { listen, announced } = fellows;
    let taking = alone(listen)?;
    let announced = match announced {
        Some(announced) => announced,
        None => taking.address()?.to_string(),
    };
    let (leads, standing) = net::drain::channel();
    let onward = Onward::new(keys.clone(), leader(reader));
    let doors = doors(&gateway, api.as_ref(), wanted.plain)?;
    hand_on(onward.clone(), doors, standing)?;
    if printer.is_json() {
        let shown = |bound: Option<&Bound>| {
            bound.map(Bound::address).transpose().map(|place| place.map(|at| at.to_string()))
        };
        printer.json(
            &json!({ "event": "open", "gateway": shown(gateway.first())?, "api": shown(api.as_ref())? }),
        )?;
    }
    Ok(Some((Standing { taking, announced, keys, onward, leads }, Doors { gateway, api })))
}

impl Standing {
    /// From now on this broker leads: it says so in the store, takes what others hand on, and hands nothing on any more.
    pub(super) fn leads(
        &self,
        opened: &wire::Opened,
        entrances: Entrances,
        draining: Draining,
    ) -> Outcome<impl Future<Output = ()> + Send + use<>> {
        let listener = self.taking.again()?.listener()?;
        let row = Batch::new().put(
            Table::Meta,
            &TenantName::local(),
            LEADS_AT,
            self.announced.clone().into_bytes(),
        );
        opened.keys.storage.commit(&row)?;
        self.leads.start();
        let keys = self.keys.clone();
        Ok(async move { net::fellow::take(listener, &keys, entrances, draining).await })
    }

    /// Waits for what was handed on before this broker led.
    pub(super) fn ended(&self) {
        self.onward.settled(LAST);
    }
}

/// By what brokers of this home know each other; `None` where somebody has to type something for that.
fn keys(home: &Home, reader: &Arc<dyn Storage>) -> Outcome<Option<FellowKeys>> {
    let facts = secrets::provider_facts(&**reader)?;
    let source = KeySource { setup: wire::setup(home, Some(&facts))?, storage: Arc::clone(reader) };
    let Some(provider) = source.unattended()? else { return Ok(None) };
    let keyring = secrets::unseal_on_demand(reader, &*provider)?;
    let house = keyring.house().hashing_key();
    let seed = |purpose| house.derive(purpose, b"");
    let made = seed("fellow/leads/1")
        .expose(|leads| seed("fellow/stands-by/1").expose(|stands_by| FellowKeys::new(leads, stands_by)));
    Ok(Some(made?))
}

/// The same doors once more, to accept from while this broker stands by.
fn doors(gateway: &[Bound], api: Option<&Bound>, plain: Plain) -> Outcome<Vec<(Bound, Entrance, Plain)>> {
    let gateway = gateway.iter().map(|bound| (bound, Entrance::Gateway, plain));
    let api = api.into_iter().map(|bound| (bound, Entrance::Api, Plain::Http));
    let again = |(bound, entrance, plain): (&Bound, _, _)| Ok((bound.again()?, entrance, plain));
    gateway.chain(api).map(again).collect()
}

/// Hands on what comes to these doors, on a thread of its own, until this broker leads.
fn hand_on(onward: Onward, doors: Vec<(Bound, Entrance, Plain)>, leads: Draining) -> Outcome {
    let runtime = wire::runtime()?;
    let work = async move {
        let mut tasks = tokio::task::JoinSet::new();
        for (bound, entrance, plain) in doors {
            tasks.spawn(onward.clone().serve(bound.listener()?, entrance, plain, leads.clone()));
        }
        let mut signals = Signals::listen()?;
        let mut led = leads;
        tokio::select! {
            () = led.started() => {}
            () = signals.stops.either() => {
                // No lead, no evidence, nothing to close: only what is on its way.
                drop(tasks);
                let _ = tokio::task::spawn_blocking(move || onward.settled(LAST)).await;
                std::process::exit(0);
            }
        }
        // Connections that were taken go on until they end; the process ends when its own doors are closed.
        std::future::pending::<Outcome>().await
    };
    let started = std::thread::Builder::new().name("stand-by".to_owned()).spawn(move || {
        if let Err(failure) = runtime.block_on(work) {
            tracing::error!(%failure, "nothing is handed on to another broker");
        }
    });
    started.map(drop).map_err(|error| Failure::doing("could not start a thread", &error))
}

/// When the row was read, and what it said.
type Read = (Instant, Option<String>);

/// Where the broker is that leads, as it wrote down itself; looked up when it is asked for, and not more often than that changes.
fn leader(reader: Arc<dyn Storage>) -> Leader {
    let known: Arc<Mutex<Option<Read>>> = Arc::default();
    Arc::new(move || {
        let (reader, known) = (Arc::clone(&reader), Arc::clone(&known));
        Box::pin(async move {
            let last = known.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some((at, place)) = last
                && at.elapsed() < FRESH
            {
                return place;
            }
            let looked =
                tokio::task::spawn_blocking(move || reader.get(Table::Meta, &TenantName::local(), LEADS_AT));
            let place = looked.await.ok()?.ok()?.and_then(|row| String::from_utf8(row).ok());
            *known.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), place.clone()));
            place
        })
    })
}

/// A door with one thread behind it.
fn alone(address: SocketAddr) -> Outcome<Bound> {
    let mut bound = net::bind_tcp(address, NonZeroUsize::MIN)?;
    bound.pop().ok_or_else(|| Failure::new(format!("could not listen on `{address}`")))
}

/// The row that says where the broker takes connections that leads.
const LEADS_AT: &[u8] = b"broker/leads-at";
/// How long what was read of it counts.
const FRESH: Duration = Duration::from_millis(250);
/// How long connections may take to end that were handed on.
const LAST: Duration = Duration::from_secs(3);
