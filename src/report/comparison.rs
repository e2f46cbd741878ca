//! What happened beside what would have happened under other rules: the same days, the same facts (DOMAIN.md §5).
//!
//! One column is made from bookings as they are recorded, each other one from the same bookings told anew to a
//! [`Hypothesis`]. Every column is counted by the same functions, and money and time are the lines that the cost report
//! adds up, so the recorded column agrees with that report to the cent.

use super::decisions::last_open;
use super::lines;
use super::stay::Stay;
use super::{Query, ReportError, Totals, Why};
use crate::domain::booking::Booking;
use crate::domain::county::County;
use crate::domain::decision::{Decision, Outcome};
use crate::domain::detainer::Detainer;
use crate::domain::gap::Authority;
use crate::domain::ids::HoldId;
use crate::domain::retelling::{self, Hypothesis};
use crate::domain::time::{Instant, Span};
use std::collections::{BTreeMap, BTreeSet};

/// Time and money.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Amount {
    /// Microseconds.
    pub us: i64,
    /// Money.
    pub totals: Totals,
}

impl Amount {
    fn add(&mut self, us: i64, totals: Totals) -> Result<(), ReportError> {
        self.us = self.us.saturating_add(us);
        self.totals = self.totals.try_add(totals)?;
        Ok(())
    }
}

/// One column of a comparison.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Column {
    /// Detainers that were open on some of the days.
    pub detainers: i64,
    /// Those whose last answer while open, on those days, was HONOR.
    pub honored: i64,
    /// DECLINE.
    pub declined: i64,
    /// `NEEDS_REVIEW`, or none at all.
    pub needs_review: i64,
    /// Those where the issuing office is notified.
    pub notified: i64,
    /// Those where the person is handed over.
    pub transferred: i64,
    /// The last answers, by reason.
    pub reasons: BTreeMap<(Outcome, Why), i64>,
    /// Holds with time on those days.
    pub holds: i64,
    /// Time held with authority.
    pub held: Amount,
    /// The part of it that was authorized late.
    pub late: Amount,
    /// Time in custody after T0 without authority.
    pub over: Amount,
    /// Stays with such time.
    pub over_stays: i64,
    /// Persons let go whom a hold could have kept longer.
    pub beyond: i64,
    /// How much longer at most, up to the deadlines, whatever the day.
    pub further: Amount,
}

impl Column {
    /// All time in custody after T0: held and not.
    ///
    /// # Errors
    /// [`ReportError::Overflow`] where a sum does not fit.
    pub fn custody(&self) -> Result<Amount, ReportError> {
        let mut all = self.held;
        all.add(self.over.us, self.over.totals)?;
        Ok(all)
    }

    /// Adds what one booking comes to.
    ///
    /// # Errors
    /// [`ReportError`] where custody cannot be priced, or a sum does not fit.
    fn add(&mut self, query: &Query, county: &County, booking: &Booking, stay: &Stay) -> Result<(), ReportError> {
        for detainer in concerned(query, county, booking) {
            self.detainers += 1;
            let answer = open_days(query, county, booking, detainer).and_then(|days| in_force(detainer, days.last));
            self.answer(answer);
        }
        let (mut holds, mut over): (BTreeSet<&HoldId>, bool) = (BTreeSet::new(), false);
        for line in stay.lines.iter().filter(|line| lines::is_asked(query, line)) {
            let (us, totals) = (line.cost.span.len_us(), line.totals());
            match line.cost.authority {
                Authority::OverDetained => {
                    over = true;
                    self.over.add(us, totals)?;
                }
                Authority::Authorized => self.held.add(us, totals)?,
                Authority::AuthorizedLate => {
                    self.held.add(us, totals)?;
                    self.late.add(us, totals)?;
                }
            }
            holds.extend(line.cost.hold.as_ref().filter(|_| line.cost.authority != Authority::OverDetained));
        }
        self.holds += i64::try_from(holds.len()).unwrap_or(i64::MAX);
        self.over_stays += i64::from(over);
        self.beyond(query, county, booking)
    }

