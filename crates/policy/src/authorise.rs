//! The third step of the path: may this caller make this call? Grant and revocations, then caveats, then Cedar.

use std::num::NonZeroU8;
use std::sync::{Arc, LazyLock};

use model::{Call, Caller, CapabilityId, Code, GrantId, OperationName, Proof, Refusal, Timestamp};

use crate::capability::Verified;
use crate::caveat::{Asked, Broken, Caveat};
use crate::cedar::{Answer, Decision, Explanation, LeftToLists, Outcome, Subject, Unspoken, Version};
use crate::denial::Denial;
use crate::grant::{Grant, GrantState, Grants};
use crate::lists::{Listed, Reason, Resembles, Says, Verdict};
use crate::permit::{Allowed, Counter, Limits, Permit};
use crate::principal::{BREAK_GLASS, Glass, Listing, OWNER, Principals, Standing};
use crate::rules::Rules;

/// Everything that a decision is made from.
#[derive(Clone, Copy)]
pub struct Authority<'a> {
    /// The policies.
    pub rules: &'a Rules,
    /// The grants, and what was revoked.
    pub grants: &'a Grants,
    /// The principals and their roles.
    pub principals: &'a Principals,
}

impl Authority<'_> {
    /// Allows one call, or says what denies it. `verified` is the capability that was presented, where there was one; it
    /// only ever takes away from what its principal could do. `verdict` is what the lists say about this call: what they
    /// deny is denied, whoever asks; that they allow it gives a role to a caller who proved nothing to us but by them.
    ///
    /// # Errors
    /// A [`Denial`] that names the grant, capability or policy that decided, and gives the call back.
    pub fn authorise(
        &self,
        caller: &Caller,
        call: Call,
        verified: Option<&Verified>,
        verdict: Verdict,
        now: Timestamp,
    ) -> Result<Permit, Denial> {
        match self.decide(caller, &call, (verified, &verdict), now) {
            Ok((mut allowed, _)) => {
                allowed.observed = verdict.observed;
                let (tenant, principal) = (caller.tenant().clone(), caller.principal().clone());
                Ok(Permit { call, tenant, principal, allowed })
            }
            Err(denial) => Err(denial.of(call)),
        }
    }

    /// What [`Authority::authorise`] would say, without a permit.
    #[must_use]
    pub fn explain(
        &self,
        caller: &Caller,
        call: &Call,
        verified: Option<&Verified>,
        verdict: &Verdict,
        now: Timestamp,
    ) -> Explanation {
        let policies = match self.rules.policies() {
            Ok(policies) => policies,
            Err(refusal) => return Explanation::unread(refusal.message),
        };
        match self.decide(caller, call, (verified, verdict), now) {
            Ok((allowed, decision)) => {
                let mut explanation = policies.explain(&decision);
                explanation.approvers = allowed.limits.approvers.map_or(0, NonZeroU8::get);
                explanation.approval = explanation.approvers > 0;
                explanation
            }
            Err(denial) => {
                let asked = self.subject(caller, call, (verified, verdict));
                let asked = asked.map(|subject| policies.decide(&subject, caller, call, now));
                let failed = Arc::new(Decision::nothing());
                let mut explanation = policies.explain(asked.as_ref().unwrap_or(&failed));
                explanation.answer = Answer::Deny;
                denial.message().clone_into(&mut explanation.reason);
                explanation
            }
        }
    }

    fn decide(
        &self,
        caller: &Caller,
        call: &Call,
        (verified, verdict): (Option<&Verified>, &Verdict),
        now: Timestamp,
    ) -> Result<(Allowed, Arc<Decision>), Denial> {
        if let Says::Denied(rule, reason) = &verdict.says {
            return Err(denied_by_list(call, rule, reason));
        }
        if let Some(Resembles::Unread(meant)) = &verdict.resembles {
            let _left = self.left_to_lists(call, verdict, meant)?;
        }
        let subject = self.subject(caller, call, (verified, verdict))?;
        if let Some(Resembles::Unknown(beside)) = &verdict.resembles {
            self.unspoken(call, (verdict, subject.glass), beside)?;
        }
        let mut allowed = Allowed {
            grant: None,
            narrowings: Box::default(),
            limits: Limits::default(),
            expires: None,
            version: Version::of([0; 32]),
            determining: NOTHING.clone(),
            listed: None,
            observed: None,
        };
        if let (
            Standing::Incoming(Listing::Allowed) | Standing::Anonymous(Listing::Allowed),
            Says::Allowed(listed),
        ) = (subject.standing, &verdict.says)
        {
            allowed.listed = Some(Arc::clone(&listed.rule));
        }
        if let Some(verified) = verified {
            let grant = self.standing_grant(caller, verified, now)?;
            check_caveats(&Asked { caller, call, now }, &grant, verified, &mut allowed)?;
        }
        let (decision, version) =
            self.rules.decide(&subject, caller, call, now).map_err(|refusal| unread(&refusal))?;
        allowed.version = version;
        let Outcome::Allow { approvers } = decision.outcome else {
            return Err(denied_by_policy(caller, call, (&decision, verdict)));
        };
        allowed.limits.approvers = allowed.limits.approvers.max(NonZeroU8::new(approvers));
        allowed.determining = Arc::clone(&decision.determining);
        Ok((allowed, decision))
    }

    /// Looks whether a request that may be one of these operations is left to the rule that allows it, whichever it is. What is said
    /// about an operation must not be escaped by writing it in a way that can't be read.
    #[cold]
    fn left_to_lists(
        &self,
        call: &Call,
        verdict: &Verdict,
        meant: &[OperationName],
    ) -> Result<Vec<LeftToLists>, Denial> {
        let unlisted = || Denial::new(Code::Denied, "no rule of the allowlist allows this request as it is");
        let Says::Allowed(listed) = &verdict.says else { return Err(unlisted()) };
        if listed.call != call.id() || meant.is_empty() {
            return Err(unlisted());
        }
        let policies = self.rules.policies().map_err(|refusal| unread(&refusal))?;
        let one = |operation: &OperationName| {
            let more = format!(
                "a policy speaks of `{}/{operation}`, and this request can't be read as one",
                call.integration()
            );
            policies
                .left_to_lists(call.integration(), operation)
                .ok_or_else(|| Denial::new(Code::Denied, more).hint("send it as the operation takes it"))
        };
        meant.iter().map(one).collect()
    }

    /// Looks whether nobody restricts any of these operations. A word more in the request must not take it out of a policy's sight. A rule
    /// of a list that allows the request is about that very request, so what comes with Doorward does not stand against it.
    #[cold]
    fn unspoken(
        &self,
        call: &Call,
        (verdict, glass): (&Verdict, Glass),
        beside: &[OperationName],
    ) -> Result<(), Denial> {
        if self.left_to_lists(call, verdict, beside).is_ok() {
            return Ok(());
        }
        let policies = self.rules.policies().map_err(|refusal| unread(&refusal))?;
        for operation in beside {
            let Unspoken { .. } = policies.unspoken(call.integration(), operation, glass).ok_or_else(|| {
                let more = format!(
                    "a policy speaks of `{}/{operation}`, and this request has its path and can't be read as one",
                    call.integration()
                );
                Denial::new(Code::Denied, more).hint("send it as the operation takes it")
            })?;
        }
        Ok(())
    }

    /// Who asks, and how they stand. A capability that was claimed but not verified is no proof.
    fn subject<'a>(
        &self,
        caller: &'a Caller,
        call: &Call,
        (verified, verdict): (Option<&Verified>, &Verdict),
    ) -> Result<Subject<'a>, Denial> {
        let missing = || {
            Denial::new(
                Code::Unauthenticated,
                "the capability that was claimed is not the one that was verified",
            )
            .hint("present the capability with the request")
        };
        let listing = match &verdict.says {
            // A proof about another call is none about this one.
            Says::Allowed(Listed { call: allowed, rule: _ }) if *allowed == call.id() => Listing::Allowed,
            Says::Allowed(_) | Says::Silent(_) | Says::Denied(..) => Listing::Silent,
        };
        let standing = Standing::of(caller.proof(), verified.is_some(), listing).ok_or_else(missing)?;
        match (caller.proof(), verified) {
            (Proof::Capability(claimed), Some(verified)) if claimed != verified.grant() => {
                return Err(missing());
            }
            _ => {}
        }
        let (tenant, principal) = (caller.tenant(), caller.principal());
        let known = self.principals.find(tenant, principal);
        let glass = match caller.facts().break_glass() {
            None => Glass::Whole,
            Some(_)
                if known
                    .effective(standing, Glass::Broken)
                    .any(|role| role == BREAK_GLASS || role == OWNER) =>
            {
                Glass::Broken
            }
            // Not as if nothing had been said: who is not listened to should know it.
            Some(_) => {
                let what =
                    format!("`{principal}` has not the role `{BREAK_GLASS}`, so it may not break the glass");
                return Err(Denial::new(Code::Denied, what)
                    .hint(format!("`doorward role grant {principal} {BREAK_GLASS}`, or ask without it")));
            }
        };
        Ok(Subject { tenant, principal, known, standing, glass, grant: verified.map(Verified::grant) })
    }

    /// The row behind a capability, where it stands and is this caller's.
    fn standing_grant(
        &self,
        caller: &Caller,
        verified: &Verified,
        now: Timestamp,
    ) -> Result<Arc<Grant>, Denial> {
        let id = verified.grant();
        let elsewhere = || {
            // The same words whether it is unknown or another tenant's: its existence is nobody else's business.
            Denial::new(Code::Unauthenticated, format!("grant `{id}` is not known here"))
                .hint("ask for a new capability")
                .rule(id.to_string())
        };
        let grant = self.grants.find(id).ok_or_else(elsewhere)?;
        if verified.tenant() != caller.tenant() || grant.tenant != *caller.tenant() {
            return Err(elsewhere());
        }
        let over = |code, what: String| {
            Denial::new(code, what).hint("ask for a new capability").rule(id.to_string())
        };
        if grant.principal != *caller.principal() {
            let what = format!("grant `{id}` was given to another principal");
            return Err(over(Code::Denied, what).hint("present it without another proof of who you are"));
        }
        match grant.state {
            GrantState::Active => {}
            GrantState::Suspended => return Err(over(Code::Revoked, format!("grant `{id}` is suspended"))),
            GrantState::Revoked { at } => {
                return Err(over(Code::Revoked, format!("grant `{id}` was revoked at {at}")));
            }
        }
        if let Some(end) = grant.expires.filter(|end| now >= *end) {
            return Err(over(Code::Expired, format!("grant `{id}` expired at {end}")));
        }
        match self.grants.first_revoked(verified.narrowings()) {
            Some(narrowing) => Err(over(Code::Revoked, format!("capability `{narrowing}` was revoked"))
                .rule(narrowing.to_string())),
            None => Ok(grant),
        }
    }
}

