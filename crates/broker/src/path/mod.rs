//! The one path. Every call of every door goes down this page.
//!
//! ```text
//! 1 identify   who is it, proven how, for which tenant        7 inject    the credential onto the request
//! 2 find       which operation of which integration           8 perform   send it, or do it ourselves
//! 3 authorise  capability, then policy            -> Permit   9 scrub     the credential out of the reply
//! 4 admit      rates, sizes, approval             -> Admitted 10 settle   the outcome is recorded  -> the answer
//! 5 record     the intent is durable              -> Receipt
//! 6 resolve    Permit + Receipt lend the secret   -> Lent
//! ```
//!
//! A new door adds nothing here; a new way to perform is one variant in `perform`.

pub(crate) mod admit;
mod again;
pub(crate) mod around;
pub(crate) mod authorise;
mod check;
pub(crate) mod find;
pub(crate) mod identify;
pub(crate) mod inject;
pub(crate) mod lists;
pub(crate) mod perform;
pub(crate) mod record;
mod referred;
pub(crate) mod resolve;
pub(crate) mod scrub;
pub(crate) mod settle;
mod unbroken;

use std::sync::Arc;

use catalog::Integration;
use evidence::Receipt;
use model::Refusal;
use policy::Permit;

use crate::approval::{self, Approved, Asking};
use crate::{Inbound, Outbound, Worker};
use admit::Admitted;
use find::Found;
use identify::Identified;
use perform::Performed;
use record::Trace;
use unbroken::{Panicked, Unbroken};

impl Worker {
    /// Carries one call: decide, record, carry, settle. Every way out is recorded.
    ///
    /// # Errors
    /// The refusal that the caller gets, with the id of its record.
    pub async fn call(self: &Arc<Self>, inbound: Inbound) -> Result<Outbound, Refusal> {
        let mut trace = Box::new(Trace::new(self, &inbound)?);
        match self.decide(inbound, &mut trace).await {
            // A question uses and changes nothing: one record holds it and its answer.
            Ok(admitted) if check::is_question(&admitted) => check::answer(self, admitted, trace).await,
            Ok(admitted) => unbroken(Arc::clone(self).go_through_with(admitted, trace)).await,
            Err(refusal) => Err(record::refusal(self, trace, refusal).await),
        }
    }

    /// Runs to its end: a caller who hangs up cancels nothing between the intent and its outcome.
    async fn go_through_with(
        self: Arc<Self>,
        mut admitted: Box<Admitted>,
        mut trace: Box<Trace>,
    ) -> Result<Outbound, Refusal> {
        let receipt = match record::intent(&self, &admitted, &mut trace).await {
            Ok(receipt) => receipt,
            Err(refusal) => return Err(record::refusal(&self, trace, refusal).await),
        };
        admitted.next = trace.span().and_then(|span| span.next());
        // Boxed, as is what follows: it is rare, and has a call in it.
        let complete = match referred::wanted(&admitted) {
            None => Ok(()),
            Some(referred) => Box::pin(referred::read(&self, &mut admitted, &referred)).await,
        };
        if complete.is_ok() && around::is_wanted(&admitted) {
            admitted.beside = Box::pin(around::before(&self, &admitted, &receipt)).await;
        }
        let performed = match complete {
            Ok(()) => match again::pace(&admitted) {
                Some(pace) => Box::pin(again::carried(&self, &mut admitted, &receipt, pace)).await,
                None => self.carry(&mut admitted, &receipt).await,
            },
            Err(refusal) => Err(refusal),
        };
        settle::outcome(&self, receipt, &admitted, trace, performed).await
    }

    async fn decide(&self, mut inbound: Inbound, trace: &mut Trace) -> Result<Box<Admitted>, Refusal> {
        // One reading of catalogue and lists, whatever is read again while the call waits.
        let edition = self.broker().edition();
        let identified = match identify::incoming::asks(&edition, &inbound) {
            None => {
                identify::readied(self.broker(), trace.unsealed(), &inbound).await;
                identify::caller(self.broker(), trace.unsealed(), &inbound)?
            }
            // Rare and large, so it is not a part of this future.
            Some(asking) => {
                Box::pin(identify::incoming::proven(self, trace.unsealed(), asking, &mut inbound)).await?
            }
        };
        trace.identified(&identified);
        let found = find::call((self.broker(), &edition), trace.id(), &identified, &mut inbound).await?;
        trace.found(&found);
        let Found { integration, call, unread } = found;
        let verdict =
            lists::verdict(edition.lists(), &identified, (&integration, &call, unread.as_deref()), &inbound)?;
        let permit = match unread {
            None => authorise::permit(self.broker(), &identified, call, verdict)
                .map_err(|denial| trace.denied(denial))?,
            Some(unread) => authorise::unread(self.broker(), &identified, call, (verdict, *unread), trace)?,
        };
        // Boxed: it is rare, and large.
        let approved = match admit::wants_approval(&identified, &permit) {
            false => None,
            true => Some(
                Box::pin(self.approved((&identified, &permit, &integration), &mut inbound, trace)).await?,
            ),
        };
        let admitted = match self.broker().limits().shared() {
            None => {
                admit::within_limits(self.broker(), identified, permit, integration, (inbound, approved))?
            }
            // Boxed: it is rare, and has more in it than all the rest.
            Some(shared) => {
                let asked = admit::within_shared_limits(
                    (self.broker(), shared),
                    identified,
                    permit,
                    integration,
                    (inbound, approved),
                );
                Box::pin(asked).await?
            }
        };
        // Boxed, as it is moved whole into the future of the rest.
        let mut admitted = Box::new(admitted);
        if admit::way::is_open(&admitted) {
            Box::pin(admit::way::choose(self.broker(), &mut admitted)).await?;
        }
        Ok(admitted)
    }

    /// The approval of a call that needs one, or of a step of a plan.
    async fn approved(
        &self,
        (identified, permit, integration): (&Identified, &Permit, &Integration),
        inbound: &mut Inbound,
        trace: &mut Trace,
    ) -> Result<Approved, Refusal> {
        let asking = Asking { identified, permit, integration };
        let home = trace.home();
        let settled = approval::settled(self, &home, asking, inbound).await;
        settled.inspect_err(|refusal| trace.waits(refusal))
    }

    /// Runs only between an intent and its outcome, so an early `?` cannot lose the receipt.
    async fn carry(
        self: &Arc<Self>,
        admitted: &mut Admitted,
        receipt: &Receipt,
    ) -> Result<Performed, Refusal> {
        let lent = resolve::secrets(self, admitted, receipt).await?;
        let armed = inject::credential(self.broker(), admitted, lent)?;
        let replied = perform::call(self, admitted, receipt, armed).await?;
        scrub::reply(replied, admitted).await
    }
}

/// Runs a future to its end, whoever waits for it.
pub(crate) async fn unbroken(
    rest: impl Future<Output = Result<Outbound, Refusal>> + Send + 'static,
) -> Result<Outbound, Refusal> {
    match Unbroken::new(rest).await {
        Ok(answer) => answer,
        // What it did is settled as `unknown` by the evidence log.
        Err(Panicked) => Err(Refusal::new(model::Code::OutcomeUnknown, "the call broke off inside Doorward")),
    }
}

#[cfg(test)]
mod tests;
