//! Stays of 2013 to 2017, made up from their own numbers: the same ones at each run.

use chrono::{DateTime, TimeDelta, Utc};

use super::{COUNTY, FACILITIES, midnight};
use crate::pb;
use crate::sheet::{names, time};
use pb::import_operation::Operation;

/// How many stays there are.
const STAYS: i64 = 60;

/// How a stay after T0 went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    /// Federal officers came after so many hours.
    HandedOver(i64),
    /// Nobody came; released after so many minutes from T0.
    Released(i64),
    /// The detainer was withdrawn after so many hours, and the person released an hour later.
    Lifted(i64),
    /// A new charge held the person for three days from so many hours on; officers came ten hours after that.
    NewCharge(i64),
}

/// The rows of the history.
#[must_use]
pub fn rows() -> Vec<pb::ImportRow> {
    (1..=STAYS).map(row).collect()
}

/// A number that looks random and is not: it depends on stay and purpose alone.
fn mixed(stay: i64, purpose: i64, below: i64) -> i64 {
    let mut x = (stay * 1_000_003 + purpose * 7_919).unsigned_abs();
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    i64::try_from(x % below.unsigned_abs().max(1)).unwrap_or(0)
}

/// When the person was booked: stays are spread evenly from January 2013 to the end of 2017, at any hour.
fn booked(stay: i64) -> DateTime<Utc> {
    midnight(2013, 1, 5) + TimeDelta::days(stay * 29) + TimeDelta::minutes(mixed(stay, 1, 1_440))
}

fn edition(received: DateTime<Utc>) -> pb::FormEdition {
    if received < midnight(2015, 6, 12) {
        pb::FormEdition::I247201212
    } else if received < midnight(2017, 4, 2) {
        pb::FormEdition::I247d
    } else {
        pb::FormEdition::I247a
    }
}

/// Whether the county of this story held people on detainers then.
fn holds(t0: DateTime<Utc>) -> bool {
    t0 < midnight(2014, 1, 1) || (midnight(2015, 3, 1) <= t0 && t0 < midnight(2016, 2, 27)) || midnight(2017, 1, 26) <= t0
}

fn after(stay: i64, t0: DateTime<Utc>) -> After {
    let kind = mixed(stay, 5, 10);
    if !holds(t0) {
        return if kind == 0 { After::Released(19 * 60) } else { After::Released(25 + mixed(stay, 6, 95)) };
    }
    match kind {
        0..=4 => After::HandedOver(6 + mixed(stay, 6, 38)),
        5 | 6 => After::Released(48 * 60),
        7 => After::Lifted(5 + mixed(stay, 6, 20)),
        8 => After::NewCharge(12),
        _ => After::Released(48 * 60 + 300 + mixed(stay, 6, 1_500)),
    }
}

fn source(stay: i64) -> Option<pb::Source> {
    Some(pb::Source { kind: pb::SourceKind::ImportedFile.into(), reference: format!("rehearsal stay {stay}") })
}

fn row(stay: i64) -> pb::ImportRow {
    let county = names::county(COUNTY);
    let id = format!("R-{stay:03}");
    let booking = names::booking(&county, &id);
    let story = Story { stay, county, id, booking };
    let operations = story.operations().into_iter().map(|operation| pb::ImportOperation { operation: Some(operation) });
    pb::ImportRow { row_id: format!("stay-{stay}"), operations: operations.collect() }
}

struct Story {
    stay: i64,
    county: String,
    id: String,
    booking: String,
}

impl Story {
    fn operations(&self) -> Vec<Operation> {
        let booked = booked(self.stay);
        let received = booked + TimeDelta::minutes(90 + mixed(self.stay, 2, 1_500));
        let t0 = booked + TimeDelta::hours(40 + mixed(self.stay, 3, 400)) + TimeDelta::minutes(mixed(self.stay, 4, 60));
        let mut all = vec![self.create(booked), self.detainer(received, t0), self.close("charge-1", t0)];
        all.extend(self.ending(t0));
        all
    }

