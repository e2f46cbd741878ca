//! What reports read of one booking: custody after T0, its cost lines, its holds and requests.
//!
//! It is made from a booking's state ([`Stay::of`]) or from its rows ([`super::load`]). Both give the same, so a report
//! folds only bookings whose custody after T0 goes on, or went on at the instant counted to, and reads rows of all others.

use super::lines::{self, Line};
use super::{ReportError, Why};
use crate::domain::booking::{Booking, HoldEnd};
use crate::domain::county::County;
use crate::domain::decision::Outcome;
use crate::domain::detainer::{Component, Edition};
use crate::domain::gap::Authority;
use crate::domain::ids::{BookingId, DetainerId, FacilityId, HoldId, RevisionId};
use crate::domain::time::Instant;
use std::sync::Arc;

/// One booking, as a report reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stay {
    /// The booking.
    pub booking: BookingId,
    /// When it ended; [`Instant::FAR`] while it has not.
    pub ended: Instant,
    /// Its holds, in order of their names; without those that a correction described away.
    pub holds: Vec<StayHold>,
    /// Its requests, in order of their names.
    pub requests: Vec<StayRequest>,
    /// What custody after T0 cost up to the instant counted to, in order of time.
    pub lines: Vec<Line>,
    /// Custody after T0 that goes on at the instant counted to: its T0, and by what right it goes on.
    pub goes_on: Option<(Instant, Authority)>,
}

/// One hold of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StayHold {
    /// Its name within the booking.
    pub id: HoldId,
    /// The T0 it follows.
    pub t0: Instant,
    /// When it began.
    pub start: Instant,
    /// When the authority ends.
    pub until: Instant,
    /// Why it ends there.
    pub reason: HoldEnd,
    /// The governing deadline.
    pub deadline: Instant,
    /// The reading of 48 hours on end.
    pub contiguous: Instant,
    /// The reading of 48 hours without weekends and holidays.
    pub business: Instant,
    /// The hold it continues.
    pub continues: Option<HoldId>,
    /// The request it rested on at its start.
    pub detainer: DetainerId,
    /// The revision of that request's decision.
    pub revision: RevisionId,
    /// Where it began.
    pub facility: FacilityId,
    /// The office of that request.
    pub office: Arc<str>,
    /// The edition of its form.
    pub edition: Option<Edition>,
    /// When custody after that T0 ended: by release, or by a new basis; [`Instant::FAR`] while it has not.
    pub gap_end: Instant,
}

/// One request of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StayRequest {
    /// Its name within the booking.
    pub id: DetainerId,
    /// The component that issued it.
    pub component: Component,
    /// When it was received.
    pub received: Instant,
    /// When it was lifted or replaced; [`Instant::FAR`] while it was not.
    pub closed: Instant,
    /// How it was answered, in recorded order.
    pub answers: Vec<StayAnswer>,
}

/// One answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StayAnswer {
    /// Its number among the request's answers.
    pub n: u32,
    /// From when it is so.
    pub effective: Instant,
    /// The answer about the hold.
    pub outcome: Outcome,
    /// Its reason.
    pub why: Why,
    /// The revision it was made under.
    pub revision: Option<RevisionId>,
}

impl StayRequest {
    /// The answer in force at an instant: greatest effective time, then latest recorded.
    #[must_use]
    pub fn answer_at(&self, at: Instant) -> Option<&StayAnswer> {
        self.answers.iter().filter(|a| a.effective <= at).max_by_key(|a| (a.effective, a.n))
    }

    /// The reason of the HONOR that a line under a revision rests on: the last one by its start, else the first after.
    #[must_use]
    pub fn honored_for(&self, revision: Option<&RevisionId>, at: Instant) -> Option<Why> {
        let honored = self.answers.iter().filter(|a| a.outcome == Outcome::Honor && a.revision.as_ref() == revision);
        honored.max_by_key(|a| (a.effective <= at, a.effective, a.n)).map(|a| a.why)
    }
}

