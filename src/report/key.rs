//! By what reports are sliced and filtered. A line, a request and a hold each say their key once; slicing and filtering
//! both ask that one function, so that a slice and the report filtered to it are the same rows.
//!
//! To add a key: a case in [`GroupBy`] and in [`Key`], and what a line, a request and a hold answer to it
//! ([`super::cost::key`], [`super::decisions::key`], [`super::register::key`]).

use super::Why;
use crate::domain::booking::HoldEnd;
use crate::domain::detainer::{Component, Edition};
use crate::domain::ids::{AgreementId, FacilityId, RevisionId};
use crate::domain::policy::Mode;
use crate::domain::time::Date;
use chrono::Datelike as _;
use std::sync::Arc;

/// By what a report is sliced.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum GroupBy {
    /// Local month.
    Month,
    /// Local week, from Monday (ISO 8601).
    Week,
    /// Facility.
    Facility,
    /// Issuing office.
    Office,
    /// Issuing component.
    Component,
    /// Policy revision.
    Revision,
    /// Policy mode.
    Mode,
    /// Agreement that pays.
    Agreement,
    /// Edition of the form.
    Edition,
    /// Why the hold ended.
    EndReason,
    /// Reason of the decision.
    DecisionReason,
    /// Local month of the custody itself, also by the books.
    CustodyMonth,
}

impl GroupBy {
    /// Every key of money.
    pub const OF_MONEY: [Self; 12] = [
        Self::Month,
        Self::Week,
        Self::Facility,
        Self::Office,
        Self::Component,
        Self::Revision,
        Self::Mode,
        Self::Agreement,
        Self::Edition,
        Self::EndReason,
        Self::DecisionReason,
        Self::CustodyMonth,
    ];

    /// Every key that means something in other reports too.
    pub const ALL: [Self; 11] = [
        Self::Month,
        Self::Week,
        Self::Facility,
        Self::Office,
        Self::Component,
        Self::Revision,
        Self::Mode,
        Self::Agreement,
        Self::Edition,
        Self::EndReason,
        Self::DecisionReason,
    ];
}

/// One key of a row. Nothing inside: none, for example the time that no agreement pays for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Key {
    /// Local year and month.
    Month(i32, u32),
    /// Year and number of a local week, as ISO 8601 counts them: the year may differ from that of the day.
    Week(i32, u32),
    /// Facility.
    Facility(FacilityId),
    /// Issuing office; empty for none.
    Office(Arc<str>),
    /// Issuing component.
    Component(Option<Component>),
    /// Policy revision.
    Revision(Option<RevisionId>),
    /// Policy mode.
    Mode(Option<Mode>),
    /// Agreement.
    Agreement(Option<AgreementId>),
    /// Edition of the form.
    Edition(Option<Edition>),
    /// Why the hold ended.
    EndReason(Option<HoldEnd>),
    /// Reason of the decision.
    DecisionReason(Option<Why>),
}

impl Key {
    /// The month of a local day.
    #[must_use]
    pub fn month(day: Date) -> Self {
        Self::Month(day.year(), day.month())
    }

    /// The week of a local day.
    #[must_use]
    pub fn week(day: Date) -> Self {
        let week = day.iso_week();
        Self::Week(week.year(), week.week())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::day;

    /// ISO 8601: a week belongs to the year that has its Thursday.
    #[test]
    fn weeks_at_the_turn_of_a_year() {
        let cases = [
            ("2013-12-29", (2013, 52)),
            ("2013-12-30", (2014, 1)),
            ("2014-01-05", (2014, 1)),
            ("2014-01-06", (2014, 2)),
            ("2016-01-03", (2015, 53)),
            ("2016-01-04", (2016, 1)),
            ("2021-01-03", (2020, 53)),
            ("2021-12-31", (2021, 52)),
            ("2022-01-02", (2021, 52)),
        ];
        for (of, (year, week)) in cases {
            assert_eq!(Key::week(day(of)), Key::Week(year, week), "{of}");
        }
    }
}
