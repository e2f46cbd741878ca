//! The lines that the cost report adds up.

use super::{Layout, amount, currency, instant};
use crate::pb;
use crate::sheet::table::{Cell, Kind, column, more};
use crate::sheet::{names, time};

/// What they look like.
#[must_use]
pub fn layout() -> Layout {
    let columns = vec![
        column("booking", "BOOKING"),
        instant("start_time", "FROM"),
        instant("end_time", "TO"),
        column("authority", "BY WHAT RIGHT"),
        amount("incurred", "INCURRED"),
        amount("covered", "COVERED"),
        amount("absorbed", "ABSORBED"),
        more("hold"),
        more("detainer"),
        more("facility"),
        more("office"),
        more("component"),
        more("form_edition"),
        more("policy_revision"),
        more("policy_mode"),
        more("agreement"),
        more("rate"),
        more("end_reason"),
        more("decision_reason"),
        more("sequence").of(Kind::Int),
        more("time_zone"),
        more("currency"),
        more("accounted_date"),
        more("cause"),
        more("reversal"),
        more("marginal").of(Kind::Money),
    ];
    Layout { name: "cost-lines", title: "Cost lines", columns, nothing: "No custody after T0 in this period." }
}

/// One line.
#[must_use]
pub fn row(line: &pb::CostLine) -> Vec<Cell> {
    let zone = time::zone_or_utc(&line.time_zone);
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
        Cell::word::<pb::IssuingComponent>(line.component),
        Cell::word::<pb::FormEdition>(line.form_edition),
        Cell::text(names::id(&line.policy_revision)),
        Cell::word::<pb::PolicyMode>(line.policy_mode),
        Cell::text(names::id(&line.agreement)),
        Cell::text(names::id(&line.rate)),
        Cell::word::<pb::HoldEndReason>(line.end_reason),
        Cell::word::<pb::DecisionReason>(line.decision_reason),
        Cell::Int(line.sequence),
        Cell::text(line.time_zone.as_str()),
        currency(&totals),
        Cell::day(line.accounted_date.as_ref()),
        Cell::word::<pb::PostingCause>(line.cause),
        Cell::Flag(line.reversal),
        Cell::money(totals.marginal.as_ref()),
    ]
}
