//! Whether a new caveat only takes away. The chain of blocks already guarantees it, as every caveat of every block is
//! checked; this finds the mistake of somebody who believes to have given more.

use super::{Approval, Caveat, Inputs};

/// What of `child` is wider than `parent` allows, in words; `None` where it is within, or about something else.
pub(crate) fn wider(child: &Caveat, parent: &Caveat) -> Option<String> {
    match (child, parent) {
        (Caveat::Integrations(new), Caveat::Integrations(old)) => outside(new, |name| old.holds(name)),
        (Caveat::Integrations(new), Caveat::Operations(old)) => {
            outside(new, |name| old.iter().any(|pattern| pattern.integration() == name))
        }
        (Caveat::Operations(new), Caveat::Operations(old)) => {
            outside(new, |pattern| old.iter().any(|allowed| allowed.covers(pattern)))
        }
        (Caveat::Operations(new), Caveat::Integrations(old)) => {
            outside(new, |pattern| old.holds(pattern.integration()))
        }
        (Caveat::Resources(new), Caveat::Resources(old)) => {
            outside(new, |pattern| old.iter().any(|allowed| allowed.covers(pattern)))
        }
        (Caveat::Hosts(new), Caveat::Hosts(old)) => outside(new, |host| old.holds(host)),
        (Caveat::Methods(new), Caveat::Methods(old)) => outside(&new.0, |method| old.0.holds(method)),
        (Caveat::PathPrefix(new), Caveat::PathPrefix(old)) => {
            outside(new, |path| old.iter().any(|allowed| allowed.covers(path)))
        }
        (Caveat::Cidr(new), Caveat::Cidr(old)) => {
            outside(new, |network| old.iter().any(|allowed| allowed.covers(network)))
        }
        (Caveat::Environment(new), Caveat::Environment(old)) => outside(new, |name| old.holds(name)),
        (Caveat::Inputs(new), Caveat::Inputs(old)) => wider_inputs(new, old),
        _ => {
            let exceeds = match (child, parent) {
                (Caveat::Access(new), Caveat::Access(old)) => new > old,
                (Caveat::NotBefore(new), Caveat::NotBefore(old)) => new < old,
                (Caveat::NotAfter(new), Caveat::NotAfter(old)) => new > old,
                (Caveat::Hours(new), Caveat::Hours(old)) => !new.are_within(old),
                (Caveat::Window(new), Caveat::Window(old)) => !new.is_within(old),
                (Caveat::Rate(new), Caveat::Rate(old)) => !new.is_within(*old),
                (Caveat::Uses(new), Caveat::Uses(old)) => new > old,
                (Caveat::Purpose(new), Caveat::Purpose(old)) => new != old,
                (Caveat::Reach(new), Caveat::Reach(old)) => !new.is_within(old),
                (Caveat::Holder(new), Caveat::Holder(old)) => !new.is_within(old),
                (Caveat::Approval(new), Caveat::Approval(old)) => {
                    *new == Approval::Writes && *old == Approval::All
                }
                _ => false,
            };
            exceeds.then(|| child.to_string())
        }
    }
}

fn outside<'a, T: ToString + 'a>(
    new: impl IntoIterator<Item = &'a T>,
    allowed: impl Fn(&T) -> bool,
) -> Option<String> {
    new.into_iter().find(|entry| !allowed(entry)).map(ToString::to_string)
}

fn wider_inputs(new: &Inputs, old: &Inputs) -> Option<String> {
    new.iter().find_map(|(name, values)| {
        let allowed = old.values(name)?;
        outside(values, |value| allowed.holds(value)).map(|value| format!("{name}={value}"))
    })
}
