//! The lines that every figure of money is a sum of.
//!
//! Custody that has ended by the instant counted to was posted, and its postings in force are the lines. Custody that
//! goes on is priced here by the same function that posts it later, so a report of running custody turns into the
//! posted one without a cent's difference.

use super::stay::Stay;
use super::{Key, Query, ReportError, Totals, Why, cost};
use crate::domain::booking::{Booking, HoldEnd, Posting, PostingCause};
use crate::domain::cost::CostLine;
use crate::domain::county::County;
use crate::domain::detainer::{Component, Edition};
use crate::domain::ids::BookingId;
use crate::domain::policy::Mode;
use crate::domain::settling;
use crate::domain::time::{Date, Instant};
use std::sync::Arc;

/// One cost line with all that it is sliced by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The booking.
    pub booking: BookingId,
    /// What was held, where, on what, for how much; within one local day until [`merged`].
    pub cost: CostLine,
    /// The office of the detainer; empty where none is concerned.
    pub office: Arc<str>,
    /// The component that issued it.
    pub component: Option<Component>,
    /// The edition of its form.
    pub edition: Option<Edition>,
    /// The mode of the revision.
    pub mode: Option<Mode>,
    /// Why the hold ended; nothing while it runs.
    pub end_reason: Option<HoldEnd>,
    /// The reason of the decision it rests on.
    pub decision_reason: Option<Why>,
    /// The record that posted it; 0 where custody goes on.
    pub seq: i64,
    /// The local day it is told on: its own or, by the books, that on which it is accounted.
    pub day: Date,
    /// By the books: why it was posted, and whether it takes an earlier one back.
    pub booked: Option<(PostingCause, bool)>,
}

impl Line {
    /// A line with what its hold and its request say of it, as far as that is known at the instant counted to.
    pub(super) fn new(
        stay: &Stay,
        cost: CostLine,
        office: Arc<str>,
        edition: Option<Edition>,
        mode: Option<Mode>,
        seq: i64,
        until: Instant,
    ) -> Self {
        let hold = cost.hold.as_ref().and_then(|id| stay.hold(id));
        let request = cost.detainer.as_ref().and_then(|id| stay.request(id));
        Self {
            booking: stay.booking.clone(),
            office,
            component: request.map(|request| request.component),
            edition,
            mode,
            end_reason: hold.filter(|hold| hold.until <= until).map(|hold| hold.reason),
            decision_reason: request.and_then(|request| request.honored_for(cost.revision.as_ref(), cost.span.start)),
            seq,
            day: cost.local_day,
            booked: None,
            cost,
        }
    }

    /// Its time in microseconds. By the books a posting that takes another back takes its time back too.
    #[must_use]
    pub fn us(&self) -> i64 {
        let us = self.cost.span.len_us();
        if self.booked.is_some_and(|(_, reversal)| reversal) { -us } else { us }
    }

    /// Its money.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals { incurred: self.cost.incurred, covered: self.cost.covered, marginal: self.cost.marginal }
    }

    /// Whether another line goes on from this one and differs in its days and its money only, within one local
    /// month and week.
    fn goes_on(&self, next: &Self) -> bool {
        let (a, b) = (&self.cost, &next.cost);
        let cuts = |line: &Self| {
            let (own, told) = (line.cost.local_day, line.day);
            (Key::month(own), Key::week(told), Key::month(told), (own != told).then_some(told), line.booked)
        };
        let days = cuts(self) == cuts(next);
        let ground = (a.t0, &a.facility, &a.rate, &a.hold) == (b.t0, &b.facility, &b.rate, &b.hold);
        let right =
            (a.authority, &a.detainer, &a.revision, &a.agreement) == (b.authority, &b.detainer, &b.revision, &b.agreement);
        let about = (&self.booking, self.seq, &self.office, self.mode) == (&next.booking, next.seq, &next.office, next.mode);
        let end = (self.end_reason, self.decision_reason) == (next.end_reason, next.decision_reason);
        days && ground && right && about && end && a.span.end == b.span.start
    }
}

