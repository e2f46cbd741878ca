//! How detainers were answered.

use super::{Layout, count, key_cells, key_columns, total_cells};
use crate::pb;
use crate::sheet::table::{Cell, more};
use crate::sheet::words;

/// What it looks like, sliced by some keys.
#[must_use]
pub fn layout(by: &[pb::GroupBy]) -> Layout {
    let mut columns = key_columns(by);
    columns.extend([
        count("received", "RECEIVED"),
        count("honored", "HONORED"),
        count("declined", "DECLINED"),
        count("needs_review", "REVIEW"),
        count("held", "HELD"),
        count("honored_never_in_effect", "NEVER IN EFFECT"),
        count("handed_over", "HANDED OVER"),
        count("lifted", "LIFTED"),
        more("not_honored_by_reason"),
        more("honored_by_reason"),
    ]);
    Layout { name: "decisions", title: "Decisions on detainers", columns, nothing: "No detainer was received in this period." }
}

/// One slice.
#[must_use]
pub fn row(row: &pb::DecisionReportRow) -> Vec<Cell> {
    cells(row, key_cells(&row.keys))
}

/// All slices together, under so many keys.
#[must_use]
pub fn total(row: &pb::DecisionReportRow, keys: usize) -> Vec<Cell> {
    cells(row, total_cells(keys))
}

fn cells(row: &pb::DecisionReportRow, mut cells: Vec<Cell>) -> Vec<Cell> {
    cells.extend([
        Cell::Int(row.received),
        Cell::Int(row.honored),
        Cell::Int(row.declined),
        Cell::Int(row.needs_review),
        Cell::Int(row.held),
        Cell::Int(row.honored_never_in_effect),
        Cell::Int(row.handed_over),
        Cell::Int(row.lifted),
        Cell::text(by_reason(&row.not_honored)),
        Cell::text(by_reason(&row.honored_by_reason)),
    ]);
    cells
}

fn by_reason(counts: &[pb::DecisionReasonCount]) -> String {
    let one = |count: &pb::DecisionReasonCount| format!("{} {}", words::word_of::<pb::DecisionReason>(count.reason), count.count);
    counts.iter().map(one).collect::<Vec<_>>().join("; ")
}
