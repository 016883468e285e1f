//! The names in a certificate (RFC 5280, sections 4.1 and 4.2.1.6), read from its DER.
//!
//! TLS has verified the certificate before it is read here, so this is no check of anything: what is odd is left out, so that
//! a name has one reading or is not there.

/// The names of one certificate.
#[derive(Debug, PartialEq, Eq, Default)]
pub(super) struct Names {
    /// The common name of the subject, where there is exactly one.
    pub(super) common_name: Option<String>,
    pub(super) dns_names: Vec<String>,
    pub(super) uris: Vec<String>,
}

/// Reads them; `None` where it is no certificate.
pub(super) fn read(der: &[u8]) -> Option<Names> {
    let (certificate, _) = inside(SEQUENCE, der)?;
    let (mut rest, _) = inside(SEQUENCE, certificate)?;
    if rest.first() == Some(&VERSION) {
        rest = one(rest)?.behind;
    }
    // Serial number, algorithm, issuer, validity.
    for _ in 0..4 {
        rest = one(rest)?.behind;
    }
    let (subject, rest) = inside(SEQUENCE, rest)?;
    let mut names = Names { common_name: common_name(subject), ..Names::default() };
    // The key, and what nobody uses any more.
    let mut rest = one(rest)?.behind;
    while !rest.is_empty() {
        let found = one(rest)?;
        if found.tag == EXTENSIONS {
            alternative_names(found.value, &mut names)?;
        }
        rest = found.behind;
    }
    Some(names)
}

fn common_name(mut subject: &[u8]) -> Option<String> {
    let mut found = None;
    while !subject.is_empty() {
        let (mut set, behind) = inside(SET, subject)?;
        while !set.is_empty() {
            let (attribute, behind) = inside(SEQUENCE, set)?;
            let (kind, value) = inside(OBJECT, attribute)?;
            if kind == COMMON_NAME {
                let value = one(value)?;
                let text = matches!(value.tag, UTF8 | PRINTABLE | IA5).then(|| text(value.value)).flatten();
                if found.replace(text?).is_some() {
                    return None;
                }
            }
            set = behind;
        }
        subject = behind;
    }
    found
}

fn alternative_names(extensions: &[u8], names: &mut Names) -> Option<()> {
    let (mut rest, _) = inside(SEQUENCE, extensions)?;
    while !rest.is_empty() {
        let (extension, behind) = inside(SEQUENCE, rest)?;
        let (kind, mut value) = inside(OBJECT, extension)?;
        if kind == ALTERNATIVE_NAMES {
            if value.first() == Some(&BOOLEAN) {
                value = one(value)?.behind;
            }
            let (octets, _) = inside(OCTETS, value)?;
            let (mut list, _) = inside(SEQUENCE, octets)?;
            while !list.is_empty() {
                let name = one(list)?;
                let text = text(name.value).filter(|text| text.is_ascii());
                match (name.tag, text) {
                    (DNS_NAME, Some(text)) => names.dns_names.push(text.to_ascii_lowercase()),
                    (URI, Some(text)) => names.uris.push(text),
                    _ => {}
                }
                list = name.behind;
            }
        }
        rest = behind;
    }
    Some(())
}

/// Text that looks the same to everybody who reads it.
fn text(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let plain = !text.is_empty() && !text.chars().any(char::is_control) && text.trim() == text;
    plain.then(|| text.to_owned())
}

/// One value, and what stands behind it.
struct One<'a> {
    tag: u8,
    value: &'a [u8],
    behind: &'a [u8],
}

/// The first value of these bytes (X.690, section 8.1): a tag of one byte, a length in the shortest form.
fn one(bytes: &[u8]) -> Option<One<'_>> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7F => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
            let length = digits.iter().fold(0_usize, |length, digit| length << 8 | usize::from(*digit));
            let shortest = digits.first() != Some(&0) && length > 0x7F;
            (shortest.then_some(length)?, rest)
        }
        _ => return None,
    };
    let (value, behind) = rest.split_at_checked(length)?;
    Some(One { tag: *tag, value, behind })
}

/// What is inside of a value of this kind, and what stands behind it.
fn inside(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    one(bytes).filter(|found| found.tag == tag).map(|found| (found.value, found.behind))
}

const BOOLEAN: u8 = 0x01;
const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const UTF8: u8 = 0x0C;
const PRINTABLE: u8 = 0x13;
const IA5: u8 = 0x16;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// `[0]`, constructed.
const VERSION: u8 = 0xA0;
/// `[3]`, constructed.
const EXTENSIONS: u8 = 0xA3;
/// `[2]` and `[6]` of a general name.
const DNS_NAME: u8 = 0x82;
const URI: u8 = 0x86;
/// 2.5.4.3
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// 2.5.29.17
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1D, 0x11];

#[cfg(test)]
mod tests;
