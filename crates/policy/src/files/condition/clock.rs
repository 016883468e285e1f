//! The time at some place: hours of the day, days of the week, dates.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use model::Timestamp;

use super::Compared;

/// A test of the time that clocks and calendars of one time zone show.
#[derive(Debug, Clone)]
pub(in crate::files) struct Clock {
    pub(in crate::files) zone: Zone,
    pub(in crate::files) test: ClockTest,
}

/// A time zone that was found when the file was read.
#[derive(Debug, Clone)]
pub(in crate::files) struct Zone(TimeZone);

/// What is tested.
#[derive(Debug, Clone)]
pub(in crate::files) enum ClockTest {
    /// The minute of the day lies in one of these: from the first until before the second. Where the second is not
    /// greater, they run past midnight.
    Minutes(Vec<(u16, u16)>),
    /// The minute of the day comes after or before this one.
    Minute(Compared, u16),
    /// The day is one of these, by bit from Monday.
    Days(u8),
    /// The day comes later or earlier in the week, which begins with Monday.
    Day(Compared, Weekday),
    /// The date lies in one of these spans, both ends included.
    Dates(Vec<(Date, Date)>),
    /// The date comes after or before this one.
    Date(Compared, Date),
    /// The text of the clock, the day or the date matches as a whole.
    Regex(Face, regex::Regex),
    /// One of these is part of that text.
    Contains(Face, Vec<String>),
}

/// What is read as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::files) enum Face {
    /// `09:30`.
    Clock,
    /// `monday`.
    Day,
    /// `2026-12-24`.
    Date,
    /// `2026-12-24T09:30:00Z`, in UTC.
    Instant,
}

impl Zone {
    /// Universal time.
    pub(in crate::files) const UTC: Self = Self(TimeZone::UTC);

    /// The zone of a name such as `Europe/Berlin`.
    pub(in crate::files) fn named(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().map(Self)
    }
}

impl Clock {
    /// Whether the test holds; `None` where the time can't be shown there.
    pub(super) fn holds(&self, now: Timestamp) -> Option<bool> {
        let instant = jiff::Timestamp::from_millisecond(i64::try_from(now.millis()).ok()?).ok()?;
        let local = instant.to_zoned(self.zone.0.clone());
        let minute = u16::try_from(local.hour()).ok()? * 60 + u16::try_from(local.minute()).ok()?;
        let text = |face: &Face| match face {
            Face::Clock => format!("{:02}:{:02}", local.hour(), local.minute()),
            Face::Day => day_name(local.weekday()).to_owned(),
            Face::Date => local.date().to_string(),
            Face::Instant => format!("{instant:.0}"),
        };
        Some(match &self.test {
            ClockTest::Minutes(spans) => spans.iter().any(|(from, to)| {
                if from < to { (*from..*to).contains(&minute) } else { minute >= *from || minute < *to }
            }),
            ClockTest::Minute(compared, than) => compared.holds(minute.cmp(than)),
            ClockTest::Days(days) => days & bit(local.weekday()) != 0,
            ClockTest::Day(compared, than) => {
                let place = |day: Weekday| day.to_monday_zero_offset();
                compared.holds(place(local.weekday()).cmp(&place(*than)))
            }
            ClockTest::Dates(spans) => {
                spans.iter().any(|(first, last)| (*first..=*last).contains(&local.date()))
            }
            ClockTest::Date(compared, than) => compared.holds(local.date().cmp(than)),
            ClockTest::Regex(face, regex) => regex.is_match(&text(face)),
            ClockTest::Contains(face, parts) => {
                let text = text(face);
                parts.iter().any(|part| text.contains(part.as_str()))
            }
        })
    }
}

/// The bit of a day, from Monday.
pub(super) fn bit(day: Weekday) -> u8 {
    1 << day.to_monday_zero_offset()
}

/// The day of a word: its English name or the three letters that it begins with.
pub(super) fn day_of(word: &str) -> Option<Weekday> {
    let word = word.to_ascii_lowercase();
    WEEK.into_iter().find(|day| {
        let name = day_name(*day);
        word == name || (word.len() == 3 && name.starts_with(&word))
    })
}

/// The day of a number: 0 and 7 are Sunday, 1 is Monday.
pub(super) fn day_numbered(number: i64) -> Option<Weekday> {
    Weekday::from_sunday_zero_offset(i8::try_from(number % 7).ok()?)
        .ok()
        .filter(|_| (0..=7).contains(&number))
}

const fn day_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "monday",
        Weekday::Tuesday => "tuesday",
        Weekday::Wednesday => "wednesday",
        Weekday::Thursday => "thursday",
        Weekday::Friday => "friday",
        Weekday::Saturday => "saturday",
        Weekday::Sunday => "sunday",
    }
}

/// The days from Monday.
pub(super) const WEEK: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];
