//! What custody after T0 costs, line by line, and what agreements pay of it (`DOMAIN.md §6`, `§10` rulings
//! 25 to 28).
//!
//! For each T0 there is one exact cumulative function `C(t)` of the custody since then: a slope where a rate
//! counts by the hour, steps where it counts days. What a line `[a, b)` incurred is `round(C(b)) - round(C(a))`,
//! so however the time is cut, the cents add up to the same. A step at `s` belongs to the line with
//! `a <= s < b`. [`Exact::round`] is the one rounding.
//!
//! How the rules for days meet the chain (all holds of one booking are one chain):
//! - `CALENDAR_DAY` steps at the first touched instant of a local day, `MIDNIGHT` at each local midnight in
//!   custody, `PER_24H` at T0 and each 24 h after, through every cut, at the rate in force there.
//! - A local day, or midnight, is touched once per booking, wherever that is. If the rate there does not charge
//!   it, nobody charges it later. A date is never charged twice, whatever zones and rates follow each other.
//! - A local day begins at its first midnight and ends where the next one begins, so a clock set back across
//!   midnight makes no second day. Elapsed time is UTC: a day of 25 hours costs 25/24 by the hour.
//! - An amount per hold steps at the first held instant of the chain, at the rate in force there, or never.
//!
//! Who pays, and how much:
//! - At each held instant at most one agreement pays: of those named on the segment that are signed, pay for that
//!   date, facility and held hour, and have something reserved, the first. It keeps the hour even when its reservation
//!   is used up.
//! - *All costs* and *costs after the first hours* pay what the line incurred. A *flat* amount lies whole on the
//!   first line it pays. A *per diem* has a cumulative function of its own for each T0: the same touches as the
//!   rate's, counted by its own rule, as far as they fall into time it pays. So a per diem equal to the rate pays
//!   exactly the cost, and a day first touched in over-detention is not paid.
//! - No agreement pays more for a hold than was reserved for it, and none pays for over-detention.
//!
//! Nothing here decides authority, chooses agreements for a decision or keeps balances. To add a way of
//! counting days: a variant of [`DayCount`], a line in `Touch::days_us`, a row in the tests' tables and in their
//! independent model.

use super::agreement::{Agreement, Term};
use super::gap::{Authority, Gap, RestsOn, Segment};
use super::ids::{AgreementId, DetainerId, FacilityId, HoldId, RateId, RevisionId};
use super::money::{Cents, Exact, Overflow};
use super::rate::{DayCount, Rate, RateBook};
use super::time::{DAY_US, Date, Instant, Span, Zone};
use std::collections::{BTreeMap, BTreeSet};

/// The most lines one booking may have: some centuries of days. Past it the input is wrong.
pub const MAX_LINES: usize = 200_000;

/// One stretch of custody after T0 within one facility, local day, rate, agreement and authority state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CostLine {
    /// The T0 whose custody this is part of.
    pub t0: Instant,
    /// The stretch.
    pub span: Span,
    /// The local day of the facility it lies in.
    pub local_day: Date,
    /// The jail.
    pub facility: FacilityId,
    /// The rate that priced it; without one nothing is known to be incurred.
    pub rate: Option<RateId>,
    /// The hold that ran, if one did.
    pub hold: Option<HoldId>,
    /// With what authority the person was held.
    pub authority: Authority,
    /// The detainer the hold rested on.
    pub detainer: Option<DetainerId>,
    /// The revision under which that was honored.
    pub revision: Option<RevisionId>,
    /// The agreement this time belongs to, also where it pays nothing for it.
    pub agreement: Option<AgreementId>,
    /// What it cost.
    pub incurred: Cents,
    /// What the agreement pays of it.
    pub covered: Cents,
    /// What one more person cost, where the rate states that: shown beside the full cost, never billed.
    pub marginal: Option<Cents>,
}

impl CostLine {
    /// What is left to the county; negative where the agreement pays more than it cost.
    ///
    /// # Errors
    /// [`Overflow`] where the difference does not fit, which no line made here reaches.
    pub fn absorbed(&self) -> Result<Cents, Overflow> {
        self.incurred.try_sub(self.covered)
    }
}

