//! Claims: what was asked of who owes it, and what became of it.

use chrono_tz::Tz;

use super::{Layout, amount, count};
use crate::pb;
use crate::sheet::names;
use crate::sheet::table::{Cell, Kind, column, more};

/// What the list looks like.
#[must_use]
pub fn layout() -> Layout {
    let columns = vec![
        column("claim", "CLAIM"),
        column("agreement", "AGREEMENT"),
        column("state", "STATE"),
        column("start_date", "FROM").of(Kind::Day),
        column("end_date", "TO").of(Kind::Day),
        count("line_count", "LINES"),
        amount("claimed", "CLAIMED"),
        amount("paid", "PAID"),
        amount("outstanding", "OUTSTANDING"),
        more("adjustments").of(Kind::Money),
        more("written_off").of(Kind::Money),
        more("open").of(Kind::Money),
        more("denied").of(Kind::Money),
        more("disputed").of(Kind::Money),
        more("hold_count").of(Kind::Int),
        more("expired_line_count").of(Kind::Int),
        more("expired").of(Kind::Money),
        more("create_time").of(Kind::Time),
        more("bill_time").of(Kind::Time),
        more("sequence").of(Kind::Int),
        more("lines_sha256"),
        more("currency"),
    ];
    Layout { name: "claims", title: "Claims", columns, nothing: "There is no claim." }
}

/// One claim, with instants in the county's zone.
#[must_use]
pub fn row(claim: &pb::Claim, zone: Tz) -> Vec<Cell> {
    let balance = claim.balance.clone().unwrap_or_default();
    let money = |money: &Option<pb::Money>| Cell::money(money.as_ref());
    vec![
        Cell::text(names::id(&claim.name)),
        Cell::text(names::id(&claim.agreement)),
        Cell::word::<pb::ClaimState>(claim.state),
        Cell::day(claim.start_date.as_ref()),
        Cell::day(claim.end_date.as_ref()),
        Cell::Int(claim.line_count),
        money(&claim.claimed),
        money(&balance.paid),
        money(&balance.outstanding),
        money(&claim.adjustments),
        money(&balance.written_off),
        money(&balance.open),
        money(&balance.denied),
        money(&balance.disputed),
        Cell::Int(claim.hold_count),
        Cell::Int(claim.expired_line_count),
        money(&claim.expired),
        Cell::time(claim.create_time.as_ref(), zone),
        Cell::time(claim.bill_time.as_ref(), zone),
        Cell::Int(claim.sequence),
        Cell::text(hex::encode(&claim.lines_sha256)),
        super::currency_of(claim.claimed.as_ref()),
    ]
}
