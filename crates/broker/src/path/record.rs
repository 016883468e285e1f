//! Step 5: the intent is durable, or nothing happens. Refusals are recorded as well.

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use evidence::{Deed, Disclosure, Intent, Receipt, Refused, Request, Use};
use model::{
    Call, Code, Door, EvidenceId, GrantId, PrincipalName, Proof, Refusal, Retry, SecretRef, TenantName,
};
use policy::{Change, Counter, Denial, Permit};

use crate::approval::Approved;
use crate::broker::Unsealed;
use crate::inbound::Inbound;
use crate::limits::Pace;
use crate::path::admit::Admitted;
use crate::path::admit::way::secret_fields;
use crate::path::find::Found;
use crate::path::identify::Identified;
use crate::path::perform::Performed;
use crate::spans::Live;
use crate::{Worker, log, metrics};

/// What is known of a call so far, so that a refusal can be recorded from wherever it comes.
pub(crate) struct Trace {
    id: EvidenceId,
    unsealed: Arc<Unsealed>,
    started: std::time::Instant,
    door: Door,
    tenant: TenantName,
    principal: Option<(PrincipalName, Proof, Option<GrantId>)>,
    deed: Option<Deed>,
    rule: Option<String>,
    address: Option<IpAddr>,
    span: Option<Box<Live>>,
}

impl Trace {
    /// Starts with nothing known. A sealed broker gets no further than this.
    pub(crate) fn new(worker: &Worker, inbound: &Inbound) -> Result<Self, Refusal> {
        let broker = worker.broker();
        let id = worker.new_id()?;
        Ok(Self {
            id,
            unsealed: broker.unsealed()?,
            started: std::time::Instant::now(),
            door: inbound.door,
            tenant: broker.settings().tenant.clone(),
            principal: None,
            deed: None,
            rule: None,
            address: inbound.facts.address,
            span: Live::start(broker.watcher(), inbound, id),
        })
    }

    pub(crate) const fn id(&self) -> EvidenceId {
        self.id
    }

    pub(crate) fn unsealed(&self) -> &Unsealed {
        &self.unsealed
    }

    /// The keys and the log with which the call began; it ends with the same ones.
    pub(crate) fn home(&self) -> Arc<Unsealed> {
        Arc::clone(&self.unsealed)
    }

    pub(crate) fn elapsed(&self) -> std::time::Duration {
        self.started.elapsed()
    }

    /// What is asked for, where that is understood; [`intent`] takes it into the record.
    pub(crate) const fn deed(&self) -> Option<&Deed> {
        self.deed.as_ref()
    }

    pub(crate) const fn door(&self) -> Door {
        self.door
    }

    /// How long it took; whoever watches is told what came of it.
    pub(crate) fn performed(&mut self, performed: Result<&Performed, &Refusal>) -> std::time::Duration {
        if let Some(span) = &mut self.span {
            span.performed(performed);
        }
        self.elapsed()
    }

    /// Its span, where somebody watches.
    pub(crate) const fn span(&mut self) -> Option<&mut Box<Live>> {
        self.span.as_mut()
    }

    pub(crate) fn identified(&mut self, identified: &Identified) {
        let caller = &identified.caller;
        self.tenant = caller.tenant().clone();
        let grant = identified.verified.as_ref().map(|verified| verified.grant());
        if let Some(span) = &mut self.span {
            span.identified(identified);
        }
        self.principal = Some((caller.principal().clone(), caller.proof(), grant));
    }

    /// Notes which rule decided, and gives the refusal that the caller gets.
    pub(crate) fn denied(&mut self, denial: Denial) -> Refusal {
        self.rule = denial.decided_by().map(ToOwned::to_owned);
        denial.into()
    }

    /// Notes which approval is waited for.
    pub(crate) fn waits(&mut self, refusal: &Refusal) {
        if let Some(approval) = refusal.approval() {
            self.rule = Some(approval.to_string());
        }
    }

    pub(crate) fn found(&mut self, found: &Found) {
        self.deed = Some(deed(&found.call));
        if let Some(span) = &mut self.span {
            span.found(&found.call);
        }
    }
}

/// What is asked for, by whom, with which rights.
pub(crate) fn asked(admitted: &Admitted, trace: &mut Trace) -> Intent {
    let Admitted { identified, permit, integration, way, approved, .. } = admitted;
    let call = permit.call();
    let secrets = secret_fields(integration, call.operation(), way.as_deref()).into_iter();
    Intent {
        id: call.id(),
        tenant: permit.tenant().clone(),
        principal: permit.principal().clone(),
        proof: identified.caller.proof(),
        door: identified.caller.door(),
        grant: permit.grant(),
        narrowings: permit.narrowings().to_vec(),
        deed: trace.deed.take().unwrap_or_else(|| deed(call)),
        inputs: inputs_digest(call),
        secrets: secrets.filter_map(|field| reference(integration, field)).collect(),
        policy: *permit.policy_version().as_bytes(),
        purpose: purpose(identified),
        uses: permit
            .limits()
            .uses()
            .iter()
            .map(|(counter, most)| Use { id: counted(*counter), most: *most })
            .chain(approved.as_ref().and_then(Approved::once))
            .collect(),
        disclosure: disclosure(call),
    }
}

/// Makes the intent durable. The uses that it consumes are counted with it, or it is refused.
pub(crate) async fn intent(
    worker: &Worker,
    admitted: &Admitted,
    trace: &mut Trace,
) -> Result<Receipt, Refusal> {
    let Admitted { permit, approved, .. } = admitted;
    let intent = asked(admitted, trace);
    let receipt = worker.lane(&trace.unsealed).intend(intent).await.map_err(|error| {
        // For the record of the refusal.
        trace.deed = Some(deed(permit.call()));
        if let evidence::Error::UsesExhausted(id) = error {
            // Two came with one approval; the other one was quicker.
            let used = approved.as_ref().and_then(|approved| approved.used(id));
            return used.unwrap_or_else(|| unrecorded(&error));
        }
        log::unrecorded(trace.id, &error);
        worker.broker().note_unrecorded();
        unrecorded(&error)
    })?;
    uses(worker, permit, Change::Taken);
    Ok(receipt)
}

