//! OTLP as protocol buffers: `ExportTraceServiceRequest` with the few fields that we use, written field by field.

use super::{Entry, Resource, SCOPE, VERSION, Value};

pub(super) fn request(resource: &Resource, spans: &[Entry]) -> Vec<u8> {
    let told: Vec<u8> = resource
        .iter()
        .flat_map(|(name, value)| bytes(1, &attribute(name, &Value::Text(value.clone()))))
        .collect();
    let scope = [bytes(1, SCOPE.as_bytes()), bytes(2, VERSION.as_bytes())].concat();
    let mut scoped = bytes(1, &scope);
    for entry in spans {
        scoped.extend(bytes(2, &span(entry)));
    }
    // `resource_spans`, of `resource` and `scope_spans`.
    bytes(1, &[bytes(1, &told), bytes(2, &scoped)].concat())
}

/// How many an answer says were not taken: the first field of the first field.
pub(super) fn rejected(answer: &[u8]) -> usize {
    let Some(Field::Bytes(partial)) = field(answer, 1) else { return 0 };
    match field(partial, 1) {
        Some(Field::Number(count)) => usize::try_from(count).unwrap_or(usize::MAX),
        _ => 0,
    }
}

fn span(entry: &Entry) -> Vec<u8> {
    let Entry { trace, id, parent, name, kind, start, end, attributes, failed, flags } = entry;
    let mut span = [bytes(1, trace), bytes(2, id)].concat();
    if let Some(parent) = parent {
        span.extend(bytes(4, parent));
    }
    span.extend(bytes(5, name.as_bytes()));
    span.extend(number(6, *kind as u64));
    span.extend(fixed(7, &start.to_le_bytes()));
    span.extend(fixed(8, &end.to_le_bytes()));
    for (name, value) in attributes {
        span.extend(bytes(9, &attribute(name, value)));
    }
    if *failed {
        span.extend(bytes(15, &number(3, 2)));
    }
    span.extend(fixed(16, &flags.to_le_bytes()));
    span
}

/// `KeyValue` with its `AnyValue`.
fn attribute(name: &str, value: &Value) -> Vec<u8> {
    let value = match value {
        Value::Text(text) => bytes(1, text.as_bytes()),
        // Two's complement, as `int64` is written.
        Value::Number(value) => number(3, value.cast_unsigned()),
    };
    [bytes(1, name.as_bytes()), bytes(2, &value)].concat()
}

// === the wire ===

fn bytes(field: u32, value: &[u8]) -> Vec<u8> {
    let mut out = varint(u64::from(field) << 3 | LENGTH);
    out.extend(varint(u64::try_from(value.len()).unwrap_or(u64::MAX)));
    out.extend_from_slice(value);
    out
}

fn number(field: u32, value: u64) -> Vec<u8> {
    let mut out = varint(u64::from(field) << 3 | VARINT);
    out.extend(varint(value));
    out
}

/// Four or eight bytes, the lowest first.
fn fixed(field: u32, value: &[u8]) -> Vec<u8> {
    let kind = if value.len() == 4 { FOUR } else { EIGHT };
    let mut out = varint(u64::from(field) << 3 | kind);
    out.extend_from_slice(value);
    out
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(2);
    loop {
        let low = (value & 0x7F) as u8;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return out;
        }
        out.push(low | 0x80);
    }
}

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The first field of this number, where the message can be read that far.
fn field(mut message: &[u8], wanted: u64) -> Option<Field<'_>> {
    loop {
        let key = read(&mut message)?;
        let found = match key & 7 {
            VARINT => Field::Number(read(&mut message)?),
            LENGTH => Field::Bytes(take(&mut message, read_length)?),
            EIGHT => Field::Bytes(take(&mut message, |_| Some(8))?),
            FOUR => Field::Bytes(take(&mut message, |_| Some(4))?),
            _ => return None,
        };
        if key >> 3 == wanted {
            return Some(found);
        }
    }
}

fn read_length(message: &mut &[u8]) -> Option<usize> {
    usize::try_from(read(message)?).ok()
}

fn take<'a>(message: &mut &'a [u8], length: impl Fn(&mut &'a [u8]) -> Option<usize>) -> Option<&'a [u8]> {
    let length = length(message)?;
    let (value, rest) = message.split_at_checked(length)?;
    *message = rest;
    Some(value)
}

fn read(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = message.split_first()?;
        *message = rest;
        value |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

const VARINT: u64 = 0;
const EIGHT: u64 = 1;
const LENGTH: u64 = 2;
const FOUR: u64 = 5;
