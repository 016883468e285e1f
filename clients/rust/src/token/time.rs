//! Times as milliseconds since 1970, and as RFC 3339.

/// Beyond this a time is shown as the last moment of the year 9999, as the broker shows it.
const LAST: u64 = 253_402_300_799_999;
const DAY: u64 = 86_400_000;

/// With milliseconds, in UTC.
pub(crate) fn shown(millis: u64) -> String {
    let millis = millis.min(LAST);
    let (days, rest) = (millis / DAY, millis % DAY);
    let (year, month, day) = date(days);
    let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}.{:03}Z", rest / 1000 % 60, rest % 1000)
}

/// Milliseconds since 1970; nothing where it is no RFC 3339 or lies before.
pub(crate) fn read(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = bytes.get(from..to)?;
        let all = digits.iter().all(u8::is_ascii_digit);
        all.then(|| digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
    };
    let mark = |at: usize, marks: &[u8]| bytes.get(at).is_some_and(|byte| marks.contains(byte));
    let marked = mark(4, b"-") && mark(7, b"-") && mark(10, b"Tt ") && mark(13, b":") && mark(16, b":");
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let real = (1..=12).contains(&month) && day >= 1 && hour < 24 && minute < 60 && second < 60;
    if !marked || !real {
        return None;
    }
    let days = day_number(year, month, day);
    // A day that the month doesn't have comes back as one of the next month.
    if u64::try_from(days).ok().map(date) != Some((year, month, day)) {
        return None;
    }
    let rest = text.get(19..)?;
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count()),
        None => ("0", rest),
    };
    if fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let thousandth: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset(zone)? * 60;
    u64::try_from(seconds * 1000 + thousandth).ok()
}

/// Minutes east of Greenwich.
fn offset(zone: &str) -> Option<i64> {
    let sign = match zone.as_bytes() {
        [b'Z' | b'z'] => return Some(0),
        [b'+', _, _, b':', _, _] => 1,
        [b'-', _, _, b':', _, _] => -1,
        _ => return None,
    };
    let digits = |from: usize| zone.get(from..from + 2).filter(|two| two.bytes().all(|b| b.is_ascii_digit()));
    let (hour, minute): (i64, i64) = (digits(1)?.parse().ok()?, digits(4)?.parse().ok()?);
    (hour < 24 && minute < 60).then_some(sign * (hour * 60 + minute))
}

/// Monday is 0. The first of January 1970 was a Thursday.
pub(crate) const fn weekday(days: u64) -> u64 {
    (days + 3) % 7
}

/// The date of a day since 1970, in years of March to February, whose leap day is the last one.
fn date(days: u64) -> (i64, i64, i64) {
    let days = i64::try_from(days).unwrap_or_default() + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests;
