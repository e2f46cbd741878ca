//! How detainers were answered. A detainer belongs to the period in which it was received and is counted by the last
//! decision in force while it was open, at the instant counted to at the latest: what would have become of a detainer
//! after the person had left, when an agreement ended for example, is no answer to it.

use super::{GroupBy, Key, Query, Why};
use crate::domain::authority::in_effect;
use crate::domain::booking::Booking;
use crate::domain::county::County;
use crate::domain::decision::{Decision, Outcome};
use crate::domain::detainer::{Component, Detainer, Edition};
use crate::domain::facts::EndKind;
use crate::domain::ids::{FacilityId, RevisionId};
use crate::domain::policy::Mode;
use crate::domain::time::{Date, Instant};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the report reads of one detainer.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::struct_excessive_bools)]
pub struct Request {
    /// Where it was received.
    pub facility: FacilityId,
    /// The local day of receipt there.
    pub day: Date,
    /// The issuing office.
    pub office: Arc<str>,
    /// The issuing component.
    pub component: Component,
    /// The edition of the form.
    pub edition: Edition,
    /// The last answer, with its reason; nothing where none was given yet.
    pub answer: Option<(Outcome, Why)>,
    /// The revision of that answer.
    pub revision: Option<RevisionId>,
    /// The mode of that revision.
    pub mode: Option<Mode>,
    /// A hold rested on it.
    pub held: bool,
    /// The person was handed to federal officers while it was open.
    pub handed_over: bool,
    /// It was never in effect: never served, or never operative.
    pub never_in_effect: bool,
    /// The issuing agency withdrew it.
    pub lifted: bool,
}

/// One row of the decision report. Counts of detainers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DecisionRow {
    /// The keys, in the order asked for.
    pub keys: Vec<Key>,
    /// Received.
    pub received: i64,
    /// Answered HONOR.
    pub honored: i64,
    /// Answered DECLINE.
    pub declined: i64,
    /// Answered `NEEDS_REVIEW`.
    pub needs_review: i64,
    /// Held on beyond the time of release.
    pub held: i64,
    /// Handed to federal officers while it was open.
    pub handed_over: i64,
    /// Honored, but never in effect.
    pub honored_never_in_effect: i64,
    /// Lifted by the issuing agency.
    pub lifted: i64,
    /// Declined or needing review, by reason.
    pub not_honored: BTreeMap<Why, i64>,
    /// Honored, by reason.
    pub honored_by_reason: BTreeMap<Why, i64>,
}

/// The detainers of a booking that a query asks for.
#[must_use]
pub fn requests(query: &Query, county: &County, booking: &Booking) -> Vec<Request> {
    detainers(query, county, booking).map(|(_, request)| request).collect()
}

/// The same, each with its detainer.
pub(super) fn detainers<'b>(
    query: &Query,
    county: &County,
    booking: &'b Booking,
) -> impl Iterator<Item = (&'b Detainer, Request)> {
    let asked = booking.detainers.iter().filter(move |d| d.received.effective <= query.until);
    let asked = asked.filter(move |d| query.has_facility(&d.facility) && query.has_form(&d.form));
    let asked = asked.filter(move |d| query.has_instant(county, &d.facility, d.received.effective));
    let all = asked.map(move |d| (d, request(query, county, booking, d)));
    all.filter(move |(_, request)| query.has_keys(|by| key(request, by)))
}

/// The last instant at which a request was open, up to the instant counted to; the receipt where it closed at once.
#[must_use]
pub fn last_open(received: Instant, closed: Instant, until: Instant) -> Instant {
    closed.plus_us(-1).max(received).min(until)
}

/// The last decision in force while a request was open, up to an instant.
pub(super) fn answer<'d>(booking: &Booking, detainer: &'d Detainer, until: Instant) -> Option<&'d Decision> {
    let last = last_open(detainer.received.effective, detainer.ended().min(booking.ended()), until);
    let in_force = detainer.decisions.iter().filter(|d| d.at.effective <= last);
    in_force.max_by_key(|d| (d.at.effective, d.n))
}

