//! Path templates: literal segments, `{name}` for one segment, `{name}:verb` or `{name}.json` for one that ends so, `{name...}` for the rest.
//!
//! Segments are split before anything is decoded, so an escaped slash never makes a new one. A literal is compared with
//! the decoded segment, so that `%3A` for `:` does not slip past it to a wider template.

mod shown;

use std::cmp::Ordering;

use model::{Inputs, Target};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// A path template, as its segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<Segment>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Input(String),
    /// With what stands behind it, from the colon or the dot on.
    Verb(String, String),
    Rest(String),
}

/// Whether an escaped slash may stand in the segment of an input.
pub(crate) type SlashRule<'a> = &'a dyn Fn(&str) -> bool;

impl Template {
    /// Reads a template such as `/repos/{owner}/{repo}/contents/{path...}`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix('/').ok_or("a path begins with `/`")?;
        let mut segments = Vec::new();
        let mut parts = rest.split('/').peekable();
        while let Some(part) = parts.next() {
            // The root, or a path that ends with `/`: its last segment is empty, and matches nothing else.
            if part.is_empty() && parts.peek().is_none() {
                segments.push(Segment::Literal(String::new()));
                break;
            }
            if matches!(segments.last(), Some(Segment::Rest(_))) {
                return Err("`{name...}` has to be the last segment".to_owned());
            }
            segments.push(segment(part)?);
        }
        let template = Self(segments);
        let names: Vec<&str> = template.inputs().collect();
        if let Some(twice) =
            names.iter().enumerate().find(|(at, name)| names.iter().skip(at + 1).any(|n| n == *name))
        {
            return Err(format!("`{{{}}}` stands twice in the path", twice.1));
        }
        Ok(template)
    }

    /// The names of its inputs, in order.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|segment| match segment {
            Segment::Literal(_) => None,
            Segment::Input(name) | Segment::Verb(name, _) | Segment::Rest(name) => Some(name.as_str()),
        })
    }

    /// The decoded inputs, where the template matches these segments.
    pub(crate) fn read(&self, segments: &[&str], slash: SlashRule<'_>) -> Option<Inputs> {
        let mut inputs = Inputs::new();
        let mut given = segments.iter();
        for segment in &self.0 {
            match segment {
                Segment::Literal(literal) => {
                    // Nothing is copied for a segment without escapes.
                    if percent_decode_str(given.next()?).decode_utf8().ok()? != *literal {
                        return None;
                    }
                }
                Segment::Input(name) => {
                    inputs.insert(name.clone(), one(given.next()?, slash(name))?);
                }
                Segment::Verb(name, verb) => {
                    let whole = one(given.next()?, slash(name))?;
                    let value = whole.strip_suffix(verb.as_str()).filter(|value| !value.is_empty())?;
                    inputs.insert(name.clone(), value.to_owned());
                }
                Segment::Rest(name) => {
                    let parts: Option<Vec<String>> =
                        given.by_ref().map(|part| one(part, slash(name))).collect();
                    let parts = parts.filter(|parts| !parts.is_empty())?;
                    inputs.insert(name.clone(), parts.join("/"));
                }
            }
        }
        given.next().is_none().then_some(inputs)
    }

    /// Whether a service that minds neither letter case nor a slash at the end would take these segments for this path.
    pub(crate) fn resembles(&self, segments: &[&str]) -> bool {
        let end = segments.iter().rposition(|segment| !segment.is_empty()).map_or(0, |last| last + 1);
        let mut given = segments.iter().take(end);
        for segment in &self.0 {
            let part = given.next().map(|part| percent_decode_str(part).decode_utf8_lossy());
            let fits = match (segment, part) {
                (Segment::Literal(literal), None) => literal.is_empty(),
                (Segment::Literal(literal), Some(part)) => part.eq_ignore_ascii_case(literal),
                (_, None) => false,
                (Segment::Input(_), Some(_)) => true,
                (Segment::Verb(_, verb), Some(part)) => {
                    part.to_ascii_lowercase().ends_with(&verb.to_ascii_lowercase())
                }
                (Segment::Rest(_), Some(_)) => return true,
            };
            if !fits {
                return false;
            }
        }
        given.next().is_none()
    }

    /// The path with these inputs; `None` where one is missing, empty, or cannot stand there.
    pub(crate) fn write(&self, inputs: &Inputs, slash: SlashRule<'_>) -> Option<String> {
        let mut path = String::new();
        for segment in &self.0 {
            path.push('/');
            match segment {
                Segment::Literal(literal) => path.extend(utf8_percent_encode(literal, SEGMENT)),
                Segment::Input(name) => {
                    let value = inputs.get(name).filter(|value| !value.is_empty())?;
                    if value.contains('/') && !slash(name) {
                        return None;
                    }
                    path.extend(utf8_percent_encode(value, SEGMENT));
                }
                Segment::Verb(name, verb) => {
                    let value = inputs.get(name).filter(|value| !value.is_empty())?;
                    if value.contains('/') && !slash(name) {
                        return None;
                    }
                    path.extend(utf8_percent_encode(value, SEGMENT));
                    path.push_str(verb);
                }
                Segment::Rest(name) => {
                    let value = inputs.get(name).filter(|value| !value.is_empty())?;
                    let parts: Vec<String> =
                        value.split('/').map(|part| utf8_percent_encode(part, SEGMENT).to_string()).collect();
                    path.push_str(&parts.join("/"));
                }
            }
        }
        Some(path)
    }

    /// Whether some path matches both.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let (mut ours, mut theirs) = (self.0.iter(), other.0.iter());
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (None, Some(_)) | (Some(_), None) => return false,
                (Some(Segment::Rest(_)), Some(_)) | (Some(_), Some(Segment::Rest(_))) => return true,
                (Some(Segment::Literal(a)), Some(Segment::Literal(b))) if a != b => return false,
                (Some(Segment::Verb(_, verb)), Some(Segment::Literal(text)))
                | (Some(Segment::Literal(text)), Some(Segment::Verb(_, verb)))
                    if !text.ends_with(verb.as_str()) =>
                {
                    return false;
                }
                (Some(Segment::Verb(_, a)), Some(Segment::Verb(_, b))) if a != b => return false,
                (Some(_), Some(_)) => {}
            }
        }
    }

    /// Which of two overlapping templates is the narrower one; `None` where neither is.
    pub(crate) fn narrower(&self, other: &Self) -> Option<Ordering> {
        let mut order = Ordering::Equal;
        for (ours, theirs) in self.0.iter().zip(&other.0) {
            let here = ours.width().cmp(&theirs.width());
            match (order, here) {
                (_, Ordering::Equal) => {}
                (Ordering::Equal, _) => order = here,
                (before, now) if before != now => return None,
                _ => {}
            }
        }
        (order != Ordering::Equal).then_some(order)
    }

    /// Sorts narrower templates first: whenever [`Self::narrower`] says `Less`, so does this order.
    pub(crate) fn widths(&self) -> Vec<u8> {
        self.0.iter().map(Segment::width).collect()
    }
}

