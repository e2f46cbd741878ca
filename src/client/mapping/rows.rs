//! One group of records turned into the operations of one import row.
//!
//! Operations come in the order in which things happened, so that no record looks like a correction of an earlier one:
//! the booking with the bases that opened with it, then by time; at one instant a receipt comes before a withdrawal,
//! that before the closing of a basis, and that before the release.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;
use sha2::{Digest as _, Sha256};

use super::format::{Bases, id_character};
use super::plan::{BoundBasis, BoundDetainer, BoundLift, BoundMoment, BoundRelease, BoundService, Plan};
use super::value::{Bound, holds};
use crate::pb;
use crate::sheet::words::{self, Word};
use crate::sheet::{names, time};
use pb::import_operation::Operation;

/// The most operations that one row may have.
const MOST_OPERATIONS: usize = 100;
/// The most bytes of a source's reference.
const LONGEST_REFERENCE: usize = 200;

/// One record of the file.
#[derive(Clone, Debug)]
pub struct Record {
    /// Line of the file on which it begins, from 1.
    pub line: u64,
    /// Its place in its row, from 1.
    pub place: usize,
    /// What it holds.
    pub fields: csv::StringRecord,
}

/// What is wrong with a row, where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}{}: {problem}", of(.field))]
pub struct RowProblem {
    /// Line of the file, from 1.
    pub line: u64,
    /// The mapping's field or the file's column. Empty: the row as a whole.
    pub field: String,
    /// What is wrong.
    pub problem: String,
}

fn of(field: &str) -> String {
    if field.is_empty() { String::new() } else { format!(", {field}") }
}

/// A facility that a row names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FacilitySeen {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub display_name: String,
    /// Its city.
    pub city: String,
    /// IANA name of its zone.
    pub time_zone: String,
}

/// A row that can be sent.
#[derive(Clone, Debug)]
pub struct MappedRow {
    /// The row.
    pub row: pb::ImportRow,
    /// Where its booking is.
    pub facility: FacilitySeen,
}

type Mapped<T> = Result<T, RowProblem>;

impl Plan {
    /// Whether facilities that the county has not are to be made.
    #[must_use]
    pub fn creates_facilities(&self) -> bool {
        self.facility.create
    }

    /// The row's own id; empty where it cannot be read.
    #[must_use]
    pub fn row_id(&self, record: &Record) -> String {
        self.row_id.get(record).map(Cow::into_owned).unwrap_or_default()
    }

    /// Turns the records of one row, at least one, into operations on `county` (`counties/{county}`).
    ///
    /// # Errors
    /// [`RowProblem`]: the first thing that is wrong.
    pub fn row(&self, county: &str, records: &[Record]) -> Mapped<MappedRow> {
        let Some(first) = records.first() else {
            return Err(RowProblem { line: 0, field: String::new(), problem: "the row has no record".to_owned() });
        };
        for (condition, reason) in &self.reject {
            if let Some(record) = records.iter().find(|record| condition.holds(record)) {
                return Err(RowProblem { line: record.line, field: condition.name.clone(), problem: reason.clone() });
            }
        }
        let head = At { plan: self, record: first };
        let row_id = head.required(&self.row_id)?;
        let booking_id = head.required(&self.booking.id)?;
        let facility = head.facility()?;
        let name = names::booking(county, &booking_id);
        let made = Made { county, booking: &name, row_id: &row_id };
        let booked = head.required_moment(&self.booking.booked)?;
        let mut operations = self.operations(&made, records)?;
        let booked = head.booking(&made, booking_id, booked, &facility, &mut operations)?;
        operations.sort_by_key(|operation| (operation.at, operation.rank));
        let operations: Vec<pb::ImportOperation> = std::iter::once(booked)
            .chain(operations.into_iter().map(|operation| operation.what))
            .map(|operation| pb::ImportOperation { operation: Some(operation) })
            .collect();
        if operations.len() > MOST_OPERATIONS {
            let problem = format!("it makes {} operations, and a row may have {MOST_OPERATIONS}", operations.len());
            return Err(RowProblem { line: first.line, field: String::new(), problem });
        }
        Ok(MappedRow { row: pb::ImportRow { row_id, operations }, facility })
    }

    fn operations(&self, made: &Made, records: &[Record]) -> Mapped<Vec<Timed>> {
        let mut operations = Vec::new();
        let release = self.release.as_ref().map(|rules| released(self, rules, made, records)).transpose()?.flatten();
        let ended = release.as_ref().map(|release| release.at);
        for record in records {
            let at = At { plan: self, record };
            for rules in self.basis.iter().filter(|rules| holds(rules.when.as_ref(), record)) {
                at.basis(rules, made, &mut operations)?;
            }
            for rules in self.detainer.iter().filter(|rules| holds(rules.when.as_ref(), record)) {
                at.detainer(rules, made, ended, &mut operations)?;
            }
        }
        operations.extend(release);
        Ok(operations)
    }
}

