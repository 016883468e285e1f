//! Numbers compared exactly: `1`, `1.0` and `10e-1` are one number, and two ids above 2^53 are two.

/// A decimal number of any size: `±0.DIGITS × 10^exponent` without zeros at either end of the digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal {
    negative: bool,
    digits: Box<str>,
    exponent: i64,
}

impl Decimal {
    /// Reads a number as JSON writes it (RFC 8259, section 6); `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, power(exponent)?),
            None => (rest, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return None,
            None => (mantissa, ""),
        };
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let padded = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || padded || !plain(whole) || !plain(fraction) || rest.len() > LONGEST {
            return None;
        }
        let all = format!("{whole}{fraction}");
        let from_left = all.trim_start_matches('0');
        let digits = from_left.trim_end_matches('0');
        if digits.is_empty() {
            return Some(Self { negative: false, digits: "".into(), exponent: 0 });
        }
        let leading = i64::try_from(all.len() - from_left.len()).ok()?;
        let exponent = exponent + i64::try_from(whole.len()).ok()? - leading;
        Some(Self { negative, digits: digits.into(), exponent })
    }
}

/// An exponent: a sign and at most 12 digits, so that sums of it stay small.
fn power(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let plain = !digits.is_empty() && digits.len() <= 12 && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.strip_prefix('+').unwrap_or(text).parse().ok()).flatten()
}

/// Longest number, in bytes.
const LONGEST: usize = 1024;
