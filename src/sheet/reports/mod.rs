//! Reports as tables: which columns each has, and what stands in them. One file a report.
//!
//! To add a report: a file here with its columns and its rows, the names of the columns never changed once a file with
//! them may be somewhere.

pub mod comparison;
pub mod cost;
pub mod decisions;
pub mod lines;
pub mod overdetention;
pub mod register;

use chrono_tz::Tz;

use super::table::{Cell, Column, Field, column, field};
use super::{names, time, words};
use crate::pb;

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
