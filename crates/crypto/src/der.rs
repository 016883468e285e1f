//! As much of DER (ITU-T X.690) as a public key needs: to find one in a certificate, and to write an RSA key.
//!
//! Nothing is believed because it was read here: the library reads the key that is found, and refuses what is none.

/// An element: its tag, its contents, and the whole of it.
struct Element<'a> {
    tag: u8,
    contents: &'a [u8],
    whole: &'a [u8],
}

/// The first element, and what follows it. Only definite lengths in their shortest form.
fn element(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, head) = match first {
        0..=0x7f => (usize::from(first), 2),
        0x81..=0x84 => {
            let count = usize::from(first & 0x7f);
            let digits = rest.get(..count)?;
            let length = digits.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
            if length < 0x80 || digits.first() == Some(&0) {
                return None;
            }
            (length, 2 + count)
        }
        _ => return None,
    };
    let end = head.checked_add(length)?;
    let (whole, behind) = bytes.split_at_checked(end)?;
    Some((Element { tag, contents: whole.get(head..)?, whole }, behind))
}

/// The public key (`SubjectPublicKeyInfo`) of a certificate (RFC 5280, section 4.1).
pub(crate) fn public_key_of_certificate(der: &[u8]) -> Option<&[u8]> {
    let (certificate, behind) = element(der)?;
    if certificate.tag != SEQUENCE || !behind.is_empty() {
        return None;
    }
    let (body, _) = element(certificate.contents)?;
    if body.tag != SEQUENCE {
        return None;
    }
    let (first, rest) = element(body.contents)?;
    // The version is written only where it is not 1.
    let mut rest = if first.tag == VERSION { element(rest)?.1 } else { rest };
    // Signature algorithm, issuer, validity, subject.
    for _ in 0..4 {
        rest = element(rest)?.1;
    }
    let (key, _) = element(rest)?;
    (key.tag == SEQUENCE).then_some(key.whole)
}

/// An RSA key as `RSAPublicKey` (RFC 8017, appendix A.1.1).
pub(crate) fn rsa_public_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let numbers = [number(modulus), number(exponent)].concat();
    written(SEQUENCE, &numbers)
}

/// Whether the bytes are exactly one sequence, as every key and certificate is.
pub(crate) fn is_whole_sequence(bytes: &[u8]) -> bool {
    element(bytes).is_some_and(|(found, behind)| {
        found.tag == SEQUENCE && behind.is_empty() && element(found.contents).is_some()
    })
}

/// A positive number, big endian, without leading zeros but the one that keeps it positive.
fn number(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let digits = bytes.get(start..).unwrap_or_default();
    let zero: &[u8] = if digits.first().is_none_or(|first| *first >= 0x80) { &[0] } else { &[] };
    written(INTEGER, &[zero, digits].concat())
}

fn written(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = contents.len().to_be_bytes();
    let start = length.iter().position(|byte| *byte != 0).unwrap_or(length.len() - 1);
    let digits = length.get(start..).unwrap_or_default();
    let mut out = vec![tag];
    if contents.len() >= 0x80 {
        out.push(0x80 | u8::try_from(digits.len()).unwrap_or(8));
    }
    out.extend_from_slice(digits);
    out.extend_from_slice(contents);
    out
}

const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

#[cfg(test)]
mod tests;
