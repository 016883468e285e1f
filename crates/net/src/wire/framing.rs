//! Follows the framing of an HTTP/1 request stream: heads strictly, bodies by their length or their chunks.

use memchr::memchr;

/// What to do with the bytes that were followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// They have one reading.
    Pass,
    /// The byte at this place makes the message ambiguous; it and all behind it must not be seen.
    Cut(usize),
}

/// Why a stream was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// A head without an end.
    Long,
    /// The first line.
    RequestLine,
    /// Another line of a head.
    Line,
    /// A length that is none, or is there twice, or beside a coding.
    Length,
    /// A coding that is not exactly `chunked`, or is there twice, or beside a length.
    Coding,
    /// In a body.
    Chunk,
}

/// Where in the stream we are.
#[derive(Debug)]
pub(super) struct Framing {
    state: State,
    /// The start of a line that came in pieces.
    line: Vec<u8>,
    head: Head,
    heads: u64,
    most: usize,
}

impl Framing {
    pub(super) const fn new(most: usize) -> Self {
        Self { state: State::Head, line: Vec::new(), head: Head::new(), heads: 0, most }
    }

    /// Heads that were complete; of HTTP/2 the preface.
    pub(super) const fn heads(&self) -> u64 {
        self.heads
    }

    /// Whether the last byte that came was the last one of a message, in HTTP/1.
    pub(super) const fn is_between(&self) -> bool {
        matches!(self.state, State::Head) && self.head.bytes == 0 && self.heads > 0
    }

    /// Why the stream was cut.
    pub(super) const fn why(&self) -> Why {
        match (self.state, self.head.why) {
            _ if self.head.bytes > self.most => Why::Long,
            (State::Head, Some(why)) => why,
            (State::Head, None) if self.head.lines == 0 => Why::RequestLine,
            (State::Head, None) => Why::Line,
            _ => Why::Chunk,
        }
    }

    /// Whether the head that was cut asks for the head of a reply only.
    pub(super) const fn asks_for_head(&self) -> bool {
        self.head.asks_for_head
    }

    /// Follows the next bytes of the stream.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> Verdict {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = match self.state {
                State::Http2(left) => {
                    let left = left.saturating_sub(rest.len());
                    self.state = State::Http2(left);
                    self.heads = u64::from(left == 0);
                    return Verdict::Pass;
                }
                State::Body(left) => self.skip(left, rest.len()),
                State::Data(left) => self.skip(left, rest.len()),
                State::Head | State::Size | State::DataEnd | State::Trailer => match self.take_line(rest) {
                    Some(taken) => taken,
                    // All of the line that has not been seen yet, so that it is never seen whole.
                    None => return Verdict::Cut(bytes.len() - rest.len()),
                },
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
        Verdict::Pass
    }

    fn skip(&mut self, left: u64, here: usize) -> usize {
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(here);
        let left = left.saturating_sub(taken as u64);
        self.state = match (self.state, left) {
            (State::Data(_), 0) => State::DataEnd,
            (State::Data(_), left) => State::Data(left),
            (_, 0) => State::Head,
            (_, left) => State::Body(left),
        };
        taken
    }

    /// Takes one line or the part of it that is here; `None` where it may not stand there.
    fn take_line(&mut self, rest: &[u8]) -> Option<usize> {
        let Some(end) = memchr(b'\n', rest) else {
            self.head.bytes = self.head.bytes.saturating_add(rest.len());
            // A CR that is not the last byte here is a bare one: the LF would have to follow it.
            let inner = rest.split_last().map_or(rest, |(_, inner)| inner);
            let dangling = self.line.last() == Some(&b'\r');
            if self.head.bytes > self.most || dangling || memchr(b'\r', inner).is_some() {
                return None;
            }
            self.line.extend_from_slice(rest);
            return Some(rest.len());
        };
        let taken = end + 1;
        self.head.bytes = self.head.bytes.saturating_add(taken);
        if self.head.bytes > self.most {
            return None;
        }
        let here = rest.get(..taken)?;
        if self.line.is_empty() {
            self.end_line(here)?;
        } else {
            let mut line = std::mem::take(&mut self.line);
            line.extend_from_slice(here);
            self.end_line(&line)?;
        }
        Some(taken)
    }

    fn end_line(&mut self, line: &[u8]) -> Option<()> {
        let line = line.strip_suffix(b"\r\n")?;
        if memchr(b'\r', line).is_some() {
            return None;
        }
        match self.state {
            State::Head => self.end_head_line(line),
            State::Size => {
                self.head.bytes = 0;
                self.state = match chunk_size(line)? {
                    0 => State::Trailer,
                    size => State::Data(size),
                };
                Some(())
            }
            State::DataEnd => {
                self.head.bytes = 0;
                self.state = State::Size;
                line.is_empty().then_some(())
            }
            State::Trailer if line.is_empty() => {
                self.next_message(State::Head);
                Some(())
            }
            State::Trailer => name_and_value(line).map(|_| ()),
            State::Http2(_) | State::Body(_) | State::Data(_) => None,
        }
    }

    fn end_head_line(&mut self, line: &[u8]) -> Option<()> {
        if line.is_empty() {
            return self.end_head();
        }
        if self.head.lines == 0 && self.heads == 0 && line == b"PRI * HTTP/2.0" {
            // The library checks the rest of the preface; with anything else behind it, it answers 400 by itself.
            self.state = State::Http2(FIRST_FRAME);
            return Some(());
        }
        if self.head.lines == 0 {
            request_line(line)?;
            self.head.asks_for_head = line.starts_with(b"HEAD ");
            self.head.lines = 1;
            return Some(());
        }
        self.head.lines += 1;
        let (name, value) = name_and_value(line)?;
        if name.eq_ignore_ascii_case(b"content-length") {
            self.head.why = Some(Why::Length);
            let twice = self.head.length.replace(decimal(value)?).is_some();
            return (!twice && !self.head.chunked).then(|| self.head.why = None);
        }
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.head.why = Some(Why::Coding);
            let once = !std::mem::replace(&mut self.head.chunked, true);
            let alone = self.head.length.is_none();
            let plain = once && alone && value.eq_ignore_ascii_case(b"chunked");
            return plain.then(|| self.head.why = None);
        }
        Some(())
    }

    fn end_head(&mut self) -> Option<()> {
        if self.head.lines == 0 {
            // Old programs send an empty line behind a body; one such line is skipped, as RFC 9112, section 2.2, asks.
            self.head.blank += 1;
            return (self.head.blank == 1).then_some(());
        }
        self.heads = self.heads.saturating_add(1);
        let next = match (self.head.chunked, self.head.length) {
            (true, _) => State::Size,
            (false, None | Some(0)) => State::Head,
            (false, Some(length)) => State::Body(length),
        };
        self.next_message(next);
        Some(())
    }

    fn next_message(&mut self, state: State) {
        self.head = Head::new();
        self.state = state;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Request line and headers.
    Head,
    /// So many bytes of a body with a length.
    Body(u64),
    /// The line with a chunk's size.
    Size,
    /// So many bytes of a chunk.
    Data(u64),
    /// The line end behind a chunk.
    DataEnd,
    /// Lines behind the last chunk.
    Trailer,
    /// Frames, which have no ambiguities of this kind; so many bytes until the first of them has begun.
    Http2(usize),
}

