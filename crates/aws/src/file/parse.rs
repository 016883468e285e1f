//! From the text of a profile file to blocks and entries that know where they stand.
//!
//! # Invariants
//!
//! - Every span lies on line or character borders of the text, and spans of one file don't overlap.
//! - Nothing here fails but for a line that is neither header, key, comment nor empty, or an open quote.

use std::ops::Range;
use std::path::Path;

use super::DEFAULT;
use super::error::{Error, shown};

/// What a header names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Title {
    /// What stands before the first header; belongs to nobody.
    Preamble,
    Default,
    Profile(String),
    SsoSession(String),
    Services(String),
    Other(String),
}

impl Title {
    /// The name of the profile, where this is one.
    pub(super) fn profile(&self) -> Option<&str> {
        match self {
            Self::Default => Some(DEFAULT),
            Self::Profile(name) => Some(name),
            Self::Preamble | Self::SsoSession(_) | Self::Services(_) | Self::Other(_) => None,
        }
    }

    fn of(inside: &str) -> Self {
        let inside = inside.trim();
        let (kind, name) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
        let name = unquoted(name.trim());
        match kind {
            DEFAULT if name.is_empty() => Self::Default,
            "profile" if !name.is_empty() => Self::Profile(name.to_owned()),
            "sso-session" if !name.is_empty() => Self::SsoSession(name.to_owned()),
            "services" if !name.is_empty() => Self::Services(name.to_owned()),
            _ => Self::Other(inside.to_owned()),
        }
    }
}

/// A header and the entries up to the next one.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) title: Title,
    /// The line of the header with its end.
    pub(super) span: Range<usize>,
    pub(super) entries: Vec<Entry>,
}

impl Block {
    /// Where the last thing of this block ends; comments after it may belong to the next one.
    pub(super) fn end(&self) -> usize {
        self.entries.last().map_or(self.span.end, |entry| entry.span.end)
    }
}

/// A key and its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// In lower case.
    pub(super) key: String,
    pub(super) value: String,
    /// The line, from 1.
    pub(super) line: usize,
    /// All its lines with their ends, those of the nested block as well.
    pub(super) span: Range<usize>,
    /// The value as it is written, with quotes, without a comment.
    pub(super) value_span: Range<usize>,
    /// The lines that are indented below an empty value.
    pub(super) nested: Vec<String>,
}

/// Reads a text. The first block is what stands before the first header.
pub(super) fn blocks(text: &str, path: &Path) -> Result<Vec<Block>, Error> {
    let mut lines = Lines { text, at: if text.starts_with(MARK) { MARK.len_utf8() } else { 0 }, number: 0 };
    let mut blocks = Vec::new();
    let mut block = Block { title: Title::Preamble, span: 0..0, entries: Vec::new() };
    while let Some(line) = lines.next() {
        let trimmed = line.text.trim();
        if trimmed.contains('\0') {
            // No variable and no program can be given one.
            return Err(line.malformed(path, "there is a NUL byte in it"));
        }
        let indented = line.text.starts_with([' ', '\t']);
        if let Some(entry) = block.entries.last_mut().filter(|entry| indented && entry.value.is_empty()) {
            if !trimmed.is_empty() {
                entry.span.end = line.end;
            }
            if !is_remark(trimmed) {
                entry.nested.push(trimmed.to_owned());
            }
        } else if is_remark(trimmed) {
        } else if let Some(header) = trimmed.strip_prefix('[') {
            let title =
                Title::of(inside(header).ok_or_else(|| line.malformed(path, "the `[` is not closed"))?);
            let fresh = Block { title, span: line.start..line.end, entries: Vec::new() };
            blocks.push(std::mem::replace(&mut block, fresh));
        } else {
            block.entries.push(entry(&line, &mut lines, path)?);
        }
    }
    blocks.push(block);
    Ok(blocks)
}

/// Splits a nested line into its key, in lower case, and its value.
pub(super) fn pair(line: &str) -> Option<(String, &str)> {
    let (key, value) = line.split_once(['=', ':'])?;
    let value = value.trim();
    Some((key.trim().to_lowercase(), without_quotes(without_comment(value))))
}

/// A name without the quotes that the AWS CLI wants around one with spaces.
pub(super) fn unquoted(name: &str) -> &str {
    ['"', '\''].into_iter().find_map(|mark| name.strip_prefix(mark)?.strip_suffix(mark)).unwrap_or(name)
}

/// Nothing, or a comment.
fn is_remark(trimmed: &str) -> bool {
    trimmed.is_empty() || trimmed.starts_with(['#', ';'])
}

/// What stands in the brackets: up to the first `]` that only a comment follows, else up to the last one, so that a name
/// may have brackets and a comment as well.
fn inside(header: &str) -> Option<&str> {
    let closing = header
        .match_indices(']')
        .find(|(at, _)| header.get(at + 1..).is_some_and(|rest| is_remark(rest.trim())));
    let (at, _) = closing.or_else(|| header.rmatch_indices(']').next())?;
    header.get(..at)
}

