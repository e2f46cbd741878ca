//! The hold register: one row per hold, with time and money of the whole hold. A hold belongs to the period in which it
//! started.

use super::lines::Line;
use super::stay::{Stay, StayHold};
use super::{GroupBy, Key, Query, ReportError, Totals, Why};
use crate::domain::county::County;
use crate::domain::detainer::Component;
use crate::domain::gap::Authority;
use crate::domain::ids::{AgreementId, BookingId};
use crate::domain::policy::Mode;
use crate::domain::time::{Instant, Zone};

/// How long somebody was kept past T0, in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HeldTime {
    /// From T0 to the end counted.
    pub held_us: i64,
    /// What of it lies past 48 hours on end.
    pub past_contiguous_us: i64,
    /// What of it lies past 48 hours without weekends and holidays.
    pub past_business_us: i64,
    /// What of it lies past the governing deadline.
    pub past_deadline_us: i64,
}

/// One hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegisterRow {
    /// The booking.
    pub booking: BookingId,
    /// The hold as recorded.
    pub hold: StayHold,
    /// When it ended; nothing where it runs at the instant counted to.
    pub ended: Option<Instant>,
    /// Custody after that T0 has ended, by release or by a new basis, at the instant counted to.
    pub released: bool,
    /// When the booking ended; nothing while the person is in custody.
    pub booking_ended: Option<Instant>,
    /// Time counted to the hold's own end.
    pub by_hold_end: HeldTime,
    /// Time counted to the end of custody without a basis.
    pub by_release: HeldTime,
    /// Money of the hold itself.
    pub hold_cost: Totals,
    /// Money of over-detained custody after the same T0.
    pub over_detained_cost: Totals,
    /// Some of it was authorized late.
    pub late: bool,
    /// The zone that days are read in.
    pub zone: Zone,
    /// The component that issued the request it rested on at its start.
    pub component: Option<Component>,
    /// The mode of its revision.
    pub mode: Option<Mode>,
    /// The reason of the decision it rested on at its start.
    pub decision_reason: Option<Why>,
    /// The first agreement that pays for some of it; nothing where none does.
    pub agreement: Option<AgreementId>,
}

/// The holds of a booking that a query asks for. Sort rows of many bookings by start, booking and hold.
///
/// # Errors
/// [`ReportError`] where a sum does not fit.
pub fn rows(query: &Query, county: &County, stay: &Stay) -> Result<Vec<RegisterRow>, ReportError> {
    let asked = |hold: &&StayHold| {
        hold.start <= query.until
            && query.has_facility(&hold.facility)
            && query.has_office(&hold.office)
            && query.has_instant(county, &hold.facility, hold.start)
    };
    let mut rows = Vec::new();
    for hold in stay.holds.iter().filter(asked) {
        let row = row(query.until, county, stay, hold)?;
        if query.has_keys(|by| key(&row, by)) {
            rows.push(row);
        }
    }
    Ok(rows)
}

/// The key of a hold: a hold belongs to the days, the place and the request it started with, and to the first agreement
/// that pays for some of it.
#[must_use]
pub fn key(row: &RegisterRow, by: GroupBy) -> Key {
    let day = || row.zone.date(row.hold.start);
    match by {
        GroupBy::Month | GroupBy::CustodyMonth => Key::month(day()),
        GroupBy::Week => Key::week(day()),
        GroupBy::Facility => Key::Facility(row.hold.facility.clone()),
        GroupBy::Office => Key::Office(row.hold.office.clone()),
        GroupBy::Component => Key::Component(row.component),
        GroupBy::Revision => Key::Revision(Some(row.hold.revision.clone())),
        GroupBy::Mode => Key::Mode(row.mode),
        GroupBy::Agreement => Key::Agreement(row.agreement.clone()),
        GroupBy::Edition => Key::Edition(row.hold.edition),
        GroupBy::EndReason => Key::EndReason(row.ended.map(|_| row.hold.reason)),
        GroupBy::DecisionReason => Key::DecisionReason(row.decision_reason),
    }
}

fn row(until: Instant, county: &County, stay: &Stay, hold: &StayHold) -> Result<RegisterRow, ReportError> {
    let of_gap = || stay.lines.iter().filter(|l| l.cost.t0 == hold.t0);
    let sum = |over: bool| {
        Totals::try_sum(of_gap().filter(|l| (l.cost.authority == Authority::OverDetained) == over).map(Line::totals))
    };
    let known = |at: Instant| (at <= until).then_some(at);
    let request = stay.request(&hold.detainer);
    let mut paid = stay.lines.iter().filter(|l| l.cost.hold.as_ref() == Some(&hold.id));
    Ok(RegisterRow {
        booking: stay.booking.clone(),
        ended: known(hold.until),
        released: hold.gap_end <= until,
        booking_ended: known(stay.ended),
        by_hold_end: held_time(hold, hold.until.min(until)),
        by_release: held_time(hold, hold.gap_end.min(until)),
        hold_cost: sum(false)?,
        over_detained_cost: sum(true)?,
        late: of_gap().any(|l| l.cost.authority == Authority::AuthorizedLate),
        zone: county.zone_of(&hold.facility),
        component: request.map(|request| request.component),
        mode: county.revision(&hold.revision).map(|revision| revision.mode),
        decision_reason: request.and_then(|request| request.honored_for(Some(&hold.revision), hold.start)),
        agreement: paid.find_map(|l| l.cost.agreement.clone()),
        hold: hold.clone(),
    })
}

fn held_time(hold: &StayHold, end: Instant) -> HeldTime {
    let past = |since: Instant| end.since_us(since).max(0);
    HeldTime {
        held_us: past(hold.t0),
        past_contiguous_us: past(hold.contiguous),
        past_business_us: past(hold.business),
        past_deadline_us: past(hold.deadline),
    }
}
