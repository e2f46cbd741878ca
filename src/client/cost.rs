//! The cost report as a table: what custody after T0 cost, and who pays.

use chrono_tz::Tz;

use super::table::{Cell, Column, Field, Table, column, field, more};
use super::{names, time, words};
use crate::pb;

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

/// A column for each key of a report's rows.
#[must_use]
pub fn key_columns(keys: &[pb::GroupKey]) -> Vec<Column> {
    keys.iter()
        .map(|key| match key.group_by() {
            pb::GroupBy::Unspecified => column("key", "KEY"),
            pb::GroupBy::Month => column("month", "MONTH"),
            pb::GroupBy::Facility => column("facility", "FACILITY"),
            pb::GroupBy::Office => column("office", "OFFICE"),
            pb::GroupBy::Revision => column("policy_revision", "REVISION"),
            pb::GroupBy::Mode => column("policy_mode", "MODE"),
            pb::GroupBy::Agreement => column("agreement", "AGREEMENT"),
            pb::GroupBy::FormEdition => column("form_edition", "EDITION"),
            pb::GroupBy::EndReason => column("end_reason", "HOLD ENDED"),
            pb::GroupBy::DecisionReason => column("decision_reason", "REASON"),
        })
        .collect()
}

/// The keys of a row.
#[must_use]
pub fn key_cells(keys: &[pb::GroupKey]) -> Vec<Cell> {
    keys.iter().map(|key| Cell::Text(key_text(key))).collect()
}

/// Cells that stand under the keys in a row of totals.
#[must_use]
pub fn total_cells(keys: usize) -> Vec<Cell> {
    (0..keys).map(|n| Cell::text(if n == 0 { "total" } else { "" })).collect()
}

fn key_text(key: &pb::GroupKey) -> String {
    if key.value.is_empty() {
        return "(none)".to_owned();
    }
    match key.group_by() {
        pb::GroupBy::Mode => words::plain_key::<pb::PolicyMode>(&key.value),
        pb::GroupBy::FormEdition => words::plain_key::<pb::FormEdition>(&key.value),
        pb::GroupBy::EndReason => words::plain_key::<pb::HoldEndReason>(&key.value),
        pb::GroupBy::DecisionReason => words::plain_key::<pb::DecisionReason>(&key.value),
        _ => names::id(&key.value).to_owned(),
    }
}

/// What a report rests on, with times in the county's zone.
#[must_use]
pub fn manifest(manifest: Option<&pb::ReportManifest>, zone: Tz) -> Vec<Field> {
    let Some(manifest) = manifest else { return Vec::new() };
    let period = manifest.query.as_ref().and_then(|query| query.period.as_ref());
    let pair = manifest.as_of_pair.unwrap_or_default();
    vec![
        field("start_date", "from", Cell::day(period.and_then(|p| p.start_date.as_ref()))),
        field("end_date", "to", Cell::day(period.and_then(|p| p.end_date.as_ref()))),
        field("as_of_sequence", "as of sequence", Cell::Int(pair.sequence)),
        field("as_of_recorded_time", "recorded", Cell::time(pair.recorded_time.as_ref(), zone)),
        field("accrue_until", "open custody counted to", Cell::time(manifest.accrue_until.as_ref(), zone)),
        field("tree_root", "", Cell::text(hex::encode(&manifest.tree_root))),
        field("report_version", "", Cell::text(manifest.report_version.as_str())),
        field("zone_rule", "", Cell::text(manifest.zone_rule.as_str())),
    ]
}

/// The days that a report is about.
#[must_use]
pub fn period(from: chrono::NaiveDate, to: chrono::NaiveDate) -> pb::DateInterval {
    pb::DateInterval { start_date: Some(time::date(from)), end_date: Some(time::date(to)) }
}
