//! What two states ask of their jails, as far as this system records it.
//!
//! Georgia, O.C.G.A. § 42-4-16 (HB 1105 of 2024, section 10): each quarter a jailer publishes how many inmates there were,
//! how many inquiries went to the Law Enforcement Support Center, how many detainers came and how often ICE responded
//! (immigrationpoliticsga.com, *HB 1105 explained*; Pierce County's first report, as The Blackshear Times of 2025 tells it:
//! 259 booked, 8 referred, 6 found to be without status, 2 taken by ICE). North Carolina, G.S. 162-62(e) (S.L. 2024-55,
//! H 10, and S.L. 2025-85, H 318): each year by October 1 a facility tells the legislature how often it asked ICE, how
//! often ICE answered, how many were held for it, taken by it, or let go when it rescinded (UNC School of Government,
//! summaries of H 10, S 101 and H 318).
//!
//! Inquiries and responses, birthplace, nationality and status are not recorded here: [`Unrecorded`] names them, so that no
//! zero stands for what nobody counted. The summaries above were read, not the enrolled acts; what each figure is stands
//! with it, so that whoever files can hold it against the text in force.

use super::decisions;
use super::{Query, ReportError};
use crate::domain::booking::{Booking, Hold, HoldEnd};
use crate::domain::county::County;
use crate::domain::decision::Outcome;
use crate::domain::detainer::{Component, Detainer, DocumentKind, DutyKind};
use crate::domain::facts::{Fact, PaperKind};
use crate::domain::ids::RevisionId;
use crate::domain::money::Overflow;
use crate::domain::time::{Instant, Span};
use std::collections::{BTreeMap, BTreeSet};

/// What a statute asks for and this system does not record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Unrecorded {
    /// Inquiries about a person's status: to the Law Enforcement Support Center, or to ICE.
    Inquiries,
    /// What came back to them.
    Responses,
    /// Where people were born, and of which nation they are.
    Birthplace,
    /// What was found out about status, but for proof that was shown.
    Status,
}

/// What Georgia's report asks for besides.
pub const GEORGIA_LACKS: [Unrecorded; 4] =
    [Unrecorded::Inquiries, Unrecorded::Responses, Unrecorded::Birthplace, Unrecorded::Status];
/// What North Carolina's report asks for besides.
pub const NORTH_CAROLINA_LACKS: [Unrecorded; 3] = [Unrecorded::Inquiries, Unrecorded::Responses, Unrecorded::Status];

/// Counts of requests received on the days asked for, as they stand at the instant counted to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RequestCounts {
    /// All of them: the decision report's *received*.
    pub received: i64,
    /// Those that ICE's own components issued: Enforcement and Removal, and Investigations.
    pub of_ice: i64,
    /// Those with an administrative warrant (I-200 or I-205).
    pub with_warrant: i64,
    /// Those whose last answer was HONOR.
    pub honored: i64,
    /// Those that were declined or needed review.
    pub not_honored: i64,
    /// Those on which the person was held beyond the time of release.
    pub held: i64,
    /// Those while which were open the person was taken by federal officers.
    pub taken: i64,
    /// Notices to the issuing office about them: of the answer, of release, of death, hospital or transfer.
    pub notices: i64,
}

/// Georgia's counts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Georgia {
    /// Stays that began on the days asked for.
    pub booked: i64,
    /// Stays in custody at any moment of them. Not additive: a stay may go on from one period into the next.
    pub confined: i64,
    /// Requests received on them.
    pub requests: RequestCounts,
    /// The revisions that their answers were given under.
    pub revisions: BTreeSet<RevisionId>,
}

/// Holds that ended in one way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ended {
    /// How many.
    pub count: i64,
    /// From their starts to their ends, in microseconds.
    pub us: i64,
}

