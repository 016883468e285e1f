//! Caveats as people write them: names with comma-separated values.
//!
//! The same words serve `capability request`, `capability narrow`, the socket and the files of a team. A word that is not
//! known is refused with the nearest one; nothing is skipped.

use std::collections::{BTreeMap, BTreeSet};
use std::num::{NonZeroU32, NonZeroU64};
use std::str::FromStr;

use catalog::Allowance;
use model::{Access, Code, Inputs, IntegrationName, Method, ParseError, Refusal, Timestamp, parse_duration};
use policy::{
    Approval, Caveat, Cidr, HolderIs, Host, Hours, List, Methods, OperationPattern, PathPrefix, Rate,
    ResourcePattern, Text,
};

/// Every word, as it is written in inputs and flags.
pub const WORDS: [&str; 17] = [
    "integrations",
    "operations",
    "access",
    "resources",
    "hosts",
    "methods",
    "paths",
    "not_before",
    "expires",
    "hours",
    "cidr",
    "environment",
    "rate",
    "uses",
    "purpose",
    "holder",
    "approval",
];

/// Reads caveats from words and values. `now` is what `expires: 15m` counts from.
///
/// # Errors
/// `bad_request` naming the word whose value is not what it should be.
pub fn read(words: &Inputs, now: Timestamp) -> Result<Vec<Caveat>, Refusal> {
    let mut caveats = Vec::new();
    for (word, value) in words {
        caveats.push(one(word, value.trim(), now).map_err(|error| {
            Refusal::new(Code::BadRequest, format!("`{word}`: {error}"))
                .hint("see `doorward capability request --help`")
        })?);
    }
    Ok(caveats)
}

fn one(word: &str, value: &str, now: Timestamp) -> Result<Caveat, ParseError> {
    Ok(match word {
        "integrations" => Caveat::Integrations(list::<IntegrationName>(value)?),
        "operations" => Caveat::Operations(list::<OperationPattern>(value)?),
        "access" => Caveat::Access(value.parse::<Access>()?),
        "resources" => Caveat::Resources(list::<ResourcePattern>(value)?),
        "hosts" => Caveat::Hosts(list::<Host>(value)?),
        "methods" => Caveat::Methods(Methods(list::<Method>(value)?)),
        "paths" => Caveat::PathPrefix(list::<PathPrefix>(value)?),
        "not_before" => Caveat::NotBefore(value.parse()?),
        "expires" => Caveat::NotAfter(until(value, now)?),
        "hours" => Caveat::Hours(hours(value)?),
        "cidr" => Caveat::Cidr(list::<Cidr>(value)?),
        "environment" => Caveat::Environment(list::<Text>(value)?),
        "rate" => Caveat::Rate(rate(value)?),
        "uses" => Caveat::Uses(
            value
                .parse::<NonZeroU64>()
                .map_err(|_| ParseError::new("number of uses", value, "a number from 1"))?,
        ),
        "purpose" => Caveat::Purpose(value.parse()?),
        "holder" => Caveat::Holder(holder(value)?),
        "approval" => Caveat::Approval(match value {
            "all" => Approval::All,
            "writes" => Approval::Writes,
            _ => return Err(ParseError::new("approval", value, "`all` or `writes`")),
        }),
        _ => {
            return Err(ParseError::new(
                "caveat",
                word,
                "one of those that `doorward capability request --help` lists",
            ));
        }
    })
}

