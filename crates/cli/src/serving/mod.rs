//! A running broker: one thread with a runtime of its own for each core of the gateway, and this one for the socket doors,
//! the counters and the signals.
//!
//! # Invariants
//!
//! - Doors close before the evidence does; what has begun ends in its own time, but not later than the grace.
//! - A thread that can't serve takes the house down with it, rather than leave it half open.
//! - A second signal ends the process at once; the evidence settles what was open at the next start.

mod descriptors;
mod leading;
mod lean;
pub(crate) mod office;
mod owner;
pub(crate) mod preauthorized;
mod rounds;
pub(crate) mod secured;
mod signals;
pub(crate) mod sockets;
pub(crate) mod standing;
mod thread;
mod webhooks;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use agent::Control;
use broker::{Broker, Payload, Worker};
use model::Refusal;
use net::fellow::{Entrance, Entrances};
use net::tls::Outbound;
use net::{Bound, Drain, Draining, Listener, ServeLimits};
use proxy::Gateway;
use proxy::metrics::Shows;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::failure::{Failure, Outcome};
use crate::keys::KeySource;
use crate::print::{Printer, problem};
use crate::supervisor::Supervisor;
use crate::{settings, traces, wire};

use office::Office;
use preauthorized::Preauthorized;
use secured::Secured;
pub(crate) use signals::Stops;
use signals::{ONE_WORD, Signals};
use sockets::Sockets;
use standing::Standing;
use thread::Threads;

/// Everything that a running broker is made of.
pub(crate) struct House {
    pub(crate) opened: wire::Opened,
    pub(crate) doors: BTreeMap<String, String>,
    pub(crate) sockets: Sockets,
    pub(crate) office: Arc<Office>,
    gateway: Gateway,
    bound: Vec<Bound>,
    /// Those that show numbers.
    shown: [(Option<Bound>, Shows); 2],
    api: Option<(Bound, server::Names)>,
    secured: Option<Secured>,
    limits: ServeLimits,
    standing: Option<Standing>,
}

/// The doors of a house beside its sockets.
pub(crate) struct Ports {
    pub(crate) gateway: Gateway,
    /// One for each thread of the gateway; none where there is no gateway.
    pub(crate) bound: Vec<Bound>,
    pub(crate) metrics: Option<Bound>,
    pub(crate) admin: Option<Bound>,
    /// The API for tenants, and by which names it is known.
    pub(crate) api: Option<(Bound, server::Names)>,
    pub(crate) secured: Option<Secured>,
    /// What the gateway allows its callers.
    pub(crate) limits: ServeLimits,
    /// The other brokers of the same store.
    pub(crate) standing: Option<Standing>,
}

impl House {
    /// Puts together what is bound already.
    pub(crate) fn new(
        opened: wire::Opened,
        ports: Ports,
        sockets: Sockets,
        office: Arc<Office>,
    ) -> Outcome<Self> {
        let Ports { gateway, bound, metrics, admin, api, secured, limits, standing } = ports;
        let scheme = if secured.is_some() { "https" } else { "http" };
        let mut doors = BTreeMap::new();
        if let Some(first) = bound.first() {
            doors.insert("gateway".to_owned(), format!("{scheme}://{}", first.address()?));
        }
        if let Some(metrics) = &metrics {
            doors.insert("metrics".to_owned(), format!("http://{}", metrics.address()?));
        }
        if let Some(admin) = &admin {
            doors.insert("admin".to_owned(), format!("http://{}", admin.address()?));
        }
        if let Some((api, names)) = &api {
            doors.insert("api".to_owned(), format!("http://{}", api.address()?));
            doors.insert("console".to_owned(), format!("{}/console/", names.url()));
        }
        doors.insert("socket".to_owned(), sockets.home.display().to_string());
        if let Some(public) = &sockets.public {
            doors.insert("agent".to_owned(), public.path().display().to_string());
        }
        let shown = [(metrics, Shows::Numbers), (admin, Shows::Status)];
        Ok(Self { opened, doors, sockets, office, gateway, bound, shown, api, secured, limits, standing })
    }
}

/// Serves until a signal or the socket says to stop; `ready` is called when every door is open.
pub(crate) fn run(house: House, printer: Printer, ready: &dyn Fn() -> Outcome) -> Outcome {
    descriptors::prepare()?;
    let traces = traces::start(&house.opened.broker, &settings::environment)?;
    let runtime = wire::runtime()?;
    let tls = tls(&house)?;
    let (drain, draining) = net::drain::channel();
    let drain = Arc::new(drain);
    let broker = Arc::clone(&house.opened.broker);
    crate::sources::announce_unreadable(&broker)?;
    let result = runtime.block_on(serve(house, tls, (drain, draining), printer, ready));
    drop(runtime);
    // Last of all: nobody can append any more.
    let closed = broker.close();
    if let Some(traces) = traces {
        traces.end();
    }
    if printer.is_json() {
        printer.json(&json!({ "event": "stopped" }))?;
    }
    result?;
    Ok(closed?)
}

