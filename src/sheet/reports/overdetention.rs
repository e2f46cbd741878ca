//! Custody that nothing covered.

use super::{Layout, amount, currency, instant, length};
use crate::pb;
use crate::sheet::table::{Cell, Kind, column, more};
use crate::sheet::{names, time};

/// What the list looks like.
#[must_use]
pub fn layout() -> Layout {
    let columns = vec![
        column("booking", "BOOKING"),
        instant("since_time", "SINCE"),
        instant("end_time", "UNTIL"),
        length("duration", "HOW LONG"),
        column("cause", "WHY"),
        amount("incurred", "COST"),
        more("facility"),
        more("t0").of(Kind::Time),
        more("duration_less_allowance").of(Kind::Length),
        more("hold"),
        more("time_zone"),
        more("currency"),
    ];
    let nothing = "Nobody was kept without authority in this period.";
    Layout { name: "over-detention", title: "Custody that nothing covered", columns, nothing }
}

/// One stretch.
#[must_use]
pub fn row(row: &pb::OverdetentionRow) -> Vec<Cell> {
    let zone = time::zone_or_utc(&row.time_zone);
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
        Cell::text(row.time_zone.as_str()),
        currency(&totals),
    ]
}