/// North Carolina's counts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NorthCarolina {
    /// Requests received on the days asked for.
    pub requests: RequestCounts,
    /// Orders of a state judicial official that were made on them.
    pub orders: i64,
    /// Holds that started on them.
    pub holds: i64,
    /// Those of them that run at the instant counted to.
    pub running: i64,
    /// Those that ended, by the reason.
    pub ended: BTreeMap<HoldEnd, Ended>,
    /// The revisions that answers were given and holds begun under.
    pub revisions: BTreeSet<RevisionId>,
}

impl Georgia {
    /// Adds what a booking comes to.
    pub fn add(&mut self, query: &Query, county: &County, booking: &Booking) {
        let booked = booking.booked.effective;
        let here = booking.facility_at(booked).filter(|jail| booked <= query.until && query.has_facility(jail));
        self.booked += i64::from(here.is_some_and(|jail| query.has_instant(county, jail, booked)));
        let confined = booking.stays().into_iter().any(|(span, jail)| {
            let zone = county.zone_of(jail);
            let days = Span::new(zone.start_of(query.start), zone.start_of(query.end).min(query.until));
            query.has_facility(jail) && span.meet(&days).is_some()
        });
        self.confined += i64::from(confined);
        self.requests.add(query, county, booking, &mut self.revisions);
    }
}

impl NorthCarolina {
    /// Adds what a booking comes to.
    ///
    /// # Errors
    /// [`ReportError::Overflow`] where a sum does not fit.
    pub fn add(&mut self, query: &Query, county: &County, booking: &Booking) -> Result<(), ReportError> {
        self.requests.add(query, county, booking, &mut self.revisions);
        self.orders += orders(query, county, booking);
        let started = |hold: &&Hold| {
            !hold.voided
                && hold.start <= query.until
                && query.has_facility(&hold.facility)
                && query.has_instant(county, &hold.facility, hold.start)
        };
        for hold in booking.custody.holds.iter().filter(started) {
            self.holds += 1;
            self.revisions.insert(hold.revision.clone());
            if hold.until > query.until {
                self.running += 1;
                continue;
            }
            let ended = self.ended.entry(hold.reason).or_default();
            ended.count += 1;
            ended.us = ended.us.checked_add(hold.until.since_us(hold.start)).ok_or(Overflow)?;
        }
        Ok(())
    }

    /// Holds that ended in one way.
    #[must_use]
    pub fn ended_by(&self, reason: HoldEnd) -> Ended {
        self.ended.get(&reason).copied().unwrap_or_default()
    }
}

/// Orders are counted by the day and the place at which they were made.
fn orders(query: &Query, county: &County, booking: &Booking) -> i64 {
    let of = |fact: &Fact| matches!(fact, Fact::Paper(paper) if paper.kind == PaperKind::StateOrder);
    let made = booking.facts.iter().filter(|record| of(&record.fact)).map(|record| record.at.effective);
    let asked = made.filter(|at| {
        let here = booking.facility_at(*at).filter(|jail| query.has_facility(jail));
        *at <= query.until && here.is_some_and(|jail| query.has_instant(county, jail, *at))
    });
    i64::try_from(asked.count()).unwrap_or(i64::MAX)
}

impl RequestCounts {
    fn add(&mut self, query: &Query, county: &County, booking: &Booking, revisions: &mut BTreeSet<RevisionId>) {
        for (detainer, request) in decisions::detainers(query, county, booking) {
            self.received += 1;
            revisions.extend(request.revision);
            self.of_ice += i64::from(matches!(request.component, Component::IceEro | Component::Hsi));
            self.with_warrant += i64::from(has_warrant(detainer, query.until));
            match request.answer.map(|(outcome, _)| outcome) {
                Some(Outcome::Honor) => self.honored += 1,
                Some(Outcome::Decline | Outcome::NeedsReview) => self.not_honored += 1,
                None => {}
            }
            self.held += i64::from(request.held);
            self.taken += i64::from(request.handed_over);
            self.notices += notices(detainer, query.until);
        }
    }
}

fn has_warrant(detainer: &Detainer, until: Instant) -> bool {
    let warrant = |kind| matches!(kind, DocumentKind::I200 | DocumentKind::I205);
    detainer.form_at(until).documents.iter().any(|document| warrant(document.kind))
}