/// What upstreams are trusted by. Without a gateway it is read when somebody needs it: it takes some milliseconds.
fn tls(house: &House) -> Outcome<Outbound> {
    if house.bound.is_empty() { Ok(Outbound::on_demand(net::tls::Trust::default())) } else { wire::tls() }
}

async fn serve(
    house: House,
    tls: Outbound,
    (drain, draining): (Arc<Drain>, Draining),
    printer: Printer,
    ready: &dyn Fn() -> Outcome,
) -> Outcome {
    let House { opened, doors, sockets, office, gateway, bound, shown, api, secured, limits, standing } =
        house;
    let broker = Arc::clone(&opened.broker);
    let signals = Signals::listen()?;
    let open = sockets.open()?;
    let own = wire::worker(&broker, &tls, bound.len())?;
    let control = control(&office, unsealing(&broker, &opened.keys), &drain);
    let gauges = agent::Gauges::start();
    let mut own_doors = open.serve(&own, &control, &doors, &draining, &gauges);
    let mut entrances = Entrances::default();
    if let Some((bound, names)) = api {
        let listener = bound.listener()?.with_handed(entrances.to(Entrance::Api));
        own_doors.spawn(tenants((listener, names), &own, &draining));
    }
    own_doors.spawn(rounds::go(Arc::clone(&own), opened.beside.clone(), draining.clone()));
    own_doors.spawn(webhooks::go(Arc::clone(&own), draining.clone()));
    for (bound, shows) in shown.into_iter().filter_map(|(bound, shows)| Some((bound?, shows))) {
        let more = (more(&own, &gauges, gateway.numbers()), shows);
        own_doors.spawn(numbers(bound.listener()?, Arc::clone(&own), more, draining.clone()));
    }
    let threads =
        Threads { broker, tls, gateway, secured: secured.clone(), draining: draining.clone(), limits };
    let (mut ends, running) = threads.start(bound, &mut entrances)?;
    if let Some(server) = opened.server.clone() {
        own_doors.spawn(leading::watched(server, Arc::clone(&drain), draining.clone()));
    }
    match &standing {
        Some(standing) => drop(own_doors.spawn(standing.leads(&opened, entrances, draining.clone())?)),
        // Nobody hands anything on: the doors see that once, and look no more.
        None => drop(entrances),
    }
    let early = early(&office, &own, standing.as_ref()).await;
    ready()?;
    office.supervisor.ready();
    own_doors.spawn(lean::stay(draining.clone()));
    let failed = until_told(
        (&office, &own, early),
        secured.as_ref(),
        signals,
        (&drain, draining),
        (&mut ends, running, printer),
    )
    .await;
    // All doors drain by themselves, within their grace.
    while own_doors.join_next().await.is_some() {}
    settled(&own).await;
    standing.iter().for_each(Standing::ended);
    let led = leading::still(opened.server.as_deref());
    drop(opened);
    failed.and(led)
}

/// What is to be granted in advance, granted: whoever waits for the word that we are ready counts on it. One that stands by asks when it
/// leads.
async fn early(office: &Office, worker: &Arc<Worker>, standing: Option<&Standing>) -> Preauthorized {
    let mut wanted = office.take_preauthorized();
    if standing.is_none() {
        wanted.renew(worker).await;
    }
    wanted
}

/// What the owner may tell the house to do.
fn control(office: &Arc<Office>, unseal: agent::Unseal, drain: &Arc<Drain>) -> Control {
    Control {
        unseal,
        reload: Office::reloading(office),
        config: Office::configured(office),
        policies: Office::counted(office),
        drain: Arc::clone(drain),
    }
}

/// The API for tenants.
fn tenants(
    door: (net::Listener, server::Names),
    worker: &Arc<Worker>,
    draining: &Draining,
) -> impl Future<Output = ()> + Send + use<> {
    let (worker, draining) = (Arc::clone(worker), draining.clone());
    async move {
        let _ = server::serve(worker, door, ServeLimits::default(), draining).await;
    }
}

/// A door that shows numbers.
async fn numbers(
    listener: Listener,
    worker: Arc<Worker>,
    more: (proxy::metrics::More, Shows),
    draining: Draining,
) {
    let _ = proxy::metrics::serve(worker, listener, more, ServeLimits::default(), draining).await;
}

/// The agent's numbers and those of the other gateway whose words the gateway speaks, for the door that shows those of the broker.
fn more(
    worker: &Arc<Worker>,
    gauges: &Arc<agent::Gauges>,
    peer: &proxy::PeerNumbers,
) -> proxy::metrics::More {
    let numbers = Arc::new(agent::Numbers::new(Arc::clone(worker), Arc::clone(gauges)));
    let peer = peer.clone();
    Arc::new(move || {
        let (numbers, peer) = (Arc::clone(&numbers), peer.clone());
        Box::pin(async move { numbers.text().await + &peer.text() })
    })
}

