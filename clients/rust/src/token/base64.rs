//! Base 64 (RFC 4648) in its one spelling: without padding for tokens, with padding for bodies.

const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(crate) fn to_url(bytes: &[u8]) -> String {
    encode(bytes, URL)
}

pub(crate) fn from_url(text: &str) -> Option<Vec<u8>> {
    decode(text, URL)
}

pub(crate) fn to_standard(bytes: &[u8]) -> String {
    let mut text = encode(bytes, STANDARD);
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

pub(crate) fn from_standard(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let bare = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text);
    decode(bare, STANDARD)
}

fn encode(bytes: &[u8], letters: &[u8; 64]) -> String {
    let mut text = String::with_capacity(bytes.len() * 4 / 3 + 3);
    for group in bytes.chunks(3) {
        let mut three = [0; 3];
        three.iter_mut().zip(group).for_each(|(to, from)| *to = *from);
        let number = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for at in 0..=group.len() {
            let index = number >> (18 - 6 * at) & 63;
            let letter = usize::try_from(index).ok().and_then(|index| letters.get(index));
            text.extend(letter.copied().map(char::from));
        }
    }
    text
}

/// Nothing where a letter is not of the alphabet, or bits that are not used are set.
fn decode(text: &str, letters: &[u8; 64]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for group in text.as_bytes().chunks(4) {
        let mut number = 0_u32;
        for letter in group {
            let index = letters.iter().position(|known| known == letter)?;
            number = number << 6 | u32::try_from(index).ok()?;
        }
        let (unused, count) = match group.len() {
            4 => (0, 3),
            3 => (2, 2),
            2 => (4, 1),
            _ => return None,
        };
        if number & ((1 << unused) - 1) != 0 {
            return None;
        }
        let whole = (number >> unused).to_be_bytes();
        bytes.extend_from_slice(whole.get(4 - count..)?);
    }
    Some(bytes)
}
