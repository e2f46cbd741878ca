//! Why a cost report changed between two points of knowledge: told from the journal, record by record (DOMAIN.md §6).
//!
//! A booking is taken as it was at the earlier point and its records are folded on, one after the other, beside the
//! county's own. After each one its lines are priced again up to the *earlier* instant: what differs is that record's doing.
//! What the custody of the last state comes to between the two instants is time passing. The differences telescope, so
//! nothing is left over. Pure.
//!
//! Whether a record is a late fact or something else is read from what it holds, and where it follows from the county's own
//! record, from that one.

use super::lines::{self, Line};
use super::stay::Stay;
use super::{Query, ReportError, Totals};
use crate::domain::booking::Booking;
use crate::domain::county::County;
use crate::domain::event::Event;
use crate::domain::evolve;
use crate::domain::money::Cents;
use crate::domain::time::Instant;
use crate::journal::record::Record;
use std::sync::Arc;

/// Why a figure changed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Cause {
    /// Something was recorded that had been so before.
    LateFact,
    /// A fact was corrected.
    Correction,
    /// A rate was recorded.
    Rate,
    /// An agreement was made, changed or ended, or its budget moved.
    Agreement,
    /// A policy was switched, or a decision overridden.
    Policy,
    /// Custody went on.
    TimePassing,
}

/// Time and money of some lines, or the difference of two.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Amount {
    /// Microseconds.
    pub us: i64,
    /// Full cost.
    pub incurred: Cents,
    /// What agreements pay.
    pub covered: Cents,
}

impl Amount {
    /// Of lines.
    ///
    /// # Errors
    /// [`ReportError::Overflow`] where a sum does not fit.
    pub fn of<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Result<Self, ReportError> {
        let one = |line: &Line| Self { us: line.cost.span.len_us(), incurred: line.cost.incurred, covered: line.cost.covered };
        lines.into_iter().try_fold(Self::default(), |sum, line| sum.plus(one(line)))
    }

    /// Both together.
    ///
    /// # Errors
    /// [`ReportError::Overflow`] where a sum does not fit.
    pub fn plus(self, other: Self) -> Result<Self, ReportError> {
        let (incurred, covered) = (self.incurred.try_add(other.incurred)?, self.covered.try_add(other.covered)?);
        Ok(Self { us: self.us.saturating_add(other.us), incurred, covered })
    }

    /// What is more here than there.
    ///
    /// # Errors
    /// [`ReportError::Overflow`] where a difference does not fit.
    pub fn less(self, other: Self) -> Result<Self, ReportError> {
        let (incurred, covered) = (self.incurred.try_sub(other.incurred)?, self.covered.try_sub(other.covered)?);
        Ok(Self { us: self.us.saturating_sub(other.us), incurred, covered })
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// Its money.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals { incurred: self.incurred, covered: self.covered, marginal: None }
    }
}

/// What one record, or time, changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Why.
    pub cause: Cause,
    /// The record: its sequence, that of its command's first record, and when it was recorded; nothing for time.
    pub record: Option<(i64, i64, Instant)>,
    /// What it adds.
    pub amount: Amount,
}

/// A record of the county's own that may change what custody costs or what follows from it, and the county after it.
#[derive(Clone, Debug)]
pub struct Shared {
    /// Its sequence.
    pub seq: i64,
    /// That of its command's first record.
    pub first: i64,
    /// When it was recorded.
    pub recorded: Instant,
    /// What it does.
    pub cause: Cause,
    /// Whether prices or promises are others after it.
    pub prices: bool,
    /// The county after it.
    pub county: Arc<County>,
}

/// The county's own records between two points, folded on from the earlier; those that are of no consequence are left out.
#[must_use]
pub fn shared(before: &Arc<County>, records: &[Record]) -> Vec<Shared> {
    let mut county = before.clone();
    let mut shared = Vec::new();
    for record in records {
        let mut state = Some((*county).clone());
        for event in &record.events {
            state = evolve::county(state, record.seq, event);
        }
        if let Some(state) = state {
            county = Arc::new(state);
        }
        let of = |event: &Event| match event {
            Event::RateSet(_) => Some((Cause::Rate, true)),
            Event::AgreementSet(_) => Some((Cause::Agreement, true)),
            Event::RevisionActivated(_) => Some((Cause::Policy, false)),
            _ => None,
        };
        if let Some((cause, prices)) = record.events.iter().find_map(of) {
            let Record { seq, first_seq, recorded, .. } = record;
            let county = county.clone();
            shared.push(Shared { seq: *seq, first: *first_seq, recorded: *recorded, cause, prices, county });
        }
    }
    shared
}

