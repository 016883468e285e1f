//! HTTP/2 as bytes: frames that may say anything, and as much reading as tells what was answered.

/// The preface and empty settings.
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// That settings were taken.
pub(super) const SETTINGS_TAKEN: &[u8] = &[0, 0, 0, 4, 1, 0, 0, 0, 0];

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RESET: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const GO_AWAY: u8 = 7;
pub(super) const CONTINUATION: u8 = 9;
pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

/// One frame.
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut out = vec![length[1], length[2], length[3], kind, flags];
    out.extend(stream.to_be_bytes());
    out.extend_from_slice(payload);
    out
}

/// A block of headers: every one literal, never indexed, without Huffman coding, so that any byte goes.
pub(super) fn block<N: AsRef<[u8]>, V: AsRef<[u8]>>(headers: &[(N, V)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in headers {
        out.push(0x10);
        for text in [name.as_ref(), value.as_ref()] {
            length(&mut out, text.len());
            out.extend_from_slice(text);
        }
    }
    out
}

/// An integer with a prefix of seven bits (RFC 7541, section 5.1).
fn length(out: &mut Vec<u8>, mut length: usize) {
    if length < 127 {
        out.push(u8::try_from(length).unwrap());
        return;
    }
    out.push(127);
    length -= 127;
    while length >= 128 {
        out.push(u8::try_from(length % 128).unwrap() | 128);
        length /= 128;
    }
    out.push(u8::try_from(length).unwrap());
}

/// A frame that was read.
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: Vec<u8>,
}

/// Takes one frame off the front; `None` where it is not whole yet.
pub(super) fn take(bytes: &mut Vec<u8>) -> Option<Frame> {
    let head: [u8; 9] = bytes.get(..9)?.try_into().unwrap();
    let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
    let payload = bytes.get(9..9 + length)?.to_vec();
    bytes.drain(..9 + length);
    let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]) & 0x7fff_ffff;
    Some(Frame { kind: head[3], flags: head[4], stream, payload })
}

/// The status at the front of a block, where it is one that stands in the static table (RFC 7541, appendix A).
pub(super) fn status(block: &[u8]) -> u16 {
    let first = block.iter().find(|byte| **byte & 0xe0 != 0x20);
    match first {
        Some(0x88) => 200,
        Some(0x89) => 204,
        Some(0x8a) => 206,
        Some(0x8b) => 304,
        Some(0x8c) => 400,
        Some(0x8d) => 404,
        Some(0x8e) => 500,
        _ => 0,
    }
}

/// Reads a block that [`block`] wrote.
pub(super) fn read_block(mut block: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut out = Vec::new();
    while let Some((0x10, rest)) = block.split_first().map(|(first, rest)| (*first, rest)) {
        let (name, rest) = text(rest)?;
        let (value, rest) = text(rest)?;
        out.push((name, value));
        block = rest;
    }
    block.is_empty().then_some(out)
}

fn text(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (first, mut rest) = bytes.split_first()?;
    let mut length = usize::from(*first);
    if length == 127 {
        let mut shift = 0;
        loop {
            let (next, behind) = rest.split_first()?;
            rest = behind;
            length += usize::from(next & 127) << shift;
            shift += 7;
            if next & 128 == 0 {
                break;
            }
        }
    }
    Some((rest.get(..length)?.to_vec(), rest.get(length..)?))
}