impl Stay {
    /// From a booking's state.
    ///
    /// # Errors
    /// [`ReportError`] where custody that goes on cannot be priced.
    pub fn of(county: &County, booking: &Booking, until: Instant) -> Result<Self, ReportError> {
        let mut stay = Self::bare(booking, until);
        stay.lines = lines::of_booking(county, booking, &stay, until)?;
        Ok(stay)
    }

    /// From the state of a booking that was told anew: nothing of it is posted, all of it is priced.
    ///
    /// # Errors
    /// [`ReportError`] where custody cannot be priced.
    pub fn supposed(county: &County, booking: &Booking, until: Instant) -> Result<Self, ReportError> {
        let mut stay = Self::bare(booking, until);
        stay.lines = lines::priced(county, booking, &stay, until)?;
        Ok(stay)
    }

    fn bare(booking: &Booking, until: Instant) -> Self {
        Self {
            booking: booking.id.clone(),
            ended: booking.ended(),
            holds: holds(booking),
            requests: requests(booking),
            lines: Vec::new(),
            goes_on: goes_on(booking, until),
        }
    }

    /// A hold by its name.
    #[must_use]
    pub fn hold(&self, id: &HoldId) -> Option<&StayHold> {
        self.holds.iter().find(|hold| hold.id == *id)
    }

    /// A request by its name.
    #[must_use]
    pub fn request(&self, id: &DetainerId) -> Option<&StayRequest> {
        self.requests.iter().find(|request| request.id == *id)
    }
}

fn goes_on(booking: &Booking, until: Instant) -> Option<(Instant, Authority)> {
    let gap = booking.custody.gaps.iter().find(|gap| gap.t0 <= until && until < gap.end)?;
    let segment = gap.segments.iter().find(|segment| segment.span.contains(until))?;
    Some((gap.t0, segment.authority))
}

fn holds(booking: &Booking) -> Vec<StayHold> {
    let gap_end = |t0: Instant| booking.custody.gaps.iter().find(|gap| gap.t0 == t0).map_or(Instant::FAR, |gap| gap.end);
    let form = |id: &DetainerId| booking.detainer(id).map(|detainer| &detainer.form);
    let known = booking.custody.holds.iter().filter(|hold| !hold.voided);
    let mut holds: Vec<StayHold> = known
        .map(|hold| StayHold {
            id: hold.id.clone(),
            t0: hold.t0,
            start: hold.start,
            until: hold.until,
            reason: hold.reason,
            deadline: hold.deadline,
            contiguous: hold.readings.contiguous,
            business: hold.readings.business,
            continues: hold.continues.clone(),
            detainer: hold.detainer.clone(),
            revision: hold.revision.clone(),
            facility: hold.facility.clone(),
            office: form(&hold.detainer).map_or_else(|| "".into(), |form| form.office.clone()),
            edition: form(&hold.detainer).map(|form| form.edition),
            gap_end: gap_end(hold.t0),
        })
        .collect();
    holds.sort_by(|a, b| a.id.as_str().cmp(b.id.as_str()));
    holds
}

fn requests(booking: &Booking) -> Vec<StayRequest> {
    let answer = |decision: &crate::domain::decision::Decision| StayAnswer {
        n: decision.n,
        effective: decision.at.effective,
        outcome: decision.outcome,
        why: Why::of(decision.reason, decision.mode),
        revision: decision.revision.clone(),
    };
    let request = |detainer: &crate::domain::detainer::Detainer| StayRequest {
        id: detainer.id.clone(),
        component: detainer.form.component,
        received: detainer.received.effective,
        closed: detainer.ended(),
        answers: detainer.decisions.iter().map(answer).collect(),
    };
    let mut requests: Vec<StayRequest> = booking.detainers.iter().map(request).collect();
    requests.sort_by(|a, b| a.id.as_str().cmp(b.id.as_str()));
    requests
}
