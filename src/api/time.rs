//! Values both ways: what the wire carries and what the domain speaks of. [`Fields`] gathers every bad field of a
//! request, so that a caller hears of all of them at once.

use super::error::bad_fields;
use super::names::{BadName, of};
use crate::domain::facts::{Source, SourceKind, TextRef};
use crate::domain::ids::{BadId, CountyId};
use crate::domain::money::Cents;
use crate::domain::policy::Instrument;
use crate::domain::time::{Date, Instant, Span, Zone};
use crate::ledger::{AsOf, Pair};
use crate::pb;
use chrono::Datelike as _;
use prost_types::{Duration, Timestamp};
use std::fmt::Display;
use std::sync::Arc;
use tonic::Status;

/// The bad fields of a request. Readers answer nothing where a field is bad; [`Fields::finish`] then refuses.
#[derive(Debug, Default)]
pub struct Fields {
    bad: Vec<(String, String)>,
}

impl Fields {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A field is bad: what it must be.
    pub fn bad(&mut self, field: &str, why: impl Display) {
        self.bad.push((field.to_owned(), why.to_string()));
    }

    /// Refuses where a field was bad.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`, `FIELD_INVALID`, naming every one.
    pub fn finish(self) -> Result<(), Status> {
        if self.bad.is_empty() { Ok(()) } else { Err(self.refusal()) }
    }

    /// The refusal itself, for where a value that is needed is missing.
    #[must_use]
    pub fn refusal(self) -> Status {
        bad_fields(pb::ErrorReason::FieldInvalid, self.bad)
    }

