//! Instants, lengths, half-open spans, local days.
//!
//! Elapsed time is measured in UTC. A local date is always read in a zone somebody names.

use chrono::{DateTime, Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use std::fmt;
use std::str::FromStr;

/// A local calendar day.
pub type Date = NaiveDate;

/// Microseconds in an hour.
pub const HOUR_US: i64 = 3_600_000_000;
/// Microseconds in twenty-four hours.
pub const DAY_US: i64 = 24 * HOUR_US;

/// A moment, in microseconds of UTC since 1970.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(i64);

impl Instant {
    /// 0001-01-01T00:00:00Z: the earliest instant the wire can carry.
    pub const MIN: Self = Self(-62_135_596_800_000_000);
    /// 9999-12-31T23:59:59.999999Z: stands for "no end in sight" where a span is still open.
    pub const FAR: Self = Self(253_402_300_799_999_999);

    /// From microseconds since 1970, clamped to the range of the wire.
    #[must_use]
    pub fn from_micros(us: i64) -> Self {
        Self(us.clamp(Self::MIN.0, Self::FAR.0))
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whether this stands for "no end in sight".
    #[must_use]
    pub fn is_far(self) -> bool {
        self >= Self::FAR
    }

    /// This instant moved by `us` microseconds; never past the range of the wire.
    #[must_use]
    pub fn plus_us(self, us: i64) -> Self {
        Self::from_micros(self.0.saturating_add(us))
    }

    /// Microseconds from `earlier` to this instant; negative when it is later.
    #[must_use]
    pub fn since_us(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The same moment for `chrono`.
    #[must_use]
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// From `chrono`, cut to the microsecond.
    #[must_use]
    pub fn from_utc(at: DateTime<Utc>) -> Self {
        Self::from_micros(at.timestamp_micros())
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// RFC 3339 in UTC, with as many digits as are needed.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_far() {
            return f.write_str("open");
        }
        f.write_str(&self.utc().to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
    }
}

/// RFC 3339 with an offset.
impl FromStr for Instant {
    type Err = chrono::ParseError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        DateTime::parse_from_rfc3339(s).map(|at| Self::from_utc(at.with_timezone(&Utc)))
    }
}

/// `[start, end)`. An end of [`Instant::FAR`] means that it is still open.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Span {
    /// First instant inside.
    pub start: Instant,
    /// First instant no longer inside.
    pub end: Instant,
}

impl Span {
    /// `[start, end)`; empty when `end` is not after `start`.
    #[must_use]
    pub fn new(start: Instant, end: Instant) -> Self {
        Self { start, end: end.max(start) }
    }

    /// From `start` with no end in sight.
    #[must_use]
    pub fn from(start: Instant) -> Self {
        Self { start, end: Instant::FAR }
    }

    /// Whether `at` lies inside.
    #[must_use]
    pub fn contains(&self, at: Instant) -> bool {
        self.start <= at && at < self.end
    }

    /// Whether nothing lies inside.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.start >= self.end
    }

    /// Whether no end is in sight.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.end.is_far()
    }

    /// Elapsed microseconds.
    #[must_use]
    pub fn len_us(&self) -> i64 {
        self.end.since_us(self.start).max(0)
    }

    /// What lies in both, if anything does.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Option<Self> {
        let both = Self { start: self.start.max(other.start), end: self.end.min(other.end) };
        (!both.is_empty()).then_some(both)
    }
}

/// An IANA time zone, from the database compiled into this program.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Zone(pub Tz);

impl Zone {
    /// UTC itself.
    pub const UTC: Self = Self(Tz::UTC);

    /// Its IANA name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// The local calendar day that contains `at`.
    #[must_use]
    pub fn date(&self, at: Instant) -> Date {
        at.utc().with_timezone(&self.0).date_naive()
    }

    /// The first instant of a local day; where midnight is skipped by a clock change, the first instant
    /// after it; where it comes twice, the earlier.
    #[must_use]
    pub fn start_of(&self, day: Date) -> Instant {
        let midnight = day.and_time(chrono::NaiveTime::MIN);
        match self.0.from_local_datetime(&midnight) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Instant::from_utc(at.with_timezone(&Utc)),
            LocalResult::None => self.after_gap(midnight),
        }
    }

    /// The end of a local day: the start of the next.
    #[must_use]
    pub fn end_of(&self, day: Date) -> Instant {
        self.start_of(day.checked_add_days(Days::new(1)).unwrap_or(day))
    }

    /// The first instant after the clock change that skips `local`.
    fn after_gap(&self, local: NaiveDateTime) -> Instant {
        // The change lies within a day of the skipped time: bisect for the first instant whose local time is past it.
        let mut low = Instant::from_utc(local.and_utc()).plus_us(-DAY_US).micros();
        let mut high = low + 2 * DAY_US;
        while high - low > 1 {
            let mid = low + (high - low) / 2;
            if Instant(mid).utc().with_timezone(&self.0).naive_local() < local {
                low = mid;
            } else {
                high = mid;
            }
        }
        Instant::from_micros(high)
    }

    /// The instant of a local wall time: the earlier where it comes twice, the end of the gap where it is skipped.
    #[must_use]
    pub fn at_local(&self, local: NaiveDateTime) -> Instant {
        match self.0.from_local_datetime(&local) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Instant::from_utc(at.with_timezone(&Utc)),
            LocalResult::None => self.after_gap(local),
        }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Zone {
    type Err = chrono_tz::ParseError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        s.parse().map(Self)
    }
}

/// Days since 1970-01-01, the form in which a date is stored.
#[must_use]
pub fn day_number(day: Date) -> i32 {
    day.num_days_from_ce() - 719_163
}

/// The date of a stored day number, if it is one.
#[must_use]
pub fn date_of_number(number: i32) -> Option<Date> {
    Date::from_num_days_from_ce_opt(number.checked_add(719_163)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn midnight_that_a_clock_change_skips_or_repeats() {
        let cases = [
            // Havana skips 2024-03-10 00:00 to 01:00.
            ("America/Havana", "2024-03-10", "2024-03-10T05:00:00Z"),
            // Havana repeats 2024-11-03 00:00 to 01:00: the earlier one starts the day.
            ("America/Havana", "2024-11-03", "2024-11-03T04:00:00Z"),
            ("America/New_York", "2024-03-10", "2024-03-10T05:00:00Z"),
        ];
        for (zone, day, start) in cases {
            let zone: Zone = zone.parse().unwrap();
            assert_eq!(zone.start_of(day.parse().unwrap()), start.parse().unwrap(), "{zone} {day}");
        }
    }

    #[test]
    fn day_numbers_round_trip() {
        for day in ["1970-01-01", "2024-02-29", "1899-12-31"] {
            let day: Date = day.parse().unwrap();
            assert_eq!(date_of_number(day_number(day)), Some(day));
        }
        assert_eq!(day_number("1970-01-01".parse().unwrap()), 0);
    }
}