    fn create(&self, booked: DateTime<Utc>) -> Operation {
        let stay = self.stay;
        let basis = pb::NewBasis {
            basis_id: "charge-1".to_owned(),
            kind: pb::BasisKind::Charge.into(),
            open_time: Some(time::stamp(booked)),
            source: source(stay),
            reference: "made-up charge".to_owned(),
        };
        let identity =
            pb::Identity { family_name: "Person".to_owned(), given_name: format!("Synthetic-{stay:03}"), ..Default::default() };
        let facility = FACILITIES[usize::from(stay % 3 == 0)].0;
        Operation::CreateBooking(pb::CreateBookingRequest {
            parent: self.county.clone(),
            booking_id: self.id.clone(),
            booked_time: Some(time::stamp(booked)),
            source: source(stay),
            subject: names::subject(&self.county, &format!("synthetic-{stay:03}")),
            identity: Some(identity),
            facility: names::facility(&self.county, facility),
            bases: Some(pb::create_booking_request::Bases::FirstBases(pb::FirstBases { bases: vec![basis] })),
            age_years: Some(20 + i32::try_from(mixed(stay, 7, 40)).unwrap_or(0)),
            ..Default::default()
        })
    }

    /// The form, served before T0 where its edition asks for that; a few never were.
    fn detainer(&self, received: DateTime<Utc>, t0: DateTime<Utc>) -> Operation {
        let edition = edition(received);
        let served = (received + TimeDelta::minutes(45)).min(t0);
        let asks = !matches!(edition, pb::FormEdition::I247201212);
        let service = (asks && self.stay % 11 != 0).then(|| pb::Service {
            served_time: Some(time::stamp(served)),
            method: pb::ServiceMethod::InPerson.into(),
            language: "es".to_owned(),
            served_by: "badge 7".to_owned(),
            source: source(self.stay),
        });
        Operation::RecordDetainer(pb::RecordDetainerRequest {
            parent: self.booking.clone(),
            received_time: Some(time::stamp(received)),
            source: source(self.stay),
            detainer_id: "1".to_owned(),
            form: Some(form(edition, received, &format!("RH{:05}", self.stay))),
            documents: vec![warrant(&self.id, received)],
            service,
            ..Default::default()
        })
    }

    fn close(&self, basis: &str, at: DateTime<Utc>) -> Operation {
        let reasons = [pb::BasisCloseReason::BailPosted, pb::BasisCloseReason::Dismissed, pb::BasisCloseReason::SentenceServed];
        let reason = reasons[usize::try_from(mixed(self.stay, 8, 3)).unwrap_or(0) % reasons.len()];
        Operation::CloseBasis(pb::CloseBasisRequest {
            name: names::basis(&self.booking, basis),
            effective_time: Some(time::stamp(at)),
            source: source(self.stay),
            reason: reason.into(),
            ..Default::default()
        })
    }

    fn open(&self, basis: &str, at: DateTime<Utc>) -> Operation {
        Operation::OpenBasis(pb::OpenBasisRequest {
            parent: self.booking.clone(),
            effective_time: Some(time::stamp(at)),
            source: source(self.stay),
            basis_id: basis.to_owned(),
            kind: pb::BasisKind::Charge.into(),
            reference: "made-up charge".to_owned(),
            ..Default::default()
        })
    }

    fn release(&self, at: DateTime<Utc>, kind: pb::BookingEndKind) -> Operation {
        let federal = kind == pb::BookingEndKind::FederalCustody;
        Operation::ReleaseBooking(pb::ReleaseBookingRequest {
            name: self.booking.clone(),
            effective_time: Some(time::stamp(at)),
            source: source(self.stay),
            kind: kind.into(),
            receiving_agency: if federal { "ICE ERO".to_owned() } else { String::new() },
            ..Default::default()
        })
    }

