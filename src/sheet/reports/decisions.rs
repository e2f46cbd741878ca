//! How detainers were answered.

use chrono_tz::Tz;

use super::{key_cells, key_columns, manifest, total_cells};
use crate::pb;
use crate::sheet::table::{Cell, Table, column, more};
use crate::sheet::words;

/// The decision report.
#[must_use]
pub fn table(report: &pb::GetDecisionReportResponse, zone: Tz) -> Table {
    let mut columns = key_columns(report.rows.first().map(|row| row.keys.as_slice()).unwrap_or_default());
    let keys = columns.len();
    columns.extend([
        column("received", "RECEIVED"),
        column("honored", "HONORED"),
        column("declined", "DECLINED"),
        column("needs_review", "REVIEW"),
        column("held", "HELD"),
        column("honored_never_in_effect", "NEVER IN EFFECT"),
        column("handed_over", "HANDED OVER"),
        column("lifted", "LIFTED"),
        more("not_honored_by_reason"),
        more("honored_by_reason"),
    ]);
    let mut table = Table::new("", columns, "No detainer was received in this period.");
    table.rows = report.rows.iter().map(|row| decision_cells(row, key_cells(&row.keys))).collect();
    if keys > 0 && !table.rows.is_empty() {
        table.total = report.total.as_ref().map(|total| decision_cells(total, total_cells(keys)));
    }
    table.about = manifest(report.manifest.as_ref(), zone);
    table
}

fn decision_cells(row: &pb::DecisionReportRow, mut cells: Vec<Cell>) -> Vec<Cell> {
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
