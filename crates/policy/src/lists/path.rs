//! Paths: patterns of rules, and the readings of a request's path.
//!
//! A path is split before it is decoded, so that an encoded slash is never a separator. A rule that allows sees one reading,
//! and a segment that is odd (empty, or with a separator, an escape or a control character left in it) fits no wildcard. A
//! rule that denies sees every reading that a server may have, without regard to case.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// One segment of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Exactly this text, decoded.
    Literal(Box<str>),
    /// `*`: exactly one segment.
    One,
    /// `**`: any number of segments, none included.
    Any,
}

impl Part {
    /// The same in lower case, as rules that deny compare.
    pub(super) fn folded(&self) -> Self {
        match self {
            Self::Literal(text) => Self::Literal(text.to_lowercase().into()),
            other => other.clone(),
        }
    }
}

/// Reads a pattern such as `/a/*/c/**`.
pub(super) fn pattern(text: &str) -> Result<Vec<Part>, String> {
    if text.contains(['?', '#', '\\']) || text.chars().any(char::is_control) {
        return Err(
            "a path has no `?`, `#` or `\\`; what a query has to hold stands under `query`".to_owned()
        );
    }
    if text.trim().is_empty() {
        return Err("`path` is empty; write `/**` for every path".to_owned());
    }
    let trimmed = text.strip_prefix('/').unwrap_or(text);
    let trimmed = trimmed.strip_suffix('/').unwrap_or(trimmed);
    if trimmed.is_empty() {
        return Ok(Vec::new());
    }
    trimmed.split('/').map(part).collect()
}

fn part(segment: &str) -> Result<Part, String> {
    match segment {
        "*" => Ok(Part::One),
        "**" => Ok(Part::Any),
        "" => Err("a path has no empty segments: no request with `//` in it is ever allowed".to_owned()),
        "." | ".." => Err("a path has no `.` or `..`: no request has them".to_owned()),
        _ if segment.contains('*') => {
            Err("`*` stands for a whole segment, and `**` for several; write `%2A` for the character"
                .to_owned())
        }
        _ => {
            let decoded = String::from_utf8(decode(segment.as_bytes()));
            decoded.map(|text| Part::Literal(text.into())).map_err(|_| "a path is UTF-8 text".to_owned())
        }
    }
}

/// A segment of a request, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment<'a> {
    pub(super) text: Cow<'a, str>,
    /// Whether a server may read something else than one plain segment.
    pub(super) odd: bool,
}

/// The one reading that a rule may allow.
pub(super) fn exact(path: &str) -> Vec<Segment<'_>> {
    trimmed(path)
        .map(|segment| {
            let text = text(segment);
            let odd = is_odd(&text);
            Segment { text, odd }
        })
        .collect()
}

/// Every reading that some server may have, in lower case; nothing in them is odd to a rule that denies.
pub(super) fn readings(path: &str) -> Vec<Vec<Segment<'static>>> {
    let mut all: Vec<Vec<String>> = Vec::new();
    let once: Vec<String> = trimmed(path).map(|segment| text(segment).into_owned()).collect();
    if path.contains(['%', '\\']) {
        let mut whole = path.to_owned();
        for _ in 0..LAYERS {
            whole = text(&whole).into_owned();
        }
        all.push(trimmed(&whole.replace('\\', "/")).map(ToOwned::to_owned).collect());
    }
    all.push(once);
    if path.contains(';') || path.contains("%3B") {
        let cut = |segment: &String| segment.split(';').next().unwrap_or_default().to_owned();
        let more: Vec<_> = all.iter().map(|segments| segments.iter().map(cut).collect()).collect();
        all.extend(more);
    }
    let empty = |segments: &Vec<String>| segments.iter().any(|segment| segment.is_empty() || segment == ".");
    if all.iter().any(empty) {
        let full = |segments: &Vec<String>| {
            segments.iter().filter(|one| !one.is_empty() && *one != ".").cloned().collect()
        };
        let more: Vec<Vec<String>> = all.iter().filter(|one| empty(one)).map(full).collect();
        all.extend(more);
    }
    let lower: Vec<Vec<String>> =
        all.iter().map(|all| all.iter().map(|text| text.trim().to_lowercase()).collect()).collect();
    let folded: Vec<Vec<String>> =
        lower.iter().map(|all| all.iter().map(|text| folded(text).into_owned()).collect()).collect();
    let mut all = lower;
    all.extend(folded);
    all.sort_unstable();
    all.dedup();
    let seen = |text: String| Segment { text: Cow::Owned(text), odd: false };
    all.into_iter().map(|segments| segments.into_iter().map(seen).collect()).collect()
}

/// A segment as generous servers read it: letters of full width and their like as plain ones, without what is not seen, without what
/// Windows drops at the end of a name, and with `+` for a space.
fn folded(text: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'+';
    if text.bytes().all(plain) && !text.ends_with('.') {
        return Cow::Borrowed(text);
    }
    let unseen = |c: &char| {
        matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}') || c.is_control()
    };
    let spaced: String = text.replace('+', " ").nfkc().filter(|c| !unseen(c)).collect();
    let folded = spaced.to_lowercase();
    let trimmed = folded.trim().trim_end_matches(['.', ' ']);
    // Nothing but points is a segment that others skip; it stays what it is.
    if trimmed.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(trimmed.to_owned()) }
}

/// The segments of a path; one slash at its end counts for nothing.
fn trimmed(path: &str) -> impl Iterator<Item = &str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/').filter(move |_| !path.is_empty())
}

fn text(segment: &str) -> Cow<'_, str> {
    if !segment.contains('%') {
        return Cow::Borrowed(segment);
    }
    Cow::Owned(String::from_utf8_lossy(&decode(segment.as_bytes())).into_owned())
}

fn is_odd(text: &str) -> bool {
    let escape = text.as_bytes().windows(3).any(|three| match three {
        [b'%', high, low] => hex(*high).is_some() && hex(*low).is_some(),
        _ => false,
    });
    escape
        || text.is_empty()
        || text.trim() != text
        || text.chars().all(|c| c == '.')
        || text.contains(['/', '\\', ';', '?', '#', '\u{fffd}'])
        || text.chars().any(char::is_control)
}

/// One layer of escapes less; what is no whole escape stays.
fn decode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        let escape = match behind {
            [high, low, tail @ ..] if *first == b'%' => hex(*high).zip(hex(*low)).map(|pair| (pair, tail)),
            _ => None,
        };
        match escape {
            Some(((high, low), tail)) => {
                out.push(high << 4 | low);
                rest = tail;
            }
            None => {
                out.push(*first);
                rest = behind;
            }
        }
    }
    out
}

pub(super) const fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Layers of escapes that a rule that denies looks through.
const LAYERS: usize = 4;