/// Why a booking's record changed something.
fn cause_of(record: &Record, shared: &[Shared]) -> Cause {
    if let Some(county) = shared.iter().find(|one| one.first == record.first_seq) {
        return county.cause;
    }
    let has = |is: fn(&Event) -> bool| record.events.iter().any(is);
    if has(|event| matches!(event, Event::Corrected(_))) {
        Cause::Correction
    } else if has(|event| matches!(event, Event::Overridden(_))) {
        Cause::Policy
    } else if record.events.iter().all(follows) {
        // Nothing was told: a balance came due, or turned.
        Cause::Agreement
    } else {
        Cause::LateFact
    }
}

/// Whether an event tells nothing new by itself.
fn follows(event: &Event) -> bool {
    matches!(event, Event::Decided(_) | Event::DutiesSet(_) | Event::CustodyDerived(_) | Event::BudgetMoved(_) | Event::Posted(_))
}

/// The two points of knowledge, as far as a booking is concerned: what is asked, and up to when custody is counted.
#[derive(Clone, Copy, Debug)]
pub struct Points<'a> {
    /// What is asked; its own instant is not looked at.
    pub query: &'a Query,
    /// The county at the earlier point.
    pub county: &'a Arc<County>,
    /// Up to when custody was counted at the earlier point.
    pub before: Instant,
    /// Up to when it is counted at the later one.
    pub after: Instant,
}

/// What changed in a booking, by record; then what time brought. `booking` is as it was at the earlier point, `records` are
/// its own from there on, `shared` the county's.
///
/// # Errors
/// [`ReportError`] where custody cannot be priced.
pub fn of_booking(
    points: &Points<'_>,
    booking: Option<Arc<Booking>>,
    records: &[Record],
    shared: &[Shared],
) -> Result<Vec<Change>, ReportError> {
    let mut county: &Arc<County> = points.county;
    let mut state: Option<Booking> = booking.as_deref().cloned();
    let mut last = counted(points, county, state.as_ref(), points.before)?;
    let mut changes = Vec::new();
    let (mut own, mut common) = (records.iter().peekable(), shared.iter().peekable());
    loop {
        let next_own = own.peek().map(|record| record.seq);
        let next_common = common.peek().map(|one| one.seq);
        let (cause, record) = match (next_own, next_common) {
            (None, None) => break,
            (Some(seq), other) if other.is_none_or(|other| seq < other) => {
                let Some(record) = own.next() else { break };
                for event in &record.events {
                    state = evolve::booking(state, record.seq, event);
                }
                (cause_of(record, shared), (record.seq, record.first_seq, record.recorded))
            }
            _ => {
                let Some(one) = common.next() else { break };
                county = &one.county;
                let open = state.as_ref().is_some_and(|booking| booking.custody.gaps.iter().any(|gap| gap.end > points.before));
                if !(one.prices && open) {
                    continue;
                }
                (one.cause, (one.seq, one.first, one.recorded))
            }
        };
        let now = counted(points, county, state.as_ref(), points.before)?;
        let amount = now.less(last)?;
        if !amount.is_zero() {
            changes.push(Change { cause, record: Some(record), amount });
        }
        last = now;
    }
    let amount = counted(points, county, state.as_ref(), points.after)?.less(last)?;
    if !amount.is_zero() {
        changes.push(Change { cause: Cause::TimePassing, record: None, amount });
    }
    Ok(changes)
}

fn counted(points: &Points<'_>, county: &County, booking: Option<&Booking>, until: Instant) -> Result<Amount, ReportError> {
    let Some(booking) = booking else { return Ok(Amount::default()) };
    let stay = Stay::of(county, booking, until)?;
    Amount::of(&lines::asked(points.query, &stay))
}
