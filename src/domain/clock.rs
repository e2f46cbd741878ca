//! The hold clock: how much of the limit is used, and the instant at which none is left.
//!
//! Pure arithmetic over instants (DOMAIN.md §4 and the rulings of §10). This room knows no booking, no detainer and no
//! decision: it is told in which stretches the clock has run and by which terms, and answers with a deadline. It
//! never says whether anybody may be held; a deadline not after T0 means that nobody may.
//!
//! The steps, in the order in which a caller takes them:
//!
//! 1. [`stretches`]: when has the clock run before this T0?
//! 2. [`deadline`]: from there on, when is the limit used up under the governing terms?
//! 3. [`readings`]: the two readings that are always shown, over the same stretches.
//!
//! A new way to exclude days is a variant of [`Exclusion`] with its line in `Exclusion::excludes`; a new kind of limit
//! is a variant of [`Limit`] with its arm in [`deadline`].
//!
//! **Local days.** An excluded day runs from the first instant of that day to the first instant of the next, in the
//! zone given; it may be 23 or 25 hours long, or have no length at all where a zone skipped it. Everything else is
//! elapsed UTC time. The walk goes forward by dates, never by adding hours to instants, so no clock change can stop it.

use super::calendar::{is_federal_holiday, is_weekend};
use super::time::{Date, HOUR_US, Instant, Span, Zone};
use std::collections::BTreeSet;

/// From when the clock runs, besides every stretch without a custody basis (DOMAIN.md §4, *Start*).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StartRule {
    /// From T0 only.
    OtherwiseReleased,
    /// Also from the receipt of the first detainer on the booking, lifted or not.
    Receipt,
    /// Also from the service of the warrant on the subject.
    WarrantServed,
}

impl StartRule {
    /// Whether a clock under this rule cannot be read without a named instant. Where that is missing there is no
    /// authority and no deadline (DOMAIN.md §10, 6): the caller must not ask for one.
    #[must_use]
    pub fn needs_named(self) -> bool {
        self != Self::OtherwiseReleased
    }
}

/// How long the clock may run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Limit {
    /// A number of counted hours.
    Hours(u32),
    /// To the end of the local day in which the clock started; takes no exclusion, and an interruption leaves nothing.
    EndOfLocalDay,
}

/// Which days a policy revision leaves out of the count, as the revision says it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ExclusionRule {
    /// Every hour counts.
    None,
    /// Saturdays and Sundays do not count.
    Weekends,
    /// Saturdays, Sundays, federal holidays and the county days named by the revision do not count.
    WeekendsAndHolidays,
    /// As the detainer's edition prints; county days never (DOMAIN.md §4).
    AsFormPrints,
}

impl ExclusionRule {
    /// Resolves the rule for one detainer.
    ///
    /// `form_excludes`: whether its edition prints "excluding Saturdays, Sundays, and holidays" (the 2011 and 2012
    /// I-247). `county_days`: the local days the revision names, with their instrument, as the county's own.
    #[must_use]
    pub fn resolve(self, form_excludes: bool, county_days: &BTreeSet<Date>) -> Exclusion {
        match self {
            Self::Weekends => Exclusion::Weekends,
            Self::WeekendsAndHolidays => Exclusion::WeekendsAndHolidays { county_days: county_days.clone() },
            Self::AsFormPrints if form_excludes => Exclusion::federal(),
            Self::None | Self::AsFormPrints => Exclusion::None,
        }
    }
}

/// Which local days the clock stands still in: an [`ExclusionRule`] resolved for one detainer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Exclusion {
    /// None.
    None,
    /// Saturdays and Sundays.
    Weekends,
    /// Saturdays, Sundays, federal holidays as observed, and these days of the county's own.
    WeekendsAndHolidays {
        /// The county's own days; empty where the revision names none.
        county_days: BTreeSet<Date>,
    },
}

impl Exclusion {
    /// Saturdays, Sundays and federal holidays, without county days.
    #[must_use]
    pub fn federal() -> Self {
        Self::WeekendsAndHolidays { county_days: BTreeSet::new() }
    }

