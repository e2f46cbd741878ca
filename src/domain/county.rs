//! What the bookings of a county share: its places, calendars, rules, promises, prices and balances.

use super::agreement::Agreement;
use super::booking::Proposal;
use super::claim::Claim;
use super::ids::{AgreementId, ClaimId, CountyId, FacilityId, RevisionId};
use super::money::Cents;
use super::period::PeriodClose;
use super::policy::{OpenDetainers, Revision};
use super::rate::RateBook;
use super::time::{Date, Instant, Zone};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A tenant's settings and balances.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct County {
    /// Its id.
    pub id: CountyId,
    /// Its settings.
    pub profile: Profile,
    /// Its jails.
    pub facilities: BTreeMap<FacilityId, Facility>,
    /// Its own days, by calendar.
    pub calendars: BTreeMap<Arc<str>, Calendar>,
    /// Its rules, in recorded order.
    pub revisions: Vec<Revision>,
    /// Rules that were made and are not activated, in recorded order.
    pub drafts: Vec<Draft>,
    /// The federal promises to pay.
    pub agreements: BTreeMap<AgreementId, Agreement>,
    /// What a day costs.
    pub rates: RateBook,
    /// Reserved and spent, per agreement.
    pub balances: BTreeMap<AgreementId, Balance>,
    /// Closed periods, in order.
    pub closes: Vec<PeriodClose>,
    /// What was claimed of agreements.
    pub claims: BTreeMap<ClaimId, Claim>,
    /// Two-person acts on the county's own settings.
    pub proposals: Vec<Proposal>,
    /// When it came to be.
    pub created: Instant,
    /// The record that last changed its own settings: its etag.
    pub seq: i64,
    /// The last record that changed a rule: the policy's etag.
    pub policy_seq: i64,
}

/// A county's own settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Profile {
    /// Its name.
    pub name: Arc<str>,
    /// The state it lies in, as a postal code; empty where none was told.
    pub state: Arc<str>,
    /// Its zone: policy and agreement dates are read in it.
    pub zone: Zone,
    /// ISO 4217 code of its money.
    pub currency: Arc<str>,
    /// Whether a switch needs a second person.
    pub two_person_switch: bool,
    /// Whether a switch needs the digest of its preview.
    pub preview_required: bool,
    /// Microseconds of release paperwork that the county states, shown beside over-detention, never instead of it.
    pub allowance_us: i64,
}

/// A rule that was made and is not activated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// The rule; its stamp tells when it was made, not when it takes effect.
    pub revision: Revision,
    /// When it is meant to take effect; nothing where that is left to its activation.
    pub planned: Option<Instant>,
}

/// A jail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facility {
    /// Its id.
    pub id: FacilityId,
    /// Its name.
    pub name: Arc<str>,
    /// The city; empty where none was told.
    pub city: Arc<str>,
    /// When it was first recorded.
    pub created: Instant,
    /// The record that last changed it: its etag.
    pub seq: i64,
    /// Its own zone, fixed once it has a booking.
    pub zone: Zone,
    /// Whether a booking was recorded in it.
    pub in_use: bool,
}

/// Dated extra holidays.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Calendar {
    /// Its id.
    pub id: Arc<str>,
    /// Its days.
    pub days: Vec<CalendarDay>,
    /// The paper that sets them.
    pub instrument: Option<super::policy::Instrument>,
    /// The record that last changed it: its etag.
    pub seq: i64,
}

/// One day of a calendar.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CalendarDay {
    /// The local day.
    pub date: Date,
    /// Its name.
    pub name: Arc<str>,
}

/// How much of a budget is spoken for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Balance {
    /// Reserved for running holds.
    pub reserved: Cents,
    /// Spent by ended ones.
    pub spent: Cents,
}

impl County {
    /// The zone of a facility; the county's own where the facility is not known.
    #[must_use]
    pub fn zone_of(&self, facility: &FacilityId) -> Zone {
        self.facilities.get(facility).map_or(self.profile.zone, |f| f.zone)
    }

    /// A revision by its id.
    #[must_use]
    pub fn revision(&self, id: &RevisionId) -> Option<&Revision> {
        self.revisions.iter().find(|r| &r.id == id)
    }

    /// Rules with the county's own days read from the calendar that they name; nothing where there is no such calendar.
    #[must_use]
    pub fn with_days(&self, rules: Revision) -> Option<Revision> {
        if rules.county_days_calendar.is_empty() {
            return Some(rules);
        }
        let calendar = self.calendars.get(&rules.county_days_calendar)?;
        Some(Revision { county_days: calendar.days.iter().map(|day| day.date).collect(), ..rules })
    }

    /// A draft by its id.
    #[must_use]
    pub fn draft(&self, id: &RevisionId) -> Option<&Draft> {
        self.drafts.iter().find(|draft| &draft.revision.id == id)
    }

    /// The revision in force at an instant: greatest effective time, then latest recorded.
    #[must_use]
    pub fn in_force(&self, at: Instant) -> Option<&Revision> {
        self.revisions.iter().filter(|r| r.effective.effective <= at).max_by_key(|r| (r.effective.effective, r.effective.seq))
    }

    /// The revision that governs a request received at `received`, asked about at `at` (DOMAIN.md §5 *Which revision governs*).
    #[must_use]
    pub fn governing(&self, received: Instant, at: Instant) -> Option<&Revision> {
        let switched = self
            .revisions
            .iter()
            .filter(|r| r.open_detainers == OpenDetainers::Reevaluate)
            .filter(|r| received < r.effective.effective && r.effective.effective <= at)
            .max_by_key(|r| (r.effective.effective, r.effective.seq));
        switched.or_else(|| self.in_force(received))
    }

    /// What is left of an agreement's budget, never below nothing; `None` where it has no ceiling.
    #[must_use]
    pub fn unreserved(&self, agreement: &Agreement) -> Option<Cents> {
        let budget = agreement.budget?;
        let balance = self.balances.get(&agreement.id).copied().unwrap_or_default();
        let left = budget.try_sub(balance.reserved).and_then(|left| left.try_sub(balance.spent));
        Some(left.unwrap_or(Cents::ZERO).max(Cents::ZERO))
    }
}
