//! Custody that neither a basis nor an authority to hold covers, whether or not a hold ever ran (DOMAIN.md §6).

use super::lines;
use super::{Query, ReportError, Totals};
use crate::domain::booking::{Booking, HoldEnd};
use crate::domain::county::County;
use crate::domain::decision::Outcome;
use crate::domain::gap::{Authority, Gap, Segment};
use crate::domain::ids::{BookingId, FacilityId, HoldId};
use crate::domain::time::{Instant, Span};

/// Why nothing covered a stretch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Cause {
    /// No request was open.
    NoDetainer,
    /// One was, but none was honored.
    NotHonored,
    /// One was honored, but gave no authority: not served, not operative, or recorded too late.
    NotInEffect,
    /// A hold ended at its deadline.
    PastDeadline,
    /// A hold ended otherwise.
    HoldEnded,
}

/// One stretch. It belongs to every period it touches, cut at the period's ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OverdetentionRow {
    /// The booking.
    pub booking: BookingId,
    /// The facility at its start.
    pub facility: FacilityId,
    /// T0 of the custody it lies in.
    pub t0: Instant,
    /// Since when nothing covers the custody; may lie before the period.
    pub since: Instant,
    /// When it ended; nothing where it goes on at the instant counted to.
    pub ended: Option<Instant>,
    /// Microseconds within the period.
    pub us: i64,
    /// The same less the county's stated allowance, not below zero. Shown beside, never instead.
    pub us_less_allowance: i64,
    /// The hold before it.
    pub hold: Option<HoldId>,
    /// Why.
    pub cause: Cause,
    /// What it cost within the period. Never covered.
    pub totals: Totals,
}

/// The stretches of a booking that a query asks for. Sort rows of many bookings by `since` and booking.
///
/// # Errors
/// [`ReportError`] where custody cannot be priced.
pub fn rows(query: &Query, county: &County, booking: &Booking) -> Result<Vec<OverdetentionRow>, ReportError> {
    let mut rows = Vec::new();
    for gap in &booking.custody.gaps {
        for stretch in stretches(gap) {
            rows.extend(row(query, county, booking, gap, stretch)?);
        }
    }
    Ok(rows)
}

/// Runs of over-detained segments.
fn stretches(gap: &Gap) -> impl Iterator<Item = &[Segment]> {
    let same = |a: &Segment, b: &Segment| (a.authority == Authority::OverDetained) == (b.authority == Authority::OverDetained);
    gap.segments.chunk_by(same).filter(|run| run.iter().all(|s| s.authority == Authority::OverDetained))
}

fn row(
    query: &Query,
    county: &County,
    booking: &Booking,
    gap: &Gap,
    stretch: &[Segment],
) -> Result<Option<OverdetentionRow>, ReportError> {
    let (Some(first), Some(last)) = (stretch.first(), stretch.last()) else { return Ok(None) };
    let whole = Span::new(first.span.start, last.span.end);
    let counted = stretch.iter().filter(|s| query.has_facility(&s.facility));
    let us: i64 = counted.filter_map(|s| in_period(query, county, s)).map(|span| span.len_us()).sum();
    if us == 0 {
        return Ok(None);
    }
    let lines = lines::asked(query, county, booking)?;
    let own = lines.iter().filter(|l| l.cost.authority == Authority::OverDetained && whole.contains(l.cost.span.start));
    let hold = booking.custody.holds.iter().find(|h| !h.voided && h.t0 == gap.t0 && h.until <= whole.start);
    let cause = match hold.map(|h| h.reason) {
        Some(HoldEnd::Deadline) => Cause::PastDeadline,
        Some(_) => Cause::HoldEnded,
        None => without_hold(booking, whole.start),
    };
    Ok(Some(OverdetentionRow {
        booking: booking.id.clone(),
        facility: first.facility.clone(),
        t0: gap.t0,
        since: whole.start,
        ended: (whole.end <= query.until).then_some(whole.end),
        us,
        us_less_allowance: us.saturating_sub(county.profile.allowance_us).max(0),
        hold: hold.map(|h| h.id.clone()),
        cause,
        totals: Totals::try_sum(own.map(lines::Line::totals))?,
    }))
}

/// The part of a segment within the period's local days and before the instant counted to.
fn in_period(query: &Query, county: &County, segment: &Segment) -> Option<Span> {
    let zone = county.zone_of(&segment.facility);
    let end = zone.start_of(query.end).min(query.until);
    let start = zone.start_of(query.start);
    (start < end).then(|| segment.span.meet(&Span::new(start, end))).flatten()
}

fn without_hold(booking: &Booking, at: Instant) -> Cause {
    let received = booking.detainers.iter().filter(|d| d.received.effective <= at && booking.is_open(d, at));
    let (mut any, mut honored) = (false, false);
    for detainer in received {
        any = true;
        let last = detainer.decisions.iter().filter(|d| d.at.effective <= at).max_by_key(|d| (d.at.effective, d.n));
        honored |= last.is_some_and(|d| d.outcome == Outcome::Honor);
    }
    match (any, honored) {
        (false, _) => Cause::NoDetainer,
        (true, false) => Cause::NotHonored,
        (true, true) => Cause::NotInEffect,
    }
}
