//! A policy can forbid everything, also that it is taken back, and then nobody could. So a set under which the owner of the home
//! could not forget the policy any more takes no effect.

use model::{Code, Door, Refusal, Resource, TenantName};
use policy::{Answer, Circumstances, OWNER, Policies, PrincipalKind, Question};

use super::{Broker, refused};

/// Proof that the owner can take a policy back. Only [`Broker::way_back`] makes one.
#[must_use]
pub(super) struct WayBack(());

impl Broker {
    /// Whether the owner, proven by the kernel at a door of this machine, could still forget the policy `name` under the policies
    /// `next`. Where that was forbidden before, nothing is made worse.
    pub(super) fn way_back(&self, name: &str, next: &Policies) -> Result<WayBack, Refusal> {
        let Some(why) = self.keeps_from_forgetting(name, next)? else { return Ok(WayBack(())) };
        let now = self.policies().ok();
        let already = now.map(|now| self.keeps_from_forgetting(name, &now)).transpose()?.flatten();
        if already.is_some() {
            return Ok(WayBack(()));
        }
        let message = format!("the owner of this home could never take the policy `{name}` back: {why}");
        Err(Refusal::new(Code::BadRequest, message).hint(
            "leave Doorward's own management out of what it forbids: `unless { action in Doorward::Action::\"manage\" }`",
        ))
    }

    /// What would keep the owner from it at every door, where something would.
    fn keeps_from_forgetting(&self, name: &str, policies: &Policies) -> Result<Option<String>, Refusal> {
        let mut why = None;
        for door in [Door::Socket, Door::Cli] {
            let explained = policies.evaluate(&self.forgetting(name, door));
            let explained = explained.map_err(|error| refused(&error, Code::BadRequest, error.hint()))?;
            // An approval that it needs is somebody else's answer, and a way.
            if explained.answer == Answer::Allow {
                return Ok(None);
            }
            why = Some(explained.reason);
        }
        Ok(why)
    }

    fn forgetting(&self, name: &str, door: Door) -> Question {
        Question {
            tenant: TenantName::local(),
            principal: self.owner().clone(),
            kind: PrincipalKind::Unknown,
            roles: vec![OWNER.to_owned()],
            operation: "doorward/policy.forget".to_owned(),
            resource: format!("policy:{name}").parse().unwrap_or_else(|_| Resource::any()),
            integration_kind: None,
            context: Circumstances {
                now: self.now(),
                door: Some(door.as_str().to_owned()),
                environment: self.settings().environment.clone(),
                inputs: [("name".to_owned(), name.to_owned())].into(),
                ..Circumstances::default()
            },
            expect: None,
        }
    }
}
