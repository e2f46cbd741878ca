//! Instants of the wire and local times of people. Every zone is named; nothing reads the machine's own.

use chrono::{
    DateTime, Datelike as _, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset as _, TimeDelta, TimeZone as _,
    Timelike as _, Utc,
};
use chrono_tz::Tz;
use prost_types::{Duration, Timestamp};
use serde::Deserialize;

use crate::pb;

/// Which of the two is meant where a local time comes twice, when clocks go back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RepeatedHour {
    /// The first.
    #[default]
    Earlier,
    /// The second.
    Later,
}

/// Why a local time cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// It is not written in a way this program reads.
    #[error("`{0}` is no time: write 2024-03-15T17:00:00-04:00, `2024-03-15 17:00` (local), 2024-03-15 or now")]
    Unreadable(String),
    /// It does not exist: clocks went forward over it.
    #[error("{local} does not exist in {zone}: clocks went forward over it")]
    Skipped {
        /// The local time.
        local: NaiveDateTime,
        /// The zone.
        zone: Tz,
    },
    /// There is no such zone.
    #[error("`{0}` is no IANA time zone, as America/New_York is")]
    Zone(String),
}

/// The instant as the wire carries it, in whole microseconds.
#[must_use]
pub fn stamp(at: DateTime<Utc>) -> Timestamp {
    let micros = at.timestamp_subsec_micros().min(999_999);
    Timestamp { seconds: at.timestamp(), nanos: i32::try_from(micros * 1_000).unwrap_or(0) }
}

/// The instant of the wire; nothing where it is no instant.
#[must_use]
pub fn utc(stamp: &Timestamp) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(stamp.seconds, u32::try_from(stamp.nanos).ok()?)
}

/// A length of the wire; nothing where it is out of range.
#[must_use]
pub fn delta(length: &Duration) -> Option<TimeDelta> {
    TimeDelta::new(length.seconds, 0)?.checked_add(&TimeDelta::nanoseconds(i64::from(length.nanos)))
}

/// A length as the wire carries it.
#[must_use]
pub fn length(delta: TimeDelta) -> Duration {
    Duration { seconds: delta.num_seconds(), nanos: delta.subsec_nanos() }
}

/// A day as the wire carries it.
#[must_use]
pub fn date(day: NaiveDate) -> pb::Date {
    let part = |number: u32| i32::try_from(number).unwrap_or(0);
    pb::Date { year: day.year(), month: part(day.month()), day: part(day.day()) }
}

/// A day of the wire; nothing where there is no such day.
#[must_use]
pub fn day(date: &pb::Date) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(date.year, u32::try_from(date.month).ok()?, u32::try_from(date.day).ok()?)
}

/// The zone of an IANA name.
///
/// # Errors
/// [`TimeError::Zone`].
pub fn zone(name: &str) -> Result<Tz, TimeError> {
    name.parse().map_err(|_| TimeError::Zone(name.to_owned()))
}

/// The zone of a name that the server gave; UTC where it gave none.
#[must_use]
pub fn zone_or_utc(name: &str) -> Tz {
    name.parse().unwrap_or(Tz::UTC)
}

/// The instant of a local time.
///
/// # Errors
/// [`TimeError::Skipped`] where clocks went forward over it.
pub fn instant(local: NaiveDateTime, zone: Tz, repeated: RepeatedHour) -> Result<DateTime<Utc>, TimeError> {
    match (zone.from_local_datetime(&local), repeated) {
        (LocalResult::Single(at) | LocalResult::Ambiguous(at, _), RepeatedHour::Earlier)
        | (LocalResult::Single(at) | LocalResult::Ambiguous(_, at), RepeatedHour::Later) => Ok(at.to_utc()),
        (LocalResult::None, _) => Err(TimeError::Skipped { local, zone }),
    }
}

/// The first instant of a local day: 00:00, or the first there is where clocks went forward over that.
///
/// # Errors
/// [`TimeError::Skipped`] where the whole day is missing.
pub fn start_of_day(day: NaiveDate, zone: Tz) -> Result<DateTime<Utc>, TimeError> {
    let midnight = day.and_time(NaiveTime::MIN);
    let mut quarters = (0..96).map(|n| midnight + TimeDelta::minutes(15 * n));
    quarters
        .find_map(|local| instant(local, zone, RepeatedHour::Earlier).ok())
        .ok_or(TimeError::Skipped { local: midnight, zone })
}

/// Reads a time as people type it: RFC 3339 with its own offset, a local time or day in `zone`, or `now`.
///
/// # Errors
/// [`TimeError`].
pub fn read(text: &str, zone: Tz, now: DateTime<Utc>) -> Result<DateTime<Utc>, TimeError> {
    let text = text.trim();
    if is_now(text) {
        return Ok(now);
    }
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.to_utc());
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return start_of_day(day, zone);
    }
    let local = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .ok_or_else(|| TimeError::Unreadable(text.to_owned()))?;
    instant(local, zone, RepeatedHour::Earlier)
}

/// Whether the present is meant.
#[must_use]
pub fn is_now(text: &str) -> bool {
    text.trim() == "now"
}

/// Whether a time as typed needs a zone to be read in.
#[must_use]
pub fn is_local(text: &str) -> bool {
    !is_now(text) && DateTime::parse_from_rfc3339(text.trim()).is_err()
}

/// An instant for people: `2014-01-01 00:00 EST`, with seconds only where there are some and nothing finer:
/// what lies between two seconds is shown as the earlier.
#[must_use]
pub fn show(at: DateTime<Utc>, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    let format = if local.second() == 0 { "%Y-%m-%d %H:%M %Z" } else { "%Y-%m-%d %H:%M:%S %Z" };
    local.format(format).to_string()
}

