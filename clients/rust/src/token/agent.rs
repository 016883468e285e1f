//! The caveats that the agent's own words become: what a capability reaches, and when.

use std::fmt;

use super::caveat::{DAYS, counted, wrong};
use super::check::Facts;
use super::names::{covers_resource, is_named};
use super::time;
use crate::Error;

/// Actions on a resource, or on all whose names begin like it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reach {
    /// A bit for each of [`ACTIONS`].
    pub(super) actions: u8,
    pub(super) resource: String,
}

/// Hours and days as bits, the first from midnight, the second from Monday, in each of the zones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) hours: u32,
    pub(super) days: u8,
    pub(super) zones: Vec<String>,
}

pub(super) const ACTIONS: [&str; 5] = ["read", "write", "delete", "execute", "admin"];
pub(super) const EVERY_HOUR: u32 = (1 << 24) - 1;
pub(super) const EVERY_DAY: u8 = (1 << 7) - 1;
const ADMIN: u8 = 1 << 4;

impl Reach {
    pub(super) fn new(names: &[&str], resource: &str) -> Result<Self, Error> {
        let mut actions = 0;
        for name in names {
            let at = ACTIONS.iter().position(|known| known == name);
            actions |=
                1 << at.ok_or_else(|| wrong(format!("`{name}` is no action: {}", ACTIONS.join(", "))))?;
        }
        Ok(Self { actions, resource: resource.to_owned() })
    }

    pub(super) fn is_good(&self) -> bool {
        self.actions != 0 && self.actions < 32 && is_named(&self.resource)
    }

    pub(super) fn names(&self) -> Vec<&'static str> {
        let on = |(at, name)| (self.actions >> at & 1 == 1).then_some(name);
        ACTIONS.iter().copied().enumerate().filter_map(on).collect()
    }

    fn has(&self, action: &str) -> bool {
        self.actions & ADMIN != 0 || self.names().contains(&action)
    }

    fn covers(&self, name: &str) -> bool {
        is_named(name) && !name.ends_with('*') && covers_resource(&self.resource, name)
    }

    pub(super) fn allows(&self, facts: &Facts) -> Option<bool> {
        let word = self.resource.split(':').next()?;
        let (integration, operation) = (facts.integration.as_ref()?, facts.operation.as_ref()?);
        if integration == "doorward" {
            let needed = match (word, operation.as_str()) {
                ("secret", "secret.reveal") => "read",
                ("secret", "secret.put" | "secret.rotate") | ("log", "log.append") => "write",
                ("secret", "secret.forget") => "delete",
                _ => return Some(false),
            };
            return Some(self.has(needed) && self.covers(facts.resource.as_ref()?));
        }
        let reads = facts.access.as_deref() == Some("read") && self.has("read");
        Some(match word {
            "secret" => {
                let lent = facts.secrets.as_ref()?;
                let covered = lent.iter().all(|name| self.covers(name));
                !lent.is_empty() && covered && (reads || self.has("execute"))
            }
            "op" => {
                let covered = self.covers(&format!("op:/{integration}/{operation}"));
                covered && (reads || self.has("write") || self.has("execute"))
            }
            "tool" => {
                // A tool without a folder is an operation of the integration `tools`.
                let folder = if integration == "tools" { String::new() } else { format!("{integration}/") };
                self.has("execute") && self.covers(&format!("tool:/{folder}{operation}"))
            }
            _ => false,
        })
    }

    /// Whether this one reaches nothing that `parent` does not.
    pub(super) fn is_within(&self, parent: &Self) -> bool {
        let fewer = parent.has("admin") || self.actions & !parent.actions == 0;
        fewer && covers_resource(&parent.resource, &self.resource)
    }
}

impl Window {
    pub(super) fn new(hours: &[u8], days: &[&str], zones: &[&str]) -> Result<Self, Error> {
        let (mut at, mut on) = (0_u32, 0_u8);
        for hour in hours {
            if *hour > 23 {
                return Err(wrong(format!("{hour} is no hour from 0 to 23")));
            }
            at |= 1 << hour;
        }
        for name in days {
            let day = DAYS.iter().position(|known| known == name);
            on |= 1 << day.ok_or_else(|| wrong(format!("`{name}` is no day: `mon` to `sun`")))?;
        }
        let mut zones: Vec<String> = zones.iter().map(|zone| (*zone).to_owned()).collect();
        zones.sort_unstable();
        zones.dedup();
        let hours = if at == 0 { EVERY_HOUR } else { at };
        Ok(Self { hours, days: if on == 0 { EVERY_DAY } else { on }, zones })
    }

    pub(super) fn is_good(&self) -> Result<bool, Error> {
        counted(self.zones.len())?;
        let named = |zone: &String| {
            !zone.is_empty() && zone.len() <= 64 && zone.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let some = self.hours != 0 && self.hours <= EVERY_HOUR && self.days != 0 && self.days <= EVERY_DAY;
        let always = (self.hours, self.days) == (EVERY_HOUR, EVERY_DAY);
        let sorted = self.zones.is_sorted_by(|a, b| a < b);
        Ok(some && !always && sorted && self.zones.iter().all(named))
    }

    pub(super) fn contains(&self, facts: &Facts) -> Option<bool> {
        for zone in &self.zones {
            let (day, minute) = facts.local(zone)?;
            if self.hours >> (minute / 60) & 1 == 0 || self.days >> day & 1 == 0 {
                return Some(false);
            }
        }
        Some(true)
    }

    pub(super) fn is_within(&self, parent: &Self) -> bool {
        let inside = self.hours & !parent.hours == 0 && self.days & !parent.days == 0;
        inside || self.zones != parent.zones
    }

    pub(super) fn numbers(&self) -> Vec<u8> {
        (0..24).filter(|hour| self.hours >> hour & 1 == 1).collect()
    }

    pub(super) fn names(&self) -> Vec<&'static str> {
        let on = |(day, name)| (self.days >> day & 1 == 1).then_some(name);
        DAYS.iter().copied().enumerate().filter_map(on).collect()
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} on {}", self.names().join(", "), self.resource)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hours: Vec<String> = self.numbers().iter().map(|hour| format!("{hour:02}")).collect();
        write!(out, "{} at {} {}", self.names().join(","), hours.join(","), self.zones.join(", "))
    }
}

/// Spans of time, in words.
pub(super) fn shown(spans: &[(u64, u64)]) -> String {
    let one = |(start, end): &(u64, u64)| format!("{} to {}", time::shown(*start), time::shown(*end));
    spans.iter().map(one).collect::<Vec<_>>().join(", ")
}
