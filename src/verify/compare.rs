//! Rows that follow from the journal beside rows that are stored.

use super::{Place, Report};
use crate::rows::{Batch, Cell, Kind, Row, Version};
use std::cmp::Ordering;

/// All rows that a batch of a whole history holds, those of append-only tables too.
pub(super) fn of_batch(batch: &Batch) -> Vec<Version> {
    let added = batch.appended().iter().map(|row| Version { row: row.clone(), from_seq: 0, to_seq: None });
    batch.versions().iter().cloned().chain(added).collect()
}

/// What was so at a point: later versions are left out, and what ended later has not ended.
pub(super) fn as_of(upto: i64, stored: Vec<Version>) -> impl Iterator<Item = Version> {
    let known = stored.into_iter().filter(move |version| version.from_seq <= upto);
    known.map(move |version| Version { to_seq: version.to_seq.filter(|seq| *seq <= upto), ..version })
}

/// Tells every difference between two sets of rows; the order in which they come does not matter.
pub(super) fn compare(mut expected: Vec<Version>, mut stored: Vec<Version>, report: &mut Report<'_>) {
    expected.sort_by(order);
    stored.sort_by(order);
    let (mut left, mut right) = (expected.iter().peekable(), stored.iter().peekable());
    loop {
        let side = match (left.peek(), right.peek()) {
            (None, None) => return,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(expected), Some(stored)) => order(expected, stored),
        };
        let expected = if side.is_le() { left.next() } else { None };
        let stored = if side.is_ge() { right.next() } else { None };
        report.done.rows += 1;
        for what in differences(expected, stored) {
            if let Some(Version { row, .. }) = expected.or(stored) {
                report.tell(place(row), what);
            }
        }
    }
}

/// The place of a row.
pub(super) fn place(row: &Row) -> Place {
    Place::Row { table: row.table.name, key: row.id() }
}

fn order(a: &Version, b: &Version) -> Ordering {
    let by_row = a.row.table.name.cmp(b.row.table.name).then_with(|| a.row.key.cmp(&b.row.key));
    by_row.then(a.from_seq.cmp(&b.from_seq))
}

/// Names the version where a table has versions.
fn named(version: &Version) -> String {
    match version.row.table.kind {
        Kind::Versioned => format!("the version from record {}", version.from_seq),
        Kind::Append | Kind::Live => "the row".to_owned(),
    }
}

fn differences(expected: Option<&Version>, stored: Option<&Version>) -> Vec<String> {
    match (expected, stored) {
        (None, None) => Vec::new(),
        (Some(expected), None) => vec![format!("{} is missing", named(expected))],
        (None, Some(stored)) => vec![format!("{} does not follow from the journal", named(stored))],
        (Some(expected), Some(stored)) => changed(expected, stored),
    }
}

fn changed(expected: &Version, stored: &Version) -> Vec<String> {
    let mut found = Vec::new();
    let columns = expected.row.table.columns().zip(expected.row.cells().zip(stored.row.cells()));
    for (column, (expected_cell, stored_cell)) in columns {
        if expected_cell != stored_cell {
            let (is, should) = (shown(stored_cell, expected_cell), shown(expected_cell, stored_cell));
            let name = column.name;
            found.push(format!("in {} {name} is {is}; by the journal it is {should}", named(expected)));
        }
    }
    if expected.to_seq != stored.to_seq {
        let end = |to: Option<i64>| to.map_or("still stands".to_owned(), |seq| format!("ends at record {seq}"));
        let (is, should) = (end(stored.to_seq), end(expected.to_seq));
        found.push(format!("{} {is}; by the journal it {should}", named(expected)));
    }
    found
}

/// A cell for a message. Bytes are never shown, only how many there are and where they part.
fn shown(cell: &Cell, other: &Cell) -> String {
    match (cell.as_bytes(), other.as_bytes()) {
        (Some(bytes), Some(other)) => {
            let same = bytes.iter().zip(other).take_while(|(a, b)| a == b).count();
            format!("{} bytes (another from byte {same} on)", bytes.len())
        }
        _ => format!("{cell:?}"),
    }
}
