//! Holds that have to be claimed soon.

use chrono_tz::Tz;

use super::{Layout, amount, count, instant};
use crate::pb;
use crate::sheet::names;
use crate::sheet::table::{Cell, Kind, column, more};

/// What the list looks like.
#[must_use]
pub fn layout() -> Layout {
    let columns = vec![
        column("file_by_date", "FILE BY").of(Kind::Day),
        count("days_left", "DAYS LEFT"),
        column("booking", "BOOKING"),
        column("hold", "HOLD"),
        column("agreement", "AGREEMENT"),
        instant("end_time", "HOLD ENDED"),
        amount("amount", "OWED"),
        column("claim", "IN CLAIM"),
        more("currency"),
    ];
    let nothing = "No hold has to be claimed within these days.";
    Layout { name: "unclaimed-holds", title: "Holds that have to be claimed soon", columns, nothing }
}

/// One hold, with its end in the county's zone.
#[must_use]
pub fn row(hold: &pb::UnclaimedHold, zone: Tz) -> Vec<Cell> {
    vec![
        Cell::day(hold.file_by_date.as_ref()),
        Cell::Int(i64::from(hold.days_left)),
        Cell::text(names::id(&hold.booking)),
        Cell::text(names::id(&hold.hold)),
        Cell::text(names::id(&hold.agreement)),
        Cell::time(hold.end_time.as_ref(), zone),
        Cell::money(hold.amount.as_ref()),
        Cell::text(names::id(&hold.claim)),
        super::currency_of(hold.amount.as_ref()),
    ]
}
