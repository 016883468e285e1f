//! The constraints of a capability request of the agent, as caveats.
//!
//! They are written as JSON: `ipAddresses`, `timeWindow`, `environment`, `rateLimit`, `geography`. What can't be held is
//! refused, never taken along unread.

use std::num::NonZeroU32;

use model::{ParseError, Timestamp};
use serde_json::{Map, Value, json};

use super::window::{day_of, monday_first};
use super::{Caveat, Cidr, List, Rate, Span, Text, Window, Zone};

/// A constraint that can't be understood or held: which key, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("constraint `{key}`: {problem}")]
pub struct ConstraintError {
    /// The key, such as `timeWindow.hours`.
    pub key: String,
    /// What is wrong.
    pub problem: String,
}

/// The caveats of constraints. `null` and empty objects constrain nothing.
///
/// # Errors
/// When a key is unknown, a value is not what its key takes, or where somebody is can't be known (`geography`).
pub fn of_constraints(written: &Value) -> Result<Vec<Caveat>, ConstraintError> {
    let mut caveats = Vec::new();
    let top = "constraints";
    for (key, value) in
        fields(written, top, &["ipAddresses", "timeWindow", "environment", "rateLimit", "geography"])?
    {
        match key {
            "ipAddresses" => caveats.extend(addresses(value)?),
            "timeWindow" => time_window(value, &mut caveats)?,
            "environment" => caveats.extend(environment(value)?),
            "rateLimit" => rate_limit(value, &mut caveats)?,
            _ if is_empty(value) => {}
            _ => {
                return Err(wrong(
                    key,
                    "can't be held, since Doorward has no data about where an address is; use `ipAddresses`",
                ));
            }
        }
    }
    Ok(caveats)
}

/// The constraints of caveats, as a capability shows them. Caveats that no constraint stands for are left out.
#[must_use]
pub fn to_constraints(caveats: &[Caveat]) -> Value {
    let mut shown = Map::new();
    let (mut window, mut rates) = (Map::new(), Vec::new());
    for caveat in caveats {
        match caveat {
            Caveat::Cidr(list) => {
                shown.insert("ipAddresses".to_owned(), list.iter().map(ToString::to_string).collect());
            }
            Caveat::Environment(list) => {
                let names: Vec<Value> = list.iter().map(|name| json!(name.as_str())).collect();
                let value = if let [one] = names.as_slice() { one.clone() } else { Value::Array(names) };
                shown.insert("environment".to_owned(), json!({ "environment": value }));
            }
            Caveat::Rate(rate) => rates.push(*rate),
            Caveat::Window(one) => {
                // The week of constraints begins with Sunday, which is 0.
                let days: Vec<u8> = one.days().iter().map(|day| (day + 1) % 7).collect();
                window.insert("hours".to_owned(), json!(one.hours()));
                window.insert("daysOfWeek".to_owned(), json!(days));
                window.insert("timezones".to_owned(), one.zones().iter().map(Zone::as_str).collect());
            }
            Caveat::Blackout(spans) => {
                window.insert("blackoutPeriods".to_owned(), json!(spans.iter().collect::<Vec<_>>()));
            }
            _ => {}
        }
    }
    if !window.is_empty() {
        shown.insert("timeWindow".to_owned(), Value::Object(window));
    }
    if let Some(limit) = rates_shown(&rates) {
        shown.insert("rateLimit".to_owned(), limit);
    }
    Value::Object(shown)
}

/// All of them apply, so what is shown is the least of each.
fn rates_shown(rates: &[Rate]) -> Option<Value> {
    let per_second = |rate: &Rate| f64::from(rate.calls().get()) / f64::from(rate.seconds().get());
    let slowest = rates.iter().map(per_second).min_by(f64::total_cmp)?;
    let burst = rates.iter().map(|rate| rate.calls()).min()?;
    let mut limit = json!({ "requestsPerSecond": slowest, "burst": burst });
    if let (2.., Some(longest), Some(fields)) =
        (rates.len(), rates.iter().map(|rate| rate.seconds()).max(), limit.as_object_mut())
    {
        fields.insert("windowDuration".to_owned(), json!(longest));
    }
    Some(limit)
}

fn addresses(value: &Value) -> Result<Option<Caveat>, ConstraintError> {
    let key = "ipAddresses";
    let network = |entry: &Value| {
        let text = text(entry, key)?;
        let one = text.parse::<std::net::IpAddr>().ok().and_then(|address| {
            let address = address.to_canonical();
            Cidr::new(address, if address.is_ipv4() { 32 } else { 128 })
        });
        one.map_or_else(|| text.parse().map_err(|error: ParseError| wrong(key, &error)), Ok)
    };
    let networks = list(value, key)?.iter().map(network).collect::<Result<Vec<Cidr>, _>>()?;
    entries(networks, key).map(|found| found.map(Caveat::Cidr))
}

