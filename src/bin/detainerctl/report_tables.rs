//! Rows of reports as cells. The cost report's are in the library, since the demo prints them too.

use chrono_tz::Tz;
use detainer::client::cost::{key_cells, key_columns, manifest, total_cells};
use detainer::client::table::{Cell, Table, column, more};
use detainer::client::{names, time, words};
use detainer::pb;

/// The hold register, without rows.
pub fn register() -> Table {
    let columns = vec![
        column("booking", "BOOKING"),
        column("t0", "T0"),
        column("end_time", "HOLD ENDED"),
        column("end_reason", "BY"),
        column("held", "HELD"),
        column("past_contiguous", "PAST 48 H"),
        column("incurred", "COST"),
        more("hold"),
        more("detainer"),
        more("facility"),
        more("office"),
        more("form_edition"),
        more("policy_revision"),
        more("start_time"),
        more("deadline"),
        more("contiguous_deadline"),
        more("business_deadline"),
        more("booking_end_time"),
        more("past_business"),
        more("past_deadline"),
        more("held_by_release"),
        more("past_contiguous_by_release"),
        more("past_business_by_release"),
        more("past_deadline_by_release"),
        more("covered"),
        more("absorbed"),
        more("over_detained_incurred"),
        more("late"),
        more("continues"),
    ];
    Table::new("", columns, "No hold started in this period.")
}

/// A row of the hold register.
pub fn register_row(row: &pb::HoldRegisterRow) -> Vec<Cell> {
    let zone = time::zone_or_utc(&row.time_zone);
    let at = |stamp: Option<&prost_types::Timestamp>| Cell::time(stamp, zone);
    let length = |length: Option<&prost_types::Duration>| Cell::length(length);
    let by_end = row.by_hold_end.unwrap_or_default();
    let by_release = row.by_release.unwrap_or_default();
    let cost = row.hold_cost.clone().unwrap_or_default();
    let over = row.over_detained_cost.clone().unwrap_or_default();
    vec![
        Cell::text(names::id(&row.booking)),
        at(row.t0.as_ref()),
        at(row.end_time.as_ref()),
        Cell::word::<pb::HoldEndReason>(row.end_reason),
        length(by_end.held.as_ref()),
        nonzero(by_end.past_contiguous.as_ref()),
        Cell::money(cost.incurred.as_ref()),
        Cell::text(row.hold.as_str()),
        Cell::text(row.detainer.as_str()),
        Cell::text(names::id(&row.facility)),
        Cell::text(row.office_code.as_str()),
        Cell::word::<pb::FormEdition>(row.form_edition),
        Cell::text(names::id(&row.policy_revision)),
        at(row.start_time.as_ref()),
        at(row.deadline.as_ref()),
        at(row.contiguous_deadline.as_ref()),
        at(row.business_deadline.as_ref()),
        at(row.booking_end_time.as_ref()),
        length(by_end.past_business.as_ref()),
        length(by_end.past_deadline.as_ref()),
        length(by_release.held.as_ref()),
        length(by_release.past_contiguous.as_ref()),
        length(by_release.past_business.as_ref()),
        length(by_release.past_deadline.as_ref()),
        Cell::money(cost.covered.as_ref()),
        Cell::money(cost.absorbed.as_ref()),
        Cell::money(over.incurred.as_ref()),
        Cell::Flag(row.late),
        Cell::text(row.continues.as_str()),
    ]
}

/// A length, where it is more than nothing.
fn nonzero(length: Option<&prost_types::Duration>) -> Cell {
    Cell::length(length.filter(|length| length.seconds != 0 || length.nanos != 0))
}

/// The decision report.
pub fn decisions(report: &pb::GetDecisionReportResponse, zone: chrono_tz::Tz) -> Table {
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

/// Cost lines, without rows.
pub fn lines() -> Table {
    let columns = vec![
        column("booking", "BOOKING"),
        column("start_time", "FROM"),
        column("end_time", "TO"),
        column("authority", "BY WHAT RIGHT"),
        column("incurred", "INCURRED"),
        column("covered", "COVERED"),
        column("absorbed", "ABSORBED"),
        more("hold"),
        more("detainer"),
        more("facility"),
        more("office"),
        more("form_edition"),
        more("policy_revision"),
        more("policy_mode"),
        more("agreement"),
        more("rate"),
        more("end_reason"),
        more("decision_reason"),
        more("sequence"),
    ];
    Table::new("", columns, "No custody after T0 in this period.")
}

/// A cost line.
pub fn line_row(line: &pb::CostLine, zone: Tz) -> Vec<Cell> {
    let interval = line.interval.unwrap_or_default();
    let totals = line.totals.clone().unwrap_or_default();
    vec![
        Cell::text(names::id(&line.booking)),
        Cell::time(interval.start_time.as_ref(), zone),
        Cell::time(interval.end_time.as_ref(), zone),
        Cell::word::<pb::AuthorityState>(line.authority),
        Cell::money(totals.incurred.as_ref()),
        Cell::money(totals.covered.as_ref()),
        Cell::money(totals.absorbed.as_ref()),
        Cell::text(line.hold.as_str()),
        Cell::text(line.detainer.as_str()),
        Cell::text(names::id(&line.facility)),
        Cell::text(line.office_code.as_str()),
        Cell::word::<pb::FormEdition>(line.form_edition),
        Cell::text(names::id(&line.policy_revision)),
        Cell::word::<pb::PolicyMode>(line.policy_mode),
        Cell::text(names::id(&line.agreement)),
        Cell::text(names::id(&line.rate)),
        Cell::word::<pb::HoldEndReason>(line.end_reason),
        Cell::word::<pb::DecisionReason>(line.decision_reason),
        Cell::Int(line.sequence),
    ]
}

/// The over-detention list, without rows.
pub fn overdetention() -> Table {
    let columns = vec![
        column("booking", "BOOKING"),
        column("since_time", "SINCE"),
        column("end_time", "UNTIL"),
        column("duration", "HOW LONG"),
        column("cause", "WHY"),
        column("incurred", "COST"),
        more("facility"),
        more("t0"),
        more("duration_less_allowance"),
        more("hold"),
    ];
    Table::new("", columns, "Nobody was kept without authority in this period.")
}

/// A row of the over-detention list.
pub fn overdetention_row(row: &pb::OverdetentionRow, zone: Tz) -> Vec<Cell> {
    let totals = row.totals.clone().unwrap_or_default();
    vec![
        Cell::text(names::id(&row.booking)),
        Cell::time(row.since_time.as_ref(), zone),
        Cell::time(row.end_time.as_ref(), zone),
        Cell::length(row.duration.as_ref()),
        Cell::word::<pb::OverdetentionCause>(row.cause),
        Cell::money(totals.incurred.as_ref()),
        Cell::text(names::id(&row.facility)),
        Cell::time(row.t0.as_ref(), zone),
        Cell::length(row.duration_less_allowance.as_ref()),
        Cell::text(row.hold.as_str()),
    ]
}
