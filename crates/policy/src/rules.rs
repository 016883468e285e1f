//! The policies in force, compiled when they are first needed, with rulings that outlive the process.
//!
//! Compiling costs tens of milliseconds. A process that lives for one call pays that once: what was decided from nothing
//! but the policies and the question is kept as a ruling, and the next process that asks the same under the same policies
//! is answered from it.
//!
//! # Invariants
//!
//! - Only an allowance is kept, and only where no policy that could apply reads `context`.
//! - A ruling is found under everything that it was made from: the fingerprint of all policies and operations, and all of
//!   the question. Whoever keeps rulings proves them genuine before they are given back ([`Rulings`]).
//! - Policies that can't be compiled allow nothing.

use std::sync::{Arc, OnceLock};

use crypto::{Digest, Hasher};
use model::{Call, Caller, Refusal, Timestamp};

use crate::cedar::{Decision, Outcome, Policies, Subject, Version};

/// Where rulings are kept between processes.
pub trait Rulings: Send + Sync {
    /// What was kept under this question, proven to be ours. `None` where there is nothing, or nothing genuine.
    fn find(&self, question: &Digest) -> Option<Vec<u8>>;

    /// Keeps a ruling. It is an economy: a failure costs time, not correctness.
    fn keep(&self, question: &Digest, ruling: &[u8]);
}

/// The policies in force.
pub struct Rules {
    /// Of everything that the policies are compiled from.
    fingerprint: Digest,
    compiled: OnceLock<Arc<Policies>>,
    compile: Option<Box<Compile>>,
    rulings: Option<Arc<dyn Rulings>>,
    /// What comes with Doorward alone, by which policies are mended that can't be compiled.
    standard: Option<Box<Compile>>,
}

/// Compiles the policies.
pub type Compile = dyn Fn() -> Result<Policies, Refusal> + Send + Sync;

impl Rules {
    /// Policies that are there.
    #[must_use]
    pub fn ready(policies: Arc<Policies>) -> Self {
        let fingerprint = *policies.version().as_bytes();
        Self { fingerprint, compiled: OnceLock::from(policies), compile: None, rulings: None, standard: None }
    }

    /// Policies that are compiled when a question comes that no ruling answers. `fingerprint` is a digest of everything
    /// that `compile` reads.
    #[must_use]
    pub fn on_demand(fingerprint: Digest, compile: Box<Compile>, rulings: Option<Arc<dyn Rulings>>) -> Self {
        Self { fingerprint, compiled: OnceLock::new(), compile: Some(compile), rulings, standard: None }
    }

    /// The same, where policies that can't be compiled may still be looked at and mended by whoever may do so by these.
    #[must_use]
    pub fn mended_by(self, standard: Box<Compile>) -> Self {
        Self { standard: Some(standard), ..self }
    }

    /// The policies, compiled.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn policies(&self) -> Result<Arc<Policies>, Refusal> {
        if let Some(policies) = self.compiled.get() {
            return Ok(Arc::clone(policies));
        }
        let Some(compile) = &self.compile else {
            return Err(Refusal::new(model::Code::BadRequest, "there are no policies"));
        };
        let policies = Arc::new(compile()?);
        // Another thread may have been quicker; both compiled the same.
        Ok(Arc::clone(self.compiled.get_or_init(|| policies)))
    }

    /// Decides one call. Policies that can't be compiled deny.
    pub(crate) fn decide(
        &self,
        subject: &Subject<'_>,
        caller: &Caller,
        call: &Call,
        now: Timestamp,
    ) -> Result<(Arc<Decision>, Version), Refusal> {
        if let Some(policies) = self.compiled.get() {
            return Ok((policies.decide(subject, caller, call, now), policies.version()));
        }
        let question = self.rulings.as_ref().map(|rulings| (rulings, self.question(subject, call)));
        if let Some((rulings, question)) = &question
            && let Some(found) = rulings.find(question).as_deref().and_then(decode)
        {
            return Ok(found);
        }
        let policies = match (self.policies(), &self.standard) {
            (Ok(policies), _) => policies,
            // Nothing else is decided by them, so that a policy about what is gone does not lock its home for ever.
            (Err(_), Some(standard)) if mends(call) => {
                let standard = standard()?;
                return Ok((standard.decide(subject, caller, call, now), standard.version()));
            }
            (Err(refusal), _) => return Err(refusal),
        };
        let decision = policies.decide(subject, caller, call, now);
        if let Some((rulings, question)) = &question
            && policies.lasts(call)
            && let Some(ruling) = encode(&decision, policies.version())
        {
            rulings.keep(question, &ruling);
        }
        Ok((decision, policies.version()))
    }

    /// Everything that the decision is made from.
    fn question(&self, subject: &Subject<'_>, call: &Call) -> Digest {
        let Subject { tenant, principal, known, standing, glass, grant } = subject;
        let mut hasher = Hasher::new();
        let mut part = |bytes: &[u8]| {
            hasher.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(bytes);
        };
        part(b"doorward ruling 1");
        part(&self.fingerprint);
        part(tenant.as_str().as_bytes());
        part(principal.as_str().as_bytes());
        part(known.kind().as_str().as_bytes());
        for role in known.effective(*standing, *glass) {
            part(role.as_bytes());
        }
        part(&[standing.number()]);
        part(grant.map(|grant| grant.to_string()).unwrap_or_default().as_bytes());
        part(call.integration().as_str().as_bytes());
        part(call.operation().as_str().as_bytes());
        part(call.kind().as_str().as_bytes());
        part(call.access().as_str().as_bytes());
        part(call.risk().as_str().as_bytes());
        part(call.resource().as_str().as_bytes());
        hasher.finish()
    }
}

/// An allowance as bytes; `None` for any other decision.
fn encode(decision: &Decision, version: Version) -> Option<Vec<u8>> {
    let Outcome::Allow { approvers } = decision.outcome else { return None };
    let mut bytes = vec![FORMAT, approvers];
    bytes.extend_from_slice(version.as_bytes());
    for rule in decision.determining.iter() {
        bytes.extend_from_slice(&u16::try_from(rule.len()).ok()?.to_be_bytes());
        bytes.extend_from_slice(rule.as_bytes());
    }
    Some(bytes)
}

fn decode(bytes: &[u8]) -> Option<(Arc<Decision>, Version)> {
    let (head, rest) = bytes.split_first_chunk::<2>()?;
    let [FORMAT, approvers] = *head else { return None };
    let (version, mut rest) = rest.split_first_chunk::<32>()?;
    let mut determining = Vec::new();
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let (rule, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        determining.push(Arc::from(str::from_utf8(rule).ok()?));
        rest = after;
    }
    let outcome = Outcome::Allow { approvers };
    let decision = Decision { outcome, determining: determining.into(), errors: Vec::new() };
    Some((Arc::new(decision), Version::of(*version)))
}

/// The second has a number where the first said whether.
const FORMAT: u8 = 2;

/// Whether a call looks at policies or changes them.
fn mends(call: &Call) -> bool {
    call.integration().as_str() == "doorward"
        && ["policy.list", "policy.show", "policy.check", "policy.put", "policy.forget"]
            .contains(&call.operation().as_str())
}

#[cfg(test)]
mod tests;