/// Why custody cannot be priced. Each is wrong input; nothing is priced in part.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CostError {
    /// An amount does not fit.
    #[error(transparent)]
    Overflow(#[from] Overflow),
    /// Open custody was to be priced for ever.
    #[error("open custody accrues up to a stated instant, and none was given")]
    Endless,
    /// Segments overlap or leave a hole, or gaps are out of order.
    #[error("the custody after T0 {t0} is not without holes and overlaps at {at}")]
    NotTiled {
        /// The gap.
        t0: Instant,
        /// Where.
        at: Instant,
    },
    /// A segment names an agreement that the lookup does not know.
    #[error("agreement {0} is not known")]
    UnknownAgreement(AgreementId),
    /// More lines than any custody has.
    #[error("the custody makes more than {MAX_LINES} cost lines")]
    TooManyLines,
}

/// What prices custody: the county's rates, agreements and zones, and what is reserved for each hold.
#[derive(Clone, Copy)]
pub struct Pricing<'a> {
    /// The rates.
    pub book: &'a RateBook,
    /// An agreement by its name.
    pub agreement: &'a dyn Fn(&AgreementId) -> Option<&'a Agreement>,
    /// The zone of a facility.
    pub zone_of: &'a dyn Fn(&FacilityId) -> Zone,
    /// What an agreement has reserved for a hold; nothing means that it has no ceiling.
    pub reserved: &'a dyn Fn(&AgreementId, &HoldId) -> Option<Reserved>,
}

/// What an agreement with a ceiling has set apart for one hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reserved {
    /// Whether anything was, at the hold's start: without it the agreement pays for no hour.
    pub funded: bool,
    /// The most it pays.
    pub most: Cents,
}

/// Prices one booking's custody after T0 up to an instant, which may lie before, inside or after it. The lines
/// tile that custody exactly, in order.
///
/// # Errors
/// [`CostError`]: an amount that does not fit, custody without end, segments that do not tile their gap.
pub fn cost_lines(pricing: &Pricing<'_>, gaps: &[Gap], until: Instant) -> Result<Vec<CostLine>, CostError> {
    let mut walk = Walk { pricing: *pricing, lines: Vec::new(), chain: Chain::default() };
    let mut before = Instant::MIN;
    for gap in gaps {
        check_tiled(gap, before)?;
        before = gap.end;
        walk.gap(gap, until)?;
    }
    Ok(walk.lines)
}

/// The most an agreement can owe for a hold that begins at `from` and runs at most to `until`, in the facility
/// where it begins, paying alone: what the hold reserves (`DOMAIN.md §6` "Budgets", `§10` ruling 25).
///
/// `custody` is what this booking has behind it after T0; what lies after `from` is ignored. Days touched,
/// hours held and amounts per hold spent there are not owed again. What the hold in fact owes may be less; where
/// a later move or rate makes it dearer, the reservation is the limit.
///
/// # Errors
/// [`CostError`], as for [`cost_lines`].
pub fn max_owed(
    pricing: &Pricing<'_>,
    agreement: &Agreement,
    custody: &[Gap],
    facility: &FacilityId,
    from: Instant,
    until: Instant,
) -> Result<Cents, CostError> {
    if until <= from {
        return Ok(Cents::ZERO);
    }
    let gaps = supposed(pricing, agreement, custody, facility, Span::new(from, until));
    let find = |id: &AgreementId| if *id == agreement.id { Some(agreement) } else { (pricing.agreement)(id) };
    let alone = Pricing { book: pricing.book, agreement: &find, zone_of: pricing.zone_of, reserved: &|_, _| None };
    let lines = cost_lines(&alone, &gaps, until)?;
    Ok(covered_by(lines.iter().filter(|line| line.span.start >= from), &agreement.id)?)
}

/// What one agreement pays of these lines.
///
/// # Errors
/// [`Overflow`] where the sum does not fit.
pub fn covered_by<'a>(lines: impl IntoIterator<Item = &'a CostLine>, agreement: &AgreementId) -> Result<Cents, Overflow> {
    Cents::try_sum(lines.into_iter().filter(|line| line.agreement.as_ref() == Some(agreement)).map(|line| line.covered))
}