/// An instant for machines: RFC 3339 with the zone's offset; in UTC where the offset is not of whole minutes, as before
/// there were zones, which RFC 3339 cannot say.
#[must_use]
pub fn exact(at: DateTime<Utc>, zone: Tz) -> String {
    let form = if at.nanosecond() == 0 { chrono::SecondsFormat::Secs } else { chrono::SecondsFormat::Micros };
    let local = at.with_timezone(&zone);
    let seconds = local.offset().fix().local_minus_utc();
    if seconds % 60 == 0 { local.to_rfc3339_opts(form, true) } else { at.to_rfc3339_opts(form, true) }
}

/// A length for people: `1 d 02:30`, `02:30`, with seconds only below an hour.
#[must_use]
pub fn show_length(delta: TimeDelta) -> String {
    let seconds = delta.num_seconds().abs();
    // Less than a second is none, either way.
    let sign = if delta.num_seconds() < 0 { "-" } else { "" };
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours) {
        (0, 0) => format!("{sign}{minutes:02} min {:02} s", seconds % 60),
        (0, _) => format!("{sign}{hours} h {minutes:02} min"),
        _ => format!("{sign}{days} d {hours:02} h {minutes:02} min"),
    }
}

/// The days of the month before the one of `today`: from its first up to the first of this month.
#[must_use]
pub fn last_month(today: NaiveDate) -> (NaiveDate, NaiveDate) {
    let first = today - Days::new(u64::from(today.day0()));
    let before = first.pred_opt().unwrap_or(first);
    (before - Days::new(u64::from(before.day0())), first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).map(|t| t.to_utc()).unwrap_or_default()
    }

    #[test]
    fn times_as_people_type_them() {
        let zone = Tz::America__New_York;
        let now = at("2024-03-15T12:00:00Z");
        for (typed, instant) in [
            ("now", "2024-03-15T12:00:00Z"),
            ("2024-03-15T17:00:00-04:00", "2024-03-15T21:00:00Z"),
            ("2024-03-15 17:00", "2024-03-15T21:00:00Z"),
            ("2024-03-15T17:00:30", "2024-03-15T21:00:30Z"),
            ("2024-03-15", "2024-03-15T04:00:00Z"),
            ("2024-11-03 01:30", "2024-11-03T05:30:00Z"),
        ] {
            assert_eq!(read(typed, zone, now), Ok(at(instant)), "{typed}");
        }
        assert!(matches!(read("2024-03-10 02:30", zone, now), Err(TimeError::Skipped { .. })));
        assert!(matches!(read("yesterday", zone, now), Err(TimeError::Unreadable(_))));
    }

    #[test]
    fn a_repeated_hour_is_read_as_asked() {
        let local = NaiveDate::from_ymd_opt(2024, 11, 3).and_then(|d| d.and_hms_opt(1, 30, 0)).unwrap_or_default();
        let zone = Tz::America__New_York;
        assert_eq!(instant(local, zone, RepeatedHour::Earlier), Ok(at("2024-11-03T05:30:00Z")));
        assert_eq!(instant(local, zone, RepeatedHour::Later), Ok(at("2024-11-03T06:30:00Z")));
    }

    #[test]
    fn a_day_begins_at_its_first_instant_also_where_midnight_is_skipped() {
        let day = NaiveDate::from_ymd_opt(2018, 11, 4).unwrap_or_default();
        assert_eq!(start_of_day(day, Tz::America__Sao_Paulo), Ok(at("2018-11-04T03:00:00Z")));
        let day = NaiveDate::from_ymd_opt(2014, 10, 1).unwrap_or_default();
        assert_eq!(start_of_day(day, Tz::America__Phoenix), Ok(at("2014-10-01T07:00:00Z")));
    }

    #[test]
    fn shown_in_the_zone_with_its_abbreviation() {
        assert_eq!(show(at("2014-01-01T05:00:00Z"), Tz::America__New_York), "2014-01-01 00:00 EST");
        assert_eq!(show(at("2014-07-01T05:00:09Z"), Tz::America__New_York), "2014-07-01 01:00:09 EDT");
        assert_eq!(exact(at("2014-01-01T05:00:00Z"), Tz::America__New_York), "2014-01-01T00:00:00-05:00");
        assert_eq!(exact(at("2014-01-01T05:00:00.25Z"), Tz::UTC), "2014-01-01T05:00:00.250000Z");
        assert_eq!(exact(at("1880-01-01T05:00:00Z"), Tz::America__New_York), "1880-01-01T05:00:00Z");
        assert_eq!(show_length(TimeDelta::minutes(26 * 60 + 5)), "1 d 02 h 05 min");
        assert_eq!(show_length(TimeDelta::minutes(-65)), "-1 h 05 min");
        assert_eq!(show_length(TimeDelta::milliseconds(-400)), "00 min 00 s");
        assert_eq!(show_length(TimeDelta::milliseconds(-1_400)), "-00 min 01 s");
    }

    #[test]
    fn the_wire_keeps_microseconds() {
        let t = at("1969-12-31T23:59:59.999999Z");
        assert_eq!(utc(&stamp(t)), Some(t));
        assert_eq!(utc(&Timestamp { seconds: 0, nanos: -1 }), None);
    }

    #[test]
    fn last_month_is_whole() {
        let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap_or_default();
        assert_eq!(last_month(day(2024, 1, 15)), (day(2023, 12, 1), day(2024, 1, 1)));
        assert_eq!(last_month(day(2024, 3, 1)), (day(2024, 2, 1), day(2024, 3, 1)));
    }
}