fn time_window(value: &Value, caveats: &mut Vec<Caveat>) -> Result<(), ConstraintError> {
    let (mut hours, mut days, mut zones) = (Vec::new(), Vec::new(), vec![Zone::utc()]);
    for (key, value) in fields(value, "timeWindow", &["hours", "daysOfWeek", "timezones", "blackoutPeriods"])?
    {
        match key {
            "hours" => {
                let hour = |entry: &Value| {
                    let hour =
                        entry.as_u64().and_then(|hour| u8::try_from(hour).ok()).filter(|hour| *hour < 24);
                    hour.ok_or_else(|| wrong("timeWindow.hours", "hours are numbers from 0 to 23"))
                };
                hours = list(value, "timeWindow.hours")?.iter().map(hour).collect::<Result<_, _>>()?;
            }
            "daysOfWeek" => {
                days = list(value, "timeWindow.daysOfWeek")?.iter().map(day).collect::<Result<_, _>>()?
            }
            "timezones" => {
                let zone = |entry: &Value| {
                    let name = text(entry, "timeWindow.timezones")?;
                    name.parse::<Zone>().map_err(|error| wrong("timeWindow.timezones", &error))
                };
                let named =
                    list(value, "timeWindow.timezones")?.iter().map(zone).collect::<Result<Vec<_>, _>>()?;
                zones = if named.is_empty() { zones } else { named };
            }
            _ => {
                let periods = list(value, "timeWindow.blackoutPeriods")?.iter().map(period);
                let spans = periods.collect::<Result<Vec<Span>, _>>()?;
                caveats.extend(entries(spans, "timeWindow.blackoutPeriods")?.map(Caveat::Blackout));
            }
        }
    }
    if hours.is_empty() && days.is_empty() {
        return Ok(());
    }
    let zones = List::new(zones).map_err(|error| wrong("timeWindow.timezones", &error))?;
    let every =
        |numbers: &[u8], most: u8| numbers.is_empty() || (0..most).all(|number| numbers.contains(&number));
    // All hours of all days constrain nothing.
    if !every(&hours, 24) || !every(&days, 7) {
        let window = Window::new(&hours, &days, zones).map_err(|error| wrong("timeWindow", &error))?;
        caveats.push(Caveat::Window(window));
    }
    Ok(())
}

/// A day as a number from Monday. Numbers are those of the request: 0 and 7 are Sunday, 1 is Monday.
fn day(entry: &Value) -> Result<u8, ConstraintError> {
    let number =
        entry.as_u64().filter(|number| *number <= 7).and_then(|number| u8::try_from((number + 6) % 7).ok());
    let named = entry.as_str().and_then(day_of).map(monday_first);
    number.or(named).ok_or_else(|| {
        wrong(
            "timeWindow.daysOfWeek",
            "days are words such as `mon`, or numbers: 1 is Monday, 0 and 7 are Sunday",
        )
    })
}

fn period(value: &Value) -> Result<Span, ConstraintError> {
    let key = "timeWindow.blackoutPeriods";
    let mut ends = [None, None];
    for (name, value) in fields(value, key, &["start", "end"])? {
        let time: Timestamp = text(value, key)?.parse().map_err(|error: ParseError| wrong(key, &error))?;
        let [start, end] = &mut ends;
        *(if name == "start" { start } else { end }) = Some(time);
    }
    match ends {
        [Some(start), Some(end)] => Span::new(start, end).map_err(|error| wrong(key, &error)),
        _ => Err(wrong(key, "a period has a `start` and an `end`")),
    }
}

/// Doorward knows one fact of the environment: the one that its operator named.
fn environment(value: &Value) -> Result<Option<Caveat>, ConstraintError> {
    let mut names = Vec::new();
    for (key, value) in fields(value, "environment", &["environment"])? {
        let key = format!("environment.{key}");
        let entries = match value {
            Value::Array(entries) => entries.as_slice(),
            one => std::slice::from_ref(one),
        };
        for entry in entries {
            names.push(text(entry, &key)?.parse::<Text>().map_err(|error| wrong(&key, &error))?);
        }
    }
    entries(names, "environment").map(|found| found.map(Caveat::Environment))
}

