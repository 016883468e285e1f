//! Caveats: what a capability takes away. A closed, typed list; one that is not known refuses the whole token.

use std::collections::BTreeMap;

use super::agent::{Reach, Window};
use super::code;
use super::names::{
    by_method, by_pattern, is_below_root, is_host, is_integration, is_path, is_pattern, is_resource, is_text,
};
use super::network::Network;
use crate::Error;

/// One thing that a capability does not allow beyond, in its one form: lists are sorted and have no duplicates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caveat {
    pub(super) value: Value,
    pub(super) encoded: Vec<u8>,
}

/// What it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    List(ListOf, Vec<String>),
    Access {
        write: bool,
    },
    NotBefore(u64),
    NotAfter(u64),
    Hours(Hours),
    Cidr(Vec<Network>),
    Rate {
        calls: u32,
        seconds: u32,
    },
    Uses(u64),
    Purpose(String),
    Holder(Holder),
    Approval {
        writes: bool,
    },
    Inputs(BTreeMap<String, Vec<String>>),
    Reach(Reach),
    Window(Window),
    /// From the first until before the second of each pair.
    Blackout(Vec<(u64, u64)>),
}

/// What the texts of a list are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListOf {
    Integrations,
    Operations,
    Resources,
    Hosts,
    Methods,
    PathPrefix,
    Environment,
}

/// Hours of the week; bit 0 of the days is Monday, times are minutes of the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hours {
    pub(super) days: u8,
    pub(super) from: u16,
    pub(super) to: u16,
    pub(super) zone: String,
}

/// A process as the kernel names it, or a key by its thumbprint. What is `None` is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holder {
    /// The user.
    pub uid: Option<u32>,
    /// The cgroup, or one above it.
    pub cgroup: Option<String>,
    /// The thumbprint.
    pub key: Option<[u8; 32]>,
    /// What `doorward run` started: the 16 bytes of its id.
    pub run: Option<[u8; 16]>,
}

/// The names of the days, Monday first.
pub(super) const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const MINUTES: u16 = 24 * 60;

impl Caveat {
    pub(super) fn new(value: Value) -> Result<Self, Error> {
        value.check()?;
        let encoded = code::encode(&value)?;
        Ok(Self { value, encoded })
    }

    fn list<T: Into<String>>(of: ListOf, entries: impl IntoIterator<Item = T>) -> Result<Self, Error> {
        let mut entries: Vec<String> = entries.into_iter().map(Into::into).collect();
        entries.sort_by(|a, b| of.order(a, b));
        entries.dedup();
        Self::new(Value::List(of, entries))
    }

    /// The word for its kind, as in files.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.value.kind()
    }
}