/// Custody up to `hold`, followed by a hold over the whole of it that only this agreement pays.
fn supposed(pricing: &Pricing<'_>, agreement: &Agreement, custody: &[Gap], facility: &FacilityId, hold: Span) -> Vec<Gap> {
    let known = Span::new(Instant::MIN, hold.start);
    let mut gaps: Vec<Gap> = custody.iter().filter_map(|gap| cut_off(gap, known)).collect();
    // Here nothing is capped, so an agreement that had nothing reserved must not take part at all.
    for segment in gaps.iter_mut().flat_map(|gap| &mut gap.segments) {
        if let (Some(hold), Some(rests_on)) = (&segment.hold, &mut segment.rests_on) {
            rests_on.agreements.retain(|id| funded(pricing, id, hold));
        }
    }
    let rests_on = RestsOn {
        detainer: DetainerId::trusted("-"),
        revision: RevisionId::trusted("-"),
        agreements: vec![agreement.id.clone()],
    };
    let segment = Segment {
        span: hold,
        facility: facility.clone(),
        authority: Authority::Authorized,
        hold: Some(HoldId::trusted("-")),
        rests_on: Some(rests_on),
    };
    // It goes on in the gap that reaches it, unless it has a T0 of its own.
    let own_t0 = custody.iter().any(|gap| gap.t0 == hold.start);
    match gaps.last_mut().filter(|gap| gap.end == hold.start && !own_t0) {
        Some(gap) => {
            gap.end = hold.end;
            gap.segments.push(segment);
        }
        None => gaps.push(Gap { t0: hold.start, end: hold.end, segments: vec![segment] }),
    }
    gaps
}

/// Whether an agreement has no ceiling, or something was reserved for that hold.
fn funded(pricing: &Pricing<'_>, agreement: &AgreementId, hold: &HoldId) -> bool {
    (pricing.reserved)(agreement, hold).is_none_or(|reserved| reserved.funded)
}

/// The part of a gap that lies in `known`, if any does.
fn cut_off(gap: &Gap, known: Span) -> Option<Gap> {
    let span = Span::new(gap.t0, gap.end).meet(&known)?;
    let cut = |segment: &Segment| Some(Segment { span: segment.span.meet(&span)?, ..segment.clone() });
    Some(Gap { t0: gap.t0, end: span.end, segments: gap.segments.iter().filter_map(cut).collect() })
}

/// Refuses a gap that its segments do not tile, or that begins before the last one ended.
fn check_tiled(gap: &Gap, before: Instant) -> Result<(), CostError> {
    let hole = |at| CostError::NotTiled { t0: gap.t0, at };
    if gap.t0 < before || gap.end < gap.t0 {
        return Err(hole(gap.t0));
    }
    let mut reached = gap.t0;
    for segment in &gap.segments {
        if segment.span.start != reached || segment.span.end < reached {
            return Err(hole(reached));
        }
        reached = segment.span.end;
    }
    if reached == gap.end { Ok(()) } else { Err(hole(reached)) }
}

/// What has been counted on the chain of one booking, through all its gaps.
#[derive(Default)]
struct Chain {
    days_touched: BTreeSet<Date>,
    midnights_touched: BTreeSet<Date>,
    dates_charged: BTreeSet<Date>,
    dates_paid: BTreeSet<Date>,
    held_us: i64,
    hold_charged: bool,
    flat_paid: BTreeSet<AgreementId>,
    paid: BTreeMap<(AgreementId, HoldId), Cents>,
}

/// The cumulative functions of one gap.
struct Meter {
    t0: Instant,
    cost: Exact,
    marginal: Exact,
    per_diem: BTreeMap<AgreementId, Exact>,
}

/// A stretch about to become a line.
struct Stretch<'a> {
    segment: &'a Segment,
    span: Span,
    day: LocalDay,
    payer: Option<&'a Agreement>,
}

/// One pass over a booking's custody.
struct Walk<'a> {
    pricing: Pricing<'a>,
    lines: Vec<CostLine>,
    chain: Chain,
}

impl<'a> Walk<'a> {
    fn gap(&mut self, gap: &Gap, until: Instant) -> Result<(), CostError> {
        let wanted = Span::new(gap.t0, gap.end.min(until));
        if wanted.end.is_far() && !wanted.is_empty() {
            return Err(CostError::Endless);
        }
        let mut meter = Meter { t0: gap.t0, cost: Exact::ZERO, marginal: Exact::ZERO, per_diem: BTreeMap::new() };
        for segment in &gap.segments {
            if let Some(span) = segment.span.meet(&wanted) {
                self.segment(segment, span, &mut meter)?;
            }
        }
        Ok(())
    }

    /// Cuts a segment at each local midnight and wherever another agreement begins to pay.
    fn segment(&mut self, segment: &Segment, span: Span, meter: &mut Meter) -> Result<(), CostError> {
        let zone = (self.pricing.zone_of)(&segment.facility);
        let payers = self.payers(segment)?;
        let mut from = span.start;
        while from < span.end {
            let day = LocalDay::at(zone, from);
            let (payer, to) = payer_until(&payers, from, self.chain.held_us, span.end.min(day.end));
            self.line(&Stretch { segment, span: Span::new(from, to), day, payer }, meter)?;
            from = to;
        }
        Ok(())
    }

