//! Custody that nothing covered.

use chrono_tz::Tz;

use crate::pb;
use crate::sheet::names;
use crate::sheet::table::{Cell, Table, column, more};

/// The over-detention list, without rows.
#[must_use]
pub fn table() -> Table {
    let columns = vec![
        column("booking", "BOOKING"),
        column("since_time", "SINCE"),
        column("end_time", "UNTIL"),
        column("duration", "HOW LONG"),
        column("cause", "WHY"),
        column("incurred", "COST"),
        more("facility"),
        more("t0"),
        more("duration_less_allowance"),
        more("hold"),
    ];
    Table::new("", columns, "Nobody was kept without authority in this period.")
}

/// A row of the over-detention list.
#[must_use]
pub fn row(row: &pb::OverdetentionRow, zone: Tz) -> Vec<Cell> {
    let totals = row.totals.clone().unwrap_or_default();
    vec![
        Cell::text(names::id(&row.booking)),
        Cell::time(row.since_time.as_ref(), zone),
        Cell::time(row.end_time.as_ref(), zone),
        Cell::length(row.duration.as_ref()),
        Cell::word::<pb::OverdetentionCause>(row.cause),
        Cell::money(totals.incurred.as_ref()),
        Cell::text(names::id(&row.facility)),
        Cell::time(row.t0.as_ref(), zone),
        Cell::length(row.duration_less_allowance.as_ref()),
        Cell::text(row.hold.as_str()),
    ]
}
