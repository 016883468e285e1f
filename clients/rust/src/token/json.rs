//! Caveats in the form of files, such as `{"uses": 3}`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::agent::{EVERY_DAY, EVERY_HOUR};
use super::caveat::{Caveat, DAYS, Holder, Hours, Value};
use super::time;
use crate::Error;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Written {
    Integrations(Vec<String>),
    Operations(Vec<String>),
    Access(Access),
    Resources(Vec<String>),
    Hosts(Vec<String>),
    Methods(Vec<String>),
    PathPrefix(Vec<String>),
    NotBefore(String),
    NotAfter(String),
    Hours(WrittenHours),
    Cidr(Vec<String>),
    Environment(Vec<String>),
    Rate(WrittenRate),
    Uses(u64),
    Purpose(String),
    Holder(WrittenHolder),
    Approval(Approval),
    Inputs(BTreeMap<String, Vec<String>>),
    Reach(WrittenReach),
    Window(WrittenWindow),
    Blackout(Vec<WrittenSpan>),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Access {
    Read,
    Write,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Approval {
    All,
    Writes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenHours {
    days: Vec<String>,
    from: String,
    to: String,
    zone: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRate {
    calls: u32,
    per: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenHolder {
    uid: Option<u32>,
    cgroup: Option<String>,
    key: Option<String>,
    run: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenReach {
    actions: Vec<String>,
    resource: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenWindow {
    #[serde(default)]
    hours: Vec<u8>,
    #[serde(default)]
    days: Vec<String>,
    zones: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSpan {
    start: String,
    end: String,
}

impl Caveat {
    /// Reads the form of files.
    ///
    /// # Errors
    /// When it is no caveat, or has another key or value than the broker reads.
    pub fn of_json(written: &Json) -> Result<Self, Error> {
        let read = Written::deserialize(written);
        match read.map_err(|error| Error::Token(format!("`{written}` is no caveat: {error}")))? {
            Written::Integrations(list) => Self::integrations(list),
            Written::Operations(list) => Self::operations(list),
            Written::Access(Access::Read) => Self::read_only(),
            Written::Access(Access::Write) => Self::read_and_write(),
            Written::Resources(list) => Self::resources(list),
            Written::Hosts(list) => Self::hosts(list),
            Written::Methods(list) => Self::methods(list),
            Written::PathPrefix(list) => Self::path_prefix(list),
            Written::NotBefore(text) => Self::not_before(millis(&text)?),
            Written::NotAfter(text) => Self::not_after(millis(&text)?),
            Written::Hours(WrittenHours { days, from, to, zone }) => {
                Self::hours(&lent(&days), &from, &to, &zone)
            }
            Written::Cidr(list) => Self::cidr(&lent(&list)),
            Written::Environment(list) => Self::environment(list),
            Written::Rate(WrittenRate { calls, per }) => Self::rate(calls, seconds(&per)?),
            Written::Uses(most) => Self::uses(most),
            Written::Purpose(text) => Self::purpose(&text),
            Written::Holder(WrittenHolder { uid, cgroup, key, run }) => {
                let key = key.map(|hex| thumbprint(&hex)).transpose()?;
                let unknown = || Error::Token("a run is called `run_` and 26 letters".to_owned());
                let read = |text: String| super::from_ulid("run_", &text).ok_or_else(unknown);
                Self::holder(Holder { uid, cgroup, key, run: run.map(read).transpose()? })
            }
            Written::Reach(WrittenReach { actions, resource }) => Self::reach(&lent(&actions), &resource),
            Written::Window(WrittenWindow { hours, days, zones }) => {
                Self::window(&hours, &lent(&days), &lent(&zones))
            }
            Written::Blackout(spans) => {
                let read = |span: &WrittenSpan| Ok((millis(&span.start)?, millis(&span.end)?));
                Self::blackout(&spans.iter().map(read).collect::<Result<Vec<_>, Error>>()?)
            }
            Written::Approval(Approval::All) => Self::approval_of_all(),
            Written::Approval(Approval::Writes) => Self::approval_of_writes(),
            Written::Inputs(inputs) => Self::inputs(inputs),
        }
    }

    /// The form of files.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let value = match &self.value {
            Value::List(_, entries) => json!(entries),
            Value::Access { write } => json!(if *write { "write" } else { "read" }),
            Value::NotBefore(millis) | Value::NotAfter(millis) => json!(time::shown(*millis)),
            Value::Hours(Hours { days, from, to, zone }) => {
                let on = |(at, name)| (days >> at & 1 == 1).then_some(name);
                let names: Vec<&str> = DAYS.iter().copied().enumerate().filter_map(on).collect();
                json!({ "days": names, "from": clock(*from), "to": clock(*to), "zone": zone })
            }
            Value::Cidr(networks) => json!(networks.iter().map(ToString::to_string).collect::<Vec<_>>()),
            Value::Rate { calls, seconds } => json!({ "calls": calls, "per": format!("{seconds}s") }),
            Value::Uses(most) => json!(most),
            Value::Purpose(text) => json!(text),
            Value::Holder(Holder { uid, cgroup, key, run }) => {
                let run = run.map(|run| super::ulid("run_", run));
                let key = key.map(|key| key.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
                let facts = [
                    ("uid", json!(uid)),
                    ("cgroup", json!(cgroup)),
                    ("key", json!(key)),
                    ("run", json!(run)),
                ];
                let there = facts.into_iter().filter(|(_, fact)| !fact.is_null());
                Json::Object(there.map(|(name, fact)| (name.to_owned(), fact)).collect())
            }
            Value::Approval { writes } => json!(if *writes { "writes" } else { "all" }),
            Value::Inputs(inputs) => json!(inputs),
            Value::Reach(reach) => json!({ "actions": reach.names(), "resource": reach.resource }),
            Value::Window(window) => {
                let mut written = json!({ "zones": window.zones });
                if let Some(members) = written.as_object_mut() {
                    let some = [
                        ("hours", (window.hours != EVERY_HOUR).then(|| json!(window.numbers()))),
                        ("days", (window.days != EVERY_DAY).then(|| json!(window.names()))),
                    ];
                    members.extend(some.into_iter().filter_map(|(name, set)| Some((name.to_owned(), set?))));
                }
                written
            }
            Value::Blackout(spans) => {
                let one = |(start, end): &(u64, u64)| json!({ "start": time::shown(*start), "end": time::shown(*end) });
                json!(spans.iter().map(one).collect::<Vec<_>>())
            }
        };
        json!({ self.kind(): value })
    }
}

fn lent(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

fn millis(text: &str) -> Result<u64, Error> {
    let what = || Error::Token(format!("`{text}` is no time: RFC 3339, such as `2026-11-22T09:00:00Z`"));
    time::read(text).ok_or_else(what)
}

fn seconds(per: &str) -> Result<u32, Error> {
    let units = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400_u32)];
    let read = units.iter().find_map(|(unit, factor)| {
        let number = per.strip_suffix(unit)?;
        number.parse::<u32>().ok().filter(|read| read.to_string() == number)?.checked_mul(*factor)
    });
    read.ok_or_else(|| Error::Token(format!("`{per}` is no number of seconds, such as `60s`")))
}

fn thumbprint(hex: &str) -> Result<[u8; 32], Error> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = hex
        .as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect();
    let what = || Error::Token("a key is 64 hex digits in lower case".to_owned());
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(what)
}