/// The names that every operation of a row needs.
struct Made<'a> {
    county: &'a str,
    booking: &'a str,
    row_id: &'a str,
}

/// An operation with its time and its place at that time.
struct Timed {
    at: DateTime<Utc>,
    rank: u8,
    what: Operation,
}

fn released(plan: &Plan, rules: &BoundRelease, made: &Made, records: &[Record]) -> Mapped<Option<Timed>> {
    let named = rules.when.as_ref().and_then(|when| records.iter().find(|record| when.holds(record)));
    let Some(record) = named.or(records.first()) else { return Ok(None) };
    let at = At { plan, record };
    let Some(end) = at.moment(&rules.at)? else { return Ok(None) };
    let request = pb::ReleaseBookingRequest {
        name: made.booking.to_owned(),
        effective_time: Some(time::stamp(end)),
        source: Some(at.source(made, &rules.note)),
        kind: at.word::<pb::BookingEndKind>(&rules.kind)?.into(),
        receiving_agency: at.optional(rules.receiving_agency.as_ref())?,
        ..Default::default()
    };
    Ok(Some(Timed { at: end, rank: 4, what: Operation::ReleaseBooking(request) }))
}

/// One record read under a plan.
struct At<'a> {
    plan: &'a Plan,
    record: &'a Record,
}

