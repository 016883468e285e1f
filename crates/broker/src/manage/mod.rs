//! Operations of Doorward itself. They come down the same path as every other call: permitted, recorded, settled.
//!
//! None of them returns a secret but `secret.reveal`, which policies deny unless they say otherwise. Adding one means an entry in `doorward.yaml`, a line in [`MANAGED`] and an arm below; a
//! test holds the three together.

pub(crate) mod agent;
mod answering;
mod approvals;
mod capabilities;
mod credentials;
mod evidence;
mod exchange;
mod integrations;
mod keys;
mod llm;
mod logs;
mod payload;
mod plans;
mod policies;
mod providers;
mod roles;
mod secrets;
mod seen;
mod sessions;
mod status;
mod tenants;
mod webhooks;

use std::sync::Arc;

use ::evidence::Receipt;
use model::{Access, Call, Code, Inputs, Refusal};
use serde_json::Value;

use crate::Worker;
use crate::broker::Unsealed;
use crate::inbound::Asked;
use crate::path::admit::Admitted;

pub use credentials::credential_shown;
pub use payload::Payload;

/// Every operation that is performed here.
pub const MANAGED: [&str; 94] = [
    "agent.append",
    "agent.counters",
    "agent.list",
    "agent.narrow",
    "agent.request",
    "agent.reveal",
    "agent.revoke",
    "agent.use",
    "agent.validate",
    "approval.answer",
    "approval.decide",
    "approval.list",
    "approval.show",
    "approval.tell",
    "broker.metrics",
    "broker.rewrap",
    "broker.seal",
    "broker.status",
    "capability.exchange",
    "capability.list",
    "capability.narrow",
    "capability.request",
    "capability.revoke",
    "capability.validate",
    "credential.delete",
    "credential.list",
    "credential.setup",
    "credential.show",
    "credential.survey",
    "credential.update",
    "credential.validate",
    "evidence.admit_loss",
    "evidence.checkpoint",
    "evidence.checkpoints",
    "evidence.export",
    "evidence.list",
    "evidence.show",
    "evidence.verify",
    "integration.add",
    "integration.list",
    "integration.show",
    "key.create",
    "key.list",
    "key.revoke",
    "key.rotate",
    "llm.import",
    "llm.list",
    "llm.remove",
    "llm.use",
    "log.append",
    "plan.cancel",
    "plan.check",
    "plan.create",
    "plan.decide",
    "plan.list",
    "plan.resume",
    "plan.run",
    "plan.show",
    "policy.check",
    "policy.explain",
    "policy.forget",
    "policy.list",
    "policy.put",
    "policy.show",
    "provider.list",
    "provider.show",
    "role.grant",
    "role.list",
    "role.revoke",
    "secret.forget",
    "secret.list",
    "secret.put",
    "secret.reveal",
    "secret.rotate",
    "session.close",
    "session.link",
    "session.open",
    "session.show",
    "tenant.create",
    "tenant.erase",
    "tenant.list",
    "tenant.rotate",
    "tenant.rotation",
    "tenant.show",
    "webhook.create",
    "webhook.deliver",
    "webhook.deliveries",
    "webhook.enable",
    "webhook.forget",
    "webhook.list",
    "webhook.redeliver",
    "webhook.rotate",
    "webhook.show",
    "webhook.test",
];

/// What an operation did.
pub(crate) struct Done {
    /// The answer.
    pub(crate) value: Value,
    /// What its evidence says of it, by name.
    pub(crate) fields: Vec<(String, String)>,
    /// Why it did not do what was asked, where the answer is about that.
    pub(crate) code: Option<Code>,
}

impl From<Value> for Done {
    fn from(value: Value) -> Self {
        Self { value, fields: Vec::new(), code: None }
    }
}

/// What an operation works with.
pub(crate) struct Managing<'a> {
    asked: Question<'a>,
    /// The proof that the intent is durable.
    pub(crate) receipt: &'a Receipt,
}

impl<'a> std::ops::Deref for Managing<'a> {
    type Target = Question<'a>;

    fn deref(&self) -> &Self::Target {
        &self.asked
    }
}

impl std::ops::DerefMut for Managing<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.asked
    }
}

/// What an operation works with that needs no intent.
pub(crate) struct Question<'a> {
    pub(crate) worker: &'a Arc<Worker>,
    pub(crate) unsealed: Arc<Unsealed>,
    pub(crate) admitted: &'a Admitted,
    pub(crate) inputs: &'a Inputs,
    pub(crate) payload: Option<Payload>,
}

