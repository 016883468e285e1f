//! How many people approve, places outside where they answer, and who they are there. The settings say it, and nothing else does.

use std::collections::BTreeMap;
use std::num::NonZeroU8;
use std::sync::OnceLock;

use model::{Code, IntegrationName, PrincipalName, Refusal};
use policy::OWNER;

use crate::Broker;

/// All of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answering {
    /// How many different people have to approve what needs an approval at all, and a plan; one where it is not said. Policies may ask
    /// for more.
    pub approvers: Option<NonZeroU8>,
    /// A channel of Slack.
    pub slack: Option<Slack>,
    /// A team's issues in Linear.
    pub linear: Option<Linear>,
}

/// A channel of Slack, where a message has two buttons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slack {
    /// The integration that messages go through.
    pub integration: IntegrationName,
    /// The integration whose `incoming` checks Slack's signatures.
    pub signed: IntegrationName,
    /// The id of the channel.
    pub channel: String,
    /// The id of the workspace, where only that one counts.
    pub team: Option<String>,
    /// Who members are here, by their ids (`U...`).
    pub people: BTreeMap<String, PrincipalName>,
}

/// Issues of Linear, where a label is the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linear {
    /// The integration that issues go through.
    pub integration: IntegrationName,
    /// The id of the team.
    pub team: String,
    /// Who users are here, by their ids.
    pub people: BTreeMap<String, PrincipalName>,
}

/// What was set, once.
pub(crate) type Set = OnceLock<Answering>;

impl Broker {
    /// How many people have to approve, whatever policies say.
    pub(crate) fn least_approvers(&self) -> NonZeroU8 {
        let set = self.people().answering().get();
        set.and_then(|set| set.approvers).unwrap_or(NonZeroU8::MIN)
    }

    /// Lets people answer at these places. Before any door opens, and once.
    ///
    /// # Errors
    /// `bad_request` where somebody there would be the owner, or nobody is known at a place.
    pub fn answered_at(&self, answering: Answering) -> Result<(), Refusal> {
        let wrong = |why: String| Refusal::new(Code::BadRequest, why);
        let Answering { approvers: _, slack, linear } = &answering;
        let places = [
            ("slack", slack.as_ref().map(|slack| &slack.people)),
            ("linear", linear.as_ref().map(|linear| &linear.people)),
        ];
        for (place, people) in places {
            let Some(people) = people else { continue };
            if people.is_empty() {
                return Err(wrong(format!("`approvals.{place}.people` is empty, so nobody could answer")));
            }
            if let Some((id, _)) = people.iter().find(|(_, principal)| principal.as_str() == OWNER) {
                return Err(wrong(format!(
                    "`approvals.{place}.people.{id}`: `{OWNER}` is the home's own user, whom the kernel proves and nobody else"
                )));
            }
        }
        let _ = self.people().answering().set(answering);
        Ok(())
    }
}
