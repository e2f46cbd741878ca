//! What was owed for requests: what fell due in a period, and whether it was done in time, late, or not at all.
//!
//! A duty belongs to the local day on which it fell due, in the facility where its request was received. It is counted once
//! it is past due at the instant counted to: what may still be done in time is no one's failure yet. Duties are as they
//! stand at the point of knowledge: a notice of release whose date moved is owed for the date that is known now.

use super::{GroupBy, Key, Query};
use crate::domain::booking::Booking;
use crate::domain::county::County;
use crate::domain::detainer::{Component, Duty, DutyKind, Edition};
use crate::domain::ids::FacilityId;
use crate::domain::time::{Date, Instant};
use std::collections::BTreeMap;
use std::sync::Arc;

/// By what duties are sliced: when they fell due, and what the form says.
pub const KEYS: [GroupBy; 6] =
    [GroupBy::Month, GroupBy::Week, GroupBy::Facility, GroupBy::Office, GroupBy::Component, GroupBy::Edition];

/// What is read of a request beside its duties.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct OfForm {
    /// Where it was received.
    pub facility: FacilityId,
    /// The issuing office.
    pub office: Arc<str>,
    /// The issuing component.
    pub component: Component,
    /// The edition of the form.
    pub edition: Edition,
}

/// What became of a duty.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fate {
    /// Done when it fell due, or before.
    InTime,
    /// Done after.
    Late,
    /// Not done.
    Overdue,
}

/// One duty that fell due.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Owed {
    /// The request it is owed for.
    pub form: OfForm,
    /// The local day on which it fell due.
    pub day: Date,
    /// What it is.
    pub kind: DutyKind,
    /// What became of it.
    pub fate: Fate,
}

/// The duties of a booking that a query asks for.
#[must_use]
pub fn of_booking(query: &Query, county: &County, booking: &Booking) -> Vec<Owed> {
    let of = |detainer: &crate::domain::detainer::Detainer| {
        let form = &detainer.form;
        let form = OfForm {
            facility: detainer.facility.clone(),
            office: form.office.clone(),
            component: form.component,
            edition: form.edition,
        };
        owed(query, county, &form, &detainer.duties)
    };
    booking.detainers.iter().flat_map(of).collect()
}

/// The duties of one request that a query asks for.
#[must_use]
pub fn owed(query: &Query, county: &County, form: &OfForm, duties: &[Duty]) -> Vec<Owed> {
    let due = duties.iter().filter(|duty| duty.due < query.until);
    let due = due.filter(|duty| query.has_instant(county, &form.facility, duty.due));
    let all = due.map(|duty| Owed {
        form: form.clone(),
        day: county.zone_of(&form.facility).date(duty.due),
        kind: duty.kind,
        fate: fate(duty, query.until),
    });
    let asked =
        |owed: &Owed| query.has_facility(&form.facility) && query.has_office(&form.office) && query.has_keys(|by| key(owed, by));
    all.filter(asked).collect()
}

fn fate(duty: &Duty, until: Instant) -> Fate {
    match duty.done.as_ref().map(|done| done.at.effective).filter(|at| *at <= until) {
        Some(at) if at <= duty.due => Fate::InTime,
        Some(_) => Fate::Late,
        None => Fate::Overdue,
    }
}

/// The key of a duty: of those in [`KEYS`]; none of the others.
#[must_use]
pub fn key(owed: &Owed, by: GroupBy) -> Key {
    match by {
        GroupBy::Month | GroupBy::CustodyMonth => Key::month(owed.day),
        GroupBy::Week => Key::week(owed.day),
        GroupBy::Facility => Key::Facility(owed.form.facility.clone()),
        GroupBy::Office => Key::Office(owed.form.office.clone()),
        GroupBy::Component => Key::Component(Some(owed.form.component)),
        GroupBy::Edition => Key::Edition(Some(owed.form.edition)),
        GroupBy::Revision => Key::Revision(None),
        GroupBy::Mode => Key::Mode(None),
        GroupBy::Agreement => Key::Agreement(None),
        GroupBy::EndReason => Key::EndReason(None),
        GroupBy::DecisionReason => Key::DecisionReason(None),
    }
}

/// One row of the duty report: `due` is all of the others together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DutyCounts {
    /// Fell due.
    pub due: i64,
    /// Done in time.
    pub in_time: i64,
    /// Done late.
    pub late: i64,
    /// Not done.
    pub overdue: i64,
}

