//! The lines that the cost report adds up.

use chrono_tz::Tz;

use crate::pb;
use crate::sheet::names;
use crate::sheet::table::{Cell, Table, column, more};

/// Cost lines, without rows.
#[must_use]
pub fn table() -> Table {
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
#[must_use]
pub fn row(line: &pb::CostLine, zone: Tz) -> Vec<Cell> {
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
