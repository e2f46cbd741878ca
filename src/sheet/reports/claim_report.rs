//! What agreements owe and what became of it, with what is outstanding by the days since it was billed.

use super::{Layout, amount};
use crate::pb;
use crate::sheet::names;
use crate::sheet::table::{Cell, Column, Kind, Table, column, more};

/// The columns that say what is owed.
const OWED: [&str; 6] = ["agreement", "owed", "unclaimed", "expired", "assembled", "billed"];
/// Those that say what became of what was billed.
const BILLED: [&str; 7] = ["agreement", "billed", "paid", "written_off", "outstanding", "denied", "disputed"];
/// Those that say since when it is outstanding.
const AGES: [&str; 5] = ["agreement", "age_0_to_30", "age_31_to_60", "age_61_to_90", "age_91_on"];
/// The first days of the ages.
const FROM: [i32; 4] = [0, 31, 61, 91];

/// What it looks like.
#[must_use]
pub fn layout() -> Layout {
    let columns = vec![
        column("agreement", "AGREEMENT"),
        amount("owed", "OWED"),
        amount("unclaimed", "IN NO CLAIM"),
        amount("expired", "TOO LATE"),
        amount("assembled", "NOT BILLED"),
        amount("billed", "BILLED"),
        amount("paid", "PAID"),
        amount("written_off", "GIVEN UP"),
        amount("outstanding", "OUTSTANDING"),
        amount("denied", "DENIED"),
        amount("disputed", "DISPUTED"),
        amount("age_0_to_30", "UP TO 30 DAYS"),
        amount("age_31_to_60", "31 TO 60"),
        amount("age_61_to_90", "61 TO 90"),
        amount("age_91_on", "91 AND MORE"),
        more("claim_count").of(Kind::Int),
        more("claims_0_to_30").of(Kind::Int),
        more("claims_31_to_60").of(Kind::Int),
        more("claims_61_to_90").of(Kind::Int),
        more("claims_91_on").of(Kind::Int),
        more("date").of(Kind::Day),
        more("currency"),
    ];
    Layout {
        name: "claim-report",
        title: "What agreements owe, and what became of it",
        columns,
        nothing: "No agreement owes anything.",
    }
}

/// One agreement, with ages counted to a day.
#[must_use]
pub fn row(row: &pb::ClaimReportRow, date: Option<&pb::Date>) -> Vec<Cell> {
    cells(row, Cell::text(names::id(&row.agreement)), date)
}

/// All agreements together.
#[must_use]
pub fn total(row: &pb::ClaimReportRow, date: Option<&pb::Date>) -> Vec<Cell> {
    cells(row, Cell::text("total"), date)
}

fn cells(row: &pb::ClaimReportRow, called: Cell, date: Option<&pb::Date>) -> Vec<Cell> {
    let money = |money: &Option<pb::Money>| Cell::money(money.as_ref());
    let age = |from: i32| row.ages.iter().find(|age| age.from_days == from);
    let mut cells = vec![
        called,
        money(&row.owed),
        money(&row.unclaimed),
        money(&row.expired),
        money(&row.assembled),
        money(&row.billed),
        money(&row.paid),
        money(&row.written_off),
        money(&row.outstanding),
        money(&row.denied),
        money(&row.disputed),
    ];
    cells.extend(FROM.map(|from| age(from).map_or(Cell::Empty, |age| money(&age.outstanding))));
    cells.push(Cell::Int(row.claim_count));
    cells.extend(FROM.map(|from| age(from).map_or(Cell::Empty, |age| Cell::Int(age.claim_count))));
    cells.extend([Cell::day(date), super::currency_of(row.owed.as_ref())]);
    cells
}

/// A whole report as three tables that fit on a screen: what is owed, what became of what was billed, since when it is
/// outstanding.
#[must_use]
pub fn for_screens(whole: &Table) -> [Table; 3] {
    let part = |title: &str, keys: &[&str]| {
        let place = |key: &&str| whole.columns.iter().position(|column| column.key == *key);
        let places: Vec<usize> = keys.iter().filter_map(place).collect();
        let of = |row: &Vec<Cell>| places.iter().filter_map(|n| row.get(*n).cloned()).collect::<Vec<Cell>>();
        let columns: Vec<Column> = places.iter().filter_map(|n| whole.columns.get(*n).copied()).collect();
        Table {
            title: title.to_owned(),
            columns,
            rows: whole.rows.iter().map(of).collect(),
            total: whole.total.as_ref().map(of),
            nothing: whole.nothing,
            ..Table::default()
        }
    };
    [
        part("What agreements owe", &OWED),
        part("What became of what was billed", &BILLED),
        part("What is outstanding, by days since it was billed", &AGES),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_for_screens_leave_no_column_for_people_out() {
        let whole = layout();
        let shown: Vec<&str> = whole.columns.iter().filter(|column| !column.more).map(|column| column.key).collect();
        for key in OWED.iter().chain(&BILLED).chain(&AGES) {
            assert!(whole.place(key).is_some(), "{key}");
        }
        for key in shown {
            assert!(OWED.contains(&key) || BILLED.contains(&key) || AGES.contains(&key), "{key}");
        }
    }

    #[test]
    fn ages_stand_under_their_own_days_in_whatever_order_they_come() {
        let money = |cents| Some(pb::Money { currency_code: "USD".into(), cents });
        let age = |from_days, cents| pb::ClaimAge { from_days, to_days: 0, claim_count: 1, outstanding: money(cents) };
        let told = pb::ClaimReportRow { ages: vec![age(91, 7), age(0, 5)], ..pb::ClaimReportRow::default() };
        let cells = row(&told, None);
        let at = |key: &str| cells[layout().place(key).unwrap()].clone();
        assert_eq!((at("age_0_to_30"), at("age_91_on")), (Cell::Money("USD".into(), 5), Cell::Money("USD".into(), 7)));
        assert_eq!((at("age_31_to_60"), at("claims_91_on")), (Cell::Empty, Cell::Int(1)));
        assert_eq!(cells.len(), layout().columns.len());
    }
}
