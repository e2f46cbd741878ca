//! The cost report: what custody after T0 cost, and who pays.

use chrono_tz::Tz;

use super::{key_cells, key_columns, manifest, total_cells};
use crate::pb;
use crate::sheet::table::{Cell, Table, column, more};

/// The cost report. `title` stands above it.
#[must_use]
pub fn table(title: impl Into<String>, report: &pb::GetCostReportResponse, zone: Tz) -> Table {
    let mut columns = key_columns(report.rows.first().map(|row| row.keys.as_slice()).unwrap_or_default());
    let keys = columns.len();
    columns.extend([
        column("hold_count", "HOLDS IN IT"),
        column("duration", "TIME"),
        column("incurred", "INCURRED"),
        column("covered", "COVERED"),
        column("absorbed", "ABSORBED"),
        column("over_detained", "OF IT OVER-DETAINED"),
        more("authorized"),
        more("authorized_late"),
        more("authorized_time"),
        more("authorized_late_time"),
        more("over_detained_time"),
    ]);
    let mut table = Table::new(title, columns, "No custody after T0 in this period.");
    table.rows = report.rows.iter().map(|row| cells(row, keys, false)).collect();
    if keys > 0 && !table.rows.is_empty() {
        table.total = report.total.as_ref().map(|total| cells(total, keys, true));
    }
    table.about = manifest(report.manifest.as_ref(), zone);
    table
}

fn cells(row: &pb::CostReportRow, keys: usize, total: bool) -> Vec<Cell> {
    let mut cells = if total { total_cells(keys) } else { key_cells(&row.keys) };
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
    ]);
    cells
}
