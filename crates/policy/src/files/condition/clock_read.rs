//! From a condition of type `time` as it is written to a test of the time.

use std::str::FromStr;

use jiff::civil::{Date, Weekday};
use model::Timestamp;

use super::clock::{Face, WEEK, bit, day_numbered, day_of};
use super::read::{Operator, parts, regex};
use super::{Clock, ClockTest, Computed, Test, Written, Zone};
use crate::files::node::{Node, Value};
use crate::files::strict::{self, Mistake};

/// Reads the value of a condition on the time.
pub(super) fn read(key: &str, key_line: usize, zone: Zone, written: Written<'_>) -> Result<Test, Mistake> {
    let face = match key {
        "hours" | "hour" => Face::Clock,
        "days" | "day" | "daysOfWeek" | "days_of_week" => Face::Day,
        "date" | "dates" => Face::Date,
        "timestamp" => Face::Instant,
        _ => return Err(Mistake::unknown(key_line, "the key", key, ["hours", "days", "date", "timestamp"])),
    };
    let value = written.value;
    let test = match (face, written.operator) {
        (face, Operator::Regex) => ClockTest::Regex(face, regex(value)?),
        (face, Operator::Contains) => ClockTest::Contains(face, parts(value)?),
        (Face::Clock, Operator::Gt | Operator::Lt) => minute(written)?,
        (Face::Clock, _) => ClockTest::Minutes(each(written, minutes)?),
        (Face::Day, Operator::Gt | Operator::Lt) => ClockTest::Day(written.operator.compared(), day(value)?),
        (Face::Day, _) => ClockTest::Days(each(written, days)?.into_iter().fold(0, |all, some| all | some)),
        (Face::Date, Operator::Gt | Operator::Lt) => {
            ClockTest::Date(written.operator.compared(), date(strict::text(value, "value")?, value)?)
        }
        (Face::Date, _) => ClockTest::Dates(each(written, dates)?),
        (Face::Instant, Operator::Gt) => {
            return Ok(Test::Instants(vec![(second_after(instant(value)?), END)]));
        }
        (Face::Instant, Operator::Lt) => {
            return Ok(Test::Instants(vec![(Timestamp::from_millis(0), instant(value)?)]));
        }
        (Face::Instant, _) => return Ok(Test::Instants(each(written, instants)?)),
    };
    Ok(Test::Computed(Computed::Clock(Clock { zone, test })))
}

/// The one value of `eq`, the list of `in`.
fn each<T>(written: Written<'_>, read: impl Fn(&Node) -> Result<T, Mistake>) -> Result<Vec<T>, Mistake> {
    match written.operator {
        Operator::In | Operator::NotIn => strict::list(written.value, "value")?.iter().map(read).collect(),
        _ => Ok(vec![read(written.value)?]),
    }
}

/// `9` is the hour from 09:00 until before 10:00; `"09:00-17:30"` is a span; `"09:30"` is that minute.
fn minutes(node: &Node) -> Result<(u16, u16), Mistake> {
    if let Value::Whole(hour) = node.value {
        let hour = u16::try_from(hour).ok().filter(|hour| *hour < 24).ok_or_else(|| no_hours(node))?;
        return Ok((hour * 60, hour * 60 + 60));
    }
    let text = strict::text(node, "value")?;
    match text.split_once('-') {
        Some((from, to)) => {
            let (from, to) = (clock(from, node)?, clock(to, node)?);
            if from == to || from == DAY { Err(no_hours(node)) } else { Ok((from, to)) }
        }
        None => {
            clock(text, node).and_then(|at| if at == DAY { Err(no_hours(node)) } else { Ok((at, at + 1)) })
        }
    }
}

/// `gt 9` begins at 10:00, `lt 9` ends at 09:00; with `"09:30"` it is by the minute.
fn minute(written: Written<'_>) -> Result<ClockTest, Mistake> {
    let (node, compared) = (written.value, written.operator.compared());
    let than = match node.value {
        Value::Whole(_) => {
            let (from, to) = minutes(node)?;
            if written.operator == Operator::Lt { from } else { to - 1 }
        }
        _ => clock(strict::text(node, "value")?, node)?,
    };
    Ok(ClockTest::Minute(compared, than))
}

