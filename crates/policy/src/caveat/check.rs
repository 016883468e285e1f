//! Whether a call keeps a caveat. Plain Rust, total, before the policy engine and independent of it.

use model::{Access, Call, Caller, Code, Fact, Method, Timestamp};

use super::{Caveat, Inputs};

/// The call that is asked for, by whom, when.
pub(crate) struct Asked<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) call: &'a Call,
    pub(crate) now: Timestamp,
}

/// Proof that one caveat was kept.
#[derive(Debug)]
#[must_use]
pub(crate) struct Kept(());

/// A caveat that was not kept: the words behind "capability `cap_…`", and what it allows instead.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) code: Code,
    pub(crate) says: String,
    pub(crate) hint: Option<String>,
}

/// What can be said of a caveat before a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foretold {
    /// A call made now would keep it.
    Kept,
    /// A call made now would break it.
    Broken,
    /// It depends on who calls, from where and how often.
    Open,
}

impl Caveat {
    /// What can be said of it before the call is made. It proves nothing.
    #[must_use]
    pub fn foretold(&self, call: &Call, now: Timestamp) -> Foretold {
        let holds = match self {
            Self::Cidr(_)
            | Self::Environment(_)
            | Self::Purpose(_)
            | Self::Holder(_)
            | Self::Rate(_)
            | Self::Uses(_)
            | Self::Approval(_) => return Foretold::Open,
            // What is left of these is about the moment alone.
            about => about.holds_now(&Fact::default(), now).or_else(|| about.holds_call(call)),
        };
        if holds.unwrap_or(false) { Foretold::Kept } else { Foretold::Broken }
    }

    /// Checks the call against this caveat. Limits that are counted are kept here; they are admitted later.
    pub(crate) fn check(&self, asked: &Asked<'_>) -> Result<Kept, Broken> {
        if self.holds_for(asked).unwrap_or(false) { Ok(Kept(())) } else { Err(self.broken(asked)) }
    }

    /// Whether a caveat about the moment and the connection holds; `None` for one about the call. What is absent breaks it.
    pub(crate) fn holds_now(&self, facts: &Fact, now: Timestamp) -> Option<bool> {
        Some(match self {
            Self::NotBefore(start) => now >= *start,
            Self::NotAfter(end) => now < *end,
            Self::Hours(hours) => hours.contain(now).unwrap_or(false),
            Self::Window(window) => window.contains(now).unwrap_or(false),
            Self::Blackout(spans) => !spans.iter().any(|span| span.contains(now)),
            Self::Cidr(list) => {
                facts.address.is_some_and(|address| list.iter().any(|network| network.matches(address)))
            }
            Self::Environment(list) => {
                let environment = facts.environment.as_deref();
                environment.is_some_and(|is| list.iter().any(|allowed| allowed.as_str() == is))
            }
            Self::Purpose(purpose) => facts.purpose.as_deref() == Some(purpose.as_str()),
            Self::Holder(holder) => holder.is(&facts.holder),
            Self::Integrations(_)
            | Self::Operations(_)
            | Self::Access(_)
            | Self::Resources(_)
            | Self::Hosts(_)
            | Self::Methods(_)
            | Self::PathPrefix(_)
            | Self::Inputs(_)
            | Self::Reach(_)
            | Self::Rate(_)
            | Self::Uses(_)
            | Self::Approval(_) => return None,
        })
    }

    /// `None` where a fact that the caveat is about is absent.
    fn holds_for(&self, asked: &Asked<'_>) -> Option<bool> {
        if let Some(holds) = self.holds_now(asked.caller.facts(), asked.now) {
            return Some(holds);
        }
        self.holds_call(asked.call)
    }