/// Tells those who show how often a capability was used. What counts was counted with the evidence.
pub(crate) fn uses(worker: &Worker, permit: &Permit, change: Change) {
    let counters = permit.limits().uses().iter().map(|(counter, _)| *counter);
    worker.broker().grants().note_uses(counters, change);
}

/// What the caller says it is for. That the glass is broken stands in the intent as well, and not in the outcome alone.
fn purpose(identified: &Identified) -> Option<String> {
    let facts = identified.caller.facts();
    match (facts.break_glass(), &facts.purpose) {
        (None, purpose) => purpose.clone(),
        (Some(reason), None) => Some(format!("break-glass: {reason}")),
        (Some(reason), Some(purpose)) => Some(format!("break-glass: {reason}; {purpose}")),
    }
}

/// What is handed out, where something is.
fn disclosure(call: &Call) -> Option<Disclosure> {
    match (call.kind().as_str(), call.operation().as_str()) {
        ("doorward", "secret.reveal") => Some(Disclosure::Reveal),
        (crate::mint::AWS, "session.disclose") => Some(Disclosure::NoSession),
        _ => None,
    }
}

/// Records a refusal. Where that fails as well, the caller is told so: the answer is a refusal either way.
pub(crate) async fn refusal(worker: &Worker, mut trace: Box<Trace>, refusal: Refusal) -> Refusal {
    if let Some(span) = trace.span() {
        span.refused(&refusal);
    }
    metrics::refused(worker.broker().metrics(), &trace, &refusal);
    log::refused(&trace, &refusal);
    if refusal.code == Code::EvidenceUnavailable {
        return refusal;
    }
    if let Some(flood) = flooding(worker, &trace) {
        return flood;
    }
    let Trace { id, unsealed, door, tenant, principal, deed, rule, address: _, started: _, span: _span } =
        *trace;
    let (principal, proof, grant) = match principal {
        Some((principal, proof, grant)) => (Some(principal), Some(proof), grant),
        None => (None, None, None),
    };
    let refused = Refused { id, tenant, principal, proof, door, grant, deed, code: refusal.code, rule };
    match worker.lane(&unsealed).refuse(refused).await {
        Ok(evidence) => refusal.recorded(evidence),
        Err(error) => {
            log::unrecorded(id, &error);
            unrecorded(&error)
        }
    }
}

/// Whoever proves nothing could fill the disk with records of that. Beyond this rate an address is refused without one;
/// the counter of refusals still counts it.
fn flooding(worker: &Worker, trace: &Trace) -> Option<Refusal> {
    let (None, Some(address)) = (&trace.principal, trace.address) else { return None };
    let pace =
        Pace { calls: UNPROVEN, per: Duration::from_secs(60), strategy: catalog::Strategy::TokenBucket };
    let counted = worker.broker().limits().count_stranger(address, pace);
    let wait = counted.err()?;
    let refusal =
        Refusal::new(Code::RateLimited, "too many requests without a valid capability from this address");
    Some(refusal.retry(Retry::After(wait)))
}

/// What a call does, as it stands in evidence.
fn deed(call: &Call) -> Deed {
    Deed {
        integration: call.integration().clone(),
        operation: call.operation().clone(),
        access: call.access(),
        risk: call.risk(),
        resource: call.resource().clone(),
        request: call.request().map(|(method, authority, target)| Request::new(*method, authority, target)),
    }
}

fn reference(integration: &catalog::Integration, field: &str) -> Option<SecretRef> {
    integration.secrets().get(field).map(|secret| secret.reference.clone())
}

/// SHA-256 over the inputs, each name and value length-prefixed, in the order of their names.
fn inputs_digest(call: &Call) -> crypto::Digest {
    if call.inputs().is_empty() {
        return *NO_INPUTS;
    }
    let mut hasher = crypto::Hasher::new();
    for text in call.inputs().iter().flat_map(|(name, value)| [name, value]) {
        hasher.update(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finish()
}

/// A narrowing's id is chosen by its holder, so it counts within its grant only.
pub(crate) fn counted(counter: Counter) -> [u8; 16] {
    match counter {
        Counter::Grant(grant) => grant.to_bytes(),
        Counter::Narrowing(grant, narrowing) => {
            let digest = crypto::sha256(&[b"narrowing", &grant.to_bytes(), &narrowing.to_bytes()]);
            digest.first_chunk::<16>().copied().unwrap_or_default()
        }
    }
}

/// The refusal of what could not be recorded.
pub(crate) fn unrecorded(error: &evidence::Error) -> Refusal {
    if matches!(error, evidence::Error::UsesExhausted { .. }) {
        return Refusal::new(Code::UsesExhausted, "the capability's uses are spent")
            .hint("ask for a new one");
    }
    let refusal = Refusal::new(
        Code::EvidenceUnavailable,
        format!("the evidence could not be written, so nothing was done: {error}"),
    );
    let refusal = refusal.retry(Retry::Safe);
    match error.hint() {
        Some(hint) => refusal.hint(hint.to_string()),
        None => refusal,
    }
}

static NO_INPUTS: LazyLock<crypto::Digest> = LazyLock::new(|| crypto::sha256(&[]));
/// Refusals of an address that proves nothing that are recorded in a minute.
const UNPROVEN: u32 = 600;
