//! The one byte form of a caveat: kind, length, content.

use std::collections::BTreeMap;

use super::agent::{Reach, Window};
use super::bytes::{Reader, put_list, put_text};
use super::caveat::{Caveat, Holder, Hours, ListOf, Value};
use super::network::Network;
use crate::Error;

/// Kind, length, content.
pub(super) fn encode(value: &Value) -> Result<Vec<u8>, Error> {
    let mut content = Vec::with_capacity(32);
    let kind = write(value, &mut content);
    let length = u16::try_from(content.len())
        .map_err(|_| Error::Token("a capability cannot hold more than 8 KiB".to_owned()))?;
    let mut out = vec![kind];
    out.extend_from_slice(&length.to_be_bytes());
    out.append(&mut content);
    Ok(out)
}

/// Reads one caveat; its content must be used up.
pub(super) fn decode(from: &mut Reader<'_>) -> Result<Caveat, Error> {
    let kind = from.u8()?;
    let length = usize::from(from.u16()?);
    let mut content = Reader { rest: from.take(length)? };
    let value = read(kind, &mut content)?;
    content.end()?;
    Caveat::new(value)
}

fn write(value: &Value, out: &mut Vec<u8>) -> u8 {
    match value {
        Value::List(of, entries) => {
            put_list(out, entries);
            match of {
                ListOf::Integrations => 1,
                ListOf::Operations => 2,
                ListOf::Resources => 4,
                ListOf::Hosts => 5,
                ListOf::Methods => 6,
                ListOf::PathPrefix => 7,
                ListOf::Environment => 12,
            }
        }
        Value::Access { write } => put(out, &[u8::from(*write)], 3),
        Value::NotBefore(millis) => put(out, &millis.to_be_bytes(), 8),
        Value::NotAfter(millis) => put(out, &millis.to_be_bytes(), 9),
        Value::Hours(hours) => put_hours(out, hours),
        Value::Cidr(networks) => {
            out.push(u8::try_from(networks.len()).unwrap_or(u8::MAX));
            networks.iter().for_each(|network| network.put(out));
            11
        }
        Value::Rate { calls, seconds } => {
            out.extend_from_slice(&calls.to_be_bytes());
            put(out, &seconds.to_be_bytes(), 13)
        }
        Value::Uses(most) => put(out, &most.to_be_bytes(), 14),
        Value::Purpose(text) => {
            put_text(out, text);
            15
        }
        Value::Holder(holder) => put_holder(out, holder),
        Value::Approval { writes } => put(out, &[u8::from(*writes)], 17),
        Value::Reach(Reach { actions, resource }) => {
            out.push(*actions);
            put_text(out, resource);
            19
        }
        Value::Window(Window { hours, days, zones }) => {
            out.extend_from_slice(&hours.to_be_bytes());
            out.push(*days);
            put_list(out, zones);
            20
        }
        Value::Blackout(spans) => {
            out.push(u8::try_from(spans.len()).unwrap_or(u8::MAX));
            for (start, end) in spans {
                out.extend_from_slice(&start.to_be_bytes());
                out.extend_from_slice(&end.to_be_bytes());
            }
            21
        }
        Value::Inputs(inputs) => put_inputs(out, inputs),
    }
}

fn put(out: &mut Vec<u8>, bytes: &[u8], kind: u8) -> u8 {
    out.extend_from_slice(bytes);
    kind
}

fn put_inputs(out: &mut Vec<u8>, inputs: &BTreeMap<String, Vec<String>>) -> u8 {
    out.push(u8::try_from(inputs.len()).unwrap_or(u8::MAX));
    for (name, values) in inputs {
        put_text(out, name);
        put_list(out, values);
    }
    18
}

fn put_hours(out: &mut Vec<u8>, Hours { days, from, to, zone }: &Hours) -> u8 {
    out.push(*days);
    out.extend_from_slice(&from.to_be_bytes());
    out.extend_from_slice(&to.to_be_bytes());
    put_text(out, zone);
    10
}

