//! How a command asks for an operation of Doorward itself: of the running broker, or in this process.
//!
//! Both go the broker's one path and leave evidence. Where a broker answers on the home's socket, it is asked; else the home
//! is opened under its lock, so that two never write to it at once.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use broker::{Asked, Inbound, Operate, Outbound, Payload, Worker, presented};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use memory::Secret;
use model::{
    ApprovalClaim, Claims, Code, Door, EvidenceId, Fact, Inputs, IntegrationName, OperationName, Refusal,
};
use net::Body;
use net::plain::{Place, Plain};
use net::tls;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;

pub(crate) mod perform;

use crate::args::approval::{Approved, As};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::home::Home;
use crate::settings::Settings;
use crate::{typed, wire};

/// Where operations are performed.
pub(crate) enum Management {
    /// By the broker that answers on this socket.
    Socket(Running),
    /// Here.
    InProcess(Box<Own>),
}

/// A running broker.
pub(crate) struct Running {
    plain: Plain,
    /// The same, for what takes as long as a plan takes.
    patient: Plain,
    runtime: tokio::runtime::Runtime,
}

/// The home, opened by this process.
pub(crate) struct Own {
    worker: Arc<Worker>,
    opened: wire::Opened,
    runtime: tokio::runtime::Runtime,
}

/// Who asks for an operation, where it is not whoever the kernel says, and what is said of approvals.
#[derive(Debug, Default)]
pub(crate) struct Who {
    capability: Option<HeaderValue>,
    claims: Option<Box<Claims>>,
}

impl Who {
    /// Reads the capability of whoever asks.
    pub(crate) fn of(who: &As) -> Outcome<Self> {
        let token = who.capability.as_deref().map(typed::capability).transpose()?;
        let value = token.map(|token| token.expose(HeaderValue::from_str)).transpose();
        let mut capability = value.map_err(|error| Failure::doing("the capability can't be sent", &error))?;
        capability.iter_mut().for_each(|value| value.set_sensitive(true));
        Ok(Self { capability, claims: None })
    }

    /// Whoever holds this capability.
    pub(crate) fn presenting(capability: Option<&Secret>) -> Outcome<Self> {
        Ok(Self { capability: capability.map(perform::presented).transpose()?, claims: None })
    }

    /// With what was said of approvals.
    pub(crate) fn approved(self, approved: &Approved) -> Outcome<Self> {
        let reason = approved.reason.as_deref().filter(|_| approved.break_glass);
        let break_glass = reason.map(presented::broken_glass).transpose()?;
        let approval = approved.approval.map(ApprovalClaim::Approval);
        let said = approval.is_some() || break_glass.is_some();
        Ok(Self { claims: said.then(|| Box::new(Claims { approval, break_glass })), ..self })
    }

    /// The headers that say it to a door.
    fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = Vec::new();
        headers.extend(self.capability.clone().map(|value| (CAPABILITY, value)));
        let Some(claims) = &self.claims else { return headers };
        let text = |name, text: &str| Some((name, HeaderValue::from_str(text).ok()?));
        if let Some(ApprovalClaim::Approval(id)) = claims.approval {
            headers.extend(text(net::problem::APPROVAL, &id.to_string()));
        }
        if let Some(reason) = &claims.break_glass {
            headers.push((GLASS, HeaderValue::from_static("true")));
            headers.extend(text(REASON, reason));
        }
        headers
    }
}

/// What an operation gave.
#[derive(Debug)]
pub(crate) struct Answered {
    /// The record of it.
    pub(crate) evidence: EvidenceId,
    /// What it says.
    pub(crate) value: Value,
}

/// What came of an operation of a service.
#[derive(Debug)]
pub(crate) struct Performed {
    /// The record of it.
    pub(crate) evidence: EvidenceId,
    /// What it says.
    pub(crate) value: Value,
    /// The service or its program did not do it.
    pub(crate) failed: bool,
}

impl Management {
    /// The running broker, or the home itself. A home with a passphrase asks for it.
    pub(crate) fn open(context: &Context) -> Outcome<Self> {
        match Running::find(context)? {
            Some(running) => Ok(Self::Socket(running)),
            None => Own::open(context).map(|own| Self::InProcess(Box::new(own))),
        }
    }

    /// The same for whoever admits that evidence is lost: a home whose evidence ends too early is opened, too.
    pub(crate) fn open_admitting_loss(context: &Context) -> Outcome<Self> {
        if let Some(running) = Running::find(context)? {
            return Ok(Self::Socket(running));
        }
        let opened = wire::open(context.home()?, &context.settings()?, wire::Serving::OneCall)?;
        opened.broker.admit_loss();
        Own::unlocked(opened).map(|own| Self::InProcess(Box::new(own)))
    }

