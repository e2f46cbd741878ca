//! A written federal promise to pay: its dates, scope and terms.
//!
//! Two questions are kept apart (`DOMAIN.md §10` ruling 21). It *guarantees* from the later of its start and
//! its signature, which is what a decision asks. It *pays* for its dates, also for those before it was signed.
//! An offer, unsigned, does neither. Balances and reservations live elsewhere; nothing here adds up money.

use super::ids::{AgreementId, BookingId, DetainerId, FacilityId};
use super::money::Cents;
use super::policy::Instrument;
use super::rate::DayCount;
use super::time::{Date, HOUR_US, Instant, Span, Zone};
use std::sync::Arc;

/// What the federal side promised to pay (`DOMAIN.md §5` "Guarantee"). Hours are held hours of the chain of
/// linked holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Term {
    /// Everything the hold costs.
    AllCosts,
    /// So much a day, by its own count of days.
    PerDiem {
        /// For one day.
        per_day: Cents,
        /// How days are counted.
        day_count: DayCount,
    },
    /// One amount for a hold, which stands for its first hours.
    FlatPerHold {
        /// Paid once per chain.
        amount: Cents,
        /// The held hours it stands for.
        up_to_hours: u32,
    },
    /// Everything the hold costs once it has lasted so many hours.
    AfterFirstHours {
        /// Held hours the county pays itself.
        hours: u32,
    },
}

impl Term {
    /// Whether the term pays for the moment at which the chain has been held for `held_us` microseconds.
    #[must_use]
    pub fn pays_after(&self, held_us: i64) -> bool {
        match self {
            Self::AllCosts | Self::PerDiem { .. } => true,
            Self::FlatPerHold { up_to_hours, .. } => held_us < hours_us(*up_to_hours),
            Self::AfterFirstHours { hours } => held_us >= hours_us(*hours),
        }
    }

    /// The held time, in microseconds, at which [`Term::pays_after`] changes its answer, if it ever does.
    #[must_use]
    pub fn turns_at_us(&self) -> Option<i64> {
        match self {
            Self::AllCosts | Self::PerDiem { .. } => None,
            Self::FlatPerHold { up_to_hours: hours, .. } | Self::AfterFirstHours { hours } => Some(hours_us(*hours)),
        }
    }
}

/// Hours in microseconds; far more than any custody where that does not fit.
fn hours_us(hours: u32) -> i64 {
    i64::from(hours).saturating_mul(HOUR_US)
}

/// The least that counts as a guarantee.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MinimumCoverage {
    /// Any promise at all.
    Any,
    /// All costs over the whole hold: the default.
    AllCosts,
}

/// What an agreement is about. Empty lists mean all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scope {
    /// These jails only.
    pub facilities: Vec<FacilityId>,
    /// Detainers of these issuing offices only.
    pub offices: Vec<Arc<str>>,
    /// This one detainer only: a letter for one person.
    pub detainer: Option<(BookingId, DetainerId)>,
}

/// A promise to pay, or an offer of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Agreement {
    /// Its name.
    pub id: AgreementId,
    /// The paper it stands on.
    pub instrument: Instrument,
    /// Who promises.
    pub counterparty: Arc<str>,
    /// The record that last changed it: its etag.
    pub seq: i64,
    /// When it was signed; nothing while it is an offer.
    pub signed: Option<Instant>,
    /// First local day of the county it pays for.
    pub start: Date,
    /// First local day it no longer pays for.
    pub end: Option<Date>,
    /// The county's zone, in which its dates are read.
    pub zone: Zone,
    /// What it is about.
    pub scope: Scope,
    /// What it pays.
    pub term: Term,
    /// The most it pays in all.
    pub budget: Option<Cents>,
    /// Days after which a claim comes too late.
    pub filing_window_days: Option<u32>,
    /// When it was terminated ahead of its end.
    pub terminated: Option<Instant>,
}

/// Why an agreement makes no sense.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadAgreement {
    /// It would end before it begins.
    #[error("the end {end} must lie after the start {start}")]
    EndsFirst {
        /// The stated first day.
        start: Date,
        /// The stated first day no longer covered.
        end: Date,
    },
    /// A promise below nothing.
    #[error("an amount of an agreement may not be negative")]
    Negative,
    /// A flat amount that stands for no time.
    #[error("a flat amount must stand for at least one hour")]
    NoHours,
}

impl BadAgreement {
    /// The path of what is wrong, in a request that states terms.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::EndsFirst { .. } => "terms.end_date",
            Self::Negative => "terms",
            Self::NoHours => "terms.term.flat_per_hold.up_to_hours",
        }
    }
}

