//! Escapes undone while a text is searched, whichever of them a writer chose and however it mixes them.
//!
//! Each character can be escaped in several ways (`+`, `&#43;`, `&#x2b;`, `&plus;`), and a writer chooses anew for each. So these are no
//! further forms of a secret: where escapes stand, the text around them is read and searched as what it means. That costs a text
//! without any escape one look for three bytes. Each kind is undone once; an encoding within another is read as far as the outer one.

use memchr::{memchr, memchr3};
use zeroize::Zeroizing;

/// Places that `search` finds in what the escapes of a text mean, counted in the text. No place is longer than `reach`, unless it
/// has longer escapes than any usual writer makes for every byte.
pub(super) fn hits(
    text: &[u8],
    reach: usize,
    search: impl Fn(&[u8]) -> Vec<(usize, usize)>,
    found: &mut Vec<(usize, usize)>,
) {
    let Some(first) = memchr3(b'\\', b'&', b'%', text) else { return };
    for kind in &KINDS {
        let mut from = first;
        while let Some(view) = View::next(kind, text, from, reach) {
            found.extend(search(&view.bytes).into_iter().map(|place| view.placed(place)));
            from = view.end;
        }
    }
}

/// How one kind of escape begins, and what one means.
struct Kind {
    begins: u8,
    read: fn(&[u8]) -> Option<Meant>,
}

/// What one escape means.
struct Meant {
    bytes: [u8; 4],
    length: usize,
    /// How long it is written.
    taken: usize,
}

impl Meant {
    fn letter(letter: char, taken: usize) -> Self {
        let mut bytes = [0; 4];
        let length = letter.encode_utf8(&mut bytes).len();
        Self { bytes, length, taken }
    }

    const fn byte(byte: u8, taken: usize) -> Self {
        Self { bytes: [byte, 0, 0, 0], length: 1, taken }
    }
}

/// A stretch of a text with escapes close to one another, as it is meant.
struct View {
    bytes: Zeroizing<Vec<u8>>,
    jumps: Vec<Jump>,
    begin: usize,
    end: usize,
}

/// Where an escape stands in the text, and where in what it means.
struct Jump {
    from: usize,
    at: usize,
    meant: Meant,
}

impl View {
    /// The stretch around the first escape at or behind `from`, and those that follow it within reach.
    fn next(kind: &Kind, text: &[u8], from: usize, reach: usize) -> Option<Self> {
        let (first, meant) = kind.find(text, from, text.len())?;
        let begin = first.saturating_sub(reach);
        let mut behind = first + meant.taken;
        let mut length = first - begin + meant.length;
        let mut jumps = vec![Jump { from: first, at: first - begin, meant }];
        while let Some((at, meant)) = kind.find(text, behind, behind + reach) {
            let before = length + (at - behind);
            (behind, length) = (at + meant.taken, before + meant.length);
            jumps.push(Jump { from: at, at: before, meant });
        }
        let end = text.len().min(behind + reach);
        // Reserved beforehand, so that no growing buffer leaves a copy behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(length + (end - behind)));
        let mut next = begin;
        for jump in &jumps {
            bytes.extend_from_slice(text.get(next..jump.from).unwrap_or_default());
            bytes.extend_from_slice(jump.meant.bytes.get(..jump.meant.length).unwrap_or_default());
            next = jump.from + jump.meant.taken;
        }
        bytes.extend_from_slice(text.get(next..end).unwrap_or_default());
        Some(Self { bytes, jumps, begin, end })
    }

    /// A place in what is meant, as a place in the text: an escape is inside as a whole.
    fn placed(&self, (start, end): (usize, usize)) -> (usize, usize) {
        let (from, _) = self.written(start);
        let (_, behind) = self.written(end.saturating_sub(1));
        (from, behind)
    }

    /// From where to where the byte at `at` is written.
    fn written(&self, at: usize) -> (usize, usize) {
        let before = self.jumps.partition_point(|jump| jump.at <= at);
        let Some(jump) = before.checked_sub(1).and_then(|last| self.jumps.get(last)) else {
            return (self.begin + at, self.begin + at + 1);
        };
        let behind = jump.from + jump.meant.taken;
        match at.checked_sub(jump.at + jump.meant.length) {
            None => (jump.from, behind),
            Some(more) => (behind + more, behind + more + 1),
        }
    }
}

impl Kind {
    /// The first escape that begins between `from` and `until`.
    fn find(&self, text: &[u8], mut from: usize, until: usize) -> Option<(usize, Meant)> {
        loop {
            let at = from + memchr(self.begins, text.get(from..until.min(text.len()))?)?;
            if let Some(meant) = (self.read)(text.get(at..)?) {
                return Some((at, meant));
            }
            from = at + 1;
        }
    }
}

