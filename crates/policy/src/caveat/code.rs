//! The one byte form of a caveat: kind, length, content. Numbers are big-endian; texts and lists carry their length.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::{NonZeroU32, NonZeroU64};
use std::str::FromStr;

use model::{Access, ParseError, RunId, Timestamp};

use super::limit::HolderParts;
use super::{Approval, Caveat, Cidr, HolderIs, Hours, Inputs, List, Methods, Rate, Reach, Span, Window};
use crate::Error;
use crate::capability::wire::{Reader, put_text, put_u16, too_large};

/// Appends the byte form of a caveat.
pub(crate) fn encode(caveat: &Caveat, out: &mut Vec<u8>) -> Result<(), Error> {
    let mut content = Vec::with_capacity(32);
    let kind = write(caveat, &mut content)?;
    out.push(kind);
    put_u16(out, content.len())?;
    out.extend_from_slice(&content);
    Ok(())
}

/// Reads one caveat; its content must be used up.
pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Caveat, Error> {
    let kind = reader.u8()?;
    let length = usize::from(reader.u16()?);
    let mut content = Reader::new(reader.take(length)?);
    let caveat = read(kind, &mut content)?;
    content.end()?;
    Ok(caveat)
}

fn write(caveat: &Caveat, out: &mut Vec<u8>) -> Result<u8, Error> {
    Ok(match caveat {
        Caveat::Integrations(list) => put_list(out, list, INTEGRATIONS)?,
        Caveat::Operations(list) => put_list(out, list, OPERATIONS)?,
        Caveat::Access(access) => put(out, &[u8::from(*access == Access::Write)], ACCESS),
        Caveat::Resources(list) => put_list(out, list, RESOURCES)?,
        Caveat::Hosts(list) => put_list(out, list, HOSTS)?,
        Caveat::Methods(list) => put_list(out, &list.0, METHODS)?,
        Caveat::PathPrefix(list) => put_list(out, list, PATH_PREFIX)?,
        Caveat::NotBefore(time) => put(out, &time.millis().to_be_bytes(), NOT_BEFORE),
        Caveat::NotAfter(time) => put(out, &time.millis().to_be_bytes(), NOT_AFTER),
        Caveat::Hours(hours) => {
            let (days, from, to, zone) = hours.parts();
            out.push(days);
            out.extend_from_slice(&from.to_be_bytes());
            out.extend_from_slice(&to.to_be_bytes());
            put_text(out, zone)?;
            HOURS
        }
        Caveat::Cidr(list) => {
            put_count(out, list.count())?;
            list.iter().for_each(|network| put_network(out, network));
            CIDR
        }
        Caveat::Environment(list) => put_list(out, list, ENVIRONMENT)?,
        Caveat::Rate(rate) => {
            out.extend_from_slice(&rate.calls().get().to_be_bytes());
            put(out, &rate.seconds().get().to_be_bytes(), RATE)
        }
        Caveat::Uses(uses) => put(out, &uses.get().to_be_bytes(), USES),
        Caveat::Purpose(purpose) => {
            put_text(out, purpose.as_str())?;
            PURPOSE
        }
        Caveat::Holder(holder) => put_holder(out, holder)?,
        Caveat::Approval(approval) => put(out, &[u8::from(*approval == Approval::Writes)], APPROVAL),
        Caveat::Inputs(inputs) => {
            put_count(out, inputs.iter().len())?;
            for (name, values) in inputs.iter() {
                put_text(out, name.as_str())?;
                put_list(out, values, INPUTS)?;
            }
            INPUTS
        }
        Caveat::Reach(reach) => {
            let (actions, resource) = reach.parts();
            out.push(actions);
            put_text(out, resource.as_str())?;
            REACH
        }
        Caveat::Window(window) => put_window(out, window)?,
        Caveat::Blackout(spans) => put_spans(out, spans)?,
    })
}

