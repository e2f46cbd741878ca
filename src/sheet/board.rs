//! The board: who is held on a detainer, until when, and who must be out. Carries no identity.

use chrono_tz::Tz;

use super::table::{Cell, Table, about, column, more};
use super::{names, time, words};
use crate::pb;

/// The board as a table, in the order of the answer.
#[must_use]
pub fn table(title: impl Into<String>, board: &pb::ListHoldsResponse) -> Table {
    let entries = &board.entries;
    let columns = vec![
        column("state", "STATE"),
        column("booking", "BOOKING"),
        column("facility", "FACILITY"),
        column("out_by", "MUST BE OUT BY"),
        column("left", "LEFT"),
        column("note", ""),
        more("hold"),
        more("detainer"),
        more("decision"),
        more("policy_revision"),
        more("office"),
        more("t0"),
        more("deadline"),
        more("contiguous_deadline"),
        more("business_deadline"),
        more("over_since"),
        more("end_time"),
        more("end_reason"),
        more("citizenship_claimed"),
    ];
    let mut table = Table::new(title, columns, "Nobody is held on a detainer, and nobody is over-detained.");
    table.rows = entries.iter().map(|entry| row(entry, board.at_time.as_ref())).collect();
    let zone = entries.first().map_or(Tz::UTC, |entry| time::zone_or_utc(&entry.time_zone));
    table.about = about(board.as_of_pair.as_ref(), zone);
    table
}

fn row(entry: &pb::BoardEntry, now: Option<&prost_types::Timestamp>) -> Vec<Cell> {
    let zone = time::zone_or_utc(&entry.time_zone);
    let at = |stamp: Option<&prost_types::Timestamp>| Cell::time(stamp, zone);
    let none = pb::Hold::default();
    let hold = entry.hold.as_ref().unwrap_or(&none);
    let clock = hold.clock.clone().unwrap_or_default();
    let over = entry.state() == pb::BoardState::Over;
    let out_by = if over { entry.over_since.as_ref() } else { hold.authority_until.as_ref() };
    let state = if over { Cell::Word("OVER".to_owned()) } else { Cell::word::<pb::BoardState>(entry.state) };
    vec![
        state,
        Cell::text(names::id(&entry.booking)),
        Cell::text(names::id(&entry.facility)),
        at(out_by),
        left(entry, now),
        Cell::text(note(entry)),
        Cell::text(hold.name.as_str()),
        Cell::text(hold.detainer.as_str()),
        Cell::text(hold.decision.as_str()),
        Cell::text(hold.policy_revision.as_str()),
        Cell::text(entry.office_code.as_str()),
        at(entry.t0.as_ref()),
        at(clock.deadline.as_ref()),
        at(clock.contiguous_deadline.as_ref()),
        at(clock.business_deadline.as_ref()),
        at(entry.over_since.as_ref()),
        at(hold.end_time.as_ref()),
        Cell::word::<pb::HoldEndReason>(hold.end_reason),
        Cell::Flag(entry.citizenship_claimed),
    ]
}

/// Time left; below zero where the person should have been out.
fn left(entry: &pb::BoardEntry, now: Option<&prost_types::Timestamp>) -> Cell {
    match (entry.over_since.as_ref().and_then(time::utc), now.and_then(time::utc)) {
        (Some(since), Some(now)) => Cell::Length(since - now),
        _ => Cell::length(entry.remaining.as_ref()),
    }
}

/// What a person has to know beside the numbers.
fn note(entry: &pb::BoardEntry) -> String {
    let mut notes = Vec::new();
    if entry.citizenship_claimed {
        notes.push("citizenship claim".to_owned());
    }
    if entry.state() == pb::BoardState::Over {
        let why = match &entry.hold {
            None => "no hold ran".to_owned(),
            Some(hold) if hold.end_reason == 0 => String::new(),
            Some(hold) => words::plain_of::<pb::HoldEndReason>(hold.end_reason),
        };
        notes.push(why);
    }
    notes.retain(|note| !note.is_empty());
    notes.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::table::Look;
    use chrono::DateTime;

    fn stamp(text: &str) -> Option<prost_types::Timestamp> {
        Some(time::stamp(DateTime::parse_from_rfc3339(text).unwrap().to_utc()))
    }

    #[test]
    fn reads_well_in_a_hundred_columns() {
        let running = pb::BoardEntry {
            booking: "counties/c/bookings/2024-000123".to_owned(),
            hold: Some(pb::Hold { authority_until: stamp("2024-03-17T21:00:00Z"), ..Default::default() }),
            state: pb::BoardState::DueSoon.into(),
            facility: "counties/c/facilities/main-jail".to_owned(),
            remaining: Some(prost_types::Duration { seconds: 11_100, nanos: 0 }),
            time_zone: "America/New_York".to_owned(),
            t0: stamp("2024-03-15T21:00:00Z"),
            office_code: "MIA".to_owned(),
            ..Default::default()
        };
        let over = pb::BoardEntry {
            hold: None,
            state: pb::BoardState::Over.into(),
            over_since: stamp("2024-03-15T21:00:00Z"),
            remaining: None,
            citizenship_claimed: true,
            ..running.clone()
        };
        let board =
            pb::ListHoldsResponse { entries: vec![over, running], at_time: stamp("2024-03-17T17:55:00Z"), ..Default::default() };
        let mut out = Vec::new();
        table("", &board).write(&mut out, Look::default()).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        for part in ["OVER", "due soon", "2024-03-17 17:00 EDT", " 3 h 05 min", "-1 d 20 h 55 min", "no hold ran"] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        assert!(text.lines().count() <= 5, "{text}");
    }
}