// === what is read ===

/// JSON, and what JavaScript and Python read besides.
fn slashed(text: &[u8]) -> Option<Meant> {
    match *text.get(1)? {
        b'u' => {
            let unit = number(text.get(2..6)?, 16)?;
            if let Some(letter) = char::from_u32(unit) {
                return Some(Meant::letter(letter, 6));
            }
            let low = text.get(6..12).filter(|low| low.starts_with(b"\\u"))?;
            let units = [unit, number(low.get(2..)?, 16)?].map(u16::try_from);
            let [Ok(high), Ok(low)] = units else { return None };
            let letter = char::decode_utf16([high, low]).next()?.ok()?;
            Some(Meant::letter(letter, 12))
        }
        b'x' => Some(Meant::letter(char::from_u32(number(text.get(2..4)?, 16)?)?, 4)),
        b'n' => Some(Meant::byte(b'\n', 2)),
        b'r' => Some(Meant::byte(b'\r', 2)),
        b't' => Some(Meant::byte(b'\t', 2)),
        b'b' => Some(Meant::byte(0x08, 2)),
        b'f' => Some(Meant::byte(0x0c, 2)),
        byte @ (b'"' | b'\\' | b'/' | b'\'') => Some(Meant::byte(byte, 2)),
        _ => None,
    }
}

/// HTML and XML: by number, with or without zeros before it and a semicolon behind it, and by name.
fn entity(text: &[u8]) -> Option<Meant> {
    let rest = text.get(1..)?;
    let Some(rest) = rest.strip_prefix(b"#") else {
        let length = memchr(b';', rest.get(..LONGEST_NAME.min(rest.len()))?)?;
        let name = rest.get(..length)?;
        let (_, byte) = NAMES.iter().find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name))?;
        return Some(Meant::byte(*byte, length + 2));
    };
    let (rest, base, before) = match rest.first()? {
        b'x' | b'X' => (rest.get(1..)?, 16, 3),
        _ => (rest, 10, 2),
    };
    let digits = rest.iter().take(MOST_DIGITS).take_while(|byte| char::from(**byte).is_digit(base)).count();
    let letter = char::from_u32(number(rest.get(..digits)?, base)?)?;
    let closed = usize::from(rest.get(digits) == Some(&b';'));
    Some(Meant::letter(letter, before + digits + closed))
}

fn percent(text: &[u8]) -> Option<Meant> {
    let byte = u8::try_from(number(text.get(1..3)?, 16)?).ok()?;
    Some(Meant::byte(byte, 3))
}

fn number(digits: &[u8], base: u32) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u32, |value, byte| {
        value.checked_mul(base)?.checked_add(char::from(*byte).to_digit(base)?)
    })
}

const KINDS: [Kind; 3] = [
    Kind { begins: b'\\', read: slashed },
    Kind { begins: b'&', read: entity },
    Kind { begins: b'%', read: percent },
];
/// More zeros than any writer puts before a number.
const MOST_DIGITS: usize = 8;
/// The longest name, and its semicolon.
const LONGEST_NAME: usize = 9;
/// The names that HTML has for what is neither a letter nor a digit in ASCII.
const NAMES: [(&str, u8); 39] = [
    ("quot", b'"'),
    ("amp", b'&'),
    ("lt", b'<'),
    ("gt", b'>'),
    ("apos", b'\''),
    ("plus", b'+'),
    ("equals", b'='),
    ("sol", b'/'),
    ("bsol", b'\\'),
    ("colon", b':'),
    ("semi", b';'),
    ("comma", b','),
    ("period", b'.'),
    ("excl", b'!'),
    ("num", b'#'),
    ("dollar", b'$'),
    ("percnt", b'%'),
    ("lpar", b'('),
    ("rpar", b')'),
    ("ast", b'*'),
    ("midast", b'*'),
    ("quest", b'?'),
    ("commat", b'@'),
    ("lsqb", b'['),
    ("lbrack", b'['),
    ("rsqb", b']'),
    ("rbrack", b']'),
    ("lcub", b'{'),
    ("lbrace", b'{'),
    ("rcub", b'}'),
    ("rbrace", b'}'),
    ("verbar", b'|'),
    ("vert", b'|'),
    ("hat", b'^'),
    ("lowbar", b'_'),
    ("underbar", b'_'),
    ("grave", b'`'),
    ("tab", b'\t'),
    ("newline", b'\n'),
];

#[cfg(test)]
mod tests;