/// Minutes of the day of a text such as `09:30` or `24:00`.
fn clock(text: &str, node: &Node) -> Result<u16, Mistake> {
    let wrong = || no_hours(node);
    let (hour, minute) = text.trim().split_once(':').ok_or_else(wrong)?;
    let number = |digits: &str| {
        let plain = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
        u16::from_str(digits).ok().filter(|_| plain).ok_or_else(wrong)
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    let at = hour * 60 + minute;
    if minute > 59 || at > DAY { Err(wrong()) } else { Ok(at) }
}

fn no_hours(node: &Node) -> Mistake {
    Mistake::new(node.line, "hours are numbers from 0 to 23, or texts such as `09:00-17:30` or `22:00-06:00`")
}

/// A day, or a span of days such as `mon-fri`.
fn days(node: &Node) -> Result<u8, Mistake> {
    let span = match &node.value {
        Value::Text(text) => text.split_once('-'),
        _ => None,
    };
    let Some((first, last)) = span else { return day(node).map(bit) };
    let place =
        |word: &str| day_of(word.trim()).map(|day| usize::from(day.to_monday_zero_offset().unsigned_abs()));
    let (Some(first), Some(last)) = (place(first), place(last)) else { return Err(no_day(node)) };
    let last = if last < first { last + WEEK.len() } else { last };
    Ok((first..=last).filter_map(|at| WEEK.get(at % WEEK.len())).fold(0, |all, day| all | bit(*day)))
}

fn day(node: &Node) -> Result<Weekday, Mistake> {
    let found = match &node.value {
        Value::Whole(number) => day_numbered(*number),
        Value::Text(text) => day_of(text),
        _ => None,
    };
    found.ok_or_else(|| no_day(node))
}

fn no_day(node: &Node) -> Mistake {
    Mistake::new(
        node.line,
        "days are words such as `mon` or `mon-fri`, or numbers: 1 is Monday, 0 and 7 are Sunday",
    )
}

/// A date, or a span `2026-12-24/2027-01-02` with both its ends.
fn dates(node: &Node) -> Result<(Date, Date), Mistake> {
    let text = strict::text(node, "value")?;
    let (first, last) = text.split_once('/').unwrap_or((text, text));
    let (first, last) = (date(first, node)?, date(last, node)?);
    if first > last {
        Err(Mistake::new(node.line, format!("`{text}` ends before it begins")))
    } else {
        Ok((first, last))
    }
}

fn date(text: &str, node: &Node) -> Result<Date, Mistake> {
    let plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let date = text.parse::<Date>().ok().filter(|_| plain);
    date.ok_or_else(|| {
        Mistake::new(node.line, "dates are texts such as `2026-12-24` or `2026-12-24/2027-01-02`")
    })
}

/// A span `start/end` without its end, or one second.
fn instants(node: &Node) -> Result<(Timestamp, Timestamp), Mistake> {
    let Value::Text(text) = &node.value else {
        let at = instant(node)?;
        return Ok((at, second_after(at)));
    };
    let Some((from, to)) = text.split_once('/') else {
        let at = instant(node)?;
        return Ok((at, second_after(at)));
    };
    let (from, to) = (rfc3339(from, node)?, rfc3339(to, node)?);
    if from < to {
        Ok((from, to))
    } else {
        Err(Mistake::new(node.line, format!("`{text}` ends before it begins")))
    }
}

/// A time of RFC 3339, or seconds since 1970. Fractions of a second are cut off.
fn instant(node: &Node) -> Result<Timestamp, Mistake> {
    match &node.value {
        Value::Whole(seconds) => {
            let millis = u64::try_from(*seconds).ok().and_then(|seconds| seconds.checked_mul(1000));
            millis.map(Timestamp::from_millis).filter(|at| *at < END).ok_or_else(|| no_instant(node))
        }
        _ => rfc3339(strict::text(node, "value")?, node),
    }
}

fn rfc3339(text: &str, node: &Node) -> Result<Timestamp, Mistake> {
    let at: Timestamp = text.parse().map_err(|_| no_instant(node))?;
    Ok(Timestamp::from_millis(at.millis() / 1000 * 1000))
}

const fn second_after(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.millis() + 1000)
}

fn no_instant(node: &Node) -> Mistake {
    Mistake::new(
        node.line,
        "times are texts such as `2026-12-24T18:00:00Z`, two of them with `/` between, or seconds since 1970",
    )
}

const DAY: u16 = 24 * 60;
/// The end of time, as policies know it: 9999-12-31T23:59:59Z.
const END: Timestamp = Timestamp::from_millis(253_402_300_799_000);
