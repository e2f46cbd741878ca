//! People who could post bail and whom a request waits for: in custody on a basis, bail was set, and a detainer is open. What
//! would become of them at the desk is shown with each: a person who is told nothing may not know that bail ends custody,
//! or that it does not.

use super::{GroupBy, Query};
use crate::domain::booking::{Booking, Ground};
use crate::domain::decision::Outcome;
use crate::domain::detainer::Detainer;
use crate::domain::facts::{BasisKind, Fact, FactRecord};
use crate::domain::ids::{BookingId, DetainerId, FacilityId, RevisionId};
use crate::domain::money::Cents;
use crate::domain::time::Instant;
use std::sync::Arc;

/// By what the list may be narrowed.
pub const KEYS: [GroupBy; 4] = [GroupBy::Facility, GroupBy::Office, GroupBy::Component, GroupBy::Edition];

/// One person who could post bail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BailRow {
    /// The booking.
    pub booking: BookingId,
    /// Where the person is.
    pub facility: FacilityId,
    /// The last bail that was set by the instant asked about.
    pub amount: Cents,
    /// When it was set.
    pub set: Instant,
    /// All grounds of custody are charges: once bail is posted nothing local holds the person. Not so where the bases are
    /// not known.
    pub only_charges: bool,
    /// The requests that are open and asked for, by receipt and name.
    pub detainers: Vec<Open>,
}

/// An open request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Open {
    /// Its name within the booking.
    pub id: DetainerId,
    /// When it was received.
    pub received: Instant,
    /// The issuing office.
    pub office: Arc<str>,
    /// The answer in force; nothing where there is none yet.
    pub outcome: Option<Outcome>,
    /// The revision it was given under.
    pub revision: Option<RevisionId>,
}

/// The row of a booking at the instant a query counts to; nothing where it is not on the list.
#[must_use]
pub fn of_booking(query: &Query, booking: &Booking) -> Option<BailRow> {
    let at = query.until;
    match booking.ground_at(at) {
        Ground::Basis(_) | Ground::NotKnown => {}
        // No bail brings out who has no basis, or is out.
        Ground::NotInCustody | Ground::Detainer(..) | Ground::None(_) => return None,
    }
    let facility = booking.facility_at(at).filter(|facility| query.has_facility(facility))?;
    let set = booking.facts.iter().filter(|fact| matches!(fact.fact, Fact::BailSet(_)) && fact.at.effective <= at);
    let (set, amount) = match set.max_by_key(|fact| (fact.at.effective, fact.at.seq, fact.n)) {
        Some(FactRecord { at, fact: Fact::BailSet(bail), .. }) => (at.effective, bail.amount),
        _ => return None,
    };
    let mut detainers: Vec<Open> =
        booking.detainers.iter().filter(|one| is_asked(query, booking, one)).map(|one| open(one, at)).collect();
    detainers.sort_by(|a, b| (a.received, a.id.as_str()).cmp(&(b.received, b.id.as_str())));
    let kinds = booking.bases.iter().filter(|b| b.opened.effective <= at);
    let mut kinds = kinds.filter(|b| b.closed.as_ref().is_none_or(|closed| at < closed.at.effective)).map(|b| b.kind).peekable();
    let only_charges = kinds.peek().is_some() && kinds.all(|kind| kind == BasisKind::Charge);
    (!detainers.is_empty()).then(|| BailRow {
        booking: booking.id.clone(),
        facility: facility.clone(),
        amount,
        set,
        only_charges,
        detainers,
    })
}

fn is_asked(query: &Query, booking: &Booking, detainer: &Detainer) -> bool {
    detainer.received.effective <= query.until && booking.is_open(detainer, query.until) && query.has_form(&detainer.form)
}

fn open(detainer: &Detainer, at: Instant) -> Open {
    let decision = detainer.decision_at(at);
    Open {
        id: detainer.id.clone(),
        received: detainer.received.effective,
        office: detainer.form.office.clone(),
        outcome: decision.map(|decision| decision.outcome),
        revision: decision.and_then(|decision| decision.revision.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::detainer::Edition;
    use crate::domain::facts::{BailSet, CloseReason, EndKind};
    use crate::domain::policy::Mode;
    use crate::domain::testing::{World, cents, day, form, instant, revision};
    use crate::domain::time::{HOUR_US, Zone};
    use std::collections::{BTreeMap, BTreeSet};

    /// Bail of 500.00 on the 3rd, 250.00 on the 5th; a detainer from the 4th to the 8th; T0 on the 10th.
    fn world() -> World {
        let start = instant("2024-03-01T00:00:00Z");
        let mut world = World::new(Zone::UTC, start);
        world.switch(revision("r1", Mode::DeclineAll), start.plus_us(HOUR_US)).expect("a revision");
        let at = |day: u32| instant(&format!("2024-03-{day:02}T00:00:00Z"));
        world.at(at(2)).book("b1", "s1", Some(&["c1"]), at(2)).expect("a booking");
        world.at(at(3)).fact("b1", Fact::BailSet(BailSet { amount: cents("500.00") }), at(3)).expect("bail");
        world.at(at(4)).receive("b1", "d1", form(Edition::I247A), Some(at(4)), at(4)).expect("a detainer");
        world.at(at(5)).fact("b1", Fact::BailSet(BailSet { amount: cents("250.00") }), at(5)).expect("bail");
        world.at(at(8)).lift("b1", "d1", at(8)).expect("a withdrawal");
        world.at(at(9)).receive("b1", "d2", form(Edition::I247A), Some(at(9)), at(9)).expect("a detainer");
        world.at(at(10)).close("b1", "c1", CloseReason::BailPosted, at(10)).expect("T0");
        world.at(at(11)).end("b1", EndKind::Released, Some(at(11))).expect("an end");
        world
    }

    fn row(until: &str, offices: &[&str]) -> Option<BailRow> {
        let query = Query {
            start: day("2024-03-01"),
            end: day("2024-03-02"),
            facilities: BTreeSet::new(),
            offices: offices.iter().map(|code| Arc::from(*code)).collect(),
            only: BTreeMap::new(),
            by_books: false,
            until: instant(until),
        };
        of_booking(&query, world().booking("b1"))
    }

    #[test]
    fn who_is_on_the_list_when() {
        let cases = [
            ("2024-03-01T12:00:00Z", None),
            // No request yet.
            ("2024-03-03T12:00:00Z", None),
            ("2024-03-04T12:00:00Z", Some(("500.00", "d1"))),
            ("2024-03-05T00:00:00Z", Some(("250.00", "d1"))),
            // Withdrawn, until another comes.
            ("2024-03-08T00:00:00Z", None),
            ("2024-03-09T00:00:00Z", Some(("250.00", "d2"))),
            // Past T0 no bail is left to post.
            ("2024-03-10T00:00:00Z", None),
            ("2024-03-12T00:00:00Z", None),
        ];
        for (at, expected) in cases {
            let found = row(at, &[]);
            let shown =
                found.as_ref().map(|row| (row.amount, row.detainers.iter().map(|one| one.id.as_str()).collect::<Vec<_>>()));
            assert_eq!(shown, expected.map(|(amount, id)| (cents(amount), vec![id])), "{at}");
            if let Some(row) = found {
                assert_eq!((row.only_charges, row.detainers[0].outcome), (true, Some(Outcome::Decline)), "{at}");
            }
        }
        assert_eq!(row("2024-03-04T12:00:00Z", &["elsewhere"]), None);
    }
}