macro_rules! lists {
    ($($(#[$doc:meta])* $name:ident = $of:ident),+ $(,)?) => {
        /// Makers. A wrong value is [`Error::Token`].
        #[expect(clippy::missing_errors_doc, reason = "said above, for all of them")]
        impl Caveat {
            $($(#[$doc])*
            pub fn $name<T: Into<String>>(entries: impl IntoIterator<Item = T>) -> Result<Self, Error> {
                Self::list(ListOf::$of, entries)
            })+
        }
    };
}

lists! {
    /// Only these integrations.
    integrations = Integrations,
    /// Only these operations: `slack/chat.post`, `slack/chat.*` or `slack/*`.
    operations = Operations,
    /// Only these resources; a `*` at the end stands for anything.
    resources = Resources,
    /// Only upstreams of these names, without port.
    hosts = Hosts,
    /// Only these methods of HTTP.
    methods = Methods,
    /// Only these paths of the upstream and what is below them.
    path_prefix = PathPrefix,
    /// Only where the broker serves one of these.
    environment = Environment,
}

#[expect(clippy::missing_errors_doc, reason = "a wrong value is `Error::Token`, for all of them")]
impl Caveat {
    /// No write.
    pub fn read_only() -> Result<Self, Error> {
        Self::new(Value::Access { write: false })
    }

    /// Reads and writes.
    pub fn read_and_write() -> Result<Self, Error> {
        Self::new(Value::Access { write: true })
    }

    /// From this time on, in milliseconds since 1970.
    pub fn not_before(millis: u64) -> Result<Self, Error> {
        Self::new(Value::NotBefore(millis))
    }

    /// Before this time, in milliseconds since 1970.
    pub fn not_after(millis: u64) -> Result<Self, Error> {
        Self::new(Value::NotAfter(millis))
    }

    /// Only on these days (`mon` to `sun`) between these times (`09:00`) in this IANA time zone.
    pub fn hours(days: &[&str], from: &str, to: &str, zone: &str) -> Result<Self, Error> {
        let mut bits = 0;
        for name in days {
            let at = DAYS.iter().position(|known| known == name);
            bits |= 1 << at.ok_or_else(|| wrong(format!("`{name}` is no day: `mon` to `sun`")))?;
        }
        let hours = Hours { days: bits, from: minutes(from)?, to: minutes(to)?, zone: zone.to_owned() };
        Self::new(Value::Hours(hours))
    }

    /// Only from these networks, such as `10.0.0.0/8`.
    pub fn cidr(networks: &[&str]) -> Result<Self, Error> {
        let read = |text: &&str| {
            let what =
                || wrong(format!("`{text}` is no network: an address and a prefix such as `10.0.0.0/8`"));
            Network::parse(text).ok_or_else(what)
        };
        let mut networks = networks.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        networks.sort_unstable();
        networks.dedup();
        Self::new(Value::Cidr(networks))
    }

    /// So many calls in so many seconds.
    pub fn rate(calls: u32, seconds: u32) -> Result<Self, Error> {
        Self::new(Value::Rate { calls, seconds })
    }

    /// So many calls ever.
    pub fn uses(most: u64) -> Result<Self, Error> {
        Self::new(Value::Uses(most))
    }

    /// Only for this purpose.
    pub fn purpose(text: &str) -> Result<Self, Error> {
        Self::new(Value::Purpose(text.to_owned()))
    }

    /// Only this process or this key.
    pub fn holder(holder: Holder) -> Result<Self, Error> {
        Self::new(Value::Holder(holder))
    }

    /// Somebody approves each call first.
    pub fn approval_of_all() -> Result<Self, Error> {
        Self::new(Value::Approval { writes: false })
    }

    /// Somebody approves each write first.
    pub fn approval_of_writes() -> Result<Self, Error> {
        Self::new(Value::Approval { writes: true })
    }

    /// Each named input is given and has one of its values.
    pub fn inputs(allowed: BTreeMap<String, Vec<String>>) -> Result<Self, Error> {
        let sorted = allowed.into_iter().map(|(name, mut values)| {
            values.sort_unstable();
            values.dedup();
            (name, values)
        });
        Self::new(Value::Inputs(sorted.collect()))
    }
}

/// The caveats that the agent's own words become. A wrong value is [`Error::Token`].
#[expect(clippy::missing_errors_doc, reason = "said above, for all of them")]
impl Caveat {
    /// Only what the agent's words reach: `read` on `secret:/db/primary`.
    pub fn reach(actions: &[&str], resource: &str) -> Result<Self, Error> {
        Self::new(Value::Reach(Reach::new(actions, resource)?))
    }

    /// Only in these hours (0 to 23) of these days (`mon` to `sun`), in each of these time zones. None stands for all.
    pub fn window(hours: &[u8], days: &[&str], zones: &[&str]) -> Result<Self, Error> {
        Self::new(Value::Window(Window::new(hours, days, zones)?))
    }

    /// Not from the first until before the second of each pair, in milliseconds since 1970.
    pub fn blackout(spans: &[(u64, u64)]) -> Result<Self, Error> {
        let mut spans = spans.to_vec();
        spans.sort_unstable();
        spans.dedup();
        Self::new(Value::Blackout(spans))
    }
}

impl ListOf {
    pub(super) fn order(self, a: &str, b: &str) -> std::cmp::Ordering {
        match self {
            Self::Operations => by_pattern(a, b),
            Self::Methods => by_method(a, b),
            _ => a.cmp(b),
        }
    }

    fn is_good(self, entry: &str) -> bool {
        match self {
            Self::Integrations => is_integration(entry),
            Self::Operations => is_pattern(entry),
            Self::Resources => is_resource(entry),
            Self::Hosts => is_host(entry),
            Self::Methods => super::names::METHODS.contains(&entry),
            Self::PathPrefix => is_path(entry),
            Self::Environment => is_text(entry),
        }
    }
}

impl Value {
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::List(ListOf::Integrations, _) => "integrations",
            Self::List(ListOf::Operations, _) => "operations",
            Self::List(ListOf::Resources, _) => "resources",
            Self::List(ListOf::Hosts, _) => "hosts",
            Self::List(ListOf::Methods, _) => "methods",
            Self::List(ListOf::PathPrefix, _) => "path_prefix",
            Self::List(ListOf::Environment, _) => "environment",
            Self::Access { .. } => "access",
            Self::NotBefore(_) => "not_before",
            Self::NotAfter(_) => "not_after",
            Self::Hours(_) => "hours",
            Self::Cidr(_) => "cidr",
            Self::Rate { .. } => "rate",
            Self::Uses(_) => "uses",
            Self::Purpose(_) => "purpose",
            Self::Holder(_) => "holder",
            Self::Approval { .. } => "approval",
            Self::Inputs(_) => "inputs",
            Self::Reach(_) => "reach",
            Self::Window(_) => "window",
            Self::Blackout(_) => "blackout",
        }
    }

    /// Refuses what has no or more than one spelling.
    fn check(&self) -> Result<(), Error> {
        let good = match self {
            Self::List(of, entries) => {
                if let Some(bad) = entries.iter().find(|entry| !of.is_good(entry)) {
                    return Err(wrong(format!("`{bad}` is no value of `{}`", self.kind())));
                }
                counted(entries.len())?;
                entries.is_sorted_by(|a, b| of.order(a, b).is_lt())
            }
            Self::Cidr(networks) => {
                counted(networks.len())?;
                networks.is_sorted_by(|a, b| a < b)
            }
            Self::Hours(hours) => hours.is_good(),
            Self::Rate { calls, seconds } => *calls > 0 && *seconds > 0,
            Self::Uses(most) => *most > 0,
            Self::Purpose(text) => is_text(text),
            Self::Holder(holder) => {
                let Holder { uid, cgroup, key, run } = holder;
                let some = uid.is_some() || cgroup.is_some() || key.is_some() || run.is_some();
                some && cgroup.as_ref().is_none_or(|path| is_below_root(path))
            }
            Self::Inputs(inputs) => {
                counted(inputs.len())?;
                inputs.values().try_for_each(|values| counted(values.len()))?;
                let texts = inputs.keys().chain(inputs.values().flatten()).all(|text| is_text(text));
                texts && inputs.values().all(|values| values.is_sorted_by(|a, b| a < b))
            }
            Self::Reach(reach) => reach.is_good(),
            Self::Window(window) => window.is_good()?,
            Self::Blackout(spans) => {
                counted(spans.len())?;
                spans.iter().all(|(start, end)| start < end) && spans.is_sorted_by(|a, b| a < b)
            }
            Self::Access { .. } | Self::Approval { .. } | Self::NotBefore(_) | Self::NotAfter(_) => true,
        };
        if good { Ok(()) } else { Err(wrong(format!("`{self}` is no value of `{}`", self.kind()))) }
    }
}

impl Hours {
    fn is_good(&self) -> bool {
        let named = !self.zone.is_empty() && self.zone.len() <= 64;
        let day = self.days != 0 && self.days < 128 && self.from < MINUTES;
        let graphic = self.zone.bytes().all(|byte| byte.is_ascii_graphic());
        day && named && graphic && self.to != 0 && self.to <= MINUTES && self.from != self.to
    }

    pub(super) const fn hold(&self, day: u64, minute: u16) -> bool {
        let today = self.days >> day & 1 == 1;
        let yesterday = self.days >> ((day + 6) % 7) & 1 == 1;
        if self.from < self.to {
            today && self.from <= minute && minute < self.to
        } else {
            (today && minute >= self.from) || (yesterday && minute < self.to)
        }
    }
}

pub(super) fn counted(count: usize) -> Result<(), Error> {
    if (1..=64).contains(&count) {
        return Ok(());
    }
    Err(wrong(format!("a list has 1 to 64 entries, not {count}")))
}

fn minutes(text: &str) -> Result<u16, Error> {
    let two = |digits: &str| -> Option<u16> {
        let plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse().ok()).flatten()
    };
    let read = text.split_once(':').and_then(|(hour, minute)| {
        let (hour, minute) = (two(hour)?, two(minute)?);
        Some(hour * 60 + minute).filter(|all| minute < 60 && *all <= MINUTES)
    });
    read.ok_or_else(|| wrong(format!("`{text}` is no time of day such as `09:00`")))
}

pub(super) const fn wrong(why: String) -> Error {
    Error::Token(why)
}