/// What is known of the head that is being read.
#[derive(Debug)]
struct Head {
    bytes: usize,
    lines: usize,
    blank: usize,
    length: Option<u64>,
    chunked: bool,
    asks_for_head: bool,
    /// What would be wrong with the line that is being read.
    why: Option<Why>,
}

impl Head {
    const fn new() -> Self {
        Self { bytes: 0, lines: 0, blank: 0, length: None, chunked: false, asks_for_head: false, why: None }
    }
}

/// Method, target and version, one space between each.
fn request_line(line: &[u8]) -> Option<()> {
    let (method, rest) = split(line, b' ')?;
    let (target, version) = split(rest, b' ')?;
    let whole = !method.is_empty() && !target.is_empty();
    // A fragment is no part of a target; the library drops it, where another program may take it for a part of the path.
    let plain = line.iter().all(|b| *b >= 0x20 && *b != 0x7f && *b != b'#');
    (whole && plain && (version == b"HTTP/1.1" || version == b"HTTP/1.0")).then_some(())
}

/// A header line. A name with white space in or around it (a folded line has it in front) is none.
fn name_and_value(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, value) = split(line, b':')?;
    let visible = !name.is_empty() && name.iter().all(|b| b.is_ascii_graphic());
    // A NUL in a value is refused by the library as well; a tab is allowed.
    (visible && memchr(0, value).is_none()).then(|| (name, trim(value)))
}

/// What stands before the first of these bytes, and what behind it.
fn split(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let place = memchr(at, text)?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

/// Without the spaces and tabs around it; any other white space stays, and makes a number or a coding wrong.
fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

fn decimal(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if digits { std::str::from_utf8(text).ok()?.parse().ok() } else { None }
}

/// Hexadecimal digits, at most 15 of them, and extensions, which are ignored as RFC 9112, section 7.1.1, asks: requests are framed
/// anew, so that none goes on. One that is not exactly as its grammar has it, without white space, is refused: programs that look
/// for the end of an extension in different ways were smuggled past.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let end = memchr(b';', line).unwrap_or(line.len());
    let (size, mut rest) = line.split_at_checked(end)?;
    while !rest.is_empty() {
        rest = behind_extension(rest)?;
    }
    let digits = !size.is_empty() && size.len() <= 15 && size.iter().all(u8::is_ascii_hexdigit);
    if digits { u64::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok() } else { None }
}

/// What follows one `;name`, `;name=value` or `;name="value"`.
fn behind_extension(text: &[u8]) -> Option<&[u8]> {
    let rest = behind_token(text.strip_prefix(b";")?)?;
    let Some(value) = rest.strip_prefix(b"=") else { return Some(rest) };
    let Some(mut quoted) = value.strip_prefix(b"\"") else { return behind_token(value) };
    loop {
        quoted = match quoted {
            [b'"', rest @ ..] => return Some(rest),
            [b'\\', b'\t' | b' '..=b'~', rest @ ..] => rest,
            [b'\t' | b' '..=b'[' | b']'..=b'~', rest @ ..] => rest,
            _ => return None,
        };
    }
}

/// What follows a token, which has at least one letter.
fn behind_token(text: &[u8]) -> Option<&[u8]> {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let end = text.iter().position(|byte| !is_token(byte)).unwrap_or(text.len());
    text.get(end..).filter(|_| end > 0)
}

/// The rest of the preface behind its first line, and the header of the frame that has to follow it.
const FIRST_FRAME: usize = 8 + 9;