impl DutyCounts {
    fn add(&mut self, fate: Fate) {
        self.due += 1;
        match fate {
            Fate::InTime => self.in_time += 1,
            Fate::Late => self.late += 1,
            Fate::Overdue => self.overdue += 1,
        }
    }
}

/// Duties counted as they come.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    by: Vec<GroupBy>,
    rows: BTreeMap<(Vec<Key>, DutyKind), DutyCounts>,
    kinds: BTreeMap<DutyKind, DutyCounts>,
    total: DutyCounts,
}

impl Counts {
    /// Sliced by keys and by kind; nothing yet.
    #[must_use]
    pub fn new(by: &[GroupBy]) -> Self {
        Self { by: by.to_vec(), ..Self::default() }
    }

    /// Counts one duty.
    pub fn add(&mut self, owed: &Owed) {
        let keys: Vec<Key> = self.by.iter().map(|by| key(owed, *by)).collect();
        self.rows.entry((keys, owed.kind)).or_default().add(owed.fate);
        self.kinds.entry(owed.kind).or_default().add(owed.fate);
        self.total.add(owed.fate);
    }

    /// How many rows there are by now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows, by their keys and kinds.
    pub fn rows(&self) -> impl Iterator<Item = (&[Key], DutyKind, DutyCounts)> {
        self.rows.iter().map(|((keys, kind), counts)| (keys.as_slice(), *kind, *counts))
    }

    /// All of each kind together.
    pub fn kinds(&self) -> impl Iterator<Item = (DutyKind, DutyCounts)> {
        self.kinds.iter().map(|(kind, counts)| (*kind, *counts))
    }

    /// All together.
    #[must_use]
    pub fn total(&self) -> DutyCounts {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::detainer::Done;
    use crate::domain::facts::Stamp;
    use crate::domain::testing::{World, day, instant, source};
    use crate::domain::time::Zone;
    use std::collections::BTreeSet;

    fn owed_at(due: &str, done: Option<&str>, until: &str) -> Option<Fate> {
        let world = World::new(Zone::UTC, instant("2024-01-01T00:00:00Z"));
        let form = OfForm {
            facility: FacilityId::trusted("jail"),
            office: "MIA".into(),
            component: Component::IceEro,
            edition: Edition::I247A,
        };
        let stamp = |at| Stamp { effective: at, recorded: at, known: at, seq: 1 };
        let done = done.map(|at| Done { at: stamp(instant(at)), method: None, source: source() });
        let duty = Duty { kind: DutyKind::Acknowledge, due: instant(due), done };
        let query = Query {
            start: day("2024-03-01"),
            end: day("2024-04-01"),
            facilities: BTreeSet::new(),
            offices: BTreeSet::new(),
            only: BTreeMap::new(),
            by_books: false,
            until: instant(until),
        };
        owed(&query, world.state(), &form, &[duty]).first().map(|owed| owed.fate)
    }

    #[test]
    fn what_became_of_a_duty() {
        let (due, end) = ("2024-03-10T12:00:00Z", "2024-03-20T00:00:00Z");
        let cases = [
            // Early, to the microsecond in time, late.
            (due, Some("2024-03-09T12:00:00Z"), end, Some(Fate::InTime)),
            (due, Some("2024-03-10T12:00:00Z"), end, Some(Fate::InTime)),
            (due, Some("2024-03-10T12:00:00.000001Z"), end, Some(Fate::Late)),
            (due, None, end, Some(Fate::Overdue)),
            // Counted earlier: late notice had not come yet; what falls due there may still be done in time.
            (due, Some("2024-03-15T12:00:00Z"), "2024-03-12T00:00:00Z", Some(Fate::Overdue)),
            (due, Some("2024-03-15T12:00:00Z"), "2024-03-15T12:00:00Z", Some(Fate::Late)),
            (due, None, due, None),
            (due, None, "2024-03-10T12:00:00.000001Z", Some(Fate::Overdue)),
            // It belongs to the day on which it fell due, not to that on which it was done.
            ("2024-02-29T23:59:59.999999Z", Some("2024-03-01T00:00:00Z"), end, None),
            ("2024-03-01T00:00:00Z", Some("2024-02-29T12:00:00Z"), end, Some(Fate::InTime)),
            ("2024-04-01T00:00:00Z", None, "2024-05-01T00:00:00Z", None),
        ];
        for (due, done, until, expected) in cases {
            assert_eq!(owed_at(due, done, until), expected, "due {due}, done {done:?}, counted to {until}");
        }
    }
}
