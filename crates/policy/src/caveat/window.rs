//! Hours of the day and days of the week as sets, and spans of time in which nothing is allowed: what a capability request
//! of the agent calls `timeWindow`.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use model::{ParseError, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::list::List;

/// In these hours of these days, by the clocks of each of these time zones. With several zones all of them have to agree,
/// since a capability that holds somewhere else only is not what somebody asked for who named two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenWindow", into = "WrittenWindow")]
pub struct Window {
    /// By bit from midnight: the hour from 00:00 until before 01:00 first.
    hours: u32,
    /// By bit from Monday.
    days: u8,
    zones: List<Zone>,
}

impl Window {
    /// These hours (0 to 23) on these days (0 is Monday) in these zones. No hours stand for all, and no days for all.
    ///
    /// # Errors
    /// When a number is out of range, or nothing is left out.
    pub fn new(hours: &[u8], days: &[u8], zones: List<Zone>) -> Result<Self, ParseError> {
        let set = |numbers: &[u8], most: u8| {
            numbers.iter().try_fold(0_u32, |all, number| (*number < most).then(|| all | 1 << number))
        };
        let wrong = || ParseError::new("time window", &format!("{hours:?} {days:?}"), EXPECTED);
        let (hours, days) = (set(hours, 24).ok_or_else(wrong)?, set(days, 7).ok_or_else(wrong)?);
        let hours = if hours == 0 { EVERY_HOUR } else { hours };
        let days = u8::try_from(if days == 0 { u32::from(EVERY_DAY) } else { days }).map_err(|_| wrong())?;
        Self::of_parts(hours, days, zones).ok_or_else(wrong)
    }

    /// The window of stored parts; `None` where they allow nothing or everything.
    pub(crate) fn of_parts(hours: u32, days: u8, zones: List<Zone>) -> Option<Self> {
        let some = hours != 0 && hours <= EVERY_HOUR && days != 0 && days <= EVERY_DAY;
        (some && (hours, days) != (EVERY_HOUR, EVERY_DAY)).then_some(Self { hours, days, zones })
    }

    pub(crate) const fn parts(&self) -> (u32, u8, &List<Zone>) {
        (self.hours, self.days, &self.zones)
    }

    /// The hours; none where all are allowed.
    #[must_use]
    pub fn hours(&self) -> Vec<u8> {
        if self.hours == EVERY_HOUR { Vec::new() } else { bits(self.hours).collect() }
    }

    /// The days from Monday, which is 0; none where all are allowed.
    #[must_use]
    pub fn days(&self) -> Vec<u8> {
        if self.days == EVERY_DAY { Vec::new() } else { bits(self.days.into()).collect() }
    }

    /// The time zones.
    #[must_use]
    pub const fn zones(&self) -> &List<Zone> {
        &self.zones
    }

    /// Whether the time lies inside; `None` where that can't be known.
    pub(crate) fn contains(&self, now: Timestamp) -> Option<bool> {
        let instant = jiff::Timestamp::from_millisecond(i64::try_from(now.millis()).ok()?).ok()?;
        for zone in &self.zones {
            let local = instant.to_zoned(TimeZone::get(zone.as_str()).ok()?);
            let hour = u32::try_from(local.hour()).ok()?;
            let day = u32::from(local.weekday().to_monday_zero_offset().unsigned_abs());
            if self.hours >> hour & 1 == 0 || self.days >> day & 1 == 0 {
                return Some(false);
            }
        }
        Some(true)
    }

    /// Whether this lies inside `parent`; windows of other time zones can't be compared, both then apply.
    pub(crate) fn is_within(&self, parent: &Self) -> bool {
        let inside = self.hours & !parent.hours == 0 && self.days & !parent.days == 0;
        inside || self.zones != parent.zones
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days: Vec<&str> = bits(self.days.into()).filter_map(name).collect();
        let hours: Vec<String> = bits(self.hours).map(|hour| format!("{hour:02}")).collect();
        write!(f, "{} at {} ", days.join(","), hours.join(","))?;
        super::row(f, self.zones.iter())
    }
}