    /// Whether the clock stands still on `day`.
    #[must_use]
    pub fn excludes(&self, day: Date) -> bool {
        match self {
            Self::None => false,
            Self::Weekends => is_weekend(day),
            Self::WeekendsAndHolidays { county_days } => is_weekend(day) || is_federal_holiday(day) || county_days.contains(&day),
        }
    }
}

/// The terms pinned when the clock starts: all but the zone, which is the facility's.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ClockTerms {
    /// From when it runs.
    pub start: StartRule,
    /// How long.
    pub limit: Limit,
    /// Which days do not count; without meaning under [`Limit::EndOfLocalDay`].
    pub exclusion: Exclusion,
}

impl ClockTerms {
    /// The terms of a revision for one detainer; see [`ExclusionRule::resolve`].
    #[must_use]
    pub fn resolve(
        start: StartRule,
        limit: Limit,
        exclusion: ExclusionRule,
        form_excludes: bool,
        county_days: &BTreeSet<Date>,
    ) -> Self {
        let exclusion = match limit {
            Limit::Hours(_) => exclusion.resolve(form_excludes, county_days),
            Limit::EndOfLocalDay => Exclusion::None,
        };
        Self { start, limit, exclusion }
    }
}

/// When the clock has run before a T0. Made by [`stretches`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Used {
    /// Earliest first, none empty, none overlapping or touching another, none past T0.
    stretches: Vec<Span>,
    /// The end of the earliest gap or inherited stretch: from there on an end-of-day limit has nothing left.
    broken_at: Option<Instant>,
}

impl Used {
    /// A clock that has not run yet.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// The stretches, earliest first; no two overlap or touch, and none reaches past the T0 they were made for (one may
    /// end there). These are what a re-booking inherits.
    #[must_use]
    pub fn stretches(&self) -> &[Span] {
        &self.stretches
    }

    /// When the clock first ran; none where it begins at T0.
    #[must_use]
    pub fn first(&self) -> Option<Instant> {
        self.stretches.first().map(|stretch| stretch.start)
    }
}

/// The stretches in which the clock has run before `t0`.
///
/// - `named`: the instant the start rule names (receipt of the first detainer on the booking, service of the warrant);
///   not read under [`StartRule::OtherwiseReleased`].
/// - `gaps_before`: every stretch of this booking before `t0` in which no custody basis was open, with or without a
///   hold (DOMAIN.md §10, 5). The start of each is an earlier T0. In any order.
/// - `inherited`: the stretches of earlier bookings whose time this one inherits (DOMAIN.md §10, 14). In any order.
///
/// Every gap runs the clock. Under the other two start rules it also runs from the named instant to the first T0
/// strictly after it (DOMAIN.md §10, 6), even where that instant lies inside a gap: of two ways to read the rule, the
/// one that holds less. Time that lies in several stretches is counted once; nothing from `t0` on is kept.
#[must_use]
pub fn stretches(start: StartRule, named: Option<Instant>, gaps_before: &[Span], inherited: &[Span], t0: Instant) -> Used {
    let before = |span: &Span| {
        let cut = Span { start: span.start, end: span.end.min(t0) };
        (!cut.is_empty()).then_some(cut)
    };
    let mut all: Vec<Span> = gaps_before.iter().chain(inherited).filter_map(before).collect();
    let broken_at = all.iter().map(|span| span.end).min();
    if let Some(named) = named.filter(|_| start.needs_named()) {
        let earlier = gaps_before.iter().filter(|gap| !gap.is_empty()).map(|gap| gap.start);
        let first_t0 = earlier.filter(|at| *at > named).fold(t0, Instant::min);
        all.extend(before(&Span::new(named, first_t0)));
    }
    Used { stretches: union(all), broken_at }
}

/// Spans as the fewest that cover the same time, in order.
fn union(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}

/// Elapsed microseconds of `span` outside the excluded local days.
///
/// Costs one look at each of its days; a span without end in sight takes the centuries up to [`Instant::FAR`].
#[must_use]
pub fn counted(span: Span, exclusion: &Exclusion, zone: Zone) -> i64 {
    running(span, exclusion, zone).map(|piece| piece.len_us()).sum()
}

/// Microseconds of a limit that the stretches have used, by one exclusion.
#[must_use]
pub fn used_us(used: &Used, exclusion: &Exclusion, zone: Zone) -> i64 {
    used.stretches.iter().map(|stretch| counted(*stretch, exclusion, zone)).sum()
}