/// `burst` calls at once, `requestsPerSecond` in the long run. `windowDuration` counts over that time as well. Seconds are
/// whole, rounded so that never more is allowed than was asked for.
fn rate_limit(value: &Value, caveats: &mut Vec<Caveat>) -> Result<(), ConstraintError> {
    let (mut rate, mut burst, mut window) = (None, None, None);
    for (key, value) in fields(value, "rateLimit", &["requestsPerSecond", "burst", "windowDuration"])? {
        match key {
            "requestsPerSecond" => {
                let number = value.as_f64().filter(|number| *number > 0.0 && *number <= MOST_CALLS);
                rate = Some(number.ok_or_else(|| {
                    wrong("rateLimit.requestsPerSecond", "a number above 0, at most 1000000")
                })?);
            }
            // A program in Go writes a field that nobody set as 0.
            "burst" | "windowDuration" if value.as_u64() == Some(0) => {}
            "burst" => {
                let number =
                    value.as_u64().and_then(|number| u32::try_from(number).ok()).and_then(NonZeroU32::new);
                burst = Some(number.ok_or_else(|| wrong("rateLimit.burst", "a whole number from 1"))?);
            }
            _ => window = Some(duration(value)?),
        }
    }
    let Some(rate) = rate else {
        return if burst.is_some() || window.is_some() {
            Err(wrong("rateLimit", "`requestsPerSecond` is missing"))
        } else {
            Ok(())
        };
    };
    // Without a burst there is the worth of one second, and at least one call.
    let burst = burst.map_or_else(|| whole(rate.floor().max(1.0)), Ok)?;
    caveats.push(Caveat::Rate(Rate::new(burst, whole((f64::from(burst.get()) / rate).ceil().max(1.0))?)));
    if let Some(seconds) = window {
        let calls = (rate * f64::from(seconds.get())).floor();
        if calls < 1.0 {
            return Err(wrong("rateLimit.windowDuration", "no call fits into this time"));
        }
        caveats.push(Caveat::Rate(Rate::new(whole(calls)?, seconds)));
    }
    Ok(())
}

/// Text such as `60s`, or a number of seconds.
fn duration(value: &Value) -> Result<NonZeroU32, ConstraintError> {
    let key = "rateLimit.windowDuration";
    let duration = match value {
        Value::String(text) => model::parse_duration(text).map_err(|error| wrong(key, &error))?,
        _ => {
            let seconds = value.as_u64().ok_or_else(|| wrong(key, "seconds, or a duration such as `60s`"))?;
            std::time::Duration::from_secs(seconds)
        }
    };
    let seconds = u32::try_from(duration.as_secs()).ok().filter(|_| duration.subsec_nanos() == 0);
    seconds.and_then(NonZeroU32::new).ok_or_else(|| wrong(key, "whole seconds, such as `60s`"))
}

/// A whole positive number that fits.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn whole(number: f64) -> Result<NonZeroU32, ConstraintError> {
    let fits = number >= 1.0 && number <= f64::from(u32::MAX);
    let whole = fits.then_some(number as u32).and_then(NonZeroU32::new);
    whole.ok_or_else(|| wrong("rateLimit", "these numbers can't be held together"))
}

type Field<'a> = (&'a str, &'a Value);

/// The fields of an object under their known names, which may be written as `timeWindow` or `time_window`; those that are
/// `null` are not given.
fn fields<'a>(value: &'a Value, what: &str, known: &[&'a str]) -> Result<Vec<Field<'a>>, ConstraintError> {
    let map = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Object(map) => map,
        _ => return Err(wrong(what, "this is an object")),
    };
    let mut found: Vec<Field<'a>> = Vec::new();
    for (key, value) in map {
        let Some(name) = known.iter().find(|known| *known == key || snake(known) == *key) else {
            let near = known.iter().find(|known| strsim::jaro_winkler(key, known) >= NEAR);
            let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`"));
            let shown: String = key.chars().filter(|c| c.is_ascii_graphic()).take(40).collect();
            return Err(wrong(
                what,
                &format!("the key `{shown}` is unknown, it is one of `{}`{near}", known.join("`, `")),
            ));
        };
        if found.iter().any(|(taken, _)| taken == name) {
            return Err(wrong(what, &format!("the key `{name}` is written twice")));
        }
        if !value.is_null() {
            found.push((name, value));
        }
    }
    Ok(found)
}

/// `time_window` for `timeWindow`.
fn snake(camel: &str) -> String {
    let letter =
        |c: char| if c.is_ascii_uppercase() { format!("_{}", c.to_ascii_lowercase()) } else { c.to_string() };
    camel.chars().map(letter).collect()
}

fn list<'a>(value: &'a Value, key: &str) -> Result<&'a [Value], ConstraintError> {
    value.as_array().map(Vec::as_slice).ok_or_else(|| wrong(key, "this is a list"))
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, ConstraintError> {
    value.as_str().ok_or_else(|| wrong(key, "this is a text"))
}

/// A list of them; an empty one constrains nothing.
fn entries<T: Ord>(entries: Vec<T>, key: &str) -> Result<Option<List<T>>, ConstraintError> {
    if entries.is_empty() {
        return Ok(None);
    }
    List::new(entries).map(Some).map_err(|error| wrong(key, &error))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.values().all(is_empty),
        Value::Array(entries) => entries.is_empty(),
        other => other.is_null(),
    }
}

fn wrong(key: &str, problem: &(impl ToString + ?Sized)) -> ConstraintError {
    ConstraintError { key: key.to_owned(), problem: problem.to_string() }
}

const NEAR: f64 = 0.8;
const MOST_CALLS: f64 = 1_000_000.0;

#[cfg(test)]
mod tests;
