//! The lines of a claim: one row a posting that it takes, or takes back.

use chrono_tz::Tz;

use super::{Layout, amount};
use crate::pb;
use crate::sheet::names;
use crate::sheet::table::{Cell, Kind, column, more};

/// What they look like.
#[must_use]
pub fn layout() -> Layout {
    let columns = vec![
        column("kind", "LINE"),
        column("booking", "BOOKING"),
        column("hold", "HOLD"),
        column("facility", "FACILITY"),
        column("date", "DAY").of(Kind::Day),
        amount("incurred", "COST"),
        amount("amount", "OWED"),
        column("file_by_date", "FILE BY").of(Kind::Day),
        more("office"),
        more("start_time").of(Kind::Time),
        more("end_time").of(Kind::Time),
        more("sequence").of(Kind::Int),
        more("number").of(Kind::Int),
        more("reverses_sequence").of(Kind::Int),
        more("currency"),
    ];
    Layout { name: "claim-lines", title: "Lines of a claim", columns, nothing: "The claim has no line." }
}

/// One line. The day is the facility's own; instants are told in the county's zone.
#[must_use]
pub fn row(line: &pb::ClaimLine, zone: Tz) -> Vec<Cell> {
    let interval = line.interval.unwrap_or_default();
    vec![
        Cell::word::<pb::ClaimLineKind>(line.kind),
        Cell::text(names::id(&line.booking)),
        Cell::text(names::id(&line.hold)),
        Cell::text(names::id(&line.facility)),
        Cell::day(line.date.as_ref()),
        Cell::money(line.incurred.as_ref()),
        Cell::money(line.amount.as_ref()),
        Cell::day(line.file_by_date.as_ref()),
        Cell::text(line.office_code.as_str()),
        Cell::time(interval.start_time.as_ref(), zone),
        Cell::time(interval.end_time.as_ref(), zone),
        Cell::Int(line.sequence),
        Cell::Int(i64::from(line.number)),
        if line.reverses_sequence == 0 { Cell::Empty } else { Cell::Int(line.reverses_sequence) },
        super::currency_of(line.amount.as_ref()),
    ]
}