impl Agreement {
    /// Whether it makes sense by itself.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn check(&self) -> Result<(), BadAgreement> {
        let promised = match self.term {
            Term::PerDiem { per_day: amount, .. } | Term::FlatPerHold { amount, .. } => Some(amount),
            Term::AllCosts | Term::AfterFirstHours { .. } => None,
        };
        if [promised, self.budget].into_iter().flatten().any(Cents::is_negative) {
            return Err(BadAgreement::Negative);
        }
        if matches!(self.term, Term::FlatPerHold { up_to_hours: 0, .. }) {
            return Err(BadAgreement::NoHours);
        }
        match self.end {
            Some(end) if end <= self.start => Err(BadAgreement::EndsFirst { start: self.start, end }),
            _ => Ok(()),
        }
    }

    /// The instant its first day begins.
    #[must_use]
    pub fn starts_at(&self) -> Instant {
        self.zone.start_of(self.start)
    }

    /// The earlier of its end and its termination; [`Instant::FAR`] while neither is known.
    #[must_use]
    pub fn ends_at(&self) -> Instant {
        let end = self.end.map_or(Instant::FAR, |day| self.zone.start_of(day));
        self.terminated.map_or(end, |at| end.min(at))
    }

    /// The later of its start and its signature; nothing while it is an offer.
    #[must_use]
    pub fn guarantees_from(&self) -> Option<Instant> {
        self.signed.map(|at| at.max(self.starts_at()))
    }

    /// Whether it is a guarantee at that instant.
    #[must_use]
    pub fn in_force(&self, at: Instant) -> bool {
        self.guarantees_from().is_some_and(|from| from <= at) && at < self.ends_at()
    }

    /// What it pays for: all its dates, also those before it was signed; nothing while it is an offer.
    #[must_use]
    pub fn pays(&self) -> Option<Span> {
        self.signed.map(|_| Span::new(self.starts_at(), self.ends_at())).filter(|span| !span.is_empty())
    }

    /// Whether a detainer of this booking, from this office, held in this facility, is in its scope.
    /// Dates are asked apart.
    #[must_use]
    pub fn covers(&self, facility: &FacilityId, office: &str, booking: &BookingId, detainer: &DetainerId) -> bool {
        let Scope { offices, detainer: one, .. } = &self.scope;
        self.covers_facility(facility)
            && (offices.is_empty() || offices.iter().any(|covered| **covered == *office))
            && one.as_ref().is_none_or(|(for_booking, for_detainer)| for_booking == booking && for_detainer == detainer)
    }

    /// Whether this facility is in its scope.
    #[must_use]
    pub fn covers_facility(&self, facility: &FacilityId) -> bool {
        self.scope.facilities.is_empty() || self.scope.facilities.contains(facility)
    }

    /// Whether its term is enough by itself: only *all costs* meets *all costs* (`DOMAIN.md §10` ruling 21).
    #[must_use]
    pub fn meets(&self, minimum: MinimumCoverage) -> bool {
        match minimum {
            MinimumCoverage::Any => true,
            MinimumCoverage::AllCosts => self.term == Term::AllCosts,
        }
    }

    /// The instants at which an answer that reads it may change: signature, start, end, termination. Sorted,
    /// each once.
    #[must_use]
    pub fn breakpoints(&self) -> Vec<Instant> {
        let end = self.end.map(|day| self.zone.start_of(day));
        let mut all: Vec<Instant> = [self.signed, Some(self.starts_at()), end, self.terminated].into_iter().flatten().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The first breakpoint after an instant, if one is known.
    #[must_use]
    pub fn next_breakpoint(&self, after: Instant) -> Option<Instant> {
        self.breakpoints().into_iter().find(|at| *at > after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn agreement() -> Agreement {
        Agreement {
            id: AgreementId::trusted("iga-2014"),
            instrument: crate::domain::policy::Instrument {
                title: "Letter".into(),
                citation: "".into(),
                date: None,
                sha256: None,
            },
            counterparty: "".into(),
            seq: 0,
            signed: Some(at("2014-01-10T15:00:00Z")),
            start: "2014-01-01".parse().unwrap(),
            end: Some("2014-07-01".parse().unwrap()),
            zone: "America/New_York".parse().unwrap(),
            scope: Scope::default(),
            term: Term::AllCosts,
            budget: None,
            filing_window_days: None,
            terminated: None,
        }
    }

    #[test]
    fn it_guarantees_once_signed_and_pays_for_its_dates() {
        let signed = agreement();
        let cases = [
            ("2014-01-01T04:59:59.999999Z", false, false),
            ("2014-01-01T05:00:00Z", false, true),
            ("2014-01-10T14:59:59Z", false, true),
            ("2014-01-10T15:00:00Z", true, true),
            ("2014-07-01T03:59:59Z", true, true), // summer time: the first of July begins at 04:00 UTC
            ("2014-07-01T04:00:00Z", false, false),
        ];
        for (when, guarantees, pays) in cases {
            assert_eq!(signed.in_force(at(when)), guarantees, "guarantees {when}");
            assert_eq!(signed.pays().is_some_and(|span| span.contains(at(when))), pays, "pays {when}");
        }
        let early = Agreement { signed: Some(at("2013-12-20T00:00:00Z")), ..agreement() };
        assert_eq!(early.guarantees_from(), Some(at("2014-01-01T05:00:00Z")), "signed ahead, it waits for its start");
    }

    #[test]
    fn an_offer_promises_nothing() {
        let offer = Agreement { signed: None, ..agreement() };
        assert_eq!(offer.guarantees_from(), None);
        assert_eq!(offer.pays(), None);
        assert!(!offer.in_force(at("2014-03-01T00:00:00Z")));
    }

    #[test]
    fn termination_ends_it_early_never_late() {
        let ended = Agreement { terminated: Some(at("2014-03-01T12:00:00Z")), ..agreement() };
        assert!(ended.in_force(at("2014-03-01T11:59:59Z")));
        assert!(!ended.in_force(at("2014-03-01T12:00:00Z")));
        let after = Agreement { terminated: Some(at("2015-01-01T00:00:00Z")), ..agreement() };
        assert_eq!(after.ends_at(), agreement().ends_at());
        let before = Agreement { terminated: Some(at("2013-12-01T00:00:00Z")), ..agreement() };
        assert_eq!(before.pays(), None);
        let open = Agreement { end: None, ..agreement() };
        assert!(open.ends_at().is_far());
    }

    #[test]
    fn scope_is_facility_office_and_person() {
        let (tgk, other) = (FacilityId::trusted("tgk"), FacilityId::trusted("other"));
        let (booking, detainer) = (BookingId::trusted("b1"), DetainerId::trusted("d1"));
        let scoped = |scope| Agreement { scope, ..agreement() };
        let everything = agreement();
        let one_jail = scoped(Scope { facilities: vec![tgk.clone()], ..Scope::default() });
        let one_office = scoped(Scope { offices: vec!["MIA".into()], ..Scope::default() });
        let letter = scoped(Scope { detainer: Some((booking.clone(), detainer.clone())), ..Scope::default() });
        let cases = [
            (&everything, &other, "ATL", "b9", "d9", true),
            (&one_jail, &tgk, "ATL", "b9", "d9", true),
            (&one_jail, &other, "MIA", "b1", "d1", false),
            (&one_office, &other, "MIA", "b9", "d9", true),
            (&one_office, &tgk, "mia", "b1", "d1", false),
            (&letter, &other, "ATL", "b1", "d1", true),
            (&letter, &other, "ATL", "b2", "d1", false),
            (&letter, &other, "ATL", "b1", "d2", false),
        ];
        for (agreement, facility, office, booking, detainer, covered) in cases {
            let found = agreement.covers(facility, office, &BookingId::trusted(booking), &DetainerId::trusted(detainer));
            assert_eq!(found, covered, "{facility} {office} {booking} {detainer} in {:?}", agreement.scope);
        }
    }

    #[test]
    fn only_all_costs_meets_all_costs() {
        let terms = [
            Term::AllCosts,
            Term::PerDiem { per_day: Cents::new(1_000_000), day_count: DayCount::Hourly },
            Term::FlatPerHold { amount: Cents::new(5_000), up_to_hours: 48 },
            Term::AfterFirstHours { hours: 0 },
        ];
        for (n, term) in terms.into_iter().enumerate() {
            let agreement = Agreement { term, ..agreement() };
            assert!(agreement.meets(MinimumCoverage::Any));
            assert_eq!(agreement.meets(MinimumCoverage::AllCosts), n == 0);
        }
    }

    #[test]
    fn hours_of_a_term() {
        let flat = Term::FlatPerHold { amount: Cents::new(5_000), up_to_hours: 48 };
        let later = Term::AfterFirstHours { hours: 48 };
        for (held_us, flat_pays) in [(0, true), (48 * HOUR_US - 1, true), (48 * HOUR_US, false)] {
            assert_eq!(flat.pays_after(held_us), flat_pays);
            assert_eq!(later.pays_after(held_us), !flat_pays);
        }
        assert!(!Term::AfterFirstHours { hours: u32::MAX }.pays_after(i64::MAX - 1), "absurd hours do not wrap around");
    }

    #[test]
    fn breakpoints_are_sorted_and_single() {
        let known = agreement();
        let (start, signed, end) = (at("2014-01-01T05:00:00Z"), at("2014-01-10T15:00:00Z"), at("2014-07-01T04:00:00Z"));
        assert_eq!(known.breakpoints(), [start, signed, end]);
        assert_eq!(known.next_breakpoint(start), Some(signed));
        assert_eq!(known.next_breakpoint(end), None);
        let doubled = Agreement { signed: Some(start), terminated: Some(end), ..agreement() };
        assert_eq!(doubled.breakpoints(), [start, end]);
    }

    #[test]
    fn what_makes_no_sense() {
        assert_eq!(agreement().check(), Ok(()));
        let backwards = Agreement { end: Some(agreement().start), ..agreement() };
        assert!(matches!(backwards.check(), Err(BadAgreement::EndsFirst { .. })));
        let negative = Agreement { budget: Some(Cents::new(-1)), ..agreement() };
        assert_eq!(negative.check(), Err(BadAgreement::Negative));
        let timeless = Agreement { term: Term::FlatPerHold { amount: Cents::new(1), up_to_hours: 0 }, ..agreement() };
        assert_eq!(timeless.check(), Err(BadAgreement::NoHours));
    }
}
