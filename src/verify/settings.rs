//! The tables of the county itself: settings and balances.

use super::{Report, compare, streams};
use crate::rows::tables::PROJECTIONS;
use crate::rows::{Table, Version};
use crate::store::{Store, StoreError};

/// Tells every difference between what the journal gives and what is stored.
pub(super) async fn compare(store: &Store, upto: i64, expected: Vec<Version>, report: &mut Report<'_>) -> Result<(), StoreError> {
    let mut stored = Vec::new();
    let of_bookings: Vec<&Table> = streams::tables().collect();
    for table in PROJECTIONS.iter().copied().filter(|table| !of_bookings.contains(table)) {
        let rows = store.rows(table, "where t.county = $1", &[report.county.as_str().into()]).await?;
        stored.extend(compare::as_of(upto, rows));
    }
    compare::compare(expected, stored, report);
    Ok(())
}