fn read(kind: u8, from: &mut Reader<'_>) -> Result<Caveat, Error> {
    Ok(match kind {
        INTEGRATIONS => Caveat::Integrations(list(from)?),
        OPERATIONS => Caveat::Operations(list(from)?),
        ACCESS => Caveat::Access(if flag(from)? { Access::Write } else { Access::Read }),
        RESOURCES => Caveat::Resources(list(from)?),
        HOSTS => Caveat::Hosts(list(from)?),
        METHODS => Caveat::Methods(Methods(list(from)?)),
        PATH_PREFIX => Caveat::PathPrefix(list(from)?),
        NOT_BEFORE => Caveat::NotBefore(Timestamp::from_millis(from.u64()?)),
        NOT_AFTER => Caveat::NotAfter(Timestamp::from_millis(from.u64()?)),
        HOURS => {
            let (days, start, end) = (from.u8()?, from.u16()?, from.u16()?);
            Caveat::Hours(Hours::of_parts(days, start, end, from.text()?).ok_or(WRONG)?)
        }
        CIDR => {
            let count = usize::from(from.u8()?);
            let networks = (0..count).map(|_| network(from)).collect::<Result<Vec<_>, _>>()?;
            Caveat::Cidr(List::canonical(networks).ok_or(ORDER)?)
        }
        ENVIRONMENT => Caveat::Environment(list(from)?),
        RATE => Caveat::Rate(Rate::new(nonzero(from)?, nonzero(from)?)),
        USES => Caveat::Uses(NonZeroU64::new(from.u64()?).ok_or(WRONG)?),
        PURPOSE => Caveat::Purpose(from.text()?.parse()?),
        HOLDER => holder(from)?,
        APPROVAL => Caveat::Approval(if flag(from)? { Approval::Writes } else { Approval::All }),
        INPUTS => inputs(from)?,
        REACH => {
            let actions = from.u8()?;
            Caveat::Reach(Reach::of_parts(actions, from.text()?.parse()?).ok_or(WRONG)?)
        }
        WINDOW => {
            let (hours, days) = (u32::from_be_bytes(from.array()?), from.u8()?);
            Caveat::Window(Window::of_parts(hours, days, list(from)?).ok_or(WRONG)?)
        }
        BLACKOUT => Caveat::Blackout(spans(from)?),
        unknown => return Err(Error::UnknownCaveat(unknown)),
    })
}

fn put(out: &mut Vec<u8>, bytes: &[u8], kind: u8) -> u8 {
    out.extend_from_slice(bytes);
    kind
}

fn put_count(out: &mut Vec<u8>, count: usize) -> Result<(), Error> {
    out.push(u8::try_from(count).map_err(|_| too_large())?);
    Ok(())
}

fn put_list<T: Display>(out: &mut Vec<u8>, list: &List<T>, kind: u8) -> Result<u8, Error> {
    put_count(out, list.count())?;
    list.iter().try_for_each(|entry| put_text(out, &entry.to_string()))?;
    Ok(kind)
}

fn put_network(out: &mut Vec<u8>, network: &Cidr) {
    let (address, prefix) = (network.network().addr(), network.network().prefix_len());
    match address {
        IpAddr::V4(four) => {
            out.push(4);
            out.extend_from_slice(&four.octets());
        }
        IpAddr::V6(six) => {
            out.push(6);
            out.extend_from_slice(&six.octets());
        }
    }
    out.push(prefix);
}

fn put_holder(out: &mut Vec<u8>, holder: &HolderIs) -> Result<u8, Error> {
    let HolderParts { uid, cgroup, key, run } = holder.parts();
    let given = [uid.is_some(), cgroup.is_some(), key.is_some(), run.is_some()];
    out.push(given.iter().rev().fold(0, |bits, there| bits << 1 | u8::from(*there)));
    if let Some(uid) = uid {
        out.extend_from_slice(&uid.to_be_bytes());
    }
    if let Some(cgroup) = cgroup {
        put_text(out, cgroup)?;
    }
    if let Some(key) = key {
        out.extend_from_slice(key);
    }
    if let Some(run) = run {
        out.extend_from_slice(&run.to_bytes());
    }
    Ok(HOLDER)
}

fn put_window(out: &mut Vec<u8>, window: &Window) -> Result<u8, Error> {
    let (hours, days, zones) = window.parts();
    out.extend_from_slice(&hours.to_be_bytes());
    out.push(days);
    put_list(out, zones, WINDOW)
}