/// No policies, made once.
static NOTHING: LazyLock<Arc<[Arc<str>]>> = LazyLock::new(|| Arc::from([]));

/// Policies that can't be read permit nothing.
fn unread(refusal: &Refusal) -> Denial {
    let denial = Denial::new(refusal.code, format!("the policies can't be read: {}", refusal.message));
    denial.hint("`doorward policy list` shows them, `doorward policy forget NAME` or `doorward policy put NAME FILE` mends them")
}

/// The caveats of the grant, then those of each narrowing; all apply.
fn check_caveats(
    asked: &Asked<'_>,
    grant: &Grant,
    verified: &Verified,
    allowed: &mut Allowed,
) -> Result<(), Denial> {
    allowed.grant = Some(grant.id);
    allowed.narrowings = verified.narrowings().collect();
    allowed.expires = grant.expires;
    for caveat in &grant.caveats {
        let _kept = caveat.check(asked).map_err(|broken| broken_by(&Origin::Grant(grant.id), broken))?;
        note(caveat, Counter::Grant(grant.id), asked, allowed);
    }
    for (narrowing, caveat) in verified.caveats() {
        let _kept = caveat.check(asked).map_err(|broken| broken_by(&Origin::Narrowing(narrowing), broken))?;
        note(caveat, Counter::Narrowing(grant.id, narrowing), asked, allowed);
    }
    Ok(())
}