impl At<'_> {
    fn wrong<T>(&self, field: &str, problem: impl Into<String>) -> Mapped<T> {
        Err(RowProblem { line: self.record.line, field: field.to_owned(), problem: problem.into() })
    }

    fn text<'a>(&'a self, bound: &'a Bound) -> Mapped<Cow<'a, str>> {
        bound.get(self.record).or_else(|problem| self.wrong(&bound.field, problem))
    }

    fn required(&self, bound: &Bound) -> Mapped<String> {
        let text = self.text(bound)?;
        if text.is_empty() { self.wrong(&bound.field, "it is empty") } else { Ok(text.into_owned()) }
    }

    fn optional(&self, bound: Option<&Bound>) -> Mapped<String> {
        bound.map_or(Ok(String::new()), |bound| self.text(bound).map(Cow::into_owned))
    }

    fn word<W: Word>(&self, bound: &Bound) -> Mapped<W> {
        let text = self.text(bound)?;
        words::parse::<W>(&text)
            .map_or_else(|| self.wrong(&bound.field, format!("`{text}` is none of {}", words::all::<W>().join(", "))), Ok)
    }

    fn flag(&self, bound: &Bound) -> Mapped<bool> {
        match self.text(bound)?.as_ref() {
            "true" => Ok(true),
            "false" => Ok(false),
            other => self.wrong(&bound.field, format!("`{other}` is neither `true` nor `false`")),
        }
    }

    fn zone(&self) -> Mapped<Tz> {
        let bound = &self.plan.times.zone;
        let name = self.text(bound)?;
        time::zone(&name).or_else(|error| self.wrong(&bound.field, error.to_string()))
    }

    /// The instant of a moment; nothing where it is empty.
    fn moment(&self, moment: &BoundMoment) -> Mapped<Option<DateTime<Utc>>> {
        let Some(at) = self.instant(&moment.value)? else { return Ok(None) };
        let limit = moment.not_after.as_ref().map(|limit| self.instant(limit)).transpose()?.flatten();
        Ok(Some(limit.map_or(at, |limit| at.min(limit))))
    }

    fn required_moment(&self, moment: &BoundMoment) -> Mapped<DateTime<Utc>> {
        self.moment(moment)?.map_or_else(|| self.wrong(&moment.value.field, "it is empty, and a time is needed"), Ok)
    }

    fn instant(&self, bound: &Bound) -> Mapped<Option<DateTime<Utc>>> {
        let text = self.text(bound)?;
        if text.is_empty() {
            return Ok(None);
        }
        let zone = self.zone()?;
        let times = &self.plan.times;
        for (format, has_hour) in &times.formats {
            let read = if *has_hour {
                NaiveDateTime::parse_from_str(&text, format).ok().map(|local| time::instant(local, zone, times.repeated_hour))
            } else {
                NaiveDate::parse_from_str(&text, format).ok().map(|day| time::start_of_day(day, zone))
            };
            if let Some(read) = read {
                return read.map(Some).or_else(|error| self.wrong(&bound.field, error.to_string()));
            }
        }
        let formats: Vec<&str> = times.formats.iter().map(|(format, _)| format.as_str()).collect();
        self.wrong(&bound.field, format!("`{text}` is no time like {}", formats.join(" or ")))
    }

    fn facility(&self) -> Mapped<FacilitySeen> {
        let rules = &self.plan.facility;
        let id = slug(&self.required(&rules.id)?);
        if id.is_empty() {
            return self.wrong(&rules.id.field, "it has no letter and no digit");
        }
        let zone = match &rules.zone {
            Some(zone) => self.required(zone)?,
            None => self.required(&self.plan.times.zone)?,
        };
        let display_name = self.required(&rules.name)?;
        Ok(FacilitySeen { id, display_name, city: self.optional(rules.city.as_ref())?, time_zone: zone })
    }

    fn source(&self, made: &Made, note: &str) -> pb::Source {
        let place = if self.record.place > 1 { format!(".{}", self.record.place) } else { String::new() };
        let mut reference = format!("{} row {}{place}", self.plan.source_name, made.row_id);
        if !note.is_empty() {
            reference.push_str("; ");
            reference.push_str(note);
        }
        let end = (0..=LONGEST_REFERENCE.min(reference.len())).rev().find(|n| reference.is_char_boundary(*n)).unwrap_or(0);
        reference.truncate(end);
        pb::Source { kind: pb::SourceKind::ImportedFile.into(), reference }
    }

    /// The booking, with those of the bases that opened with it; they leave `operations`.
    fn booking(
        &self,
        made: &Made,
        id: String,
        booked: DateTime<Utc>,
        facility: &FacilitySeen,
        operations: &mut Vec<Timed>,
    ) -> Mapped<Operation> {
        let rules = &self.plan.booking;
        let age = self.optional(rules.age_years.as_ref())?;
        let age_years = match (age.as_str(), &rules.age_years) {
            ("", _) | (_, None) => None,
            (age, Some(bound)) => match age.parse() {
                Ok(years) => Some(years),
                Err(_) => return self.wrong(&bound.field, format!("`{age}` is no number of years")),
            },
        };
        let bases = match rules.bases {
            Bases::NotKnown => pb::create_booking_request::Bases::BasesNotKnown(pb::BasesNotKnown {}),
            Bases::Known => pb::create_booking_request::Bases::FirstBases(first_bases(booked, operations)),
        };
        Ok(Operation::CreateBooking(pb::CreateBookingRequest {
            parent: made.county.to_owned(),
            booking_id: id,
            booked_time: Some(time::stamp(booked)),
            source: Some(self.source(made, &rules.note)),
            facility: names::facility(made.county, &facility.id),
            age_years,
            bases: Some(bases),
            ..Default::default()
        }))
    }

    fn basis(&self, rules: &BoundBasis, made: &Made, operations: &mut Vec<Timed>) -> Mapped<()> {
        let id = self.required(&rules.id)?;
        let open = self.required_moment(&rules.open)?;
        let close = rules.close.as_ref().map(|close| self.moment(close)).transpose()?.flatten();
        operations.push(Timed {
            at: open,
            rank: 0,
            what: Operation::OpenBasis(pb::OpenBasisRequest {
                parent: made.booking.to_owned(),
                effective_time: Some(time::stamp(open)),
                source: Some(self.source(made, &rules.note)),
                basis_id: id.clone(),
                kind: self.word::<pb::BasisKind>(&rules.kind)?.into(),
                reference: self.optional(rules.reference.as_ref())?,
                ..Default::default()
            }),
        });
        let (Some(close), Some(reason)) = (close, &rules.close_reason) else { return Ok(()) };
        if close < open {
            return self.wrong(&reason.field.replace("close_reason", "close"), "it closes before it opens");
        }
        let reason = self.word::<pb::BasisCloseReason>(reason)?;
        let text = if reason == pb::BasisCloseReason::Other { self.optional(rules.close_text.as_ref())? } else { String::new() };
        operations.push(Timed {
            at: close,
            rank: 3,
            what: Operation::CloseBasis(pb::CloseBasisRequest {
                name: names::basis(made.booking, &id),
                effective_time: Some(time::stamp(close)),
                source: Some(self.source(made, &rules.note)),
                reason: reason.into(),
                reason_text: text,
                ..Default::default()
            }),
        });
        Ok(())
    }

    fn detainer(
        &self,
        rules: &BoundDetainer,
        made: &Made,
        ended: Option<DateTime<Utc>>,
        operations: &mut Vec<Timed>,
    ) -> Mapped<()> {
        let id = self.required(&rules.id)?;
        let received = self.required_moment(&rules.received)?;
        let service = rules.service.as_ref().map(|service| self.service(service, made)).transpose()?.flatten();
        let request = pb::RecordDetainerRequest {
            parent: made.booking.to_owned(),
            received_time: Some(time::stamp(received)),
            source: Some(self.source(made, &rules.note)),
            detainer_id: id.clone(),
            form: Some(self.form(rules, received)?),
            service,
            ..Default::default()
        };
        operations.push(Timed { at: received, rank: 1, what: Operation::RecordDetainer(request) });
        if let Some(lift) = rules.lift.as_ref().filter(|lift| holds(lift.when.as_ref(), self.record)) {
            operations.extend(self.lift(lift, made, &id, received, ended)?);
        }
        Ok(())
    }

    fn form(&self, rules: &BoundDetainer, received: DateTime<Utc>) -> Mapped<pb::DetainerForm> {
        let signed = match &rules.signed {
            Some(signed) => self.word::<pb::TriState>(signed)?,
            None => pb::TriState::Unknown,
        };
        let form_date = match &rules.form_date {
            Some(bound) => self.instant(bound)?.unwrap_or(received),
            None => received,
        };
        let zone = self.zone()?;
        Ok(pb::DetainerForm {
            edition: self.word::<pb::FormEdition>(&rules.edition)?.into(),
            hold_requested: self.flag(&rules.hold_requested)?,
            notify_requested: self.flag(&rules.notify_requested)?,
            dhs_lent_return: rules.dhs_lent_return.as_ref().map_or(Ok(false), |lent| self.flag(lent))?,
            signed: signed.into(),
            office: Some(pb::IssuingOffice {
                code: slug(&self.required(&rules.office_code)?),
                display_name: self.text(&rules.office_name)?.into_owned(),
                component: self.word::<pb::IssuingComponent>(&rules.office_component)?.into(),
            }),
            officer: self.optional(rules.officer.as_ref())?,
            form_date: Some(time::date(form_date.with_timezone(&zone).date_naive())),
            event_number: self.optional(rules.event_number.as_ref())?,
            ..Default::default()
        })
    }

    fn service(&self, rules: &BoundService, made: &Made) -> Mapped<Option<pb::Service>> {
        let Some(served) = self.moment(&rules.served)? else { return Ok(None) };
        Ok(Some(pb::Service {
            served_time: Some(time::stamp(served)),
            method: self.word::<pb::ServiceMethod>(&rules.method)?.into(),
            language: self.optional(rules.language.as_ref())?,
            served_by: self.optional(rules.served_by.as_ref())?,
            source: Some(self.source(made, &rules.note)),
        }))
    }

    fn lift(
        &self,
        rules: &BoundLift,
        made: &Made,
        id: &str,
        received: DateTime<Utc>,
        ended: Option<DateTime<Utc>>,
    ) -> Mapped<Option<Timed>> {
        let Some(at) = self.moment(&rules.at)? else { return Ok(None) };
        if rules.only_before_release && ended.is_some_and(|ended| at >= ended) {
            return Ok(None);
        }
        if at < received {
            return self.wrong(&rules.at.value.field, "it is lifted before it was received");
        }
        let request = pb::LiftDetainerRequest {
            name: names::detainer(made.booking, id),
            effective_time: Some(time::stamp(at)),
            source: Some(self.source(made, &rules.note)),
            reason: self.word::<pb::LiftReason>(&rules.reason)?.into(),
            ..Default::default()
        };
        Ok(Some(Timed { at, rank: 2, what: Operation::LiftDetainer(request) }))
    }
}

