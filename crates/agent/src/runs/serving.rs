//! Opens a run, serves its socket, and ends it.

use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use broker::{Asked, Forward, Inbound, Operate, Outbound, Payload, presented};
use http::{HeaderValue, request::Parts};
use hyper::body::Incoming;
use model::{CapabilityId, Code, Door, Fact, Holder, Inputs, IntegrationName, Refusal, RunId, Target};
use net::{Body, Drained, Draining, Listener, Peer, Process, ServeLimits};
use serde_json::{Value, json};

use super::{After, Keep, Known, Run};
use crate::door::Agent;
use crate::payload;
use crate::routes::Opening;

impl Agent {
    /// Opens a run for the program that the peer is about to start.
    pub(crate) async fn open_run(
        self: &Arc<Self>,
        (known, peer): (&Known, &Peer),
        wanted: Opening,
        body: Incoming,
    ) -> Result<Value, Refusal> {
        let Opening { run: id, capability, keep, after } = wanted;
        let asked = capability.filter(|_| after == After::Revoked);
        let launcher = launcher(known, peer)?;
        let sent = payload::read(body).await?;
        let (name, capability) = match (capability, sent) {
            (Some(name), None) => {
                let narrowed = self.narrowed(known, name, id).await?;
                (Some(narrowed), written(&narrowed.to_string())?)
            }
            (None, Some(sent)) => (None, bearer(sent)?),
            _ => {
                return Err(Refusal::new(Code::BadRequest, "a run has one capability")
                    .hint("name it with `capability`, or send a bearer as the body"));
            }
        };
        let path = self.run_socket(id);
        // The answer names it, and it goes on to the program as text.
        let Some(shown) = path.to_str().map(str::to_owned) else {
            let message = format!("the path of the run's socket is not UTF-8: `{}`", path.display());
            return Err(Refusal::new(Code::BadRequest, message).hint("choose another `--home`"));
        };
        let listener = net::bind_unix(&path).map_err(|error| {
            Refusal::new(Code::BadRequest, format!("the socket of the run could not be opened: {error}"))
        })?;
        if launcher.uid != self.owner {
            std::os::unix::fs::chown(&path, Some(launcher.uid), None).map_err(|error| {
                Refusal::new(
                    Code::Denied,
                    format!("the socket of the run can't be given to another user: {error}"),
                )
                .hint("only a broker that runs as root opens runs for other users than its own")
            })?;
        }
        let (close, draining) = net::drain::channel();
        let run = self.socket.runs.open(Run::new(id, launcher, capability, close, keep).asking(asked))?;
        let agent = Arc::new(self.over_run(id));
        tokio::spawn(carried(agent, run, listener, draining));
        Ok(json!({ "run": id, "socket": shown, "capability": name }))
    }

    fn run_socket(&self, id: RunId) -> PathBuf {
        self.socket.path.with_file_name(format!("{id}.sock"))
    }

    /// Ends a run, when its launcher or the owner says so.
    pub(crate) fn end_run(&self, known: &Known, id: RunId) -> Result<Value, Refusal> {
        let nobody = || Refusal::new(Code::NotFound, "there is no such run, or it has ended");
        let run = self.socket.runs.find(id).ok_or_else(nobody)?;
        let holder = known.holder();
        if known.run().is_some() || holder.uid != Some(run.launcher.uid) {
            return Err(nobody());
        }
        self.socket.runs.end(id);
        // Whoever has this answer must not find the socket any more; the task that serves it may not have closed it yet, and
        // then finds nothing to remove.
        let _ = std::fs::remove_file(self.run_socket(id));
        Ok(json!({ "run": id, "ended": true }))
    }

    /// A request of a run to a service, as the gateway takes it: with the run's capability, where it brings none.
    pub(crate) async fn forward(
        &self,
        known: &Known,
        parts: Parts,
        (integration, target): (IntegrationName, Target),
        body: Incoming,
    ) -> Result<Outbound, Refusal> {
        let Some(run) = known.run() else {
            return Err(Refusal::new(Code::NotFound, "nothing is served under this path of the socket"));
        };
        let wrong = |error: model::ParseError| Refusal::new(Code::BadRequest, error.to_string());
        let method = parts.method.as_str().parse().map_err(wrong)?;
        let capability = presented::capability(&parts.headers)?.unwrap_or_else(|| run.capability.clone());
        let claims = presented::claims(&parts.headers)?;
        let body = Body::of_request(body, &parts.headers);
        let forward = Forward::new(integration, method, target, parts.headers, body);
        let inbound = Inbound {
            door: Door::Socket,
            facts: Fact { holder: known.holder(), claims, ..Fact::default() },
            capability: Some(capability),
            asked: Asked::Forward(Box::new(forward)),
        };
        self.worker.call(inbound).await
    }

    /// A narrowing of the launcher's capability that works for the run only.
    async fn narrowed(&self, known: &Known, name: CapabilityId, run: RunId) -> Result<CapabilityId, Refusal> {
        let wanted = json!({ "capability_id": name, "purpose": "doorward run", "run": run });
        let answer = self.own_operation("agent.narrow", &wanted, known.holder()).await?;
        let id =
            ["/capability/id", "/id"].iter().find_map(|place| answer.pointer(place)?.as_str()?.parse().ok());
        id.ok_or_else(|| {
            let message =
                answer.get("message").and_then(Value::as_str).unwrap_or("the capability can't be narrowed");
            Refusal::new(Code::Denied, message)
        })
    }

