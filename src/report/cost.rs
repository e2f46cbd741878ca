//! What holds cost, and who pays: lines, sliced.

use super::lines::Line;
use super::{GroupBy, ReportError, Totals};
use crate::domain::booking::HoldEnd;
use crate::domain::decision::Reason;
use crate::domain::detainer::Edition;
use crate::domain::gap::Authority;
use crate::domain::ids::{AgreementId, FacilityId, RevisionId};
use crate::domain::policy::Mode;
use chrono::Datelike as _;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One key of a row. Nothing inside: none, for example the time that no agreement pays for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Key {
    /// Local year and month.
    Month(i32, u32),
    /// Facility.
    Facility(FacilityId),
    /// Issuing office.
    Office(Arc<str>),
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
    DecisionReason(Option<Reason>),
}

/// The key of a line.
#[must_use]
pub fn key(line: &Line, by: GroupBy) -> Key {
    match by {
        GroupBy::Month => Key::Month(line.cost.local_day.year(), line.cost.local_day.month()),
        GroupBy::Facility => Key::Facility(line.cost.facility.clone()),
        GroupBy::Office => Key::Office(line.office.clone()),
        GroupBy::Revision => Key::Revision(line.cost.revision.clone()),
        GroupBy::Mode => Key::Mode(line.mode),
        GroupBy::Agreement => Key::Agreement(line.cost.agreement.clone()),
        GroupBy::Edition => Key::Edition(line.edition),
        GroupBy::EndReason => Key::EndReason(line.end_reason),
        GroupBy::DecisionReason => Key::DecisionReason(line.decision_reason),
    }
}

/// Time and money of one state of authority.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Part {
    /// Microseconds.
    pub us: i64,
    /// Money.
    pub totals: Totals,
}

impl Part {
    fn with(self, us: i64, totals: Totals) -> Result<Self, ReportError> {
        Ok(Self { us: self.us.saturating_add(us), totals: self.totals.try_add(totals)? })
    }
}

/// One row of the cost report.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CostRow {
    /// The keys, in the order asked for.
    pub keys: Vec<Key>,
    /// How many holds have a line in it. Not additive over rows: a hold may have lines in several.
    pub holds: usize,
    /// All of it.
    pub all: Part,
    /// The same by state of authority; adds up to `all`.
    pub by_authority: BTreeMap<Authority, Part>,
}

/// Rows by their keys. Any slicing adds up to the same time and money.
///
/// # Errors
/// [`ReportError::Overflow`] where a sum does not fit.
pub fn rows<'a>(lines: impl IntoIterator<Item = &'a Line>, by: &[GroupBy]) -> Result<Vec<CostRow>, ReportError> {
    let mut groups: BTreeMap<Vec<Key>, Vec<&Line>> = BTreeMap::new();
    for line in lines {
        groups.entry(by.iter().map(|by| key(line, *by)).collect()).or_default().push(line);
    }
    groups.into_iter().map(|(keys, lines)| row(keys, &lines)).collect()
}

/// All lines in one row, also where there are none.
///
/// # Errors
/// As [`rows`].
pub fn total<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Result<CostRow, ReportError> {
    Ok(rows(lines, &[])?.pop().unwrap_or_default())
}

fn row(keys: Vec<Key>, lines: &[&Line]) -> Result<CostRow, ReportError> {
    let mut row = CostRow { keys, ..CostRow::default() };
    for line in lines {
        let us = line.cost.span.len_us();
        row.all = row.all.with(us, line.totals())?;
        let part = row.by_authority.entry(line.cost.authority).or_default();
        *part = part.with(us, line.totals())?;
    }
    let holds: BTreeSet<_> = lines.iter().filter_map(|l| l.cost.hold.as_ref().map(|h| (&l.booking, h))).collect();
    row.holds = holds.len();
    Ok(row)
}
