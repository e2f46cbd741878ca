//! The hold register: one row per hold, with time and money of the whole hold. A hold belongs to the period in which it
//! started.

use super::lines::{self, Line};
use super::{Query, ReportError, Totals};
use crate::domain::booking::{Booking, Hold};
use crate::domain::county::County;
use crate::domain::gap::Authority;
use crate::domain::ids::BookingId;
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
    pub hold: Hold,
    /// When it ended; nothing where it runs at the instant counted to.
    pub ended: Option<Instant>,
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
}

/// The holds of a booking that a query asks for. Sort rows of many bookings by start, booking and hold.
///
/// # Errors
/// [`ReportError`] where custody cannot be priced.
pub fn rows(query: &Query, county: &County, booking: &Booking) -> Result<Vec<RegisterRow>, ReportError> {
    let office = |h: &Hold| booking.detainer(&h.detainer).is_some_and(|d| query.has_office(&d.form.office));
    let holds = booking.custody.holds.iter().filter(|h| !h.voided && h.start <= query.until);
    let asked: Vec<&Hold> = holds
        .filter(|h| query.has_facility(&h.facility) && office(h) && query.has_instant(county, &h.facility, h.start))
        .collect();
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let lines = lines::of_booking(county, booking, query.until)?;
    asked.into_iter().map(|hold| row(query.until, county, booking, hold, &lines)).collect()
}

fn row(until: Instant, county: &County, booking: &Booking, hold: &Hold, lines: &[Line]) -> Result<RegisterRow, ReportError> {
    let gap = booking.custody.gaps.iter().find(|g| g.t0 == hold.t0);
    let released = gap.map_or(hold.until, |g| g.end);
    let sum = |over: bool| {
        let of_gap = lines.iter().filter(|l| l.cost.t0 == hold.t0);
        Totals::try_sum(of_gap.filter(|l| (l.cost.authority == Authority::OverDetained) == over).map(Line::totals))
    };
    let known = |at: Instant| (at <= until).then_some(at);
    Ok(RegisterRow {
        booking: booking.id.clone(),
        ended: known(hold.until),
        booking_ended: known(booking.ended()),
        by_hold_end: held_time(hold, hold.until.min(until)),
        by_release: held_time(hold, released.min(until)),
        hold_cost: sum(false)?,
        over_detained_cost: sum(true)?,
        late: gap.is_some_and(|g| g.segments.iter().any(|s| s.authority == Authority::AuthorizedLate && s.span.start < until)),
        zone: county.zone_of(&hold.facility),
        hold: hold.clone(),
    })
}

fn held_time(hold: &Hold, end: Instant) -> HeldTime {
    let past = |since: Instant| end.since_us(since).max(0);
    HeldTime {
        held_us: past(hold.t0),
        past_contiguous_us: past(hold.readings.contiguous),
        past_business_us: past(hold.readings.business),
        past_deadline_us: past(hold.deadline),
    }
}