    async fn own_operation(&self, operation: &str, wanted: &Value, holder: Holder) -> Result<Value, Refusal> {
        let wrong = |error: model::ParseError| Refusal::new(Code::BadRequest, error.to_string());
        let house = "doorward".parse().map_err(wrong)?;
        let operate = Operate::new(house, operation.parse().map_err(wrong)?, Inputs::new())
            .with(Some(Payload::new(wanted.to_string().into_bytes())?));
        let facts = Fact { holder, ..Fact::default() };
        let inbound = Inbound { door: Door::Socket, facts, capability: None, asked: Asked::Operate(operate) };
        match self.worker.call(inbound).await? {
            Outbound::Answer(answer) => Ok(answer.value),
            Outbound::Reply(..) | Outbound::Lease(..) => {
                Err(Refusal::new(Code::UpstreamReply, "the operation gave something else than an answer"))
            }
        }
    }

    /// Revokes the narrowing of a run that has ended. It is of no use to anybody by then; this is for the record.
    async fn revoke(&self, run: &Run) {
        let Some(name) = run.capability.to_str().ok().filter(|text| text.starts_with(CapabilityId::PREFIX))
        else {
            return;
        };
        let holder = Holder { uid: Some(run.launcher.uid), run: Some(run.id), ..Holder::default() };
        self.revoke_as(holder, (run, name)).await;
    }

    /// Revokes what was asked for a run whose launcher can't do it any more. Others of its user could use it.
    async fn revoke_asked(&self, run: &Run) {
        if let Some(name) = run.asked {
            let holder = Holder { uid: Some(run.launcher.uid), ..Holder::default() };
            self.revoke_as(holder, (run, &name.to_string())).await;
        }
    }

    async fn revoke_as(&self, holder: Holder, (run, name): (&Run, &str)) {
        let wanted = json!({ "capability_id": name, "reason": "the run has ended" });
        if let Err(refusal) = self.own_operation("agent.revoke", &wanted, holder).await {
            tracing::warn!(run = %run.id, refusal = %refusal.message, "the capability of a run could not be revoked");
        }
    }
}

/// The task of one run, `run`: owned by the run, and over when the run, its launcher or the house is. Boxed, because the door that
/// opens runs is also the one that serves them.
fn carried(
    agent: Arc<Agent>,
    run: Arc<Run>,
    listener: Listener,
    draining: Draining,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let mut house = agent.socket.control.drain.listener();
        let limits = ServeLimits { connections: CONNECTIONS, grace: GRACE, ..ServeLimits::default() };
        let mut serving = pin!(Arc::clone(&agent).carry(listener, limits, draining));
        tokio::select! {
            // Its launcher said so, and revokes what it asked for before anything else.
            _ = serving.as_mut() => {}
            () = house.started() => gone(&agent, &run, serving).await,
            () = over(&run) => gone(&agent, &run, serving).await,
        }
        if run.keep == Keep::No {
            agent.revoke(&run).await;
        }
    })
}

/// Ends a run that nobody ended.
async fn gone(agent: &Agent, run: &Run, serving: Pin<&mut impl Future<Output = Drained>>) {
    agent.socket.runs.end(run.id);
    if run.keep == Keep::No {
        agent.revoke_asked(run).await;
    }
    let _ = serving.await;
}

/// Waits until nobody needs a run any more.
async fn over(run: &Run) {
    let ended = async {
        match &run.launcher.handle {
            Some(handle) if handle.ended().await.is_ok() => {}
            // One that can't be waited for is looked at.
            handle => {
                while handle.as_ref().is_some_and(|handle| handle.alive().is_ok()) {
                    tokio::time::sleep(LOOK).await;
                }
            }
        }
    };
    match run.keep {
        Keep::No => ended.await,
        Keep::InItsGroup => tokio::time::sleep(LONGEST).await,
    }
}

/// Who opens a run: somebody who is none, and whose end the kernel will tell.
fn launcher(known: &Known, peer: &Peer) -> Result<Process, Refusal> {
    if known.run().is_some() {
        return Err(Refusal::new(Code::Denied, "what belongs to a run can't open another one")
            .hint("narrow the capability that the run has"));
    }
    peer.process
        .clone()
        .filter(|process| process.handle.is_some() && process.pid.is_some_and(|pid| pid > 0))
        .ok_or_else(|| {
            Refusal::new(Code::Denied, "the kernel does not tell when the program that opens a run ends")
                .hint("runs need Linux 6.5 and a broker in the same process namespace")
        })
}

/// The bearer that was sent for a run.
#[expect(clippy::disallowed_methods, reason = "keeps the bearer of a run where the run's calls take it from")]
fn bearer(sent: Payload) -> Result<HeaderValue, Refusal> {
    sent.into_secret().expose(|bytes| written(std::str::from_utf8(bytes).unwrap_or_default().trim()))
}

/// Whoever has a bearer may use it, so it is not shown; a name is treated alike.
fn written(capability: &str) -> Result<HeaderValue, Refusal> {
    let mut value = HeaderValue::from_str(capability)
        .map_err(|_| Refusal::new(Code::BadRequest, "the capability is no text that a header can hold"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Most connections of one run at a time.
const CONNECTIONS: usize = 64;
/// How long calls of a run that has ended may take until they end themselves.
const GRACE: Duration = Duration::from_secs(5);
/// Longest time of a run that was kept.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
const LOOK: Duration = Duration::from_millis(200);
