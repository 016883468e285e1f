//! Whether a call keeps a caveat, and whether a narrowing only takes away.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::caveat::{Caveat, Holder, Hours, ListOf, Value};
use super::names::{covers_path, covers_pattern, covers_resource, is_at_or_below};
use super::time;

/// What is known about a call. A fact that a caveat is about and that is `None` breaks the caveat.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Facts {
    /// Milliseconds since 1970.
    pub now: Option<u64>,
    pub integration: Option<String>,
    pub operation: Option<String>,
    /// `read` or `write`.
    pub access: Option<String>,
    pub resource: Option<String>,
    pub host: Option<String>,
    pub method: Option<String>,
    pub path: Option<String>,
    pub address: Option<IpAddr>,
    pub environment: Option<String>,
    pub purpose: Option<String>,
    pub holder: Holder,
    pub inputs: BTreeMap<String, String>,
    /// The secrets that the integration puts on the request, as the agent names them: `secret:/slack/token`.
    pub secrets: Option<Vec<String>>,
    /// Minutes east of Greenwich of an IANA time zone at a time. This library has no time zones but `UTC`; hours of
    /// another one are broken where this is left out or doesn't know it.
    pub offset: Option<fn(&str, u64) -> Option<i32>>,
}

/// A caveat that a call breaks, and the words behind "the capability".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The kind of the caveat.
    pub kind: &'static str,
    /// What the capability doesn't allow.
    pub says: String,
}

impl Caveat {
    /// What of these facts breaks it, if they do. Rates, uses and approvals are counted by the broker.
    #[must_use]
    pub fn broken(&self, facts: &Facts) -> Option<Broken> {
        if self.holds(facts).unwrap_or(false) {
            return None;
        }
        Some(Broken { kind: self.kind(), says: self.says(facts) })
    }

    fn holds(&self, facts: &Facts) -> Option<bool> {
        Some(match &self.value {
            Value::List(of, entries) => return holds_list(*of, entries, facts),
            Value::Access { write } => match facts.access.as_deref()? {
                "read" => true,
                "write" => *write,
                _ => false,
            },
            Value::NotBefore(start) => facts.now? >= *start,
            Value::NotAfter(end) => facts.now? < *end,
            Value::Hours(hours) => hours.contain(facts)?,
            Value::Cidr(networks) => {
                let address = facts.address?;
                networks.iter().any(|network| network.contains(address))
            }
            Value::Purpose(purpose) => facts.purpose.as_ref()? == purpose,
            Value::Holder(holder) => holder.is(&facts.holder),
            Value::Reach(reach) => reach.allows(facts)?,
            Value::Window(window) => window.contains(facts)?,
            Value::Blackout(spans) => {
                let now = facts.now?;
                !spans.iter().any(|(start, end)| *start <= now && now < *end)
            }
            Value::Inputs(inputs) => inputs
                .iter()
                .all(|(name, values)| facts.inputs.get(name).is_some_and(|given| values.contains(given))),
            Value::Rate { .. } | Value::Uses(_) | Value::Approval { .. } => true,
        })
    }

    fn says(&self, facts: &Facts) -> String {
        let shown = |fact: &Option<String>| fact.clone().unwrap_or_default();
        match &self.value {
            Value::List(ListOf::Integrations, _) => {
                format!("does not allow the integration `{}`", shown(&facts.integration))
            }
            Value::List(ListOf::Operations, _) => {
                format!("does not allow `{}/{}`", shown(&facts.integration), shown(&facts.operation))
            }
            Value::List(ListOf::Resources, _) => {
                format!("does not allow the resource `{}`", shown(&facts.resource))
            }
            Value::List(ListOf::Hosts, _) => "does not allow this host".to_owned(),
            Value::List(ListOf::Methods, _) => "does not allow this method".to_owned(),
            Value::List(ListOf::PathPrefix, _) => "does not allow this path".to_owned(),
            Value::List(ListOf::Environment, _) => "is not valid in this environment".to_owned(),
            Value::Access { .. } => format!("allows no {}", shown(&facts.access)),
            Value::NotBefore(start) => format!("is not valid before {}", time::shown(*start)),
            Value::NotAfter(end) => format!("expired at {}", time::shown(*end)),
            Value::Hours(_) | Value::Window(_) => "is not valid at this hour".to_owned(),
            Value::Blackout(_) => "is not valid in this period".to_owned(),
            Value::Reach(_) => format!(
                "does not reach `{}/{}` on `{}`",
                shown(&facts.integration),
                shown(&facts.operation),
                shown(&facts.resource)
            ),
            Value::Cidr(_) => "is bound to a network".to_owned(),
            Value::Purpose(_) => "is bound to another purpose".to_owned(),
            Value::Holder(_) => "belongs to another holder".to_owned(),
            Value::Inputs(_) => "does not allow these inputs".to_owned(),
            Value::Rate { .. } | Value::Uses(_) | Value::Approval { .. } => "is limited".to_owned(),
        }
    }

    /// What of this caveat `parent` plainly doesn't allow, in words. The chain holds without it, since every caveat of
    /// every narrowing is checked; it finds the mistake of somebody who believes to give more.
    #[must_use]
    pub(super) fn wider(&self, parent: &Self) -> Option<String> {
        match (&self.value, &parent.value) {
            (Value::List(of, new), Value::List(from, old)) => wider_list(*of, new, *from, old),
            (Value::Cidr(new), Value::Cidr(old)) => {
                let outside = new.iter().find(|network| !old.iter().any(|outer| outer.covers(network)));
                outside.map(ToString::to_string)
            }
            (Value::Inputs(new), Value::Inputs(old)) => new.iter().find_map(|(name, values)| {
                let allowed = old.get(name)?;
                let outside = values.iter().find(|value| !allowed.contains(value))?;
                Some(format!("{name}={outside}"))
            }),
            (new, old) => exceeds(new, old).then(|| self.to_string()),
        }
    }
}