fn put_holder(out: &mut Vec<u8>, Holder { uid, cgroup, key, run }: &Holder) -> u8 {
    let given = [uid.is_some(), cgroup.is_some(), key.is_some(), run.is_some()];
    out.push(given.iter().rev().fold(0, |bits, there| bits << 1 | u8::from(*there)));
    if let Some(uid) = uid {
        out.extend_from_slice(&uid.to_be_bytes());
    }
    if let Some(cgroup) = cgroup {
        put_text(out, cgroup);
    }
    if let Some(key) = key {
        out.extend_from_slice(key);
    }
    if let Some(run) = run {
        out.extend_from_slice(run);
    }
    16
}

fn read(kind: u8, from: &mut Reader<'_>) -> Result<Value, Error> {
    Ok(match kind {
        1 => Value::List(ListOf::Integrations, from.texts()?),
        2 => Value::List(ListOf::Operations, from.texts()?),
        3 => Value::Access { write: flag(from)? },
        4 => Value::List(ListOf::Resources, from.texts()?),
        5 => Value::List(ListOf::Hosts, from.texts()?),
        6 => Value::List(ListOf::Methods, from.texts()?),
        7 => Value::List(ListOf::PathPrefix, from.texts()?),
        8 => Value::NotBefore(from.u64()?),
        9 => Value::NotAfter(from.u64()?),
        10 => {
            let (days, start, end) = (from.u8()?, from.u16()?, from.u16()?);
            Value::Hours(Hours { days, from: start, to: end, zone: from.text()? })
        }
        11 => {
            let count = from.u8()?;
            Value::Cidr((0..count).map(|_| Network::read(from)).collect::<Result<_, _>>()?)
        }
        12 => Value::List(ListOf::Environment, from.texts()?),
        13 => Value::Rate { calls: from.u32()?, seconds: from.u32()? },
        14 => Value::Uses(from.u64()?),
        15 => Value::Purpose(from.text()?),
        16 => holder(from)?,
        17 => Value::Approval { writes: flag(from)? },
        18 => inputs(from)?,
        19 => Value::Reach(Reach { actions: from.u8()?, resource: from.text()? }),
        20 => Value::Window(Window { hours: from.u32()?, days: from.u8()?, zones: from.texts()? }),
        21 => {
            let count = from.u8()?;
            Value::Blackout((0..count).map(|_| Ok((from.u64()?, from.u64()?))).collect::<Result<_, Error>>()?)
        }
        unknown => {
            let text = format!("the capability holds a caveat of the unknown kind {unknown}");
            return Err(Error::Token(text));
        }
    })
}

fn flag(from: &mut Reader<'_>) -> Result<bool, Error> {
    match from.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Error::malformed("a caveat has a wrong value")),
    }
}

fn holder(from: &mut Reader<'_>) -> Result<Value, Error> {
    let given = from.u8()?;
    if given > 15 {
        return Err(Error::malformed("a caveat has a wrong value"));
    }
    let uid = if given & 1 == 0 { None } else { Some(from.u32()?) };
    let cgroup = if given & 2 == 0 { None } else { Some(from.text()?) };
    let key = if given & 4 == 0 { None } else { Some(from.array()?) };
    let run = if given & 8 == 0 { None } else { Some(from.array()?) };
    Ok(Value::Holder(Holder { uid, cgroup, key, run }))
}

fn inputs(from: &mut Reader<'_>) -> Result<Value, Error> {
    let mut found = BTreeMap::new();
    for _ in 0..from.u8()? {
        let name = from.text()?;
        if found.last_key_value().is_some_and(|(last, _)| *last >= name) {
            return Err(Error::malformed("a list is empty or out of order"));
        }
        found.insert(name, from.texts()?);
    }
    Ok(Value::Inputs(found))
}
