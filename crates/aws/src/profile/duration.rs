//! Durations as aws-vault reads and shows them, which is as Go does, and days and weeks.

use std::time::Duration;

/// Reads `1h30m`, `1.5h`, `90s`, `250ms`, `2d`, `1w`. None where a unit is missing or unknown, where it is negative or no
/// number, or longer than 2^64 seconds. `0` needs no unit.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.strip_prefix('+').unwrap_or(text);
    if text == "0" {
        return Some(Duration::ZERO);
    }
    if text.is_empty() {
        return None;
    }
    let (mut rest, mut total) = (text, Duration::ZERO);
    while !rest.is_empty() {
        let (number, tail) = rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?)?;
        let letters = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(letters)?;
        total = total.checked_add(part(number, nanos(unit)?)?)?;
        rest = tail;
    }
    Some(total)
}

/// Shows whole seconds as Go does: `1h0m0s`, `59m53s`, `0s`.
#[must_use]
pub fn show_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m{rest}s"),
        _ => format!("{hours}h{minutes}m{rest}s"),
    }
}

/// So many units of so many nanoseconds.
fn part(number: &str, unit: u64) -> Option<Duration> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let digits = |text: &str| if text.is_empty() { Some(0) } else { text.parse::<u64>().ok() };
    // More digits than nine are below a nanosecond of any unit that people write a fraction of.
    let fraction = fraction.get(..fraction.len().min(9))?;
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let nanos = u128::from(digits(whole)?).checked_mul(u128::from(unit))?
        + u128::from(digits(fraction)?) * u128::from(unit) / scale;
    let seconds = u64::try_from(nanos / 1_000_000_000).ok()?;
    Some(Duration::new(seconds, u32::try_from(nanos % 1_000_000_000).ok()?))
}

const fn nanos(unit: &str) -> Option<u64> {
    Some(match unit.as_bytes() {
        b"ns" => 1,
        b"us" | b"\xc2\xb5s" | b"\xce\xbcs" => 1_000,
        b"ms" => 1_000_000,
        b"s" => 1_000_000_000,
        b"m" => 60_000_000_000,
        b"h" => 3_600_000_000_000,
        b"d" => 86_400_000_000_000,
        b"w" => 604_800_000_000_000,
        _ => return None,
    })
}