impl<'a> Question<'a> {
    fn of(worker: &'a Arc<Worker>, admitted: &'a mut Admitted) -> Result<Self, Refusal> {
        let payload = match &mut admitted.inbound.asked {
            Asked::Operate(operate) => operate.payload.take(),
            Asked::Forward(_) => None,
        };
        let inputs = admitted.permit.call().inputs();
        Ok(Self { worker, unsealed: worker.broker().unsealed()?, admitted, inputs, payload })
    }

    /// An input that the catalogue requires.
    fn input(&self, name: &str) -> Result<&str, Refusal> {
        self.inputs
            .get(name)
            .map(String::as_str)
            .ok_or_else(|| Refusal::new(Code::BadRequest, format!("the input `{name}` is missing")))
    }

    /// What came with the operation.
    fn payload(&mut self) -> Result<Payload, Refusal> {
        self.payload.take().ok_or_else(|| {
            Refusal::new(Code::BadRequest, "nothing came with the operation, and it needs something")
        })
    }
}

/// Performs one operation, for a permit and the receipt of its intent.
pub(crate) async fn run(
    worker: &Arc<Worker>,
    admitted: &mut Admitted,
    receipt: &Receipt,
) -> Result<Done, Refusal> {
    let changes = admitted.permit.call().access() == Access::Write;
    let done = performed(worker, admitted, receipt).await?;
    if changes {
        worker.broker().has_changed();
    }
    Ok(done)
}

async fn performed(
    worker: &Arc<Worker>,
    admitted: &mut Admitted,
    receipt: &Receipt,
) -> Result<Done, Refusal> {
    let mut managing = Managing { asked: Question::of(worker, admitted)?, receipt };
    if let Some(done) = Box::pin(agent(&mut managing)).await {
        return done;
    }
    if let Some(done) = Box::pin(credentials::run(&mut managing)).await {
        return done;
    }
    if let Some(done) = Box::pin(planned(&mut managing)).await {
        return done;
    }
    if let Some(done) = Box::pin(webhooks::run(&mut managing)).await {
        return done;
    }
    if let Some(done) = Box::pin(keyed(&mut managing)).await {
        return done.map(Done::from);
    }
    house(&mut managing).await.map(Done::from)
}

/// Whether an operation only says what a capability is: it lends nothing, counts nothing and changes nothing.
pub(crate) fn is_question(call: &Call) -> bool {
    call.kind().as_str() == "doorward"
        && matches!(call.operation().as_str(), "agent.validate" | "capability.validate")
}

/// Answers such an operation. Nobody has a receipt for it, so none that needs one can be done here.
pub(crate) async fn answer(worker: &Arc<Worker>, admitted: &mut Admitted) -> Result<Done, Refusal> {
    let mut question = Question::of(worker, admitted)?;
    match question.admitted.permit.call().operation().as_str() {
        "agent.validate" => {
            let result = agent::validate(&mut question);
            agent::audited(&question, result).await
        }
        _ => capabilities::validate(&mut question).map(Done::from),
    }
}

/// What says more of itself in its evidence: which plan it was, whose token, who answered where, what is lost.
async fn planned(managing: &mut Managing<'_>) -> Option<Result<Done, Refusal>> {
    Some(match managing.admitted.permit.call().operation().as_str() {
        "approval.answer" => answering::answer(managing).await,
        "approval.tell" => answering::tell(managing).await,
        "capability.exchange" => exchange::run(managing).await,
        "evidence.admit_loss" => evidence::admit_loss(managing),
        "plan.cancel" => plans::cancel(managing).await,
        "plan.check" => plans::check(managing),
        "plan.create" => plans::create(managing).await,
        "plan.decide" => plans::decide(managing).await,
        "plan.list" => plans::list(managing).await,
        "plan.resume" => plans::resume(managing).await,
        "plan.run" => plans::run(managing).await,
        "plan.show" => plans::show(managing).await,
        _ => return None,
    })
}