fn put_spans(out: &mut Vec<u8>, spans: &List<Span>) -> Result<u8, Error> {
    put_count(out, spans.count())?;
    for span in spans {
        out.extend_from_slice(&span.start().millis().to_be_bytes());
        out.extend_from_slice(&span.end().millis().to_be_bytes());
    }
    Ok(BLACKOUT)
}

/// Texts in ascending order. The types of entries have one spelling each, so the text is the value.
fn list<T: FromStr<Err = ParseError> + Ord>(from: &mut Reader<'_>) -> Result<List<T>, Error> {
    let count = usize::from(from.u8()?);
    if count > List::<T>::LONGEST {
        return Err(Error::TooLarge("a list of more than 64 entries"));
    }
    let mut entries = Vec::with_capacity(count);
    for _ in 0..count {
        entries.push(from.text()?.parse()?);
    }
    List::canonical(entries).ok_or(ORDER)
}

fn network(from: &mut Reader<'_>) -> Result<Cidr, Error> {
    let address = match from.u8()? {
        4 => IpAddr::V4(Ipv4Addr::from(from.array::<4>()?)),
        6 => IpAddr::V6(Ipv6Addr::from(from.array::<16>()?)),
        _ => return Err(WRONG),
    };
    Cidr::new(address, from.u8()?).ok_or(WRONG)
}

fn holder(from: &mut Reader<'_>) -> Result<Caveat, Error> {
    let given = from.u8()?;
    if given > 15 {
        return Err(WRONG);
    }
    let uid = if given & 1 == 0 { None } else { Some(u32::from_be_bytes(from.array()?)) };
    let cgroup = if given & 2 == 0 { None } else { Some(from.text()?) };
    let key = if given & 4 == 0 { None } else { Some(from.array()?) };
    let run = if given & 8 == 0 { None } else { Some(RunId::from_bytes(from.array()?)) };
    let holder = match run {
        Some(run) if given == 8 => HolderIs::of_run(run),
        Some(run) => HolderIs::new(uid, cgroup, key)?.and_run(run),
        None => HolderIs::new(uid, cgroup, key)?,
    };
    Ok(Caveat::Holder(holder))
}

fn inputs(from: &mut Reader<'_>) -> Result<Caveat, Error> {
    let count = usize::from(from.u8()?);
    let mut names = Vec::with_capacity(count);
    for _ in 0..count {
        names.push((from.text()?.parse()?, list(from)?));
    }
    if !names.is_sorted_by(|(a, _), (b, _)| a < b) {
        return Err(ORDER);
    }
    Ok(Caveat::Inputs(Inputs::new(names.into_iter().collect::<BTreeMap<_, _>>())?))
}

fn spans(from: &mut Reader<'_>) -> Result<List<Span>, Error> {
    let count = usize::from(from.u8()?);
    let time = |from: &mut Reader<'_>| from.u64().map(Timestamp::from_millis);
    let mut spans = Vec::with_capacity(count);
    for _ in 0..count {
        spans.push(Span::new(time(from)?, time(from)?)?);
    }
    List::canonical(spans).ok_or(ORDER)
}

fn flag(from: &mut Reader<'_>) -> Result<bool, Error> {
    match from.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(WRONG),
    }
}

fn nonzero(from: &mut Reader<'_>) -> Result<NonZeroU32, Error> {
    NonZeroU32::new(u32::from_be_bytes(from.array()?)).ok_or(WRONG)
}

const WRONG: Error = Error::Malformed("a caveat has a wrong value");
const ORDER: Error = Error::Malformed("a list is empty or out of order");

const INTEGRATIONS: u8 = 1;
const OPERATIONS: u8 = 2;
const ACCESS: u8 = 3;
const RESOURCES: u8 = 4;
const HOSTS: u8 = 5;
const METHODS: u8 = 6;
const PATH_PREFIX: u8 = 7;
const NOT_BEFORE: u8 = 8;
const NOT_AFTER: u8 = 9;
const HOURS: u8 = 10;
const CIDR: u8 = 11;
const ENVIRONMENT: u8 = 12;
const RATE: u8 = 13;
const USES: u8 = 14;
const PURPOSE: u8 = 15;
const HOLDER: u8 = 16;
const APPROVAL: u8 = 17;
const INPUTS: u8 = 18;
const REACH: u8 = 19;
const WINDOW: u8 = 20;
const BLACKOUT: u8 = 21;
