//! Why the cost report changed: one row a record and booking.

use chrono_tz::Tz;
use serde_json::{Value, json};

use super::{Layout, amount, count, instant, length};
use crate::pb;
use crate::sheet::names;
use crate::sheet::table::{Cell, Kind, Table, column, more};

/// What it looks like.
#[must_use]
pub fn layout() -> Layout {
    let columns = vec![
        column("cause", "WHY"),
        column("booking", "BOOKING"),
        column("sequence", "RECORD").of(Kind::Int),
        instant("record_time", "RECORDED"),
        length("duration", "TIME"),
        amount("incurred", "INCURRED"),
        amount("covered", "COVERED"),
        amount("absorbed", "ABSORBED"),
        more("command_sequence").of(Kind::Int),
        more("currency"),
    ];
    Layout { name: "change", title: "Why the cost report changed", columns, nothing: "Nothing changed between these two points." }
}

/// One change. Times are told in UTC: records are the county's, not a facility's.
#[must_use]
pub fn row(change: &pb::Change) -> Vec<Cell> {
    let difference = change.amount.clone().unwrap_or_default();
    let totals = difference.totals.unwrap_or_default();
    let number = |n: i64| if n == 0 { Cell::Empty } else { Cell::Int(n) };
    vec![
        Cell::word::<pb::ChangeCause>(change.cause),
        Cell::text(names::id(&change.booking)),
        number(change.sequence),
        Cell::time(change.record_time.as_ref(), chrono_tz::UTC),
        Cell::length(difference.duration.as_ref()),
        Cell::money(totals.incurred.as_ref()),
        Cell::money(totals.covered.as_ref()),
        Cell::money(totals.absorbed.as_ref()),
        number(change.command_sequence),
        super::currency(&totals),
    ]
}

/// Both figures and what lies between, as a table: before, each cause, after, and what no cause explains.
#[must_use]
pub fn summary(all: &pb::ChangeSummary, zone: Tz) -> Table {
    let columns = vec![
        column("what", "WHAT"),
        count("change_count", "CHANGES"),
        length("duration", "TIME"),
        amount("incurred", "INCURRED"),
        amount("covered", "COVERED"),
        amount("absorbed", "ABSORBED"),
        more("sequence").of(Kind::Int),
        more("accrue_until").of(Kind::Time),
    ];
    let figure = |what: &str, amount: Option<&pb::ChangeAmount>, pair: Option<&pb::AsOfPair>, until| {
        let sequence = pair.map_or(Cell::Empty, |pair| Cell::Int(pair.sequence));
        row_of(Cell::text(what), Cell::Empty, amount, [sequence, Cell::time(until, zone)])
    };
    let (before, after) = (all.before_accrue_until.as_ref(), all.after_accrue_until.as_ref());
    let mut table = Table::new("", columns, "");
    table.rows.push(figure("before", all.before.as_ref(), all.before_pair.as_ref(), before));
    table.rows.extend(all.causes.iter().map(|one| {
        let nothing = [Cell::Empty, Cell::Empty];
        row_of(Cell::word::<pb::ChangeCause>(one.cause), Cell::Int(one.change_count), one.amount.as_ref(), nothing)
    }));
    table.rows.push(figure("after", all.after.as_ref(), all.after_pair.as_ref(), after));
    table.rows.push(figure("residual", all.residual.as_ref(), None, None));
    table
}

fn row_of(what: Cell, count: Cell, amount: Option<&pb::ChangeAmount>, rest: [Cell; 2]) -> Vec<Cell> {
    let amount = amount.cloned().unwrap_or_default();
    let totals = amount.totals.unwrap_or_default();
    let mut cells = vec![
        what,
        count,
        Cell::length(amount.duration.as_ref()),
        Cell::money(totals.incurred.as_ref()),
        Cell::money(totals.covered.as_ref()),
        Cell::money(totals.absorbed.as_ref()),
    ];
    cells.extend(rest);
    cells
}

/// The same for programs.
#[must_use]
pub fn json(all: &pb::ChangeSummary) -> Value {
    let table = summary(all, chrono_tz::UTC);
    let object = |row: &Vec<Cell>| {
        let pairs = table.columns.iter().zip(row).map(|(column, cell)| (column.key.to_owned(), cell.json(false)));
        Value::Object(pairs.collect())
    };
    json!(table.rows.iter().map(object).collect::<Vec<_>>())
}