    /// Performs one operation of the integration `doorward` for somebody.
    ///
    /// # Errors
    /// The broker's refusal, or what kept it from being asked.
    pub(crate) fn operate_as(
        &self,
        who: &Who,
        operation: &str,
        inputs: Inputs,
        payload: Option<Secret>,
    ) -> Outcome<Answered> {
        match self {
            Self::Socket(running) => running.operate(who, operation, &inputs, payload),
            Self::InProcess(own) => own.operate(who, operation, inputs, payload),
        }
    }

    /// The same as the only one: the end of it is waited for, and the answer is given behind that.
    ///
    /// # Errors
    /// As [`Self::operate_as`], and [`Self::close`].
    pub(crate) fn only(
        self,
        who: &Who,
        operation: &str,
        inputs: Inputs,
        payload: Option<Secret>,
    ) -> Outcome<Answered> {
        let answered = self.operate_as(who, operation, inputs, payload);
        let closed = self.close();
        let answered = answered?;
        closed?;
        Ok(answered)
    }

    /// Performs an operation of a service by its name.
    ///
    /// # Errors
    /// The broker's refusal, or what kept it from being asked. That the service did not do it is no error here.
    pub(crate) fn perform(
        &self,
        (integration, operation): (&IntegrationName, &OperationName),
        inputs: Inputs,
        who: &Who,
    ) -> Outcome<Performed> {
        match self {
            Self::Socket(running) => running.perform((integration, operation), &inputs, who),
            Self::InProcess(own) => own.perform((integration.clone(), operation.clone()), inputs, who),
        }
    }

    /// Ends in good order. Blocks until the evidence is signed.
    ///
    /// # Errors
    /// When the last of the evidence could not be written.
    pub(crate) fn close(self) -> Outcome {
        match self {
            Self::Socket(_) => Ok(()),
            Self::InProcess(own) => own.close(),
        }
    }
}

// === impl Running ===

#[derive(Deserialize)]
struct Told {
    evidence: EvidenceId,
    answer: Value,
}

/// A refusal as the door prints it (RFC 9457). Other members are for other readers.
#[derive(Deserialize)]
struct Problem {
    code: String,
    detail: String,
    hint: Option<String>,
    evidence: Option<EvidenceId>,
}

impl Running {
    /// The broker that answers on the home's socket, where there is one.
    pub(crate) fn find(context: &Context) -> Outcome<Option<Self>> {
        let home = context.home()?;
        if home.is_served() { Self::at(home.socket()).map(Some) } else { Ok(None) }
    }

    fn at(socket: PathBuf) -> Outcome<Self> {
        let patient = Plain::new(Place::Unix(socket.clone()), PATIENCE_FOR_PLANS, LARGEST_ANSWER);
        let plain = Plain::new(Place::Unix(socket), PATIENCE, LARGEST_ANSWER);
        Ok(Self { plain, patient, runtime: wire::runtime()? })
    }

    /// How it is, as it says without being asked for more; a sealed one says this as well.
    pub(crate) fn status(&self) -> Outcome<Value> {
        let reply = self.runtime.block_on(wire::said_when_long(self.plain.get("/v1/status")))?;
        understood(&reply)
    }

    /// Gives a sealed broker its passphrase; one with a key file needs none.
    #[expect(clippy::disallowed_methods, reason = "hands the passphrase to the broker over its socket")]
    pub(crate) fn unseal(&self, passphrase: Option<&Secret>) -> Outcome<Value> {
        // The door wants a body; a home with a key file doesn't look at it.
        let body = passphrase
            .map_or_else(|| Bytes::from_static(b"key-file"), |text| text.expose(Bytes::copy_from_slice));
        self.post("/v1/unseal", body, Vec::new())
    }

    /// Asks for something that is only looked at.
    pub(crate) fn look(&self, operation: &str, inputs: &[(&str, &str)]) -> Outcome<Value> {
        let inputs = inputs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Ok(self.operate(&Who::default(), operation, &inputs, None)?.value)
    }

    fn post(&self, path: &str, body: Bytes, more: Vec<(HeaderName, HeaderValue)>) -> Outcome<Value> {
        let request = Request::post(path).header(http::header::CONTENT_TYPE, "application/octet-stream");
        let request = more.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        let request = request
            .body(Body::full(body))
            .map_err(|error| Failure::doing("could not write the request", &error))?;
        let long = path.contains("/plan.") || path.contains("/tenant.rotate");
        let plain = if long { &self.patient } else { &self.plain };
        let reply = self.runtime.block_on(wire::said_when_long(plain.send(request)))?;
        understood(&reply)
    }

    #[expect(clippy::disallowed_methods, reason = "hands the secret to the broker over its socket")]
    fn operate(
        &self,
        who: &Who,
        operation: &str,
        inputs: &Inputs,
        payload: Option<Secret>,
    ) -> Outcome<Answered> {
        let mut path = format!("/v1/operations/doorward/{operation}");
        for (place, (name, value)) in inputs.iter().enumerate() {
            let mark = if place == 0 { '?' } else { '&' };
            let (name, value) = (utf8_percent_encode(name, QUERY), utf8_percent_encode(value, QUERY));
            path.push_str(&format!("{mark}{name}={value}"));
        }
        let body = payload.map_or_else(Bytes::new, |secret| secret.expose(Bytes::copy_from_slice));
        let told = self.post(&path, body, who.headers())?;
        let told: Told = serde_json::from_value(told).map_err(|error| {
            Failure::doing("the broker's answer can't be understood", &error).hint(VERSIONS)
        })?;
        Ok(Answered { evidence: told.evidence, value: told.answer })
    }
}