    /// The agreements that may pay for a segment, in the order in which it names them.
    fn payers(&self, segment: &Segment) -> Result<Vec<&'a Agreement>, CostError> {
        let mut payers = Vec::new();
        let Some(hold) = segment.hold.as_ref().filter(|_| segment.is_held()) else { return Ok(payers) };
        for id in segment.rests_on.iter().flat_map(|ground| &ground.agreements) {
            let agreement = (self.pricing.agreement)(id).ok_or_else(|| CostError::UnknownAgreement(id.clone()))?;
            if funded(&self.pricing, id, hold) && agreement.pays().is_some() && agreement.covers_facility(&segment.facility) {
                payers.push(agreement);
            }
        }
        Ok(payers)
    }

    fn line(&mut self, stretch: &Stretch<'_>, meter: &mut Meter) -> Result<(), CostError> {
        let Stretch { segment, span, day, payer } = stretch;
        if self.lines.len() >= MAX_LINES {
            return Err(CostError::TooManyLines);
        }
        let rate = self.pricing.book.in_force(&segment.facility, day.date);
        let touch = self.chain.touch(stretch, meter.t0);
        let (incurred, marginal) = self.chain.incur(rate, segment, &touch, meter)?;
        let covered = match (payer, &segment.hold) {
            (Some(agreement), Some(hold)) => self.cover(agreement, hold, &touch, incurred, meter)?,
            _ => Cents::ZERO,
        };
        if segment.is_held() {
            self.chain.held_us = self.chain.held_us.saturating_add(span.len_us());
        }
        self.lines.push(CostLine {
            t0: meter.t0,
            span: *span,
            local_day: day.date,
            facility: segment.facility.clone(),
            rate: rate.map(|rate| rate.id.clone()),
            hold: segment.hold.clone(),
            authority: segment.authority,
            detainer: segment.rests_on.as_ref().map(|ground| ground.detainer.clone()),
            revision: segment.rests_on.as_ref().map(|ground| ground.revision.clone()),
            agreement: payer.map(|agreement| agreement.id.clone()),
            incurred,
            covered,
            marginal,
        });
        Ok(())
    }

    /// What the agreement pays of a line, within its terms and what is left of its reservation.
    fn cover(
        &mut self,
        agreement: &Agreement,
        hold: &HoldId,
        touch: &Touch,
        incurred: Cents,
        meter: &mut Meter,
    ) -> Result<Cents, Overflow> {
        let within_terms = match agreement.term {
            Term::AllCosts | Term::AfterFirstHours { .. } => incurred,
            Term::FlatPerHold { amount, .. } => {
                if self.chain.flat_paid.insert(agreement.id.clone()) {
                    amount
                } else {
                    Cents::ZERO
                }
            }
            Term::PerDiem { per_day, day_count } => {
                let days = touch.days_us(day_count, &mut self.chain.dates_paid);
                advance(meter.per_diem.entry(agreement.id.clone()).or_default(), Exact::accrued(per_day, days))?
            }
        };
        let paid = self.chain.paid.entry((agreement.id.clone(), hold.clone())).or_default();
        let covered = match (self.pricing.reserved)(&agreement.id, hold) {
            Some(Reserved { most, .. }) => within_terms.min(most.try_sub(*paid)?),
            None => within_terms,
        };
        *paid = paid.try_add(covered)?;
        Ok(covered)
    }
}

impl Chain {
    /// What a stretch touches for the first time on this booking.
    fn touch(&mut self, stretch: &Stretch<'_>, t0: Instant) -> Touch {
        let Stretch { span, day, .. } = stretch;
        Touch {
            date: day.date,
            day: self.days_touched.insert(day.date),
            midnight: span.start == day.start && self.midnights_touched.insert(day.date),
            periods: periods_begun(t0, span.end) - periods_begun(t0, span.start),
            elapsed_us: span.len_us(),
        }
    }