    fn answer(&mut self, answer: Option<&Decision>) {
        match answer.map(|decision| decision.outcome) {
            Some(Outcome::Honor) => self.honored += 1,
            Some(Outcome::Decline) => self.declined += 1,
            Some(Outcome::NeedsReview) | None => self.needs_review += 1,
        }
        if let Some(decision) = answer {
            self.notified += i64::from(decision.notify);
            self.transferred += i64::from(decision.transfer);
            *self.reasons.entry((decision.outcome, Why::of(decision.reason, decision.mode))).or_default() += 1;
        }
    }

    fn beyond(&mut self, query: &Query, county: &County, booking: &Booking) -> Result<(), ReportError> {
        let ended = booking.ended();
        let here = booking.facility_at(ended).filter(|jail| query.has_facility(jail));
        if !here.is_some_and(|jail| ended <= query.until && query.has_instant(county, jail, ended)) {
            return Ok(());
        }
        let Some(beyond) = retelling::beyond(county, booking)? else { return Ok(()) };
        if booking.detainer(&beyond.detainer).is_some_and(|detainer| query.has_form(&detainer.form)) {
            self.beyond += 1;
            self.further
                .add(beyond.span.len_us(), Totals { incurred: beyond.incurred, covered: beyond.covered, marginal: None })?;
        }
        Ok(())
    }
}

/// An answer that differs from the recorded one, from an instant on until both agree again, or differ otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flip {
    /// Which of the booking's requests, by its place.
    pub detainer: usize,
    /// From when on.
    pub at: Instant,
    /// The recorded answer, by its place among the request's; nothing where none was in force.
    pub before: Option<usize>,
    /// The answer told anew, by its place.
    pub after: Option<usize>,
}

/// The instants of a period at which a request was open: the first, and the last.
#[derive(Clone, Copy)]
struct Days {
    first: Instant,
    last: Instant,
}

fn concerned<'b>(query: &Query, county: &County, booking: &'b Booking) -> impl Iterator<Item = &'b Detainer> {
    booking.detainers.iter().filter(move |detainer| is_concerned(query, county, booking, detainer))
}

fn is_concerned(query: &Query, county: &County, booking: &Booking, detainer: &Detainer) -> bool {
    query.has_facility(&detainer.facility)
        && query.has_form(&detainer.form)
        && open_days(query, county, booking, detainer).is_some()
}

/// Nothing where it was not open on any of the days; one that closed as it came in was open then.
fn open_days(query: &Query, county: &County, booking: &Booking, detainer: &Detainer) -> Option<Days> {
    let zone = county.zone_of(&detainer.facility);
    let (from, end) = (zone.start_of(query.start), zone.start_of(query.end));
    let received = detainer.received.effective;
    let closed = detainer.ended().min(booking.ended());
    let last = last_open(received, closed, query.until).min(end.plus_us(-1));
    let first = received.max(from);
    (first <= last && received <= query.until).then_some(Days { first, last })
}

/// The place of the answer in force.
fn place_in_force(detainer: &Detainer, at: Instant) -> Option<usize> {
    let past = detainer.decisions.iter().enumerate().filter(|(_, one)| one.at.effective <= at);
    past.max_by_key(|(_, one)| (one.at.effective, one.n)).map(|(place, _)| place)
}

fn in_force(detainer: &Detainer, at: Instant) -> Option<&Decision> {
    place_in_force(detainer, at).and_then(|place| detainer.decisions.get(place))
}

