//! The hold register: one row a hold.

use super::{Layout, amount, currency, instant, length};
use crate::pb;
use crate::sheet::table::{Cell, Kind, column, more};
use crate::sheet::{names, time};

/// What it looks like.
#[must_use]
pub fn layout() -> Layout {
    let columns = vec![
        column("booking", "BOOKING"),
        instant("t0", "T0"),
        instant("end_time", "HOLD ENDED"),
        column("end_reason", "BY"),
        length("held", "HELD"),
        length("past_contiguous", "PAST 48 H"),
        amount("incurred", "COST"),
        more("hold"),
        more("detainer"),
        more("facility"),
        more("office"),
        more("form_edition"),
        more("policy_revision"),
        more("start_time").of(Kind::Time),
        more("deadline").of(Kind::Time),
        more("contiguous_deadline").of(Kind::Time),
        more("business_deadline").of(Kind::Time),
        more("booking_end_time").of(Kind::Time),
        more("past_business").of(Kind::Length),
        more("past_deadline").of(Kind::Length),
        more("held_by_release").of(Kind::Length),
        more("past_contiguous_by_release").of(Kind::Length),
        more("past_business_by_release").of(Kind::Length),
        more("past_deadline_by_release").of(Kind::Length),
        more("covered").of(Kind::Money),
        more("absorbed").of(Kind::Money),
        more("over_detained_incurred").of(Kind::Money),
        more("late").of(Kind::Flag),
        more("continues"),
        more("component"),
        more("policy_mode"),
        more("decision_reason"),
        more("agreement"),
        more("time_zone"),
        more("currency"),
    ];
    Layout { name: "hold-register", title: "Hold register", columns, nothing: "No hold started in this period." }
}

/// One hold.
#[must_use]
pub fn row(row: &pb::HoldRegisterRow) -> Vec<Cell> {
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
        Cell::word::<pb::IssuingComponent>(row.component),
        Cell::word::<pb::PolicyMode>(row.policy_mode),
        Cell::word::<pb::DecisionReason>(row.decision_reason),
        Cell::text(names::id(&row.agreement)),
        Cell::text(row.time_zone.as_str()),
        currency(&cost),
    ]
}

/// A length, where it is more than nothing.
fn nonzero(length: Option<&prost_types::Duration>) -> Cell {
    Cell::length(length.filter(|length| length.seconds != 0 || length.nanos != 0))
}
