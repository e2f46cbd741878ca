//! What two states ask of their jails: one row of counts, and what is asked for and not recorded.

use super::{Layout, count};
use crate::pb;
use crate::sheet::table::{Cell, Column, Kind, column, more};
use crate::sheet::words;

/// Of Georgia's quarterly counts.
#[must_use]
pub fn georgia() -> Layout {
    let mut columns = vec![count("booked_count", "BOOKED"), count("confined_count", "CONFINED")];
    columns.extend(request_columns());
    columns.push(column("not_recorded", "ASKED FOR, NOT RECORDED"));
    Layout { name: "georgia-quarterly", title: "Georgia's quarterly counts", columns, nothing: "" }
}

/// Of North Carolina's annual counts.
#[must_use]
pub fn north_carolina() -> Layout {
    let mut columns = request_columns();
    columns.extend([
        count("state_order_count", "STATE ORDERS"),
        count("hold_count", "HOLDS"),
        count("taken_count", "TAKEN"),
        count("rescinded_count", "RESCINDED"),
        count("expired_count", "EXPIRED"),
        more("running_count").of(Kind::Int),
        more("ends"),
        column("not_recorded", "ASKED FOR, NOT RECORDED"),
    ]);
    Layout { name: "north-carolina-annual", title: "North Carolina's annual counts", columns, nothing: "" }
}

fn request_columns() -> Vec<Column> {
    vec![
        count("received_count", "RECEIVED"),
        count("honored_count", "HONORED"),
        count("not_honored_count", "NOT HONORED"),
        count("held_count", "HELD"),
        count("federal_custody_count", "HANDED OVER"),
        more("ice_count").of(Kind::Int),
        more("administrative_warrant_count").of(Kind::Int),
        more("notice_count").of(Kind::Int),
    ]
}

fn request_cells(counts: Option<&pb::StatutoryRequestCounts>) -> Vec<Cell> {
    let counts = counts.copied().unwrap_or_default();
    vec![
        Cell::Int(counts.received_count),
        Cell::Int(counts.honored_count),
        Cell::Int(counts.not_honored_count),
        Cell::Int(counts.held_count),
        Cell::Int(counts.federal_custody_count),
        Cell::Int(counts.ice_count),
        Cell::Int(counts.administrative_warrant_count),
        Cell::Int(counts.notice_count),
    ]
}

fn lacking(figures: &[i32]) -> Cell {
    Cell::text(figures.iter().map(|figure| words::word_of::<pb::UnrecordedFigure>(*figure)).collect::<Vec<_>>().join("; "))
}

/// Georgia's row.
#[must_use]
pub fn georgia_row(counts: &pb::GeorgiaQuarterlyCounts, not_recorded: &[i32]) -> Vec<Cell> {
    let mut cells = vec![Cell::Int(counts.booked_count), Cell::Int(counts.confined_count)];
    cells.extend(request_cells(counts.requests.as_ref()));
    cells.push(lacking(not_recorded));
    cells
}

/// North Carolina's row. Holds by their end as a list of reason, count and seconds.
#[must_use]
pub fn north_carolina_row(counts: &pb::NorthCarolinaAnnualCounts, not_recorded: &[i32]) -> Vec<Cell> {
    let one = |end: &pb::HoldEndCount| {
        let seconds = Cell::length(end.duration.as_ref()).plain(false);
        format!("{} {} {seconds}", words::word_of::<pb::HoldEndReason>(end.end_reason), end.hold_count)
    };
    let mut cells = request_cells(counts.requests.as_ref());
    cells.extend([
        Cell::Int(counts.state_order_count),
        Cell::Int(counts.hold_count),
        Cell::Int(counts.taken_count),
        Cell::Int(counts.rescinded_count),
        Cell::Int(counts.expired_count),
        Cell::Int(counts.running_count),
        Cell::text(counts.ends.iter().map(one).collect::<Vec<_>>().join("; ")),
        lacking(not_recorded),
    ]);
    cells
}