/// Where the answers of a booking told anew differ from the recorded ones, on the days asked for.
#[must_use]
pub fn flips(query: &Query, county: &County, recorded: &Booking, anew: &Booking) -> Vec<Flip> {
    let mut flips = Vec::new();
    for (n, (was, is)) in recorded.detainers.iter().zip(&anew.detainers).enumerate() {
        if !is_concerned(query, county, recorded, was) {
            continue;
        }
        let Some(days) = open_days(query, county, recorded, was) else { continue };
        let made = was.decisions.iter().chain(&is.decisions).map(|decision| decision.at.effective);
        let mut cuts: Vec<Instant> = made.filter(|at| days.first < *at && *at <= days.last).collect();
        cuts.push(days.first);
        cuts.sort();
        cuts.dedup();
        let mut last = None;
        for at in cuts {
            let (before, after) = (place_in_force(was, at), place_in_force(is, at));
            let outcome = |detainer: &Detainer, place: Option<usize>| {
                place.and_then(|place| detainer.decisions.get(place)).map(|decision| decision.outcome)
            };
            let pair = (outcome(was, before), outcome(is, after));
            if pair.0 != pair.1 && last != Some(pair) {
                flips.push(Flip { detainer: n, at, before, after });
            }
            last = Some(pair);
        }
    }
    flips
}

/// What happened beside what would have.
#[derive(Clone, Debug)]
pub struct Comparison {
    query: Query,
    /// What happened.
    pub recorded: Column,
    /// What would have, one for each hypothesis.
    pub columns: Vec<Column>,
    /// Bookings counted.
    pub bookings: i64,
    /// Those of them whose record, told anew to the rules as they were, does not come to the same: facts came late, or
    /// were corrected. What differs in them is not the rules' doing alone.
    pub unlike: i64,
}

impl Comparison {
    /// Of some hypotheses; nothing counted yet.
    #[must_use]
    pub fn new(query: &Query, hypotheses: usize) -> Self {
        Self {
            query: query.clone(),
            recorded: Column::default(),
            columns: vec![Column::default(); hypotheses],
            bookings: 0,
            unlike: 0,
        }
    }

    /// Adds a booking as it is recorded. `as_it_was` are the rules as they were.
    ///
    /// # Errors
    /// [`ReportError`] where custody cannot be priced.
    pub fn record(&mut self, county: &County, as_it_was: &mut Hypothesis, booking: &Booking) -> Result<(), ReportError> {
        let until = self.query.until;
        let stay = Stay::of(county, booking, until)?;
        self.bookings += 1;
        self.recorded.add(&self.query, county, booking, &stay)?;
        if retelling::told_late(booking) {
            let anew = as_it_was.retold_as_reserved(booking, until)?;
            self.unlike += i64::from(grounds(booking, until) != grounds(&anew, until));
        }
        Ok(())
    }

    /// Adds what the booking comes to under a hypothesis; where answers differ.
    ///
    /// # Errors
    /// [`ReportError`] where custody cannot be priced.
    pub fn suppose(
        &mut self,
        n: usize,
        hypothesis: &Hypothesis,
        recorded: &Booking,
        anew: &Booking,
    ) -> Result<Vec<Flip>, ReportError> {
        let stay = Stay::supposed(hypothesis.county(), anew, self.query.until)?;
        if let Some(column) = self.columns.get_mut(n) {
            column.add(&self.query, hypothesis.county(), anew, &stay)?;
        }
        Ok(flips(&self.query, hypothesis.county(), recorded, anew))
    }
}

/// With what authority each stretch after T0 was spent, up to an instant.
fn grounds(booking: &Booking, until: Instant) -> Vec<(Span, Authority)> {
    let past = Span::new(Instant::MIN, until);
    let mut grounds: Vec<(Span, Authority)> = Vec::new();
    for segment in booking.custody.gaps.iter().flat_map(|gap| &gap.segments) {
        let Some(span) = segment.span.meet(&past) else { continue };
        match grounds.last_mut() {
            Some((last, same)) if last.end == span.start && *same == segment.authority => last.end = span.end,
            _ => grounds.push((span, segment.authority)),
        }
    }
    grounds
}