    /// Keeps what is good; notes what is bad.
    pub fn take<T, E: Display>(&mut self, field: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|why| self.bad(field, why)).ok()
    }

    /// A resource name.
    pub fn name<T>(&mut self, field: &str, name: &str, read: fn(&str) -> Result<T, BadName>) -> Option<T> {
        self.take(field, read(name))
    }

    /// A resource name, or nothing where the field is empty.
    pub fn optional_name<T>(&mut self, field: &str, name: &str, read: fn(&str) -> Result<T, BadName>) -> Option<T> {
        if name.is_empty() { None } else { self.name(field, name, read) }
    }

    /// An id that the caller gives, or nothing where the field is empty.
    pub fn optional_id<T>(&mut self, field: &str, word: &str, read: fn(&str) -> Result<T, BadId>) -> Option<T> {
        if word.is_empty() { None } else { self.take(field, read(word)) }
    }

    /// An instant that must be there.
    pub fn instant(&mut self, field: &str, stamp: Option<&Timestamp>) -> Option<Instant> {
        match stamp {
            Some(stamp) => self.take(field, instant(stamp)),
            None => {
                self.bad(field, "is required");
                None
            }
        }
    }

    /// An instant that may be missing.
    pub fn optional_instant(&mut self, field: &str, stamp: Option<&Timestamp>) -> Option<Instant> {
        stamp.and_then(|stamp| self.take(field, instant(stamp)))
    }

    /// A day that must be there.
    pub fn date(&mut self, field: &str, day: Option<&pb::Date>) -> Option<Date> {
        match day {
            Some(day) => self.take(field, date(day)),
            None => {
                self.bad(field, "is required");
                None
            }
        }
    }

    /// A day that may be missing.
    pub fn optional_date(&mut self, field: &str, day: Option<&pb::Date>) -> Option<Date> {
        day.and_then(|day| self.take(field, date(day)))
    }

    /// A filter's stretch of time: what is unset has no limit.
    pub fn filter_interval(&mut self, field: &str, interval: Option<&pb::Interval>) -> Option<Span> {
        let interval = interval?;
        let start = self.optional_instant(&format!("{field}.start_time"), interval.start_time.as_ref()).unwrap_or(Instant::MIN);
        let end = self.optional_instant(&format!("{field}.end_time"), interval.end_time.as_ref()).unwrap_or(Instant::FAR);
        if start >= end {
            self.bad(field, "must end after it starts");
        }
        Some(Span::new(start, end))
    }

    /// A text of at most so many characters, without control characters.
    pub fn text(&mut self, field: &str, text: &str, longest: usize) -> Arc<str> {
        if text.chars().count() > longest {
            self.bad(field, format!("may have at most {longest} characters"));
        } else if text.contains(|c: char| c.is_control() && c != '\n' && c != '\t') {
            self.bad(field, "may not hold control characters");
        }
        text.into()
    }

    /// A text that may not be empty.
    pub fn required_text(&mut self, field: &str, text: &str, longest: usize) -> Arc<str> {
        if text.trim().is_empty() {
            self.bad(field, "is required");
        }
        self.text(field, text, longest)
    }

    /// Where a fact is known from; it must be there.
    pub fn source(&mut self, field: &str, source: Option<&pb::Source>) -> Option<Source> {
        let Some(source) = source else {
            self.bad(field, "is required");
            return None;
        };
        let reference = self.text(&format!("{field}.reference"), &source.reference, 200);
        let kind = match pb::SourceKind::try_from(source.kind) {
            Ok(pb::SourceKind::JailRecord) => SourceKind::JailRecord,
            Ok(pb::SourceKind::CourtRecord) => SourceKind::CourtRecord,
            Ok(pb::SourceKind::DetainerForm) => SourceKind::DetainerForm,
            Ok(pb::SourceKind::FederalAgency) => SourceKind::FederalAgency,
            Ok(pb::SourceKind::OtherAgency) => SourceKind::OtherAgency,
            Ok(pb::SourceKind::Statement) => SourceKind::Statement,
            Ok(pb::SourceKind::ImportedFile) => SourceKind::ImportedFile,
            Ok(pb::SourceKind::CountyAuthority) => SourceKind::CountyAuthority,
            Ok(pb::SourceKind::Other) => {
                if reference.trim().is_empty() {
                    self.bad(&format!("{field}.reference"), "is required with SOURCE_KIND_OTHER");
                }
                SourceKind::Other
            }
            Ok(pb::SourceKind::Unspecified) | Err(_) => {
                self.bad(&format!("{field}.kind"), "must be a kind of source");
                return None;
            }
        };
        Some(Source { kind, reference })
    }

    /// A paper; it must be there, with title and date.
    pub fn instrument(&mut self, field: &str, paper: Option<&pb::Instrument>) -> Option<Instrument> {
        let Some(paper) = paper else {
            self.bad(field, "is required");
            return None;
        };
        let title = self.required_text(&format!("{field}.title"), &paper.title, 500);
        let citation = self.text(&format!("{field}.citation"), &paper.citation, 200);
        let date = self.date(&format!("{field}.date"), paper.date.as_ref());
        let sha256 = self.digest(&format!("{field}.sha256"), &paper.sha256);
        Some(Instrument { title, citation, date, sha256 })
    }

    /// A digest of 32 bytes, or nothing where it is empty.
    pub fn digest(&mut self, field: &str, bytes: &[u8]) -> Option<TextRef> {
        if bytes.is_empty() {
            return None;
        }
        match <[u8; 32]>::try_from(bytes) {
            Ok(digest) => Some(TextRef(digest)),
            Err(_) => {
                self.bad(field, "must have 32 bytes");
                None
            }
        }
    }

    /// An amount of the county's money, not below zero, or nothing where it is unset.
    pub fn money(&mut self, field: &str, money: Option<&pb::Money>, currency: &str) -> Option<Cents> {
        let cents = self.signed_money(field, money, currency)?;
        if cents.is_negative() {
            self.bad(&format!("{field}.cents"), "may not be negative");
        }
        Some(cents)
    }

    /// An amount of the county's money, above or below zero, or nothing where it is unset.
    pub fn signed_money(&mut self, field: &str, money: Option<&pb::Money>, currency: &str) -> Option<Cents> {
        let money = money?;
        if money.currency_code != currency {
            self.bad(&format!("{field}.currency_code"), format!("must be the county's own, {currency}"));
        }
        Some(Cents::new(money.cents))
    }

    /// An IANA zone.
    pub fn zone(&mut self, field: &str, name: &str) -> Option<Zone> {
        self.take(field, name.parse::<Zone>().map_err(|_| "must be an IANA time zone such as America/New_York"))
    }

    /// How much is to be known.
    pub fn as_of(&mut self, as_of: Option<&pb::AsOf>) -> AsOf {
        match as_of.and_then(|as_of| as_of.point.as_ref()) {
            None => AsOf::Latest,
            Some(pb::as_of::Point::Sequence(seq)) => {
                if *seq < 0 {
                    self.bad("as_of.sequence", "may not be negative");
                }
                AsOf::Sequence(*seq)
            }
            Some(pb::as_of::Point::RecordedTime(stamp)) => {
                self.take("as_of.recorded_time", instant(stamp)).map_or(AsOf::Latest, AsOf::Recorded)
            }
        }
    }
}

/// The instant of a timestamp.
///
/// # Errors
/// Where it lies outside of years 1 to 9999 or is finer than a microsecond: nothing is rounded.
pub fn instant(stamp: &Timestamp) -> Result<Instant, &'static str> {
    if !(0..1_000_000_000).contains(&stamp.nanos) || stamp.nanos % 1_000 != 0 {
        return Err("must be in whole microseconds");
    }
    let us = stamp.seconds.checked_mul(1_000_000).and_then(|us| us.checked_add(i64::from(stamp.nanos) / 1_000));
    let us = us.ok_or("must lie in the years 1 to 9999")?;
    let at = Instant::from_micros(us);
    if at.micros() != us || at.is_far() { Err("must lie in the years 1 to 9999") } else { Ok(at) }
}

/// The timestamp of an instant.
#[must_use]
pub fn stamp(at: Instant) -> Timestamp {
    let nanos = i32::try_from(at.micros().rem_euclid(1_000_000) * 1_000).unwrap_or(0);
    Timestamp { seconds: at.micros().div_euclid(1_000_000), nanos }
}

