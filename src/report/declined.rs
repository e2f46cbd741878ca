//! Requests that were not honored, one by one, as ICE's own lists of declined detainers have them: what came when from
//! whom, why it was not honored, whether and when the person left, and what the issuing office was told.
//!
//! They are the requests that the decision report counts as declined or needing review, by the same answer: rows here and
//! counts there agree.

use super::decisions::{self, Request};
use super::{Query, Why};
use crate::domain::booking::Booking;
use crate::domain::county::County;
use crate::domain::decision::Outcome;
use crate::domain::detainer::{Component, Duty, DutyKind, Edition};
use crate::domain::facts::EndKind;
use crate::domain::ids::{BookingId, DetainerId, FacilityId, RevisionId};
use crate::domain::policy::Mode;
use crate::domain::time::Instant;
use std::sync::Arc;

/// One request that was not honored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeclinedRow {
    /// The booking.
    pub booking: BookingId,
    /// Its name within the booking.
    pub detainer: DetainerId,
    /// When it was received.
    pub received: Instant,
    /// Where.
    pub facility: FacilityId,
    /// The issuing office.
    pub office: Arc<str>,
    /// The issuing component.
    pub component: Component,
    /// The edition of the form.
    pub edition: Edition,
    /// DECLINE or `NEEDS_REVIEW`.
    pub outcome: Outcome,
    /// Its reason.
    pub why: Why,
    /// Since when that was the answer.
    pub decided: Option<Instant>,
    /// The revision it was given under.
    pub revision: Option<RevisionId>,
    /// The mode of that revision.
    pub mode: Option<Mode>,
    /// When and how custody ended; nothing while the person is in custody at the instant counted to.
    pub ended: Option<(Instant, EndKind)>,
    /// When the issuing agency withdrew it.
    pub lifted: Option<Instant>,
    /// When the issuing office was told of the decision.
    pub acknowledged: Option<Instant>,
    /// When the issuing office was last given notice of the release.
    pub noticed: Option<Instant>,
}

/// What is told of a request beside its answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct More {
    /// The booking.
    pub booking: BookingId,
    /// Its name within the booking.
    pub detainer: DetainerId,
    /// When it was received.
    pub received: Instant,
    /// Since when its answer is so.
    pub decided: Option<Instant>,
    /// When and how custody ended.
    pub ended: Option<(Instant, EndKind)>,
    /// When the issuing agency withdrew it.
    pub lifted: Option<Instant>,
    /// What is owed for it.
    pub duties: Vec<Duty>,
}

impl DeclinedRow {
    /// The row of a request as it stood at an instant; nothing where it was honored, or not answered yet.
    #[must_use]
    pub fn of(request: Request, more: More, until: Instant) -> Option<Self> {
        let (outcome, why) = request.answer.filter(|(outcome, _)| *outcome != Outcome::Honor)?;
        let done = |kind| {
            let done = more.duties.iter().filter(|duty| duty.kind == kind).filter_map(|duty| duty.done.as_ref());
            done.map(|done| done.at.effective).filter(|at| *at <= until).max()
        };
        Some(Self {
            acknowledged: done(DutyKind::Acknowledge),
            noticed: done(DutyKind::NotifyRelease),
            booking: more.booking,
            detainer: more.detainer,
            received: more.received,
            facility: request.facility,
            office: request.office,
            component: request.component,
            edition: request.edition,
            outcome,
            why,
            decided: more.decided,
            revision: request.revision,
            mode: request.mode,
            ended: more.ended.filter(|(at, _)| *at <= until),
            lifted: more.lifted.filter(|at| *at <= until),
        })
    }
}

/// The requests of a booking that a query asks for and that were not honored. Sort rows of many bookings by receipt,
/// booking and name.
#[must_use]
pub fn rows(query: &Query, county: &County, booking: &Booking) -> Vec<DeclinedRow> {
    let until = query.until;
    let asked = decisions::detainers(query, county, booking);
    let row = |(detainer, request): (&crate::domain::detainer::Detainer, Request)| {
        let more = More {
            booking: booking.id.clone(),
            detainer: detainer.id.clone(),
            received: detainer.received.effective,
            decided: decisions::answer(booking, detainer, until).map(|decision| decision.at.effective),
            ended: booking.ending.as_ref().map(|ending| (ending.at.effective, ending.kind)),
            lifted: detainer.lift.as_ref().map(|_| detainer.ended()),
            duties: detainer.duties.clone(),
        };
        DeclinedRow::of(request, more, until)
    };
    asked.filter_map(row).collect()
}