/// Takes the bases that open at the booked time out of the operations.
fn first_bases(booked: DateTime<Utc>, operations: &mut Vec<Timed>) -> pb::FirstBases {
    let mut bases = Vec::new();
    operations.retain(|operation| match &operation.what {
        Operation::OpenBasis(open) if operation.at == booked => {
            bases.push(pb::NewBasis {
                basis_id: open.basis_id.clone(),
                kind: open.kind,
                open_time: open.effective_time,
                source: open.source.clone(),
                reference: open.reference.clone(),
            });
            false
        }
        _ => true,
    });
    pb::FirstBases { bases }
}

/// An id made of words: lower case, `-` for everything but letters and digits, at most 64 characters; a longer one is cut
/// and ends with a digest of the whole, so that two never become one.
pub(super) fn slug(words: &str) -> String {
    let mut id = String::with_capacity(words.len());
    for character in words.chars() {
        let kept = if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '-' };
        if kept != '-' || !(id.is_empty() || id.ends_with('-')) {
            id.push(kept);
        }
    }
    let id = id.trim_matches('-').to_owned();
    debug_assert!(id.chars().all(id_character));
    if id.len() <= 64 {
        return id;
    }
    let digest = hex::encode(Sha256::digest(words.as_bytes()));
    format!("{}-{}", id[..55].trim_end_matches('-'), &digest[..8])
}