/// All lines of a booking up to an instant, whatever their day, in order of time.
///
/// # Errors
/// [`ReportError`] where running custody cannot be priced.
pub(super) fn of_booking(county: &County, booking: &Booking, stay: &Stay, until: Instant) -> Result<Vec<Line>, ReportError> {
    let gaps = &booking.custody.gaps;
    let is_posted = |t0: Instant| !gaps.iter().any(|g| g.t0 == t0 && g.end > until);
    let mut lines: Vec<Line> = booking.postings.iter().filter(|p| is_posted(p.line.t0)).map(|p| posted(stay, p, until)).collect();
    if gaps.iter().any(|g| g.t0 < until && g.end > until) {
        let priced = settling::lines(county, booking, gaps, until)?;
        lines.extend(priced.into_iter().filter(|l| !is_posted(l.t0)).map(|l| accrued(county, booking, stay, l, until)));
    }
    lines.sort_by_key(|l| (l.cost.span.start, l.cost.span.end, l.seq));
    Ok(lines)
}

/// All lines of a booking of which nothing is posted, up to an instant, in order of time.
///
/// # Errors
/// [`ReportError`] where custody cannot be priced.
pub(super) fn priced(county: &County, booking: &Booking, stay: &Stay, until: Instant) -> Result<Vec<Line>, ReportError> {
    let lines = settling::lines(county, booking, &booking.custody.gaps, until)?;
    Ok(lines.into_iter().map(|line| accrued(county, booking, stay, line, until)).collect())
}

/// The lines of custody of a booking that goes on, up to an instant, as far as they are not posted: what the books hold beside
/// postings.
///
/// # Errors
/// [`ReportError`] where custody cannot be priced.
pub fn unposted(county: &County, booking: &Booking, stay: &Stay, until: Instant) -> Result<Vec<Line>, ReportError> {
    let goes_on = |t0: Instant| booking.custody.gaps.iter().any(|gap| gap.t0 == t0 && gap.end.is_far());
    let lines = settling::lines(county, booking, &booking.custody.gaps, until)?;
    let open = lines.into_iter().filter(|line| goes_on(line.t0) && !booking.postings.iter().any(|p| p.line == *line));
    Ok(open.map(|line| accrued(county, booking, stay, line, until)).collect())
}

/// The lines that a query asks for, of one booking, by day.
#[must_use]
pub fn asked(query: &Query, stay: &Stay) -> Vec<Line> {
    stay.lines.iter().filter(|line| is_asked(query, line)).cloned().collect()
}

/// Whether a query asks for a line.
#[must_use]
pub fn is_asked(query: &Query, line: &Line) -> bool {
    query.has_day(line.day)
        && query.has_facility(&line.cost.facility)
        && query.has_office(&line.office)
        && query.has_keys(|by| cost::key(line, by))
}

/// Lines with those that go on from each other made one, within local months and weeks: what is shown.
///
/// # Errors
/// [`ReportError::Overflow`] where a sum does not fit.
pub fn merged(lines: Vec<Line>) -> Result<Vec<Line>, ReportError> {
    let mut shown: Vec<Line> = Vec::with_capacity(lines.len());
    for line in lines {
        match shown.last_mut() {
            Some(last) if last.goes_on(&line) => {
                last.cost.span.end = line.cost.span.end;
                last.cost.incurred = last.cost.incurred.try_add(line.cost.incurred)?;
                last.cost.covered = last.cost.covered.try_add(line.cost.covered)?;
                if let (Some(one), Some(two)) = (last.cost.marginal, line.cost.marginal) {
                    last.cost.marginal = Some(one.try_add(two)?);
                }
            }
            _ => shown.push(line),
        }
    }
    Ok(shown)
}

fn posted(stay: &Stay, posting: &Posting, until: Instant) -> Line {
    let Posting { office, edition, mode, seq, .. } = posting;
    Line::new(stay, posting.line.clone(), office.clone(), *edition, *mode, *seq, until)
}

fn accrued(county: &County, booking: &Booking, stay: &Stay, cost: CostLine, until: Instant) -> Line {
    let form = cost.detainer.as_ref().and_then(|id| booking.detainer(id)).map(|d| &d.form);
    let office = form.map_or_else(|| "".into(), |f| f.office.clone());
    let mode = cost.revision.as_ref().and_then(|r| county.revision(r)).map(|r| r.mode);
    Line::new(stay, cost, office, form.map(|f| f.edition), mode, 0, until)
}
