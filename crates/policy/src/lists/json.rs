//! A body as JSON that has one reading only: no key twice at any depth, nothing behind the value, whole escapes of whole
//! characters, numbers as they are written, at most 64 levels.
//!
//! Our own reader and not the usual one, because that one makes 64-bit floats of numbers and keeps the last of two keys.

use super::decimal::Decimal;
use super::pairs::same_letters;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(Decimal, Box<str>),
    Text(String),
    List(Vec<Json>),
    /// Keys in their order, each once.
    Map(Vec<(String, Json)>),
}

impl Json {
    /// The value under a key; `None` also where another key differs by its letters' case only.
    pub(super) fn only(&self, key: &str) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        let mut near = entries.iter().filter(|(name, _)| same_letters(name, key));
        match (near.next(), near.next()) {
            (Some((name, value)), None) if name == key => Some(value),
            _ => None,
        }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// It is not JSON, or has more than one reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotStrict;

/// Reads a whole body.
pub(super) fn read(body: &[u8]) -> Result<Json, NotStrict> {
    let text = std::str::from_utf8(body).map_err(|_| NotStrict)?;
    let mut reader = Reader { rest: text };
    let value = reader.value(0)?;
    reader.space();
    if reader.rest.is_empty() { Ok(value) } else { Err(NotStrict) }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn take(&mut self, wanted: &str) -> bool {
        let found = self.rest.strip_prefix(wanted);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn need(&mut self, wanted: &str) -> Result<(), NotStrict> {
        if self.take(wanted) { Ok(()) } else { Err(NotStrict) }
    }

    fn value(&mut self, depth: usize) -> Result<Json, NotStrict> {
        if depth >= DEEPEST {
            return Err(NotStrict);
        }
        self.space();
        match self.rest.bytes().next() {
            Some(b'{') => self.map(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.text().map(Json::Text),
            Some(b't') => self.need("true").map(|()| Json::Bool(true)),
            Some(b'f') => self.need("false").map(|()| Json::Bool(false)),
            Some(b'n') => self.need("null").map(|()| Json::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(NotStrict),
        }
    }

    fn map(&mut self, depth: usize) -> Result<Json, NotStrict> {
        self.need("{")?;
        self.space();
        let mut entries = Vec::new();
        if self.take("}") {
            return Ok(Json::Map(entries));
        }
        let mut seen = std::collections::HashSet::new();
        loop {
            self.space();
            let key = self.text()?;
            if !seen.insert(key.clone()) {
                return Err(NotStrict);
            }
            self.space();
            self.need(":")?;
            entries.push((key, self.value(depth + 1)?));
            self.space();
            if self.take("}") {
                return Ok(Json::Map(entries));
            }
            self.need(",")?;
        }
    }

    fn list(&mut self, depth: usize) -> Result<Json, NotStrict> {
        self.need("[")?;
        self.space();
        let mut entries = Vec::new();
        if self.take("]") {
            return Ok(Json::List(entries));
        }
        loop {
            entries.push(self.value(depth + 1)?);
            self.space();
            if self.take("]") {
                return Ok(Json::List(entries));
            }
            self.need(",")?;
        }
    }

    fn number(&mut self) -> Result<Json, NotStrict> {
        let end = self.rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'));
        let (text, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        Decimal::parse(text).map(|number| Json::Number(number, text.into())).ok_or(NotStrict)
    }

    fn text(&mut self) -> Result<String, NotStrict> {
        self.need("\"")?;
        let mut out = String::new();
        loop {
            let end = self.rest.find(['"', '\\']).ok_or(NotStrict)?;
            let (plain, rest) = self.rest.split_at(end);
            if plain.bytes().any(|b| b < 0x20) {
                return Err(NotStrict);
            }
            out.push_str(plain);
            self.rest = rest;
            if self.take("\"") {
                return Ok(out);
            }
            self.need("\\")?;
            out.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Result<char, NotStrict> {
        let mut rest = self.rest.chars();
        let sign = rest.next().ok_or(NotStrict)?;
        self.rest = rest.as_str();
        Ok(match sign {
            '"' | '\\' | '/' => sign,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode(),
            _ => return Err(NotStrict),
        })
    }

    /// Four digits, or two halves of a surrogate pair. A half alone is read differently by different servers.
    fn unicode(&mut self) -> Result<char, NotStrict> {
        let first = self.four()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or(NotStrict);
        }
        self.need("\\u")?;
        let second = self.four()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(NotStrict);
        }
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or(NotStrict)
    }

    fn four(&mut self) -> Result<u32, NotStrict> {
        let digits = self.rest.get(..4).ok_or(NotStrict)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(NotStrict);
        }
        self.rest = self.rest.get(4..).ok_or(NotStrict)?;
        u32::from_str_radix(digits, 16).map_err(|_| NotStrict)
    }
}

/// Most levels of lists and objects, counting the value itself.
const DEEPEST: usize = 64;