fn notices(detainer: &Detainer, until: Instant) -> i64 {
    let to_office = |kind| match kind {
        DutyKind::Acknowledge
        | DutyKind::NotifyRelease
        | DutyKind::NotifyDeath
        | DutyKind::NotifyHospital
        | DutyKind::NotifyTransfer => true,
        DutyKind::RelayForm
        | DutyKind::CopyToSubject
        | DutyKind::DecisionToSubject
        | DutyKind::ReleaseDateToSubject
        | DutyKind::CitizenshipClaim => false,
    };
    let done = detainer.duties.iter().filter(|duty| to_office(duty.kind)).filter_map(|duty| duty.done.as_ref());
    i64::try_from(done.filter(|done| done.at.effective <= until).count()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::command::{BookingCommand, RecordNotice};
    use crate::domain::detainer::{Edition, NoticeMethod};
    use crate::domain::facts::{CloseReason, EndKind, Paper};
    use crate::domain::ids::DetainerId;
    use crate::domain::policy::Mode;
    use crate::domain::testing::{World, day, form, instant, revision, source};
    use crate::domain::time::{HOUR_US, Zone};

    /// New York, 2025, honor always. `a`: booked before Christmas, asked for by ICE, brought before a magistrate, taken after 10
    /// hours of hold. `b`: asked for by CBP, which lets go after 20 hours of hold. `c`: nobody asks. `d`: held from March 31
    /// at noon for 48 hours, to the deadline. `e`: booked in April.
    fn world() -> World {
        let start = instant("2024-12-01T00:00:00Z");
        let mut world = World::new("America/New_York".parse::<Zone>().expect("a zone"), start);
        world.switch(revision("r1", Mode::HonorAlways), start.plus_us(HOUR_US)).expect("a revision");
        let book = |world: &mut World, id: &str, at: &str| {
            world.at(instant(at)).book(id, id, Some(&["c1"]), instant(at)).expect("a booking");
        };
        let ask = |world: &mut World, id: &str, component: Component, at: &str| {
            let form = crate::domain::detainer::Form { component, ..form(Edition::I247A) };
            world.at(instant(at)).receive(id, "d1", form, Some(instant(at)), instant(at)).expect("a detainer");
        };
        let free = |world: &mut World, id: &str, at: &str| {
            world.at(instant(at)).close(id, "c1", CloseReason::BailPosted, instant(at)).expect("T0");
        };
        let end = |world: &mut World, id: &str, kind: EndKind, at: &str| {
            world.at(instant(at)).end(id, kind, Some(instant(at))).expect("an end");
        };
        book(&mut world, "a", "2024-12-20T12:00:00-05:00");
        ask(&mut world, "a", Component::IceEro, "2025-01-02T12:00:00-05:00");
        let answered = instant("2025-01-02T13:00:00-05:00");
        let notice = RecordNotice {
            detainer: DetainerId::trusted("d1"),
            kind: DutyKind::Acknowledge,
            due: None,
            at: Some(answered),
            method: NoticeMethod::Email,
            source: source(),
        };
        world.at(answered).tell("a", BookingCommand::RecordNotice(notice)).expect("a notice");
        let order = Paper { kind: PaperKind::StateOrder, signed: None, sha256: None, detainer: None };
        let made = instant("2025-01-10T08:00:00-05:00");
        world.at(made).fact("a", Fact::Paper(order), made).expect("an order");
        free(&mut world, "a", "2025-01-10T12:00:00-05:00");
        end(&mut world, "a", EndKind::FederalCustody, "2025-01-10T22:00:00-05:00");
        book(&mut world, "b", "2025-02-01T12:00:00-05:00");
        ask(&mut world, "b", Component::Cbp, "2025-02-01T12:00:00-05:00");
        free(&mut world, "b", "2025-02-03T12:00:00-05:00");
        let lifted = instant("2025-02-04T08:00:00-05:00");
        world.at(lifted).lift("b", "d1", lifted).expect("a withdrawal");
        end(&mut world, "b", EndKind::Released, "2025-02-04T09:00:00-05:00");
        book(&mut world, "c", "2025-02-10T12:00:00-05:00");
        book(&mut world, "d", "2025-03-30T12:00:00-04:00");
        ask(&mut world, "d", Component::Hsi, "2025-03-30T12:00:00-04:00");
        free(&mut world, "d", "2025-03-31T12:00:00-04:00");
        end(&mut world, "d", EndKind::Released, "2025-04-02T13:00:00-04:00");
        book(&mut world, "e", "2025-04-05T12:00:00-04:00");
        world
    }

    fn counted(start: &str, end: &str, until: &str) -> (Georgia, NorthCarolina) {
        let world = world();
        let query = Query {
            start: day(start),
            end: day(end),
            facilities: BTreeSet::new(),
            offices: BTreeSet::new(),
            only: BTreeMap::new(),
            by_books: false,
            until: instant(until),
        };
        let (mut georgia, mut carolina) = (Georgia::default(), NorthCarolina::default());
        for booking in world.bookings() {
            georgia.add(&query, world.state(), booking);
            carolina.add(&query, world.state(), booking).expect("fits");
        }
        assert_eq!(georgia.requests, carolina.requests);
        (georgia, carolina)
    }

    const LATE: &str = "2025-06-01T00:00:00Z";

    #[test]
    fn a_quarter() {
        let (georgia, carolina) = counted("2025-01-01", "2025-04-01", LATE);
        let requests =
            RequestCounts { received: 3, of_ice: 2, with_warrant: 3, honored: 3, not_honored: 0, held: 3, taken: 1, notices: 1 };
        let revisions = BTreeSet::from([RevisionId::trusted("r1")]);
        assert_eq!(georgia, Georgia { booked: 3, confined: 4, requests, revisions: revisions.clone() });
        let ended = |hours: i64| Ended { count: 1, us: hours * HOUR_US };
        let by =
            BTreeMap::from([(HoldEnd::FederalCustody, ended(10)), (HoldEnd::Lifted, ended(20)), (HoldEnd::Deadline, ended(48))]);
        assert_eq!(carolina, NorthCarolina { requests, orders: 1, holds: 3, running: 0, ended: by, revisions });

        // A day into d's hold: it runs, and nothing later is known.
        let (georgia, carolina) = counted("2025-01-01", "2025-04-01", "2025-04-01T12:00:00-04:00");
        assert_eq!((georgia.requests.held, carolina.running, carolina.ended.len()), (3, 1, 2));
        // Before Valentine's Day neither d nor its request is there.
        let (georgia, carolina) = counted("2025-01-01", "2025-04-01", "2025-02-14T00:00:00Z");
        assert_eq!((georgia.booked, georgia.confined, georgia.requests.received, carolina.holds), (2, 3, 2, 2));
    }

    #[test]
    fn months_add_up_but_for_who_was_confined() {
        let months = ["2025-01-01", "2025-02-01", "2025-03-01", "2025-04-01", "2025-05-01"];
        let parts: Vec<_> = months.windows(2).map(|pair| counted(pair[0], pair[1], LATE)).collect();
        let (georgia, carolina) = counted("2025-01-01", "2025-05-01", LATE);
        let sum = |of: fn(&(Georgia, NorthCarolina)) -> i64| parts.iter().map(of).sum::<i64>();
        assert_eq!(sum(|part| part.0.booked), georgia.booked);
        assert_eq!(sum(|part| part.0.requests.received), georgia.requests.received);
        assert_eq!((sum(|part| part.1.holds), sum(|part| part.1.orders)), (carolina.holds, carolina.orders));
        let held = |part: &(Georgia, NorthCarolina)| part.1.ended.values().map(|ended| ended.us).sum::<i64>();
        assert_eq!(sum(held), 78 * HOUR_US);
        let confined: Vec<i64> = parts.iter().map(|part| part.0.confined).collect();
        assert_eq!((confined, georgia.confined), (vec![1, 2, 2, 3], 5));
    }
}
