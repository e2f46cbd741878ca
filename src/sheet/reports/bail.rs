//! People who could post bail and for whom a detainer is open.

use super::{Layout, amount, count, instant};
use crate::pb;
use crate::sheet::table::{Cell, Kind, column, more};
use crate::sheet::{names, time, words};

/// What the list looks like.
#[must_use]
pub fn layout() -> Layout {
    let columns = vec![
        column("booking", "BOOKING"),
        column("facility", "FACILITY"),
        amount("bail", "BAIL"),
        instant("bail_set_time", "SET"),
        column("only_charges", "CHARGES ALONE").of(Kind::Flag),
        count("detainer_count", "DETAINERS"),
        column("detainers", "OPEN DETAINERS"),
        more("first_received_time").of(Kind::Time),
        more("time_zone"),
        more("currency"),
    ];
    let nothing = "Nobody with an open detainer could post bail.";
    Layout { name: "bail-eligible", title: "People who could post bail and have a detainer", columns, nothing }
}

/// One person.
#[must_use]
pub fn row(row: &pb::BailEligibleRow) -> Vec<Cell> {
    let zone = time::zone_or_utc(&row.time_zone);
    let one = |open: &pb::OpenDetainer| {
        let answer = words::word_of::<pb::Outcome>(open.outcome);
        let answer = if answer.is_empty() { "none" } else { answer.as_str() };
        format!("{} {}: {answer}", names::id(&open.detainer), open.office_code)
    };
    let detainers = row.detainers.iter().map(one).collect::<Vec<_>>().join("; ");
    let currency = row.bail.as_ref().map_or(Cell::Empty, |money| Cell::text(money.currency_code.as_str()));
    vec![
        Cell::text(names::id(&row.booking)),
        Cell::text(names::id(&row.facility)),
        Cell::money(row.bail.as_ref()),
        Cell::time(row.bail_set_time.as_ref(), zone),
        Cell::Flag(row.only_charges),
        Cell::Int(i64::try_from(row.detainers.len()).unwrap_or(i64::MAX)),
        Cell::text(detainers),
        Cell::time(row.detainers.first().and_then(|open| open.received_time.as_ref()), zone),
        Cell::text(row.time_zone.as_str()),
        currency,
    ]
}