/// The caveats of ready-made narrowings: their operations, and the values that they leave to inputs and resources.
///
/// # Errors
/// When two of them leave different values to one input, which one capability can't say.
pub fn of_allowances(
    integration: &IntegrationName,
    allowances: &[Allowance],
) -> Result<Vec<Caveat>, Refusal> {
    let wrong = |error: ParseError| Refusal::new(Code::BadRequest, error.to_string());
    let mut operations = BTreeSet::new();
    let mut inputs: Option<BTreeMap<String, BTreeSet<String>>> = None;
    let mut resources: Option<BTreeSet<String>> = None;
    for Allowance { operation, inputs: wanted, resources: named } in allowances {
        operations.insert(format!("{integration}/{operation}"));
        let differ = inputs.as_ref().is_some_and(|known| known != wanted)
            || resources.as_ref().is_some_and(|known| known != named);
        if differ {
            return Err(Refusal::new(
                Code::BadRequest,
                "these presets can't be in one capability: they bind inputs differently",
            )
            .hint("ask for one capability for each"));
        }
        inputs = Some(wanted.clone());
        resources = Some(named.clone());
    }
    let operations =
        operations.iter().map(|name| name.parse()).collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    let mut caveats = vec![Caveat::Operations(List::new(operations).map_err(wrong)?)];
    if let Some(inputs) = inputs.filter(|inputs| !inputs.is_empty()) {
        let mut allowed = BTreeMap::new();
        for (name, values) in inputs {
            let values =
                values.iter().map(|value| value.parse()).collect::<Result<Vec<Text>, _>>().map_err(wrong)?;
            allowed.insert(name.parse::<Text>().map_err(wrong)?, List::new(values).map_err(wrong)?);
        }
        caveats.push(Caveat::Inputs(policy::Inputs::new(allowed).map_err(wrong)?));
    }
    if let Some(resources) = resources.filter(|resources| !resources.is_empty()) {
        let patterns =
            resources.iter().map(|name| name.parse()).collect::<Result<Vec<_>, _>>().map_err(wrong)?;
        caveats.push(Caveat::Resources(List::new(patterns).map_err(wrong)?));
    }
    Ok(caveats)
}

fn list<T: FromStr<Err = ParseError> + Ord>(value: &str) -> Result<List<T>, ParseError> {
    let entries = value.split(',').map(|entry| entry.trim().parse()).collect::<Result<Vec<T>, _>>()?;
    List::new(entries)
}

/// A duration from now, or a point in time.
fn until(value: &str, now: Timestamp) -> Result<Timestamp, ParseError> {
    if value.contains('T') {
        value.parse()
    } else {
        parse_duration(value).map(|duration| now.after(duration))
    }
}

/// `10/1m`: so many calls in so much time.
fn rate(value: &str) -> Result<Rate, ParseError> {
    let wrong = || ParseError::new("rate", value, "calls and time, such as `10/1m`");
    let (calls, per) = value.split_once('/').ok_or_else(wrong)?;
    let calls = calls.trim().parse::<NonZeroU32>().map_err(|_| wrong())?;
    let per = parse_duration(per.trim())?;
    let seconds = u32::try_from(per.as_secs()).ok().and_then(NonZeroU32::new).ok_or_else(wrong)?;
    if per.subsec_nanos() == 0 { Ok(Rate::new(calls, seconds)) } else { Err(wrong()) }
}

/// `mon-fri 09:00-17:00 Europe/Berlin`.
fn hours(value: &str) -> Result<Hours, ParseError> {
    let wrong = || {
        ParseError::new("hours", value, "days, times and a zone, such as `mon-fri 09:00-17:00 Europe/Berlin`")
    };
    let mut parts = value.split_whitespace();
    let (Some(days), Some(times), Some(zone), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(wrong());
    };
    let (from, to) = times.split_once('-').ok_or_else(wrong)?;
    Hours::written(&days_of(days).ok_or_else(wrong)?, from, to, zone)
}

fn days_of(text: &str) -> Option<Vec<String>> {
    let place = |day: &str| DAYS.iter().position(|known| *known == day);
    let mut days = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (place(first)?, place(last)?);
        let last = if last < first { last + DAYS.len() } else { last };
        days.extend((first..=last).filter_map(|at| DAYS.get(at % DAYS.len())).map(|day| (*day).to_owned()));
    }
    Some(days)
}

/// `uid=1000`, `cgroup=/system.slice/x.service` or `run=run_…`, or several with commas.
fn holder(value: &str) -> Result<HolderIs, ParseError> {
    let wrong =
        || ParseError::new("holder", value, "`uid=1000`, `cgroup=/system.slice/x.service` or `run=run_...`");
    let (mut uid, mut cgroup, mut run) = (None, None, None);
    for part in value.split(',') {
        match part.trim().split_once('=') {
            Some(("uid", number)) if uid.is_none() => uid = Some(number.parse().map_err(|_| wrong())?),
            Some(("cgroup", path)) if cgroup.is_none() => cgroup = Some(path),
            Some(("run", id)) if run.is_none() => run = Some(id.parse().map_err(|_| wrong())?),
            _ => return Err(wrong()),
        }
    }
    match run {
        Some(run) if uid.is_none() && cgroup.is_none() => Ok(HolderIs::of_run(run)),
        Some(run) => Ok(HolderIs::new(uid, cgroup, None)?.and_run(run)),
        None => HolderIs::new(uid, cgroup, None),
    }
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

#[cfg(test)]
mod tests;