/// The timestamp of an instant; nothing for the open end.
#[must_use]
pub fn stamp_unless_far(at: Instant) -> Option<Timestamp> {
    (!at.is_far()).then(|| stamp(at))
}

/// The day of a wire date.
///
/// # Errors
/// Where there is no such day.
pub fn date(day: &pb::Date) -> Result<Date, &'static str> {
    let part = |n: i32| u32::try_from(n).ok();
    let found = part(day.month).zip(part(day.day)).and_then(|(month, dom)| Date::from_ymd_opt(day.year, month, dom));
    found.filter(|_| (1..=9999).contains(&day.year)).ok_or("must be a day of the calendar")
}

/// The wire date of a day.
#[must_use]
pub fn wire_date(day: Date) -> pb::Date {
    pb::Date { year: day.year(), month: i32::try_from(day.month()).unwrap_or(0), day: i32::try_from(day.day()).unwrap_or(0) }
}

/// The wire interval of a span.
#[must_use]
pub fn wire_interval(span: Span) -> pb::Interval {
    pb::Interval { start_time: Some(stamp(span.start)), end_time: stamp_unless_far(span.end) }
}

/// The wire length of microseconds.
#[must_use]
pub fn wire_duration(us: i64) -> Duration {
    Duration { seconds: us / 1_000_000, nanos: i32::try_from(us % 1_000_000 * 1_000).unwrap_or(0) }
}

/// The microseconds of a wire length.
///
/// # Errors
/// Where it is negative, finer than a microsecond or too long.
pub fn micros(length: &Duration) -> Result<i64, &'static str> {
    if length.seconds < 0 || length.nanos < 0 || length.nanos % 1_000 != 0 || length.nanos >= 1_000_000_000 {
        return Err("must not be negative, and be in whole microseconds");
    }
    let us = length.seconds.checked_mul(1_000_000).and_then(|us| us.checked_add(i64::from(length.nanos) / 1_000));
    us.ok_or("is too long")
}

/// The wire amount of cents.
#[must_use]
pub fn wire_money(cents: Cents, currency: &str) -> pb::Money {
    pb::Money { currency_code: currency.to_owned(), cents: cents.get() }
}

/// The wire form of a source.
#[must_use]
pub fn wire_source(source: &Source) -> pb::Source {
    let kind = match source.kind {
        SourceKind::JailRecord => pb::SourceKind::JailRecord,
        SourceKind::CourtRecord => pb::SourceKind::CourtRecord,
        SourceKind::DetainerForm => pb::SourceKind::DetainerForm,
        SourceKind::FederalAgency => pb::SourceKind::FederalAgency,
        SourceKind::OtherAgency => pb::SourceKind::OtherAgency,
        SourceKind::Statement => pb::SourceKind::Statement,
        SourceKind::ImportedFile => pb::SourceKind::ImportedFile,
        SourceKind::CountyAuthority => pb::SourceKind::CountyAuthority,
        SourceKind::Other => pb::SourceKind::Other,
    };
    pb::Source { kind: kind.into(), reference: source.reference.to_string() }
}

/// The wire form of a paper.
#[must_use]
pub fn wire_instrument(paper: &Instrument) -> pb::Instrument {
    pb::Instrument {
        title: paper.title.to_string(),
        citation: paper.citation.to_string(),
        date: paper.date.map(wire_date),
        sha256: paper.sha256.map(|digest| digest.0.to_vec()).unwrap_or_default(),
    }
}

/// The wire form of a point of knowledge.
#[must_use]
pub fn wire_pair(pair: Pair) -> pb::AsOfPair {
    pb::AsOfPair { sequence: pair.seq, recorded_time: pair.recorded.map(stamp) }
}

/// The receipt of a write; none for one that was only tried. `etag` is the resource's own new one.
#[must_use]
pub fn receipt(county: &CountyId, pair: Pair, etag: i64, validate_only: bool) -> Option<pb::Receipt> {
    (!validate_only).then(|| pb::Receipt {
        county: of::county(county),
        sequence: pair.seq,
        recorded_time: pair.recorded.map(stamp),
        tree_root: pair.root.map(|root| root.to_vec()).unwrap_or_default(),
        etag: etag.to_string(),
        rehearsal_offset: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn instants_round_trip(us in -62_135_596_800_000_000_i64..253_402_300_799_999_999) {
            let at = Instant::from_micros(us);
            prop_assert_eq!(instant(&stamp(at)), Ok(at));
        }
    }

    #[test]
    fn every_bad_field_is_named() {
        use tonic_types::StatusExt as _;
        let mut fields = Fields::new();
        assert_eq!(fields.instant("a_time", Some(&Timestamp { seconds: 1, nanos: 1 })), None, "nothing is rounded");
        assert_eq!(fields.date("a_date", Some(&pb::Date { year: 2023, month: 2, day: 29 })), None);
        assert_eq!(fields.source("source", None), None);
        let status = fields.refusal();
        let named: Vec<_> = status.get_details_bad_request().unwrap().field_violations.into_iter().map(|v| v.field).collect();
        assert_eq!(named, ["a_time", "a_date", "source"]);
    }
}