/// The exclusive end of the authority to hold: the first instant at which the limit is used up.
///
/// A result not after `t0` means that nothing was left and no hold can run; it is then the instant at which the limit
/// was used up, not a deadline anyone was told. `used` must be made for this `t0` and these terms' start rule.
/// [`Instant::FAR`] where the limit is longer than the calendar.
#[must_use]
pub fn deadline(terms: &ClockTerms, zone: Zone, used: &Used, t0: Instant) -> Instant {
    match terms.limit {
        Limit::Hours(hours) => used_up(hours, &terms.exclusion, zone, used, t0),
        Limit::EndOfLocalDay => day_over(zone, used, t0),
    }
}

/// The first instant at which so many hours have been counted.
fn used_up(hours: u32, exclusion: &Exclusion, zone: Zone, used: &Used, t0: Instant) -> Instant {
    let mut left = i64::from(hours).saturating_mul(HOUR_US);
    if left == 0 {
        return used.first().unwrap_or(t0);
    }
    let from_t0 = [Span::from(t0)];
    for stretch in used.stretches.iter().chain(&from_t0) {
        for piece in running(*stretch, exclusion, zone) {
            if left <= piece.len_us() {
                return piece.start.plus_us(left);
            }
            left -= piece.len_us();
        }
    }
    Instant::FAR
}

/// The end of the local day of the clock's start; earlier where the clock had run and stopped before this T0, since
/// an interruption leaves nothing, and so does inherited time.
fn day_over(zone: Zone, used: &Used, t0: Instant) -> Instant {
    let end = zone.end_of(zone.date(used.first().unwrap_or(t0)));
    used.broken_at.map_or(end, |broken| broken.min(end))
}

/// The two readings of "48 hours" that are always shown, whatever governs. Neither knows county days.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Readings {
    /// 48 hours on end.
    pub contiguous: Instant,
    /// 48 hours without Saturdays, Sundays and federal holidays.
    pub business: Instant,
}

/// Hours of both shown readings.
const READING_HOURS: u32 = 48;

/// Both readings over the governing clock's stretches, each counted by its own rule (DOMAIN.md §10, 16).
#[must_use]
pub fn readings(zone: Zone, used: &Used, t0: Instant) -> Readings {
    Readings {
        contiguous: used_up(READING_HOURS, &Exclusion::None, zone, used, t0),
        business: used_up(READING_HOURS, &Exclusion::federal(), zone, used, t0),
    }
}

/// The pieces of a span in which the clock runs, in order, none empty.
fn running(span: Span, exclusion: &Exclusion, zone: Zone) -> Running<'_> {
    Running { zone, exclusion, rest: span, day: zone.date(span.start), last: next(zone.date(span.end)) }
}

/// See [`running`]. Every step moves `day` forward, and none looks past `last`: the walk ends whatever a zone does.
struct Running<'a> {
    zone: Zone,
    exclusion: &'a Exclusion,
    /// What has not been looked at.
    rest: Span,
    /// The first local day that may still reach into it.
    day: Date,
    /// A local day that begins at or after its end.
    last: Date,
}

impl Running<'_> {
    /// The first instant of the next day that is, or is not, excluded; the end of the span where no such day is left.
    fn next_change(&mut self, to_excluded: bool) -> Instant {
        while self.day <= self.last && self.exclusion.excludes(self.day) != to_excluded {
            let after = next(self.day);
            if after == self.day {
                return self.rest.end;
            }
            self.day = after;
        }
        if self.day > self.last { self.rest.end } else { self.zone.start_of(self.day).min(self.rest.end) }
    }
}

impl Iterator for Running<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        if *self.exclusion == Exclusion::None {
            let whole = self.rest;
            self.rest.start = whole.end;
            return (!whole.is_empty()).then_some(whole);
        }
        while !self.rest.is_empty() {
            let stop = self.next_change(true);
            let piece = Span::new(self.rest.start, stop);
            self.rest.start = self.next_change(false).max(piece.end);
            if !piece.is_empty() {
                return Some(piece);
            }
        }
        None
    }
}

/// The day after; the last day of the calendar stays itself.
fn next(day: Date) -> Date {
    day.succ_opt().unwrap_or(day)
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
