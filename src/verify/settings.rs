//! The tables of the county itself: settings and balances.

use super::{Report, compare};
use crate::rows::Version;
use crate::rows::tables::{BUDGETS, SETTINGS};
use crate::store::{Store, StoreError};

/// Tells every difference between what the journal gives and what is stored.
pub(super) async fn compare(store: &Store, upto: i64, expected: Vec<Version>, report: &mut Report<'_>) -> Result<(), StoreError> {
    let mut stored = Vec::new();
    for table in [&SETTINGS, &BUDGETS] {
        let rows = store.rows(table, "where t.county = $1", &[report.county.as_str().into()]).await?;
        stored.extend(compare::as_of(upto, rows));
    }
    compare::compare(expected, stored, report);
    Ok(())
}
