//! What holds cost, and who pays: lines, sliced.

use super::lines::Line;
use super::{GroupBy, Key, ReportError, Totals};
use crate::domain::gap::Authority;
use crate::domain::ids::HoldId;
use std::collections::{BTreeMap, BTreeSet};

/// The key of a line.
#[must_use]
pub fn key(line: &Line, by: GroupBy) -> Key {
    match by {
        GroupBy::Month => Key::month(line.day),
        GroupBy::CustodyMonth => Key::month(line.cost.local_day),
        GroupBy::Week => Key::week(line.day),
        GroupBy::Facility => Key::Facility(line.cost.facility.clone()),
        GroupBy::Office => Key::Office(line.office.clone()),
        GroupBy::Component => Key::Component(line.component),
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

/// Lines added up as they come. Holds are counted, so lines of one booking come one after the other.
#[derive(Clone, Debug, Default)]
pub struct Sums {
    by: Vec<GroupBy>,
    rows: BTreeMap<Vec<Key>, CostRow>,
    total: CostRow,
}

impl Sums {
    /// Sliced by keys; nothing yet.
    #[must_use]
    pub fn new(by: &[GroupBy]) -> Self {
        Self { by: by.to_vec(), ..Self::default() }
    }

    /// Adds the lines of one booking.
    ///
    /// # Errors
    /// [`ReportError::Overflow`] where a sum does not fit.
    pub fn add(&mut self, lines: &[Line]) -> Result<(), ReportError> {
        let mut holds: BTreeSet<(Option<Vec<Key>>, &HoldId)> = BTreeSet::new();
        for line in lines {
            let keys: Vec<Key> = self.by.iter().map(|by| key(line, *by)).collect();
            self.total.add(line)?;
            let row = self.rows.entry(keys.clone()).or_insert_with(|| CostRow { keys: keys.clone(), ..CostRow::default() });
            row.add(line)?;
            if let Some(hold) = &line.cost.hold {
                row.holds += usize::from(holds.insert((Some(keys), hold)));
                self.total.holds += usize::from(holds.insert((None, hold)));
            }
        }
        Ok(())
    }

    /// Adds what the lines of one slice and state of authority come to.
    ///
    /// # Errors
    /// [`ReportError::Overflow`] where a sum does not fit.
    pub fn add_cell(&mut self, keys: Vec<Key>, authority: Authority, part: Part) -> Result<(), ReportError> {
        self.total.add_part(authority, part)?;
        self.row(keys).add_part(authority, part)
    }

    /// Counts the holds of one slice. They are not in the total by that.
    pub fn add_holds(&mut self, keys: Vec<Key>, holds: usize) {
        self.row(keys).holds += holds;
    }

    /// Counts holds in the total, each once.
    pub fn add_total_holds(&mut self, holds: usize) {
        self.total.holds += holds;
    }

    fn row(&mut self, keys: Vec<Key>) -> &mut CostRow {
        self.rows.entry(keys.clone()).or_insert_with(|| CostRow { keys, ..CostRow::default() })
    }

    /// How many rows there are by now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows, by their keys, and all of them together.
    #[must_use]
    pub fn finish(self) -> (Vec<CostRow>, CostRow) {
        (self.rows.into_values().collect(), self.total)
    }
}

impl CostRow {
    fn add(&mut self, line: &Line) -> Result<(), ReportError> {
        self.add_part(line.cost.authority, Part { us: line.us(), totals: line.totals() })
    }

    fn add_part(&mut self, authority: Authority, more: Part) -> Result<(), ReportError> {
        self.all = self.all.with(more.us, more.totals)?;
        let part = self.by_authority.entry(authority).or_default();
        *part = part.with(more.us, more.totals)?;
        Ok(())
    }
}