    /// Moves `C` over a stretch and answers with what that adds to its rounded value; beside it the same of the marginal
    /// cost, which knows no amount per hold.
    fn incur(
        &mut self,
        rate: Option<&Rate>,
        segment: &Segment,
        touch: &Touch,
        meter: &mut Meter,
    ) -> Result<(Cents, Option<Cents>), Overflow> {
        let hold_begins = segment.is_held() && !self.hold_charged;
        self.hold_charged |= hold_begins;
        let Some(rate) = rate else { return Ok((Cents::ZERO, None)) };
        let days = touch.days_us(rate.day_count, &mut self.dates_charged);
        let hold = rate.per_hold.filter(|_| hold_begins).map_or(Exact::ZERO, Exact::whole);
        let incurred = advance(&mut meter.cost, Exact::accrued(rate.per_day, days).try_add(hold)?)?;
        let marginal = rate.marginal.map(|one| advance(&mut meter.marginal, Exact::accrued(one, days))).transpose()?;
        Ok((incurred, marginal))
    }
}

/// Adds to a cumulative function and answers with what that adds to its rounded value.
fn advance(total: &mut Exact, more: Exact) -> Result<Cents, Overflow> {
    let before = total.round()?;
    *total = total.try_add(more)?;
    total.round()?.try_sub(before)
}

/// What a stretch touches, by every way of counting. All but the 24 hours lie at its first instant, since
/// stretches are cut at local midnights.
struct Touch {
    date: Date,
    /// The local day is touched for the first time on this booking.
    day: bool,
    /// It begins with a local midnight that is touched for the first time.
    midnight: bool,
    /// Periods of 24 hours since T0 that begin in it.
    periods: i64,
    elapsed_us: i64,
}

impl Touch {
    /// How much is charged by the day, as time: a whole day is 24 hours. A date that was charged is never charged again.
    fn days_us(&self, day_count: DayCount, charged: &mut BTreeSet<Date>) -> i64 {
        let mut once = |touched: bool| if touched && charged.insert(self.date) { DAY_US } else { 0 };
        match day_count {
            DayCount::Hourly => self.elapsed_us,
            DayCount::CalendarDay => once(self.day),
            DayCount::Midnight => once(self.midnight),
            DayCount::Per24h => self.periods.saturating_mul(DAY_US),
        }
    }
}

/// How many periods of 24 hours since T0 have begun before an instant.
fn periods_begun(t0: Instant, before: Instant) -> i64 {
    let elapsed = before.since_us(t0).max(0);
    elapsed / DAY_US + i64::from(elapsed % DAY_US != 0)
}

/// Who pays from an instant on, and until when; `limit` at the latest. Payers come by precedence.
fn payer_until<'a>(payers: &[&'a Agreement], from: Instant, held_us: i64, limit: Instant) -> (Option<&'a Agreement>, Instant) {
    let payer_at = |at: Instant| {
        let held = held_us.saturating_add(at.since_us(from));
        payers.iter().copied().find(|one| one.pays().is_some_and(|span| span.contains(at)) && one.term.pays_after(held))
    };
    let mut turns: Vec<Instant> = payers.iter().flat_map(|one| turns_of(one, from, held_us)).collect();
    turns.retain(|at| from < *at && *at < limit);
    turns.sort_unstable();
    let payer = payer_at(from);
    let same = |other: Option<&Agreement>| other.map(|one| &one.id) == payer.map(|one| &one.id);
    let until = turns.into_iter().find(|at| !same(payer_at(*at))).unwrap_or(limit);
    (payer, until)
}

/// The instants at which an agreement may begin or cease to pay, if the hold goes on.
fn turns_of(agreement: &Agreement, from: Instant, held_us: i64) -> impl Iterator<Item = Instant> {
    let dates = agreement.pays().map(|span| [span.start, span.end]);
    let hours = agreement.term.turns_at_us().map(|turn| from.plus_us(turn.saturating_sub(held_us)));
    dates.into_iter().flatten().chain(hours)
}

/// A local day as time is cut: from its first midnight to the first midnight of the next.
struct LocalDay {
    date: Date,
    start: Instant,
    end: Instant,
}

impl LocalDay {
    /// The local day that an instant lies in. Its end is always later than `at`.
    fn at(zone: Zone, at: Instant) -> Self {
        let mut date = zone.date(at);
        // A clock set back across midnight shows the day before again; the day that had begun goes on.
        if let Some(next) = date.succ_opt().filter(|next| zone.start_of(*next) <= at) {
            date = next;
        }
        let end = zone.end_of(date);
        let end = if end > at { end } else { at.plus_us(DAY_US) };
        Self { date, start: zone.start_of(date), end }
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
