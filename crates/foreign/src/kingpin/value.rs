//! Values as Go programs read them.

use std::time::Duration;

use super::Error;

/// Reads a length of time: decimal numbers, each with a unit of `ns us µs ms s m h d w`, such as `1h30m` or `1.5d`. A bare
/// `0` is zero. Longest is what fits into 64 bits of nanoseconds (292 years).
///
/// # Errors
/// With the text of such programs: a number without unit, an unknown unit, anything else. A negative length is refused; it
/// has no meaning for any flag that we know.
pub fn duration(text: &str) -> Result<Duration, Error> {
    let invalid = || Error::Value(format!("time: invalid duration \"{text}\""));
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total = 0_u128;
    while !rest.is_empty() {
        let (number, behind) = rest.split_at(number_length(rest));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return Err(invalid());
        }
        let (unit, behind) = behind.split_at(behind.find(is_of_number).unwrap_or(behind.len()));
        if unit.is_empty() {
            return Err(Error::Value(format!("time: missing unit in duration \"{text}\"")));
        }
        let nanos = nanos_of(unit)
            .ok_or_else(|| Error::Value(format!("time: unknown unit \"{unit}\" in duration \"{text}\"")))?;
        let part = scaled(whole, fraction, nanos).ok_or_else(invalid)?;
        total = total.checked_add(part).filter(|total| *total <= LONGEST).ok_or_else(invalid)?;
        rest = behind;
    }
    u64::try_from(total).map(Duration::from_nanos).map_err(|_| invalid())
}

/// Reads a switch from the environment or behind `=`: the words of Go's `strconv.ParseBool`.
///
/// # Errors
/// With that function's text for any other word, such as `yes`.
pub fn switch(text: &str) -> Result<bool, Error> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(Error::Value(format!("strconv.ParseBool: parsing {text:?}: invalid syntax"))),
    }
}

/// Reads one of some words.
///
/// # Errors
/// With the words, when it is none of them.
pub fn one_of(text: &str, words: &[&str]) -> Result<(), Error> {
    if words.contains(&text) {
        return Ok(());
    }
    Err(Error::Value(format!("enum value must be one of {}, got '{text}'", words.join(","))))
}

fn number_length(text: &str) -> usize {
    text.find(|c| !is_of_number(c)).unwrap_or(text.len())
}

const fn is_of_number(c: char) -> bool {
    c == '.' || c.is_ascii_digit()
}

/// `whole.fraction` times `nanos`, rounded down; digits behind the 18th of the fraction are below a nanosecond.
fn scaled(whole: &str, fraction: &str, nanos: u128) -> Option<u128> {
    let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let fraction = fraction.get(..fraction.len().min(18))?;
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part: u128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    whole.checked_mul(nanos)?.checked_add(part.checked_mul(nanos)? / scale)
}

/// The nanoseconds of a unit. Both spellings of the micro sign are in use.
fn nanos_of(unit: &str) -> Option<u128> {
    const SECOND: u128 = 1_000_000_000;
    Some(match unit {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => SECOND,
        "m" => 60 * SECOND,
        "h" => 3_600 * SECOND,
        "d" => 86_400 * SECOND,
        "w" => 604_800 * SECOND,
        _ => return None,
    })
}

const LONGEST: u128 = i64::MAX as u128;

#[cfg(test)]
mod tests;