/// What of a caveat is still to be counted or asked, and when it ends.
fn note(caveat: &Caveat, counter: Counter, asked: &Asked<'_>, allowed: &mut Allowed) {
    match caveat {
        Caveat::Rate(rate) => allowed.limits.rates.push((counter, *rate)),
        Caveat::Uses(most) => allowed.limits.use_at_most(counter, most.get()),
        Caveat::NotAfter(end) => {
            allowed.expires = Some(allowed.expires.map_or(*end, |known| known.min(*end)));
        }
        _ => {}
    }
    if caveat.asks_approval(asked.call.access()) {
        allowed.limits.approvers = allowed.limits.approvers.max(Some(NonZeroU8::MIN));
    }
}

enum Origin {
    Grant(GrantId),
    Narrowing(CapabilityId),
}

fn broken_by(origin: &Origin, broken: Broken) -> Denial {
    let Broken { code, says, hint } = broken;
    let (what, id) = match origin {
        Origin::Grant(id) => ("grant", id.to_string()),
        Origin::Narrowing(id) => ("capability", id.to_string()),
    };
    let denial = Denial::new(code, format!("{what} `{id}` {says}")).rule(id);
    match hint {
        Some(hint) => denial.hint(hint),
        None => denial,
    }
}

fn denied_by_list(call: &Call, rule: &str, reason: &Reason) -> Denial {
    let what = format!("a rule of the denylist denies `{}/{}`", call.integration(), call.operation());
    Denial::new(Code::Denied, what)
        .hint("`doorward lists explain` shows which one")
        .rule(rule)
        .reason(reason.to_string())
}

