//! What had to be told to whom.

use super::{Layout, count, key_cells, key_columns, total_cells};
use crate::pb;
use crate::sheet::table::{Cell, column};

/// What it looks like, sliced by some keys and by the kind of duty.
#[must_use]
pub fn layout(by: &[pb::GroupBy]) -> Layout {
    let mut columns = key_columns(by);
    columns.extend([
        column("duty", "DUTY"),
        count("due", "FELL DUE"),
        count("in_time", "IN TIME"),
        count("late", "LATE"),
        count("overdue", "NOT DONE"),
    ]);
    Layout { name: "duties", title: "Notices that fell due", columns, nothing: "Nothing fell due in this period." }
}

/// One kind of one slice.
#[must_use]
pub fn row(row: &pb::DutyReportRow) -> Vec<Cell> {
    cells(row, key_cells(&row.keys), Cell::word::<pb::DutyKind>(row.kind))
}

/// All kinds of all slices together, under so many keys.
#[must_use]
pub fn total(row: &pb::DutyReportRow, keys: usize) -> Vec<Cell> {
    let kind = if keys == 0 { Cell::text("total") } else { Cell::Empty };
    cells(row, total_cells(keys), kind)
}

fn cells(row: &pb::DutyReportRow, mut cells: Vec<Cell>, kind: Cell) -> Vec<Cell> {
    cells.push(kind);
    cells.extend([Cell::Int(row.due), Cell::Int(row.in_time), Cell::Int(row.late), Cell::Int(row.overdue)]);
    cells
}
