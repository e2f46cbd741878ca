//! Custody that neither a basis nor an authority to hold covers, whether or not a hold ever ran (DOMAIN.md §6).

use super::lines::{self, Line};
use super::stay::{Stay, StayHold};
use super::{Query, ReportError, Totals};
use crate::domain::booking::HoldEnd;
use crate::domain::county::County;
use crate::domain::decision::Outcome;
use crate::domain::gap::Authority;
use crate::domain::ids::{BookingId, FacilityId, HoldId};
use crate::domain::time::Instant;

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
/// [`ReportError`] where a sum does not fit.
pub fn rows(query: &Query, county: &County, stay: &Stay) -> Result<Vec<OverdetentionRow>, ReportError> {
    let same = |a: &Line, b: &Line| a.cost.t0 == b.cost.t0 && is_over(a) == is_over(b);
    let stretches = stay.lines.chunk_by(same).filter(|run| run.iter().all(is_over));
    stretches.filter_map(|stretch| row(query, county, stay, stretch).transpose()).collect()
}

fn is_over(line: &Line) -> bool {
    line.cost.authority == Authority::OverDetained
}

fn row(query: &Query, county: &County, stay: &Stay, stretch: &[Line]) -> Result<Option<OverdetentionRow>, ReportError> {
    let (Some(first), Some(last)) = (stretch.first(), stretch.last()) else { return Ok(None) };
    let counted = || stretch.iter().filter(|line| lines::is_asked(query, line));
    let us: i64 = counted().map(|line| line.cost.span.len_us()).sum();
    if us == 0 {
        return Ok(None);
    }
    let (t0, since, end) = (first.cost.t0, first.cost.span.start, last.cost.span.end);
    let goes_on = end == query.until && stay.goes_on == Some((t0, Authority::OverDetained));
    let hold = stay.holds.iter().filter(|h| h.t0 == t0 && h.until <= since).max_by_key(|h| h.until);
    Ok(Some(OverdetentionRow {
        booking: stay.booking.clone(),
        facility: first.cost.facility.clone(),
        t0,
        since,
        ended: (!goes_on).then_some(end),
        us,
        us_less_allowance: us.saturating_sub(county.profile.allowance_us).max(0),
        hold: hold.map(|h| h.id.clone()),
        cause: cause(stay, hold, since),
        totals: Totals::try_sum(counted().map(Line::totals))?,
    }))
}

fn cause(stay: &Stay, hold: Option<&StayHold>, since: Instant) -> Cause {
    match hold.map(|h| h.reason) {
        Some(HoldEnd::Deadline) => return Cause::PastDeadline,
        Some(_) => return Cause::HoldEnded,
        None => {}
    }
    let open = || stay.requests.iter().filter(|r| r.received <= since && since < r.closed);
    let honored = open().any(|r| r.answer_at(since).is_some_and(|answer| answer.outcome == Outcome::Honor));
    if open().next().is_none() {
        Cause::NoDetainer
    } else if honored {
        Cause::NotInEffect
    } else {
        Cause::NotHonored
    }
}
