//! Hours of the week in a time zone, such as working hours in Berlin.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use model::{ParseError, Timestamp};
use serde::{Deserialize, Serialize};

/// On these days, from one minute of the day until before another, in one IANA time zone. Where `to` lies before `from`
/// the hours run past midnight and belong to the day on which they began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Hours {
    days: u8,
    from: u16,
    to: u16,
    zone: Arc<str>,
}

impl Hours {
    /// Hours from `from` until before `to`, in minutes of the day, in a time zone such as `Europe/Berlin`.
    ///
    /// # Errors
    /// When there is no day, the minutes are not of one day or are equal, or the time zone is unknown here.
    pub fn new(days: &[Weekday], from: u16, to: u16, zone: &str) -> Result<Self, ParseError> {
        let days = days.iter().fold(0, |all, day| all | bit(*day));
        if TimeZone::get(zone).is_err() {
            return Err(ParseError::new("time zone", zone, "a name such as `Europe/Berlin`"));
        }
        Self::of_parts(days, from, to, zone)
            .ok_or_else(|| ParseError::new("time of day", &format!("{from} to {to}"), EXPECTED))
    }

    /// The hours of stored parts. The zone is looked up when they are checked; an unknown one refuses then.
    pub(crate) fn of_parts(days: u8, from: u16, to: u16, zone: &str) -> Option<Self> {
        let day = days != 0 && days < 128 && from < DAY && to <= DAY && to != 0 && from != to;
        let named = !zone.is_empty() && zone.len() <= 64 && zone.bytes().all(|b| b.is_ascii_graphic());
        (day && named).then(|| Self { days, from, to, zone: zone.into() })
    }

    pub(crate) fn parts(&self) -> (u8, u16, u16, &str) {
        (self.days, self.from, self.to, &self.zone)
    }

    /// Whether the time lies inside; `None` where that can't be known.
    pub(crate) fn contain(&self, now: Timestamp) -> Option<bool> {
        let instant = jiff::Timestamp::from_millisecond(i64::try_from(now.millis()).ok()?).ok()?;
        let local = instant.to_zoned(TimeZone::get(&self.zone).ok()?);
        let minute = u16::try_from(local.hour()).ok()? * 60 + u16::try_from(local.minute()).ok()?;
        let today = self.days & bit(local.weekday()) != 0;
        let yesterday = self.days & bit(local.weekday().previous()) != 0;
        Some(if self.from < self.to {
            today && (self.from..self.to).contains(&minute)
        } else {
            (today && minute >= self.from) || (yesterday && minute < self.to)
        })
    }

    /// Whether these lie inside `parent`; hours of two zones can't be compared, both then apply.
    pub(crate) fn are_within(&self, parent: &Self) -> bool {
        if self.zone != parent.zone {
            return true;
        }
        let mut minutes = (0..7_u8).flat_map(|day| (0..DAY).map(move |minute| (day, minute)));
        minutes.all(|(day, minute)| !self.hold(day, minute) || parent.hold(day, minute))
    }

    fn hold(&self, day: u8, minute: u16) -> bool {
        let today = self.days >> day & 1 == 1;
        let yesterday = self.days >> ((day + 6) % 7) & 1 == 1;
        if self.from < self.to {
            today && (self.from..self.to).contains(&minute)
        } else {
            (today && minute >= self.from) || (yesterday && minute < self.to)
        }
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, name) in NAMES.iter().enumerate().filter(|(at, _)| self.days >> at & 1 == 1) {
            let first = self.days & ((1 << at) - 1) == 0;
            write!(f, "{}{name}", if first { "" } else { "," })?;
        }
        write!(f, " {}-{} {}", clock(self.from), clock(self.to), self.zone)
    }
}

/// As it is written in files.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    days: Vec<String>,
    from: String,
    to: String,
    zone: String,
}

impl Hours {
    /// Hours as people write them: days such as `mon`, times such as `09:00`, and an IANA zone.
    ///
    /// # Errors
    /// When one of them is something else.
    pub fn written(days: &[String], from: &str, to: &str, zone: &str) -> Result<Self, ParseError> {
        let (from, to, zone) = (from.to_owned(), to.to_owned(), zone.to_owned());
        Written { days: days.to_vec(), from, to, zone }.try_into()
    }
}

impl TryFrom<Written> for Hours {
    type Error = ParseError;

    fn try_from(written: Written) -> Result<Self, ParseError> {
        let named = |name: &String| {
            let at = NAMES.iter().position(|known| known == name);
            at.and_then(|at| WEEK.get(at))
                .copied()
                .ok_or_else(|| ParseError::new("day", name, "`mon` to `sun`"))
        };
        let days = written.days.iter().map(named).collect::<Result<Vec<_>, _>>()?;
        Self::new(&days, minutes(&written.from)?, minutes(&written.to)?, &written.zone)
    }
}

impl From<Hours> for Written {
    fn from(hours: Hours) -> Self {
        let days = NAMES.iter().enumerate().filter(|(at, _)| hours.days >> at & 1 == 1);
        Self {
            days: days.map(|(_, name)| (*name).to_owned()).collect(),
            from: clock(hours.from),
            to: clock(hours.to),
            zone: hours.zone.to_string(),
        }
    }
}

fn bit(day: Weekday) -> u8 {
    1 << day.to_monday_zero_offset()
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn minutes(text: &str) -> Result<u16, ParseError> {
    let wrong = || ParseError::new("time of day", text, EXPECTED);
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let number = |digits: &str| {
        let plain = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
        if plain { u16::from_str(digits).map_err(|_| wrong()) } else { Err(wrong()) }
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    if minute > 59 || hour > 24 || (hour == 24 && minute > 0) { Err(wrong()) } else { Ok(hour * 60 + minute) }
}

const DAY: u16 = 24 * 60;
const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const WEEK: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];
const EXPECTED: &str = "two different times such as `09:00` and `17:30`, on at least one day";

#[cfg(test)]
mod tests;