/// Whether an entry of a list, the first, allows a fact, the second.
type Matches = fn(&str, &str) -> bool;

fn holds_list(of: ListOf, entries: &[String], facts: &Facts) -> Option<bool> {
    let (fact, matches): (&Option<String>, Matches) = match of {
        ListOf::Operations => {
            let call = format!("{}/{}", facts.integration.as_ref()?, facts.operation.as_ref()?);
            return Some(entries.iter().any(|pattern| covers_pattern(pattern, &call)));
        }
        ListOf::Integrations => (&facts.integration, |entry, fact| entry == fact),
        ListOf::Resources => (&facts.resource, covers_resource),
        ListOf::Hosts => (&facts.host, |entry, fact| entry == fact),
        ListOf::Methods => (&facts.method, |entry, fact| entry == fact),
        ListOf::PathPrefix => (&facts.path, covers_path),
        ListOf::Environment => (&facts.environment, |entry, fact| entry == fact),
    };
    let fact = fact.as_ref()?;
    Some(entries.iter().any(|entry| matches(entry, fact)))
}

impl Hours {
    fn contain(&self, facts: &Facts) -> Option<bool> {
        let (day, minute) = facts.local(&self.zone)?;
        Some(self.hold(day, minute))
    }
}

impl Facts {
    /// The day from Monday and the minute of the day in a time zone, where that can be known.
    pub(super) fn local(&self, zone: &str) -> Option<(u64, u16)> {
        let now = self.now?;
        let minutes = match (zone, self.offset) {
            ("UTC" | "Etc/UTC", _) => 0,
            (zone, offset) => i64::from(offset?(zone, now)?),
        };
        let local = u64::try_from(i64::try_from(now / 60_000).ok()? + minutes).ok()?;
        Some((time::weekday(local / 1440), u16::try_from(local % 1440).ok()?))
    }
}

impl Holder {
    fn is(&self, given: &Self) -> bool {
        let below = |wanted: &String| given.cgroup.as_ref().is_some_and(|path| is_at_or_below(path, wanted));
        (self.uid.is_none() || self.uid == given.uid)
            && (self.key.is_none() || self.key == given.key)
            && (self.run.is_none() || self.run == given.run)
            && self.cgroup.as_ref().is_none_or(below)
    }

    /// Whether no fact contradicts the parent's; what is not named here is asked for by the parent all the same.
    fn is_within(&self, parent: &Self) -> bool {
        fn agree<T: PartialEq>(mine: Option<&T>, theirs: Option<&T>) -> bool {
            mine.is_none() || theirs.is_none() || mine == theirs
        }
        let below = match (&self.cgroup, &parent.cgroup) {
            (Some(mine), Some(theirs)) => is_at_or_below(mine, theirs),
            _ => true,
        };
        below
            && agree(self.uid.as_ref(), parent.uid.as_ref())
            && agree(self.key.as_ref(), parent.key.as_ref())
            && agree(self.run.as_ref(), parent.run.as_ref())
    }
}

fn wider_list(of: ListOf, new: &[String], from: ListOf, old: &[String]) -> Option<String> {
    fn name(pattern: &str) -> &str {
        pattern.split('/').next().unwrap_or_default()
    }
    let covers: fn(&str, &str) -> bool = match (of, from) {
        (ListOf::Integrations, ListOf::Operations) => |old, new| name(old) == new,
        (ListOf::Operations, ListOf::Integrations) => |old, new| old == name(new),
        (ListOf::Operations, ListOf::Operations) => covers_pattern,
        (ListOf::Resources, ListOf::Resources) => covers_resource,
        (ListOf::PathPrefix, ListOf::PathPrefix) => covers_path,
        (of, from) if of == from => |old, new| old == new,
        _ => return None,
    };
    new.iter().find(|entry| !old.iter().any(|allowed| covers(allowed, entry))).cloned()
}

fn exceeds(new: &Value, old: &Value) -> bool {
    match (new, old) {
        (Value::Access { write }, Value::Access { write: allowed }) => *write && !allowed,
        (Value::Approval { writes }, Value::Approval { writes: only }) => *writes && !only,
        (Value::NotBefore(new), Value::NotBefore(old)) => new < old,
        (Value::NotAfter(new), Value::NotAfter(old)) => new > old,
        (Value::Uses(new), Value::Uses(old)) => new > old,
        (Value::Purpose(new), Value::Purpose(old)) => new != old,
        (Value::Rate { calls, seconds }, Value::Rate { calls: most, seconds: every }) => {
            let (mine, theirs) =
                (u64::from(*calls) * u64::from(*every), u64::from(*most) * u64::from(*seconds));
            calls > most || mine > theirs
        }
        (Value::Hours(new), Value::Hours(old)) => {
            let mut week = (0..7).flat_map(|day| (0..1440).map(move |minute| (day, minute)));
            new.zone == old.zone && week.any(|(day, minute)| new.hold(day, minute) && !old.hold(day, minute))
        }
        (Value::Holder(new), Value::Holder(old)) => !new.is_within(old),
        (Value::Reach(new), Value::Reach(old)) => !new.is_within(old),
        (Value::Window(new), Value::Window(old)) => !new.is_within(old),
        _ => false,
    }
}