/// The JSON of a reply; a refusal as such.
pub(crate) fn understood(reply: &http::Response<Bytes>) -> Outcome<Value> {
    let strange = |error: serde_json::Error| {
        Failure::doing("the broker's answer can't be understood", &error).hint(VERSIONS)
    };
    if reply.status().is_success() {
        return serde_json::from_slice(reply.body()).map_err(strange);
    }
    let problem: Problem = serde_json::from_slice(reply.body()).map_err(strange)?;
    let code = Code::from_word(&problem.code)
        .ok_or_else(|| Failure::new(format!("the broker refused with `{}`", problem.code)).hint(VERSIONS))?;
    let mut refusal = Refusal::new(code, problem.detail);
    refusal.hint = problem.hint;
    refusal.evidence = problem.evidence;
    Err(refusal.into())
}

// === impl Own ===

impl Own {
    /// Opens the home of a command and unlocks it.
    fn open(context: &Context) -> Outcome<Self> {
        Self::open_at(context.home()?, &context.settings()?, wire::Serving::OneCall)
    }

    /// Opens a home and unlocks it.
    pub(crate) fn open_at(home: &Home, settings: &Settings, serving: wire::Serving) -> Outcome<Self> {
        Self::unlocked(wire::open(home, settings, serving)?)
    }

    fn unlocked(opened: wire::Opened) -> Outcome<Self> {
        match opened.keys.facts()?.asks() {
            None => opened.keys.unseal(&opened.broker, None)?,
            Some(prompt) if crate::print::somebody_types() => {
                opened.keys.unseal(&opened.broker, Some(typed::line(prompt)?))?;
            }
            Some(prompt) => {
                let wanted = prompt.to_lowercase();
                let message = format!("the home needs its {wanted}, and nobody is there to be asked");
                return Err(
                    Failure::new(message).hint("start the broker with `doorward up`, then `doorward unseal`")
                );
            }
        }
        let runtime = wire::runtime()?;
        let tls = tls::Outbound::on_demand(tls::Trust::default());
        let worker = {
            let _entered = runtime.enter();
            wire::worker(&opened.broker, &tls, 0)?
        };
        Ok(Self { worker, opened, runtime })
    }

    /// Carries one call down the path.
    pub(crate) fn call(&self, inbound: Inbound) -> Outcome<Outbound> {
        Ok(self.runtime.block_on(self.worker.call(inbound))?)
    }

    /// What calls run on, in this runtime or in another one of the same process.
    pub(crate) fn worker(&self) -> Arc<Worker> {
        Arc::clone(&self.worker)
    }

    /// Ends in good order. Blocks until the evidence is signed.
    pub(crate) fn close(self) -> Outcome {
        Ok(self.opened.broker.close()?)
    }

    #[expect(clippy::disallowed_methods, reason = "hands the secret to the operation")]
    fn operate(
        &self,
        who: &Who,
        operation: &str,
        inputs: Inputs,
        payload: Option<Secret>,
    ) -> Outcome<Answered> {
        let operation = operation.parse()?;
        let integration = "doorward".parse()?;
        let payload = payload.map(|secret| Payload::new(secret.expose(<[u8]>::to_vec))).transpose()?;
        let inbound = Inbound {
            door: Door::Cli,
            facts: Fact { claims: who.claims.clone(), ..perform::facts() },
            capability: who.capability.clone(),
            asked: Asked::Operate(Operate::new(integration, operation, inputs).with(payload)),
        };
        match self.runtime.block_on(self.worker.call(inbound))? {
            Outbound::Answer(answer) => Ok(Answered { evidence: answer.evidence, value: answer.value }),
            Outbound::Reply(..) | Outbound::Lease(..) => {
                Err(Failure::new("the operation gave something else than an answer"))
            }
        }
    }
}

const CAPABILITY: HeaderName = HeaderName::from_static("x-doorward-capability");
const GLASS: HeaderName = HeaderName::from_static("x-break-glass");
const REASON: HeaderName = HeaderName::from_static("x-break-glass-reason");
const VERSIONS: &str = "is the running broker of another version? `doorward status`";
/// Long enough for a passphrase, a slow disk, and the verification of much evidence.
const PATIENCE: Duration = Duration::from_secs(120);
/// A plan that waits for a roll-out; whoever goes away meanwhile ends nothing.
const PATIENCE_FOR_PLANS: Duration = Duration::from_secs(6 * 3_600);
const LARGEST_ANSWER: usize = 256 << 20;
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
