//! Reports: what happened in a stretch of days, counted from states as they were known.
//!
//! Counting is pure: a county and what its bookings were at one record go in as [`stay::Stay`]s; rows come out. Each total
//! is a sum of the lines that are shown beside it, so any slicing of the same lines adds up to the same cents. Days are
//! local days of the facility that a row belongs to, so adjacent periods add up to the whole (DOMAIN.md §6).
//!
//! [`select`], [`load`] and [`requests`] ask the store, for rows as of that record; a report never folds a county from its beginning.
//! Nothing here asks a clock, prices custody by rules of its own or names a person. To add a report: a file with a row
//! type and a function from [`Query`], county and stays to rows, and a case in `tests`.

pub mod bail;
pub mod cells;
pub mod certificate;
pub mod change;
pub mod comparison;
pub mod cost;
pub mod decisions;
pub mod declined;
pub mod duties;
pub mod key;
pub mod lines;
pub mod load;
pub mod overdetention;
#[cfg(test)]
mod properties;
pub mod register;
pub mod requests;
pub mod select;
pub mod statistics;
pub mod statutory;
pub mod stay;
#[cfg(test)]
mod tests;

use crate::domain::cost::CostError;
use crate::domain::county::County;
use crate::domain::decision::Reason;
use crate::domain::detainer::Form;
use crate::domain::ids::FacilityId;
use crate::domain::money::{Cents, Overflow};
use crate::domain::policy::Mode;
use crate::domain::time::{Date, Instant};
pub use key::{GroupBy, Key};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a report is about. What was known is not part of it: the states handed in say it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Query {
    /// The first local day inside.
    pub start: Date,
    /// The first local day no longer inside.
    pub end: Date,
    /// Facilities; empty for all.
    pub facilities: BTreeSet<FacilityId>,
    /// Codes of issuing offices; empty for all.
    pub offices: BTreeSet<Arc<str>>,
    /// Values of further keys; a key that is missing: all.
    pub only: BTreeMap<GroupBy, BTreeSet<Key>>,
    /// By the books: each posting on the day that it is accounted on.
    pub by_books: bool,
    /// Up to when custody is counted.
    pub until: Instant,
}

impl Query {
    /// Whether a local day lies in the period.
    #[must_use]
    pub fn has_day(&self, day: Date) -> bool {
        self.start <= day && day < self.end
    }

    /// Whether the local day of an instant in a facility lies in the period.
    #[must_use]
    pub fn has_instant(&self, county: &County, facility: &FacilityId, at: Instant) -> bool {
        self.has_day(county.zone_of(facility).date(at))
    }

    /// Whether a facility is asked for.
    #[must_use]
    pub fn has_facility(&self, facility: &FacilityId) -> bool {
        self.facilities.is_empty() || self.facilities.contains(facility)
    }

    /// Whether an issuing office is asked for.
    #[must_use]
    pub fn has_office(&self, office: &str) -> bool {
        self.offices.is_empty() || self.offices.contains(office)
    }

    /// Whether one further key is asked for.
    #[must_use]
    pub fn has(&self, by: GroupBy, key: &Key) -> bool {
        self.only.get(&by).is_none_or(|asked| asked.contains(key))
    }

    /// Whether something with these keys is asked for, by every further key that the query names.
    #[must_use]
    pub fn has_keys(&self, key: impl Fn(GroupBy) -> Key) -> bool {
        self.only.iter().all(|(by, asked)| asked.contains(&key(*by)))
    }

    /// Whether a form is asked for, by its office, component and edition.
    #[must_use]
    pub fn has_form(&self, form: &Form) -> bool {
        self.has_office(&form.office)
            && self.has(GroupBy::Component, &Key::Component(Some(form.component)))
            && self.has(GroupBy::Edition, &Key::Edition(Some(form.edition)))
    }
}

/// A reason as reports tell it: that the rule's condition holds is told apart by the rule's mode.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Why {
    /// The reason of the decision.
    pub reason: Reason,
    /// The mode, where the reason is that the rule's condition holds.
    pub mode: Option<Mode>,
}

impl Why {
    /// Of a decision's reason and mode.
    #[must_use]
    pub fn of(reason: Reason, mode: Option<Mode>) -> Self {
        Self { reason, mode: mode.filter(|_| reason == Reason::RuleSatisfied) }
    }
}

/// Money of a set of lines: `incurred = covered + absorbed`, to the cent (DOMAIN.md §6).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// Full cost.
    pub incurred: Cents,
    /// What agreements pay.
    pub covered: Cents,
    /// What one more person cost, of the time whose rate states that.
    pub marginal: Option<Cents>,
}

impl Totals {
    /// The rest, borne by the county; negative where agreements pay more than it cost.
    ///
    /// # Errors
    /// [`Overflow`] where the difference does not fit.
    pub fn absorbed(&self) -> Result<Cents, Overflow> {
        self.incurred.try_sub(self.covered)
    }

    /// Both sums together.
    ///
    /// # Errors
    /// [`Overflow`] where a sum does not fit.
    pub fn try_add(self, other: Self) -> Result<Self, Overflow> {
        let marginal = match (self.marginal, other.marginal) {
            (Some(one), Some(two)) => Some(one.try_add(two)?),
            (one, two) => one.or(two),
        };
        let (incurred, covered) = (self.incurred.try_add(other.incurred)?, self.covered.try_add(other.covered)?);
        Ok(Self { incurred, covered, marginal })
    }

    /// The sum of many.
    ///
    /// # Errors
    /// [`Overflow`] where it does not fit.
    pub fn try_sum(all: impl IntoIterator<Item = Self>) -> Result<Self, Overflow> {
        all.into_iter().try_fold(Self::default(), Self::try_add)
    }
}

/// Why a report cannot be given.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReportError {
    /// Custody that cannot be priced.
    #[error(transparent)]
    Cost(#[from] CostError),
    /// A sum that does not fit.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}