    fn ending(&self, t0: DateTime<Utc>) -> Vec<Operation> {
        use pb::BookingEndKind::{FederalCustody, Released};
        match after(self.stay, t0) {
            After::HandedOver(hours) => vec![self.release(t0 + TimeDelta::hours(hours), FederalCustody)],
            After::Released(minutes) => vec![self.release(t0 + TimeDelta::minutes(minutes), Released)],
            After::Lifted(hours) => {
                let at = t0 + TimeDelta::hours(hours);
                let lift = pb::LiftDetainerRequest {
                    name: names::detainer(&self.booking, "1"),
                    effective_time: Some(time::stamp(at)),
                    source: source(self.stay),
                    reason: pb::LiftReason::CaseClosed.into(),
                    ..Default::default()
                };
                vec![Operation::LiftDetainer(lift), self.release(at + TimeDelta::hours(1), Released)]
            }
            After::NewCharge(hours) => {
                let open = t0 + TimeDelta::hours(hours);
                let close = open + TimeDelta::days(3);
                let gone = close + TimeDelta::hours(10);
                vec![self.open("charge-2", open), self.close("charge-2", close), self.release(gone, FederalCustody)]
            }
        }
    }
}

/// A form that says all that is asked.
pub(super) fn form(edition: pb::FormEdition, received: DateTime<Utc>, event_number: &str) -> pb::DetainerForm {
    let boxes = pb::ProbableCauseBoxes { biometric_match: true, known: true, ..Default::default() };
    pb::DetainerForm {
        edition: edition.into(),
        hold_requested: true,
        notify_requested: true,
        probable_cause: Some(boxes),
        signed: pb::TriState::Yes.into(),
        office: Some(pb::IssuingOffice {
            code: "RFO".to_owned(),
            display_name: "Rehearsal Field Office".to_owned(),
            component: pb::IssuingComponent::IceEro.into(),
        }),
        officer: "Officer Rehearsal".to_owned(),
        form_date: Some(time::date(received.with_timezone(&super::ZONE).date_naive())),
        event_number: event_number.to_owned(),
        ..Default::default()
    }
}

/// An administrative warrant, known by its digest.
pub(super) fn warrant(booking: &str, signed: DateTime<Utc>) -> pb::Document {
    use sha2::{Digest as _, Sha256};
    pb::Document {
        kind: pb::DocumentKind::I200.into(),
        sha256: Sha256::digest(format!("rehearsal warrant {booking}")).to_vec(),
        signed_time: Some(time::stamp(signed)),
        signed: pb::TriState::Yes.into(),
        media_type: "application/pdf".to_owned(),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_story_at_each_run_and_every_kind_of_ending_in_it() {
        assert_eq!(rows(), rows());
        let endings: Vec<After> = (1..=STAYS)
            .map(|stay| {
                let t0 = booked(stay) + TimeDelta::hours(40 + mixed(stay, 3, 400)) + TimeDelta::minutes(mixed(stay, 4, 60));
                after(stay, t0)
            })
            .collect();
        let count = |test: fn(&After) -> bool| endings.iter().filter(|after| test(after)).count();
        assert!(count(|after| matches!(after, After::HandedOver(_))) >= 5, "{endings:?}");
        assert!(count(|after| matches!(after, After::Released(minutes) if *minutes < 200)) >= 5, "{endings:?}");
        assert!(count(|after| matches!(after, After::Released(minutes) if *minutes > 2_900)) >= 1, "{endings:?}");
        assert!(count(|after| matches!(after, After::Lifted(_))) >= 1, "{endings:?}");
        assert!(count(|after| matches!(after, After::NewCharge(_))) >= 1, "{endings:?}");
    }

    #[test]
    fn times_go_forward_within_each_stay() {
        for stay in rows() {
            let times: Vec<i64> = stay
                .operations
                .iter()
                .filter_map(|operation| match operation.operation.as_ref()? {
                    Operation::CreateBooking(r) => r.booked_time,
                    Operation::RecordDetainer(r) => r.received_time,
                    Operation::CloseBasis(r) => r.effective_time,
                    Operation::OpenBasis(r) => r.effective_time,
                    Operation::LiftDetainer(r) => r.effective_time,
                    Operation::ReleaseBooking(r) => r.effective_time,
                    _ => None,
                })
                .map(|at| at.seconds)
                .collect();
            assert!(times.len() >= 4 && times.is_sorted(), "{}: {times:?}", stay.row_id);
        }
    }
}
