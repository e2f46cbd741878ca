//! The cost report: what custody after T0 cost, and who pays.

use chrono_tz::Tz;

use super::{Layout, amount, count, currency, key_cells, key_columns, length, manifest, total_cells};
use crate::pb;
use crate::sheet::table::{Cell, Kind, Table, more};

/// What it looks like, sliced by some keys.
#[must_use]
pub fn layout(by: &[pb::GroupBy]) -> Layout {
    let mut columns = key_columns(by);
    columns.extend([
        count("hold_count", "HOLDS IN IT"),
        length("duration", "TIME"),
        amount("incurred", "INCURRED"),
        amount("covered", "COVERED"),
        amount("absorbed", "ABSORBED"),
        amount("over_detained", "OF IT OVER-DETAINED"),
        more("authorized").of(Kind::Money),
        more("authorized_late").of(Kind::Money),
        more("authorized_time").of(Kind::Length),
        more("authorized_late_time").of(Kind::Length),
        more("over_detained_time").of(Kind::Length),
        more("currency"),
        more("marginal").of(Kind::Money),
    ]);
    Layout {
        name: "cost",
        title: "What custody after T0 cost, and who pays",
        columns,
        nothing: "No custody after T0 in this period.",
    }
}

/// One slice.
#[must_use]
pub fn row(row: &pb::CostReportRow) -> Vec<Cell> {
    cells(row, key_cells(&row.keys))
}

/// All slices together, under so many keys.
#[must_use]
pub fn total(row: &pb::CostReportRow, keys: usize) -> Vec<Cell> {
    cells(row, total_cells(keys))
}

fn cells(row: &pb::CostReportRow, mut cells: Vec<Cell>) -> Vec<Cell> {
    let totals = row.totals.clone().unwrap_or_default();
    let by = |authority: pb::AuthorityState| row.by_authority.iter().find(|part| part.authority() == authority);
    let incurred = |authority| {
        by(authority).map_or(Cell::Empty, |part| Cell::money(part.totals.as_ref().and_then(|totals| totals.incurred.as_ref())))
    };
    let length = |authority| by(authority).map_or(Cell::Empty, |part| Cell::length(part.duration.as_ref()));
    cells.extend([
        Cell::Int(row.hold_count),
        Cell::length(row.duration.as_ref()),
        Cell::money(totals.incurred.as_ref()),
        Cell::money(totals.covered.as_ref()),
        Cell::money(totals.absorbed.as_ref()),
        incurred(pb::AuthorityState::OverDetained),
        incurred(pb::AuthorityState::Authorized),
        incurred(pb::AuthorityState::AuthorizedLate),
        length(pb::AuthorityState::Authorized),
        length(pb::AuthorityState::AuthorizedLate),
        length(pb::AuthorityState::OverDetained),
        currency(&totals),
        Cell::money(totals.marginal.as_ref()),
    ]);
    cells
}

/// The whole report as a table, sliced as it was asked for. `title` stands above it.
#[must_use]
pub fn table(title: impl Into<String>, report: &pb::GetCostReportResponse, by: &[pb::GroupBy], zone: Tz) -> Table {
    let mut table = layout(by).table(title);
    table.rows = report.rows.iter().map(row).collect();
    if !by.is_empty() && !table.rows.is_empty() {
        table.total = report.total.as_ref().map(|all| total(all, by.len()));
    }
    table.about = manifest(report.manifest.as_ref(), zone);
    table
}
