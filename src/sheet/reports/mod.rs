//! Reports as tables: which columns each has, and what stands in them. One file a report.
//!
//! A [`Layout`] names a report's columns once, for the terminal, for every form of file and for the digest in the manifest
//! ([`super::canonical`]). So a row is told by its message alone, its zone included.
//!
//! To add a report: a file here with `layout` and `row`; the server takes each row into a [`super::canonical::Digest`]
//! as it tells it. Columns are only ever added at the end, and then the report has another version.

pub mod bail;
pub mod certificate;
pub mod change;
pub mod claim_lines;
pub mod claim_report;
pub mod claims;
pub mod comparison;
pub mod cost;
pub mod decisions;
pub mod declined;
pub mod duties;
pub mod flips;
pub mod lines;
pub mod overdetention;
pub mod register;
pub mod statistics;
pub mod statutory;
pub mod unclaimed;

use chrono_tz::Tz;

use super::table::{Cell, Column, Field, Kind, Table, column, field};
use super::{names, time, words};
use crate::pb;

/// What a report looks like.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Its name, of which files are called.
    pub name: &'static str,
    /// Its title for people.
    pub title: &'static str,
    /// Its columns. Those for people come first.
    pub columns: Vec<Column>,
    /// Said to people where there is no row.
    pub nothing: &'static str,
}

impl Layout {
    /// A table without rows.
    #[must_use]
    pub fn table(&self, title: impl Into<String>) -> Table {
        Table::new(title, self.columns.clone(), self.nothing)
    }

    /// Where a column stands.
    #[must_use]
    pub fn place(&self, key: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.key == key)
    }
}

/// The column of a key.
fn key_column(by: pb::GroupBy) -> Column {
    match by {
        pb::GroupBy::Unspecified => column("key", "KEY"),
        pb::GroupBy::Month => column("month", "MONTH"),
        pb::GroupBy::CustodyMonth => column("custody_month", "OF MONTH"),
        pb::GroupBy::Week => column("week", "WEEK"),
        pb::GroupBy::Facility => column("facility", "FACILITY"),
        pb::GroupBy::Office => column("office", "OFFICE"),
        pb::GroupBy::Component => column("component", "COMPONENT"),
        pb::GroupBy::Revision => column("policy_revision", "REVISION"),
        pb::GroupBy::Mode => column("policy_mode", "MODE"),
        pb::GroupBy::Agreement => column("agreement", "AGREEMENT"),
        pb::GroupBy::FormEdition => column("form_edition", "EDITION"),
        pb::GroupBy::EndReason => column("end_reason", "HOLD ENDED"),
        pb::GroupBy::DecisionReason => column("decision_reason", "REASON"),
    }
}

/// A column for each key that a report is sliced by.
#[must_use]
pub fn key_columns(by: &[pb::GroupBy]) -> Vec<Column> {
    by.iter().copied().map(key_column).collect()
}

/// The keys that were asked for, as the wire carries them.
#[must_use]
pub fn keys_of(group_by: &[i32]) -> Vec<pb::GroupBy> {
    group_by.iter().map(|by| pb::GroupBy::try_from(*by).unwrap_or_default()).collect()
}

/// The keys of a row.
#[must_use]
pub fn key_cells(keys: &[pb::GroupKey]) -> Vec<Cell> {
    keys.iter().map(key_cell).collect()
}

/// Cells that stand under the keys in a row of totals.
#[must_use]
pub fn total_cells(keys: usize) -> Vec<Cell> {
    (0..keys).map(|n| Cell::text(if n == 0 { "total" } else { "" })).collect()
}

fn key_cell(key: &pb::GroupKey) -> Cell {
    fn word<W: words::Word>(name: &str) -> Cell {
        W::of_contract_name(name).map_or_else(|| Cell::text(name), |value| Cell::Word(words::word(value)))
    }
    if key.value.is_empty() {
        return Cell::None;
    }
    match key.group_by() {
        pb::GroupBy::Mode => word::<pb::PolicyMode>(&key.value),
        pb::GroupBy::Component => word::<pb::IssuingComponent>(&key.value),
        pb::GroupBy::FormEdition => word::<pb::FormEdition>(&key.value),
        pb::GroupBy::EndReason => word::<pb::HoldEndReason>(&key.value),
        pb::GroupBy::DecisionReason => word::<pb::DecisionReason>(&key.value),
        pb::GroupBy::Facility | pb::GroupBy::Revision | pb::GroupBy::Agreement => Cell::text(names::id(&key.value)),
        // An office's code is the office's own, whatever stands in it.
        pb::GroupBy::Office | pb::GroupBy::Month | pb::GroupBy::CustodyMonth | pb::GroupBy::Week | pb::GroupBy::Unspecified => {
            Cell::text(key.value.as_str())
        }
    }
}

/// The currency of a row with money.
fn currency(totals: &pb::CostTotals) -> Cell {
    currency_of(totals.incurred.as_ref())
}

/// The currency of an amount.
fn currency_of(money: Option<&pb::Money>) -> Cell {
    money.map_or(Cell::Empty, |money| Cell::text(money.currency_code.as_str()))
}

/// A column of amounts.
const fn amount(key: &'static str, heading: &'static str) -> Column {
    column(key, heading).of(Kind::Money)
}

/// A column of counts.
const fn count(key: &'static str, heading: &'static str) -> Column {
    column(key, heading).of(Kind::Int)
}

/// A column of lengths.
const fn length(key: &'static str, heading: &'static str) -> Column {
    column(key, heading).of(Kind::Length)
}

/// A column of instants.
const fn instant(key: &'static str, heading: &'static str) -> Column {
    column(key, heading).of(Kind::Time)
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
        field("row_count", "", Cell::Int(manifest.row_count)),
        field("sha256", "", Cell::text(hex::encode(&manifest.sha256))),
    ]
}

/// The days that a report is about.
#[must_use]
pub fn period(from: chrono::NaiveDate, to: chrono::NaiveDate) -> pb::DateInterval {
    pb::DateInterval { start_date: Some(time::date(from)), end_date: Some(time::date(to)) }
}