/// The name of a time zone that is known here, such as `Europe/Berlin`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Zone(Box<str>);

impl Zone {
    /// Universal time.
    #[must_use]
    pub fn utc() -> Self {
        Self("UTC".into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Zone {
    type Err = ParseError;

    /// The name as the database of time zones spells it, so that one zone is one text.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let zone = TimeZone::get(text).ok();
        let known = zone.as_ref().and_then(TimeZone::iana_name) == Some(text);
        let wrong = || ParseError::new("time zone", text, "a name such as `Europe/Berlin`");
        if known { Ok(Self(text.into())) } else { Err(wrong()) }
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// From its first moment until before its second one nothing is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "WrittenSpan", into = "WrittenSpan")]
pub struct Span {
    start: Timestamp,
    end: Timestamp,
}

impl Span {
    /// From `start` until before `end`.
    ///
    /// # Errors
    /// When it ends before it begins.
    pub fn new(start: Timestamp, end: Timestamp) -> Result<Self, ParseError> {
        let wrong = || ParseError::new("span", &format!("{start} to {end}"), "an end after the start");
        if start < end { Ok(Self { start, end }) } else { Err(wrong()) }
    }

    /// Its first moment.
    #[must_use]
    pub const fn start(self) -> Timestamp {
        self.start
    }

    /// The first moment behind it.
    #[must_use]
    pub const fn end(self) -> Timestamp {
        self.end
    }

    pub(crate) fn contains(self, now: Timestamp) -> bool {
        self.start <= now && now < self.end
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.start, self.end)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSpan {
    start: Timestamp,
    end: Timestamp,
}

impl TryFrom<WrittenSpan> for Span {
    type Error = ParseError;

    fn try_from(written: WrittenSpan) -> Result<Self, ParseError> {
        Self::new(written.start, written.end)
    }
}

impl From<Span> for WrittenSpan {
    fn from(Span { start, end }: Span) -> Self {
        Self { start, end }
    }
}

/// As it is written in files.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenWindow {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hours: Vec<u8>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    days: Vec<String>,
    zones: List<Zone>,
}

impl TryFrom<WrittenWindow> for Window {
    type Error = ParseError;

    fn try_from(written: WrittenWindow) -> Result<Self, ParseError> {
        let days = written.days.iter().map(|day| {
            day_of(day).map(monday_first).ok_or_else(|| ParseError::new("day", day, "`mon` to `sun`"))
        });
        Self::new(&written.hours, &days.collect::<Result<Vec<_>, _>>()?, written.zones)
    }
}

impl From<Window> for WrittenWindow {
    fn from(window: Window) -> Self {
        let days = window.days().into_iter().filter_map(|day| name(day).map(str::to_owned)).collect();
        Self { hours: window.hours(), days, zones: window.zones }
    }
}

/// The day of an English word, whole or its first three letters.
pub(super) fn day_of(word: &str) -> Option<Weekday> {
    let word = word.to_ascii_lowercase();
    let known = |day: &Weekday| {
        LONG.get(usize::from(monday_first(*day)))
            .is_some_and(|long| word == *long || (word.len() == 3 && long.starts_with(&word)))
    };
    WEEK.into_iter().find(known)
}

/// The number of a day, 0 for Monday.
pub(super) fn monday_first(day: Weekday) -> u8 {
    day.to_monday_zero_offset().unsigned_abs()
}

fn bits(set: u32) -> impl Iterator<Item = u8> {
    (0..32_u8).filter(move |at| set >> at & 1 == 1)
}

fn name(day: u8) -> Option<&'static str> {
    LONG.get(usize::from(day)).and_then(|long| long.get(..3))
}

const LONG: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const WEEK: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];
const EVERY_HOUR: u32 = (1 << 24) - 1;
const EVERY_DAY: u8 = (1 << 7) - 1;
const EXPECTED: &str = "hours from 0 to 23 and days of the week, not all of both";