fn request(query: &Query, county: &County, booking: &Booking, detainer: &Detainer) -> Request {
    let until = query.until;
    let decision = answer(booking, detainer, until);
    let handed = booking.ending.as_ref().filter(|e| e.kind == EndKind::FederalCustody && e.at.effective <= until);
    let rests = |gap: &crate::domain::gap::Gap| {
        let held = gap.segments.iter().filter(|s| s.is_held() && s.span.start < until);
        held.filter_map(|s| s.rests_on.as_ref()).any(|r| r.detainer == detainer.id)
    };
    Request {
        facility: detainer.facility.clone(),
        day: county.zone_of(&detainer.facility).date(detainer.received.effective),
        office: detainer.form.office.clone(),
        component: detainer.form.component,
        edition: detainer.form.edition,
        answer: decision.map(|d| (d.outcome, Why::of(d.reason, d.mode))),
        revision: decision.and_then(|d| d.revision.clone()),
        mode: decision.and_then(|d| d.mode),
        held: booking.custody.gaps.iter().any(rests),
        handed_over: handed.is_some_and(|e| e.at.effective <= detainer.ended()),
        never_in_effect: in_effect(booking, detainer).is_none_or(|(span, _)| span.start > until),
        lifted: detainer.lift.is_some() && detainer.ended() <= until,
    }
}

/// Requests counted as they come.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    by: Vec<GroupBy>,
    rows: BTreeMap<Vec<Key>, DecisionRow>,
    total: DecisionRow,
}

impl Counts {
    /// Sliced by keys; nothing yet. Agreement and end reason are no keys of a detainer; they slice nothing.
    #[must_use]
    pub fn new(by: &[GroupBy]) -> Self {
        Self { by: by.to_vec(), ..Self::default() }
    }

    /// Counts one request.
    pub fn add(&mut self, request: &Request) {
        let keys: Vec<Key> = self.by.iter().map(|by| key(request, *by)).collect();
        let row = self.rows.entry(keys.clone()).or_insert_with(|| DecisionRow { keys, ..DecisionRow::default() });
        count(row, request);
        count(&mut self.total, request);
    }

    /// The rows, by their keys, and all of them together.
    #[must_use]
    pub fn finish(self) -> (Vec<DecisionRow>, DecisionRow) {
        (self.rows.into_values().collect(), self.total)
    }
}

/// The key of a request. Agreement and end reason are no keys of it: none.
#[must_use]
pub fn key(request: &Request, by: GroupBy) -> Key {
    match by {
        GroupBy::Month | GroupBy::CustodyMonth => Key::month(request.day),
        GroupBy::Week => Key::week(request.day),
        GroupBy::Facility => Key::Facility(request.facility.clone()),
        GroupBy::Office => Key::Office(request.office.clone()),
        GroupBy::Component => Key::Component(Some(request.component)),
        GroupBy::Revision => Key::Revision(request.revision.clone()),
        GroupBy::Mode => Key::Mode(request.mode),
        GroupBy::Agreement => Key::Agreement(None),
        GroupBy::Edition => Key::Edition(Some(request.edition)),
        GroupBy::EndReason => Key::EndReason(None),
        GroupBy::DecisionReason => Key::DecisionReason(request.answer.map(|(_, why)| why)),
    }
}

fn count(row: &mut DecisionRow, request: &Request) {
    row.received += 1;
    row.held += i64::from(request.held);
    row.handed_over += i64::from(request.handed_over);
    row.lifted += i64::from(request.lifted);
    let Some((outcome, why)) = request.answer else { return };
    match outcome {
        Outcome::Honor => {
            row.honored += 1;
            row.honored_never_in_effect += i64::from(request.never_in_effect);
            *row.honored_by_reason.entry(why).or_default() += 1;
        }
        Outcome::Decline => row.declined += 1,
        Outcome::NeedsReview => row.needs_review += 1,
    }
    if outcome != Outcome::Honor {
        *row.not_honored.entry(why).or_default() += 1;
    }
}