impl Segment {
    const fn width(&self) -> u8 {
        match self {
            Self::Literal(_) => 0,
            Self::Verb(..) => 1,
            Self::Input(_) => 2,
            Self::Rest(_) => 3,
        }
    }
}

fn segment(part: &str) -> Result<Segment, String> {
    if let Some(inner) = part.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')) {
        let (name, rest) = inner.strip_suffix("...").map_or((inner, false), |name| (name, true));
        if !is_word(name) {
            return Err("an input's name is made of lower-case letters, digits and `_`".to_owned());
        }
        return Ok(if rest { Segment::Rest(name.to_owned()) } else { Segment::Input(name.to_owned()) });
    }
    if let Some((name, verb)) = part.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        let is_verb =
            verb.strip_prefix([':', '.']).is_some_and(|word| !word.is_empty() && word.bytes().all(plain));
        if is_word(name) && is_verb {
            return Ok(Segment::Verb(name.to_owned(), verb.to_owned()));
        }
    }
    let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'{' | b'}' | b'%' | b'?' | b'#' | b';' | b'\\');
    if part.is_empty() || part == "." || part == ".." || !part.bytes().all(plain) {
        return Err("a segment of a path is text without escapes, or one `{name}`".to_owned());
    }
    Ok(Segment::Literal(part.to_owned()))
}

/// Whether a text can be the name of an input, a secret or a parameter.
pub(crate) fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.len() <= 63
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// One segment as an input: not empty, no `;` however it is written (servers disagree on what follows it), no slash unless it
/// is expected.
fn one(segment: &str, slash: bool) -> Option<String> {
    let parameters = segment.contains(';') || segment.contains("%3B");
    if segment.is_empty() || parameters || (!slash && segment.contains("%2F")) {
        return None;
    }
    decoded(segment)
}

fn decoded(segment: &str) -> Option<String> {
    percent_decode_str(segment).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// The segments of a target, split once.
pub(crate) fn segments(target: &Target) -> Vec<&str> {
    target.segments().collect()
}

/// What is escaped in a segment that we write: all but the unreserved characters (RFC 3986, section 2.3).
pub(crate) const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests;