fn entry<'t>(line: &Line<'t>, lines: &mut Lines<'t>, path: &Path) -> Result<Entry, Error> {
    let Some((key, rest)) = line.text.split_once(['=', ':']) else {
        return Err(line.malformed(path, "there is no `=`"));
    };
    if key.trim().is_empty() {
        return Err(line.malformed(path, "there is no name before the `=`"));
    }
    let written = rest.trim();
    let value_start = line.start + line.text.len() - rest.trim_start().len();
    let (value, value_end) = match Opening::of(written) {
        Opening::Quote(mark) => quoted(mark, line, value_start, lines)
            .ok_or_else(|| line.malformed(path, "a quote is not closed"))?,
        Opening::Continued(first) => continued(first, value_start + written.len(), lines),
        Opening::Plain => {
            let plain = without_comment(written);
            (without_quotes(plain).to_owned(), value_start + plain.len())
        }
    };
    Ok(Entry {
        key: key.trim().to_lowercase(),
        value,
        line: line.number,
        span: line.start..lines.at,
        value_span: value_start..value_end,
        nested: Vec::new(),
    })
}

/// How a value begins.
enum Opening<'t> {
    /// With three double quotes or a back quote, up to the next such.
    Quote(&'static str),
    /// It ends with a backslash and goes on in the next line; the part before it.
    Continued(&'t str),
    Plain,
}

impl<'t> Opening<'t> {
    fn of(written: &'t str) -> Self {
        if written.len() > 3 && written.starts_with(TRIPLE) {
            return Self::Quote(TRIPLE);
        }
        if written.starts_with(BACK) {
            return Self::Quote(BACK);
        }
        written.strip_suffix('\\').map_or(Self::Plain, Self::Continued)
    }
}

/// The value between two quotes, which may be lines apart, and where it ends.
fn quoted(mark: &str, line: &Line<'_>, start: usize, lines: &mut Lines<'_>) -> Option<(String, usize)> {
    let from = start + mark.len();
    let first = lines.text.get(from..line.start + line.text.len())?;
    if let Some(close) = first.rfind(mark) {
        return Some((first.get(..close)?.to_owned(), from + close + mark.len()));
    }
    loop {
        let next = lines.next()?;
        if let Some(close) = next.text.rfind(mark) {
            let end = next.start + close;
            return Some((lines.text.get(from..end)?.to_owned(), end + mark.len()));
        }
    }
}

/// The value of lines that end with a backslash, and where it ends.
fn continued(first: &str, end: usize, lines: &mut Lines<'_>) -> (String, usize) {
    let (mut value, mut end) = (first.to_owned(), end);
    while let Some(line) = lines.next() {
        let next = line.text.trim();
        if next.is_empty() {
            break;
        }
        end = line.start + line.text.trim_end().len();
        match next.strip_suffix('\\') {
            Some(more) => value.push_str(more),
            None => {
                value.push_str(next);
                break;
            }
        }
    }
    (value, end)
}

/// A value without the comment behind it. It needs a space before it, so that a URL keeps its fragment. `;` is looked for
/// only where there is no ` #`, as commands have both.
fn without_comment(value: &str) -> &str {
    match value.split_once(" #").or_else(|| value.split_once(" ;")) {
        Some((before, _)) => before.trim_end(),
        None => value,
    }
}

/// A value without the one pair of quotes around it.
fn without_quotes(value: &str) -> &str {
    let pair = ['"', '\'']
        .into_iter()
        .find_map(|mark| value.strip_prefix(mark)?.strip_suffix(mark).filter(|inner| !inner.contains(mark)));
    pair.unwrap_or(value)
}

/// A line without its end.
struct Line<'t> {
    text: &'t str,
    start: usize,
    /// With the end of the line.
    end: usize,
    number: usize,
}

impl Line<'_> {
    fn malformed(&self, path: &Path, problem: &'static str) -> Error {
        Error::Malformed { path: path.to_owned(), line: self.number, text: shown(self.text), problem }
    }
}

struct Lines<'t> {
    text: &'t str,
    at: usize,
    number: usize,
}

impl<'t> Lines<'t> {
    fn next(&mut self) -> Option<Line<'t>> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let (line, length) = match rest.split_once('\n') {
            Some((line, _)) => (line, line.len() + 1),
            None => (rest, rest.len()),
        };
        let start = self.at;
        self.at += length;
        self.number += 1;
        Some(Line { text: line.strip_suffix('\r').unwrap_or(line), start, end: self.at, number: self.number })
    }
}

/// The byte order mark that some editors put before the text.
const MARK: char = '\u{feff}';
const TRIPLE: &str = "\"\"\"";
const BACK: &str = "`";