    /// Whether a caveat about the call holds; what is looked at elsewhere does here. `None` where what it is about is absent.
    fn holds_call(&self, call: &Call) -> Option<bool> {
        Some(match self {
            Self::Integrations(list) => list.holds(call.integration()),
            Self::Operations(list) => list.iter().any(|p| p.matches(call.integration(), call.operation())),
            Self::Access(most) => call.access() <= *most,
            Self::Resources(list) => list.iter().any(|pattern| pattern.matches(call.resource().as_str())),
            Self::Hosts(list) => {
                let (_, upstream, _) = call.request()?;
                list.iter().any(|host| host.matches(upstream.host()))
            }
            Self::Methods(list) => {
                let (method, _, _) = call.request()?;
                list.iter().any(|allowed: &Method| allowed == method)
            }
            Self::PathPrefix(list) => {
                let (_, _, target) = call.request()?;
                list.iter().any(|prefix| prefix.matches(target.path()))
            }
            Self::Inputs(inputs) => holds_inputs(inputs, call),
            Self::Reach(reach) => reach.allows(call),
            // The last three are counted or asked later; those before them were looked at above.
            Self::NotBefore(_)
            | Self::NotAfter(_)
            | Self::Hours(_)
            | Self::Window(_)
            | Self::Blackout(_)
            | Self::Cidr(_)
            | Self::Environment(_)
            | Self::Purpose(_)
            | Self::Holder(_)
            | Self::Rate(_)
            | Self::Uses(_)
            | Self::Approval(_) => true,
        })
    }

    fn broken(&self, asked: &Asked<'_>) -> Broken {
        let call = asked.call;
        let mut code = Code::Denied;
        let mut hint = Some(format!("it is limited to {self}"));
        let says = match self {
            Self::Integrations(_) => format!("does not allow the integration `{}`", call.integration()),
            Self::Operations(_) => {
                format!("does not allow `{}/{}`", call.integration(), call.operation())
            }
            Self::Access(_) => {
                format!("allows no {}, such as `{}/{}`", call.access(), call.integration(), call.operation())
            }
            Self::Resources(_) => format!("does not allow the resource `{}`", call.resource()),
            Self::Hosts(_) => "does not allow this host".to_owned(),
            Self::Methods(_) => "does not allow this method".to_owned(),
            Self::PathPrefix(_) => "does not allow this path".to_owned(),
            Self::NotBefore(start) => format!("is not valid before {start}"),
            Self::NotAfter(end) => {
                code = Code::Expired;
                hint = Some("ask for a new one".to_owned());
                format!("expired at {end}")
            }
            Self::Hours(_) | Self::Window(_) => "is not valid at this hour".to_owned(),
            Self::Blackout(_) => "is not valid in this period".to_owned(),
            Self::Cidr(_) => match asked.caller.facts().address {
                Some(address) => format!("is not valid from the address `{}`", address.to_canonical()),
                None => "is bound to a network, and this connection has no address".to_owned(),
            },
            Self::Environment(_) => "is not valid in this environment".to_owned(),
            Self::Purpose(_) => "is bound to another purpose".to_owned(),
            Self::Holder(_) => {
                // Whose it is says nothing that a thief should learn.
                hint = Some("use it from the process that it was given to".to_owned());
                "belongs to another holder".to_owned()
            }
            Self::Inputs(_) => "does not allow these inputs".to_owned(),
            Self::Reach(reach) => {
                if reach.lacks_execute(call) {
                    hint = Some(format!(
                        "it is limited to {self}: what writes, or is described by no file, takes the action `execute`"
                    ));
                }
                format!(
                    "does not reach `{}/{}` on `{}`",
                    call.integration(),
                    call.operation(),
                    call.resource()
                )
            }
            Self::Rate(_) | Self::Uses(_) | Self::Approval(_) => "is limited".to_owned(),
        };
        Broken { code, says, hint }
    }

    /// Whether somebody has to approve a call of this access first.
    pub(crate) const fn asks_approval(&self, access: Access) -> bool {
        match self {
            Self::Approval(super::Approval::All) => true,
            Self::Approval(super::Approval::Writes) => matches!(access, Access::Write),
            _ => false,
        }
    }
}

fn holds_inputs(inputs: &Inputs, call: &Call) -> bool {
    inputs.iter().all(|(name, values)| {
        let given = call.inputs().get(name.as_str());
        given.is_some_and(|given| values.iter().any(|value| value.as_str() == given))
    })
}
