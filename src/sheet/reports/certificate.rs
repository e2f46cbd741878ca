//! The daily certificate of a jail: its own row with the counts, then a row for every stretch without authority.

use super::{Layout, count, instant, length};
use crate::pb;
use crate::sheet::table::{Cell, Kind, column, more};
use crate::sheet::{names, time};

/// What it looks like.
#[must_use]
pub fn layout() -> Layout {
    let columns = vec![
        column("what", "WHAT"),
        column("booking", "BOOKING"),
        instant("since_time", "SINCE"),
        instant("end_time", "UNTIL"),
        length("duration", "HOW LONG"),
        count("in_custody_count", "IN CUSTODY"),
        count("on_hold_count", "ON HOLD"),
        count("uncovered_count", "WITHOUT AUTHORITY"),
        more("in_custody_at_end_count").of(Kind::Int),
        more("on_hold_at_end_count").of(Kind::Int),
        more("on_hold_late_count").of(Kind::Int),
        more("uncovered_at_end_count").of(Kind::Int),
        more("bases_not_known_count").of(Kind::Int),
        more("t0").of(Kind::Time),
        more("whole_day").of(Kind::Flag),
        more("date").of(Kind::Day),
        more("facility"),
        more("time_zone"),
    ];
    Layout { name: "certificate", title: "Daily certificate of a jail", columns, nothing: "" }
}

/// All rows of a certificate: the jail's, over the time counted, and those of people without authority.
#[must_use]
pub fn rows(certificate: &pb::DailyCertificate) -> Vec<Vec<Cell>> {
    let zone = time::zone_or_utc(&certificate.time_zone);
    let at = |stamp: Option<&prost_types::Timestamp>| Cell::time(stamp, zone);
    let common = || {
        [
            Cell::day(certificate.date.as_ref()),
            Cell::text(names::id(&certificate.facility)),
            Cell::text(certificate.time_zone.as_str()),
        ]
    };
    let interval = certificate.interval.unwrap_or_default();
    let counted = match (interval.start_time.as_ref().and_then(time::utc), interval.end_time.as_ref().and_then(time::utc)) {
        (Some(start), Some(end)) => Cell::Length(end - start),
        _ => Cell::Empty,
    };
    let mut jail = vec![
        Cell::Word("jail".to_owned()),
        Cell::Empty,
        at(interval.start_time.as_ref()),
        at(interval.end_time.as_ref()),
        counted,
        Cell::Int(certificate.in_custody_count),
        Cell::Int(certificate.on_hold_count),
        Cell::Int(certificate.uncovered_count),
        Cell::Int(certificate.in_custody_at_end_count),
        Cell::Int(certificate.on_hold_at_end_count),
        Cell::Int(certificate.on_hold_late_count),
        Cell::Int(certificate.uncovered_at_end_count),
        Cell::Int(certificate.bases_not_known_count),
        Cell::Empty,
        Cell::Flag(certificate.whole_day),
    ];
    jail.extend(common());
    let person = |row: &pb::UncoveredCustody| {
        let mut cells = vec![
            Cell::Word("without-authority".to_owned()),
            Cell::text(names::id(&row.booking)),
            at(row.since_time.as_ref()),
            at(row.end_time.as_ref()),
            Cell::length(row.duration.as_ref()),
        ];
        cells.extend(vec![Cell::Empty; 8]);
        cells.extend([at(row.t0.as_ref()), Cell::Empty]);
        cells.extend(common());
        cells
    };
    std::iter::once(jail).chain(certificate.rows.iter().map(person)).collect()
}
