//! Why the cost report changed: one row a record and booking.

use super::{Layout, amount, instant, length};
use crate::pb;
use crate::sheet::names;
use crate::sheet::table::{Cell, Kind, column, more};

/// What it looks like.
#[must_use]
pub fn layout() -> Layout {
    let columns = vec![
        column("cause", "WHY"),
        column("booking", "BOOKING"),
        column("sequence", "RECORD").of(Kind::Int),
        instant("record_time", "RECORDED"),
        length("duration", "TIME"),
        amount("incurred", "INCURRED"),
        amount("covered", "COVERED"),
        amount("absorbed", "ABSORBED"),
        more("command_sequence").of(Kind::Int),
        more("currency"),
    ];
    Layout { name: "change", title: "Why the cost report changed", columns, nothing: "Nothing changed between these two points." }
}

/// One change. Times are told in UTC: records are the county's, not a facility's.
#[must_use]
pub fn row(change: &pb::Change) -> Vec<Cell> {
    let difference = change.amount.clone().unwrap_or_default();
    let totals = difference.totals.unwrap_or_default();
    let number = |n: i64| if n == 0 { Cell::Empty } else { Cell::Int(n) };
    vec![
        Cell::word::<pb::ChangeCause>(change.cause),
        Cell::text(names::id(&change.booking)),
        number(change.sequence),
        Cell::time(change.record_time.as_ref(), chrono_tz::UTC),
        Cell::length(difference.duration.as_ref()),
        Cell::money(totals.incurred.as_ref()),
        Cell::money(totals.covered.as_ref()),
        Cell::money(totals.absorbed.as_ref()),
        number(change.command_sequence),
        super::currency(&totals),
    ]
}
