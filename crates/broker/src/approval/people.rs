//! How many people have to say yes, and who did.
//!
//! One number holds for a question from its beginning to its end: it stands in the row, and in the digest where it is more than one. Where
//! a policy asks for another number later, the call is another question.

use std::num::NonZeroU8;
use std::sync::Arc;

use model::{Code, GrantId, PrincipalName, Refusal, TenantName};
use policy::GrantState;

use super::row::{Answer, Decided};
use crate::Broker;
use crate::people::PREFIX;

/// What came of an answer.
pub(crate) enum Said {
    /// It is decided: the last yes that was needed, or the first no.
    Decided(Decided),
    /// Others have to say yes as well.
    Waits,
}

/// Whether what somebody was when they said yes still holds, so that their yes counts beside another.
pub(crate) struct Standing {
    pub(crate) broker: Arc<Broker>,
    pub(crate) tenant: TenantName,
}

impl Standing {
    /// Whether each role that they had is still theirs, and the grant that they came with stands. Of a person of the identity provider who is not
    /// signed in any more nothing is known, which takes nothing back.
    fn holds(&self, said: &Decided) -> bool {
        let known = self.broker.principals().find(&self.tenant, &said.by);
        let is_gone = said.by.as_str().starts_with(PREFIX) && known.roles().next().is_none();
        let has = |role: &String| known.roles().any(|one| one == role);
        let stands = |id: GrantId| {
            self.broker.grants().find(id).is_some_and(|grant| grant.state == GrantState::Active)
        };
        (is_gone || said.roles.iter().all(has)) && said.grant.is_none_or(stands)
    }
}

/// Notes an answer. A no ends the question, whoever said yes before. A yes counts once for each person, and as long as they are who they
/// were.
///
/// # Errors
/// `conflict` where the same person said yes already.
pub(crate) fn note(
    agreed: &mut Vec<Decided>,
    needed: NonZeroU8,
    (said, standing): (Decided, &Standing),
    about: &str,
) -> Result<Said, Refusal> {
    if said.answer == Answer::Denied {
        return Ok(Said::Decided(said));
    }
    agreed.retain(|before| standing.holds(before));
    if agreed.iter().any(|before| before.by == said.by) {
        let message = format!("`{}` approved `{about}` already, and others have to as well", said.by);
        return Err(Refusal::new(Code::Conflict, message).because("approver"));
    }
    agreed.push(said.clone());
    if agreed.len() < usize::from(needed.get()) { Ok(Said::Waits) } else { Ok(Said::Decided(said)) }
}

/// Who approved it. A row from before there could be several has nobody but whoever decided.
pub(crate) fn approvers(decided: &Decided, agreed: &[Decided]) -> Vec<PrincipalName> {
    match agreed {
        [] => vec![decided.by.clone()],
        all => all.iter().map(|one| one.by.clone()).collect(),
    }
}

/// Proof that so many said yes as have to. Only [`enough`] makes one.
#[must_use]
pub(crate) struct Enough(pub(super) Vec<PrincipalName>);

impl Enough {
    /// Who they are.
    pub(crate) fn names(self) -> Vec<PrincipalName> {
        self.0
    }
}

/// Whether an approval is one of so many people.
pub(crate) fn enough(decided: &Decided, agreed: &[Decided], needed: NonZeroU8) -> Option<Enough> {
    let all = approvers(decided, agreed);
    (decided.answer == Answer::Approved && all.len() >= usize::from(needed.get())).then_some(Enough(all))
}

/// For a question, in words: nothing where one person is all that is needed.
pub(crate) fn progress(agreed: &[Decided], needed: NonZeroU8) -> Option<String> {
    if needed == NonZeroU8::MIN {
        return None;
    }
    let names: Vec<_> = agreed.iter().map(|one| one.by.to_string()).collect();
    let names = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
    Some(format!("{} of {needed} people approved it{names}", agreed.len()))
}

/// What a row without the number needs.
pub(crate) const fn one() -> NonZeroU8 {
    NonZeroU8::MIN
}

/// Whether it is the usual number, which isn't written down.
pub(crate) fn is_one(people: &NonZeroU8) -> bool {
    *people == NonZeroU8::MIN
}