/// Waits for the word to stop, and then for every thread.
async fn until_told(
    (office, worker, mut preauthorized): (&Arc<Office>, &Arc<Worker>, Preauthorized),
    secured: Option<&Secured>,
    Signals { mut stops, mut reloads }: Signals,
    (drain, mut draining): (&Arc<Drain>, Draining),
    (ends, mut running, printer): (&mut mpsc::Receiver<Outcome>, usize, Printer),
) -> Outcome {
    let mut result = Ok(());
    let mut tidy = tokio::time::interval(TIDY);
    let mut beat = beat(&office.supervisor);
    let mut again = office.looks_again();
    let mut changes = office.watched();
    let mut glance = tokio::time::interval(GLANCE);
    let mut told = false;
    let mut asked: Option<Instant> = None;
    while running > 0 || !told {
        tokio::select! {
            Some(()) = reloads.recv() => reload(office, secured, printer).await,
            Some(()) = changes.recv(), if !told => reload(office, secured, printer).await,
            () = stops.either() => {
                // Ctrl-C reaches a whole group of processes, and a supervisor says it again: that is one word, not two.
                if asked.is_some_and(|at| at.elapsed() < ONE_WORD) {
                    continue;
                }
                if asked.is_some() {
                    std::process::exit(1);
                }
                asked = Some(Instant::now());
                if !printer.is_json() {
                    Printer::say("Stopping: calls that have begun may end. Once more stops at once.");
                }
                drain.start();
                told = true;
            }
            () = draining.started(), if !told => told = true,
            Some(end) = ends.recv() => {
                running -= 1;
                if end.is_err() && result.is_ok() {
                    result = end;
                }
                // One that ended by itself could not serve; the others must not go on as if nothing were.
                drain.start();
            }
            _ = tidy.tick() => office.broker.tidy(),
            _ = beat.tick() => office.supervisor.alive(),
            _ = again.tick() => Office::look(office),
            _ = glance.tick() => glanced(secured),
            () = preauthorized.due(), if !told => preauthorized.renew(worker).await,
        }
    }
    office.supervisor.stopping();
    result
}

/// Looks whether the files of the certificate have changed, on a thread that may wait.
fn glanced(secured: Option<&Secured>) {
    if let Some(secured) = secured.cloned() {
        drop(tokio::task::spawn_blocking(move || secured.look()));
    }
}

/// When the supervisor wants to hear that we live.
fn beat(supervisor: &Supervisor) -> tokio::time::Interval {
    tokio::time::interval(supervisor.beat().unwrap_or(NEVER))
}

/// Reads the user's files again. A bad one keeps the former set, and says so.
async fn reload(office: &Arc<Office>, secured: Option<&Secured>, printer: Printer) {
    office.supervisor.reloading();
    let result = Office::again(office).await.map_err(Failure::from);
    let certificates = secured.map_or(Ok(()), Secured::reload);
    match result.and_then(|told| certificates.map(|()| told)) {
        Ok(told) => office.said(&told, printer),
        Err(failure) => {
            Printer::say("What was in force stays in force:");
            problem::print(&failure, printer);
        }
    }
    office.supervisor.ready();
}

/// A caller who hung up cancelled nothing: such calls are tasks of their own, each of which holds the worker. They end
/// before the runtime does.
async fn settled(worker: &Arc<Worker>) {
    for _ in 0..SETTLING {
        if Arc::strong_count(worker) == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tracing::warn!("calls were still under way at the end; the next start settles them as unknown");
}

// === unsealing ===

/// What the socket door does when it is given a passphrase or PIN. A home that needs none does not look at it.
fn unsealing(broker: &Arc<Broker>, keys: &KeySource) -> agent::Unseal {
    let (broker, keys) = (Arc::clone(broker), keys.clone());
    Arc::new(move |payload: Payload| {
        let (broker, keys) = (Arc::clone(&broker), keys.clone());
        Box::pin(async move {
            let unsealed =
                tokio::task::spawn_blocking(move || keys.unseal(&broker, Some(payload.into_secret())));
            let lost = || Refusal::new(model::Code::Sealed, "unsealing broke off inside Doorward");
            unsealed.await.unwrap_or_else(|_| Err(lost()))
        })
    })
}

/// How often the files of a certificate are looked at.
const GLANCE: Duration = Duration::from_secs(2);
const TIDY: Duration = Duration::from_secs(60);
/// Where nobody asked for a beat.
const NEVER: Duration = Duration::from_secs(365 * 86_400);
/// Hundredths of a second that calls without a caller have left.
const SETTLING: usize = 500;
