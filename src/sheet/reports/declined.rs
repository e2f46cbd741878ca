//! Requests that were not honored, one by one.

use super::{Layout, instant};
use crate::pb;
use crate::sheet::table::{Cell, Kind, column, more};
use crate::sheet::{names, time};

/// What they look like.
#[must_use]
pub fn layout() -> Layout {
    let columns = vec![
        column("booking", "BOOKING"),
        instant("received_time", "RECEIVED"),
        column("office", "OFFICE"),
        column("outcome", "ANSWER"),
        column("reason", "BECAUSE"),
        instant("booking_end_time", "CUSTODY ENDED"),
        column("booking_end_kind", "BY"),
        instant("notice_time", "RELEASE TOLD"),
        more("detainer"),
        more("facility"),
        more("component"),
        more("form_edition"),
        more("decision_effective_time").of(Kind::Time),
        more("policy_revision"),
        more("policy_mode"),
        more("lifted_time").of(Kind::Time),
        more("acknowledged_time").of(Kind::Time),
        more("time_zone"),
    ];
    let nothing = "Every request that was received in this period was honored.";
    Layout { name: "not-honored", title: "Requests that were not honored", columns, nothing }
}

/// One request.
#[must_use]
pub fn row(row: &pb::DeclinedDetainerRow) -> Vec<Cell> {
    let zone = time::zone_or_utc(&row.time_zone);
    let at = |stamp: Option<&prost_types::Timestamp>| Cell::time(stamp, zone);
    vec![
        Cell::text(names::id(&row.booking)),
        at(row.received_time.as_ref()),
        Cell::text(row.office_code.as_str()),
        Cell::word::<pb::Outcome>(row.outcome),
        Cell::word::<pb::DecisionReason>(row.reason),
        at(row.booking_end_time.as_ref()),
        Cell::word::<pb::BookingEndKind>(row.booking_end_kind),
        at(row.notice_time.as_ref()),
        Cell::text(row.detainer.as_str()),
        Cell::text(names::id(&row.facility)),
        Cell::word::<pb::IssuingComponent>(row.component),
        Cell::word::<pb::FormEdition>(row.form_edition),
        at(row.decision_effective_time.as_ref()),
        Cell::text(names::id(&row.policy_revision)),
        Cell::word::<pb::PolicyMode>(row.policy_mode),
        at(row.lifted_time.as_ref()),
        at(row.acknowledged_time.as_ref()),
        Cell::text(row.time_zone.as_str()),
    ]
}