/// What programs ask the agent for.
async fn agent(managing: &mut Managing<'_>) -> Option<Result<Done, Refusal>> {
    let operation = managing.admitted.permit.call().operation().as_str().to_owned();
    if matches!(operation.as_str(), "agent.append" | "agent.reveal" | "agent.use")
        && let Err(refusal) = agent::writable(managing).await
    {
        return Some(Err(refusal));
    }
    let result = match operation.as_str() {
        "agent.append" => agent::append(managing).await,
        "agent.counters" => agent::counters(managing).await,
        "agent.list" => agent::list(managing).await,
        "agent.narrow" => agent::narrow(managing).await,
        "agent.request" => agent::request(managing).await,
        "agent.reveal" => agent::reveal(managing).await,
        "agent.revoke" => agent::revoke(managing).await,
        "agent.use" => agent::use_it(managing).await,
        "agent.validate" => agent::validate(managing),
        "log.append" => return Some(logs::append(managing)),
        _ => return None,
    };
    Some(agent::audited(managing, result).await)
}

/// Tenants, their data keys, and what wraps those.
async fn keyed(managing: &mut Managing<'_>) -> Option<Result<Value, Refusal>> {
    Some(match managing.admitted.permit.call().operation().as_str() {
        "broker.rewrap" => tenants::rewrap(managing).await,
        "tenant.create" => tenants::create(managing).await,
        "tenant.erase" => tenants::erase(managing).await,
        "tenant.list" => tenants::list(managing).await,
        "tenant.rotate" => tenants::rotate(managing).await,
        "tenant.rotation" => tenants::rotation(managing).await,
        "tenant.show" => tenants::show(managing),
        _ => return None,
    })
}

/// What the house is managed with.
async fn house(managing: &mut Managing<'_>) -> Result<Value, Refusal> {
    match managing.admitted.permit.call().operation().as_str() {
        "approval.decide" => approvals::decide(managing).await,
        "approval.list" => approvals::list(managing).await,
        "approval.show" => approvals::show(managing).await,
        "broker.metrics" => Ok(status::metrics(managing)),
        "broker.seal" => status::seal(managing).await,
        "broker.status" => status::show(managing).await,
        "capability.list" => Ok(capabilities::list(managing)),
        "capability.narrow" => capabilities::narrow(managing),
        "capability.request" => capabilities::request(managing).await,
        "capability.revoke" => capabilities::revoke(managing).await,
        "capability.validate" => capabilities::validate(managing),
        "evidence.checkpoint" => evidence::checkpoint(managing).await,
        "evidence.checkpoints" => evidence::checkpoints(managing).await,
        "evidence.export" => evidence::export(managing).await,
        "evidence.list" => evidence::list(managing).await,
        "evidence.show" => evidence::show(managing).await,
        "evidence.verify" => evidence::verify(managing).await,
        "integration.add" => integrations::add(managing).await,
        "integration.list" => integrations::list(managing).await,
        "integration.show" => integrations::show(managing),
        "key.create" => keys::create(managing).await,
        "key.list" => keys::list(managing),
        "key.revoke" => keys::revoke(managing).await,
        "key.rotate" => keys::rotate(managing).await,
        "llm.import" => llm::import(managing).await,
        "llm.list" => llm::list(managing).await,
        "llm.remove" => llm::remove(managing).await,
        "llm.use" => llm::use_it(managing).await,
        "policy.check" => policies::check(managing).await,
        "policy.explain" => policies::explain(managing),
        "policy.forget" => policies::forget(managing).await,
        "policy.list" => policies::list(managing).await,
        "policy.put" => policies::put(managing).await,
        "policy.show" => policies::show(managing).await,
        "provider.list" => providers::list(managing),
        "provider.show" => providers::show(managing),
        "role.grant" => roles::grant(managing).await,
        "role.list" => roles::list(managing).await,
        "role.revoke" => roles::revoke(managing).await,
        "secret.forget" => secrets::forget(managing).await,
        "secret.list" => secrets::list(managing).await,
        "secret.put" => secrets::put(managing).await,
        "secret.reveal" => secrets::reveal(managing).await,
        "secret.rotate" => secrets::rotate(managing).await,
        "session.close" => sessions::close(managing).await,
        "session.link" => sessions::link(managing),
        "session.open" => sessions::open(managing).await,
        "session.show" => sessions::show(managing),
        other => {
            Err(Refusal::new(Code::NotFound, format!("`doorward/{other}` is not performed by this version")))
        }
    }
}

/// Runs work that waits for the disk on a thread for that.
pub(crate) async fn waiting<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(Refusal::new(Code::OutcomeUnknown, "the operation broke off inside Doorward"))
    })
}

/// A storage error as a refusal.
pub(crate) fn unstored(error: &store::Error) -> Refusal {
    let code = if matches!(error, store::Error::Conflict) { Code::Conflict } else { Code::SourceUnavailable };
    crate::broker::refused(error, code, error.hint())
}
