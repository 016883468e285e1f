//! RESP2: commands as lists of texts, replies as far as scripts give them.

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// A text.
    Text(String),
    /// The first word of an error.
    Error(String),
    /// A whole number.
    Number(i64),
    /// Nothing.
    Nothing,
    /// A list.
    List(Vec<Reply>),
}

/// This is no reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// A command as it is sent.
pub(super) fn command(words: &[&[u8]]) -> Vec<u8> {
    // Reserved whole, so that no growing buffer leaves a part of a password behind.
    let mut bytes = Vec::with_capacity(words.iter().map(|word| word.len() + 32).sum::<usize>() + 32);
    bytes.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// The reply that these bytes are; none while they are not whole. What stands behind it was not asked for.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<Reply>, Malformed> {
    match one(bytes, 0)? {
        Some((reply, [])) => Ok(Some(reply)),
        Some(_) => Err(Malformed),
        None => Ok(None),
    }
}

fn one(bytes: &[u8], depth: usize) -> Result<Option<(Reply, &[u8])>, Malformed> {
    let Some((line, rest)) = line(bytes)? else { return Ok(None) };
    let (kind, text) = line.split_at_checked(1).ok_or(Malformed)?;
    match kind {
        "+" => Ok(Some((Reply::Text(text.to_owned()), rest))),
        "-" => {
            let code = text.split(' ').next().unwrap_or_default();
            let plain = code.len() <= 32 && code.bytes().all(|b| b.is_ascii_uppercase());
            Ok(Some((Reply::Error(if plain { code } else { "an error" }.to_owned()), rest)))
        }
        ":" => Ok(Some((Reply::Number(text.parse().map_err(|_| Malformed)?), rest))),
        "$" if text == "-1" => Ok(Some((Reply::Nothing, rest))),
        "$" => {
            let length: usize = text.parse().map_err(|_| Malformed)?;
            let whole = length.checked_add(2).filter(|whole| *whole <= super::LARGEST).ok_or(Malformed)?;
            let Some((text, rest)) = rest.split_at_checked(whole) else { return Ok(None) };
            let text = text.strip_suffix(b"\r\n").ok_or(Malformed)?;
            let text = String::from_utf8(text.to_vec()).map_err(|_| Malformed)?;
            Ok(Some((Reply::Text(text), rest)))
        }
        "*" if depth < DEEPEST => {
            let count: usize = text.parse().map_err(|_| Malformed)?;
            if count > LONGEST {
                return Err(Malformed);
            }
            let (mut items, mut rest) = (Vec::new(), rest);
            for _ in 0..count {
                let Some((item, behind)) = one(rest, depth + 1)? else { return Ok(None) };
                items.push(item);
                rest = behind;
            }
            Ok(Some((Reply::List(items), rest)))
        }
        _ => Err(Malformed),
    }
}

/// The first line, without its end.
fn line(bytes: &[u8]) -> Result<Option<(&str, &[u8])>, Malformed> {
    let Some(end) = memchr::memchr(b'\n', bytes) else { return Ok(None) };
    let (line, rest) = bytes.split_at_checked(end + 1).ok_or(Malformed)?;
    let line = line.strip_suffix(b"\r\n").ok_or(Malformed)?;
    Ok(Some((std::str::from_utf8(line).map_err(|_| Malformed)?, rest)))
}

const DEEPEST: usize = 2;
const LONGEST: usize = 1_024;