fn denied_by_policy(caller: &Caller, call: &Call, (decision, verdict): (&Decision, &Verdict)) -> Denial {
    let (integration, operation) = (call.integration(), call.operation());
    let what = format!("`{integration}/{operation}` on `{}`", call.resource());
    let first = decision.determining.first();
    match decision.outcome {
        Outcome::Forbidden => {
            let rule = first.map_or("unknown", |rule| &**rule);
            Denial::new(Code::Denied, format!("policy `{rule}` forbids {what}"))
                .hint("`doorward policy explain` shows where it stands")
                .rule(rule)
        }
        Outcome::Failed => {
            let rule = first.map_or("unknown", |rule| &**rule);
            let message = format!("a policy about {what} could not be evaluated, so it is denied");
            Denial::new(Code::Denied, message).hint("`doorward policy explain` shows which one").rule(rule)
        }
        Outcome::NotDescribed => {
            let message =
                format!("the policies were loaded without {what}, or with another description of it");
            Denial::new(Code::Denied, message).hint("load the policies again")
        }
        Outcome::NotPermitted | Outcome::Allow { .. } if caller.proof() == Proof::Loopback => {
            let message = format!("nothing proves who asks for {what}");
            Denial::new(Code::Unauthenticated, message).hint("present a capability")
        }
        Outcome::NotPermitted | Outcome::Allow { .. } => match (caller.proof(), verdict.reason()) {
            (Proof::Incoming | Proof::Anonymous, reason) => {
                let integration = call.integration();
                let message = format!("the allowlist of `{integration}` does not allow this request");
                let reason = reason.unwrap_or(&Reason::NoMatch).to_string();
                Denial::new(Code::Denied, message).hint("`doorward lists explain` shows why").reason(reason)
            }
            _ => {
                let message = format!("no policy permits `{}` {what}", caller.principal());
                Denial::new(Code::Denied, message).hint("`doorward policy explain` shows what was asked")
            }
        },
    }
}

#[cfg(test)]
mod tests;
