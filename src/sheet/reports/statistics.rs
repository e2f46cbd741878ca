//! Statistics of holds: how long people were held, by both readings and both ends.

use super::{Layout, count, key_cells, key_columns, length, total_cells};
use crate::pb;
use crate::sheet::table::{Cell, Kind, more};

/// What it looks like, sliced by some keys.
#[must_use]
pub fn layout(by: &[pb::GroupBy]) -> Layout {
    let mut columns = key_columns(by);
    columns.extend([
        count("hold_count", "HOLDS"),
        count("running_count", "RUN"),
        length("mean", "MEAN"),
        length("median", "MEDIAN"),
        length("p90", "9 OF 10 UP TO"),
        length("max", "LONGEST"),
        count("past_contiguous_count", "PAST 48 H"),
        count("past_business_count", "PAST 48 H LESS WEEKENDS"),
        more("sum").of(Kind::Length),
        more("unreleased_count").of(Kind::Int),
    ]);
    // What stands above is of the hold's own end, of all.
    for Part { names, skip_count, .. } in &PARTS {
        let [count, lengths @ ..] = names;
        if !skip_count {
            columns.push(more(count).of(Kind::Int));
        }
        columns.extend(lengths.iter().map(|name| more(name).of(Kind::Length)));
    }
    Layout {
        name: "hold-statistics",
        title: "How long people were held past T0",
        columns,
        nothing: "No hold started in this period.",
    }
}

type Pick = fn(&pb::DurationsByReading) -> Option<&pb::DurationStatistics>;

/// Holds of one reading, by one end.
struct Part {
    /// The names of count, sum, mean, median, p90 and max.
    names: [&'static str; 6],
    /// Its count stands among the columns for people.
    skip_count: bool,
    by_release: bool,
    pick: Pick,
}

macro_rules! part {
    ($part:literal, $end:literal, $skip:literal, $pick:expr) => {
        Part {
            names: [
                concat!($part, "_count", $end),
                concat!($part, "_sum", $end),
                concat!($part, "_mean", $end),
                concat!($part, "_median", $end),
                concat!($part, "_p90", $end),
                concat!($part, "_max", $end),
            ],
            skip_count: $skip,
            by_release: !$end.is_empty(),
            pick: $pick,
        }
    };
}

/// Each end with each reading, in the order of the columns.
const PARTS: [Part; 9] = [
    part!("within_contiguous", "", false, |of| of.within_contiguous.as_ref()),
    part!("past_contiguous", "", true, |of| of.past_contiguous.as_ref()),
    part!("within_business", "", false, |of| of.within_business.as_ref()),
    part!("past_business", "", true, |of| of.past_business.as_ref()),
    part!("all", "_by_release", false, |of| of.all.as_ref()),
    part!("within_contiguous", "_by_release", false, |of| of.within_contiguous.as_ref()),
    part!("past_contiguous", "_by_release", false, |of| of.past_contiguous.as_ref()),
    part!("within_business", "_by_release", false, |of| of.within_business.as_ref()),
    part!("past_business", "_by_release", false, |of| of.past_business.as_ref()),
];

/// One slice.
#[must_use]
pub fn row(row: &pb::HoldStatisticsRow) -> Vec<Cell> {
    cells(row, key_cells(&row.keys))
}

/// All slices together, under so many keys.
#[must_use]
pub fn total(row: &pb::HoldStatisticsRow, keys: usize) -> Vec<Cell> {
    cells(row, total_cells(keys))
}

fn cells(row: &pb::HoldStatisticsRow, mut cells: Vec<Cell>) -> Vec<Cell> {
    let (own, release) = (row.by_hold_end.unwrap_or_default(), row.by_release.unwrap_or_default());
    let all = own.all.unwrap_or_default();
    let count = |part: Option<&pb::DurationStatistics>| Cell::Int(part.map_or(0, |part| part.count));
    cells.extend([
        Cell::Int(row.hold_count),
        Cell::Int(row.running_count),
        Cell::length(all.mean.as_ref()),
        Cell::length(all.median.as_ref()),
        Cell::length(all.p90.as_ref()),
        Cell::length(all.max.as_ref()),
        count(own.past_contiguous.as_ref()),
        count(own.past_business.as_ref()),
        Cell::length(all.sum.as_ref()),
        Cell::Int(row.unreleased_count),
    ]);
    for Part { skip_count, by_release, pick, .. } in &PARTS {
        let of = pick(if *by_release { &release } else { &own }).copied().unwrap_or_default();
        if !skip_count {
            cells.push(Cell::Int(of.count));
        }
        let lengths = [&of.sum, &of.mean, &of.median, &of.p90, &of.max];
        cells.extend(lengths.map(|length| Cell::length(length.as_ref())));
    }
    cells
}
