//! The tables of bookings, folded stream by stream.

use super::{Report, compare};
use crate::domain::booking::Booking;
use crate::domain::county::County;
use crate::domain::event::Event;
use crate::domain::evolve;
use crate::domain::ids::BookingId;
use crate::journal::record::{Record, Stream};
use crate::rows::tables::{BOOKINGS, JOURNAL, POSTINGS, PROJECTIONS};
use crate::rows::{Batch, Cell, ColType, Kind, Row, Table, Version, state};
use crate::store::{Param, Store, StoreError};
use std::collections::BTreeMap;

/// Streams folded at a time.
const PART: usize = 64;
/// Rows without a stream that are told, for each table.
const STRAYS: i64 = 100;

/// The tables that tell of bookings.
pub(super) fn tables() -> impl Iterator<Item = &'static Table> {
    PROJECTIONS.iter().copied().filter(|table| table.columns().any(|column| column.name == "booking"))
}

/// Tells every difference between what the streams give and what is stored.
///
/// `county` is as it was after its last record. What the rows of a booking take from it never changes once it is in
/// use: the zone of a facility, the mode of a revision.
pub(super) async fn compare(store: &Store, upto: i64, county: &County, report: &mut Report<'_>) -> Result<(), StoreError> {
    let mut after = String::new();
    loop {
        let sql = "select distinct stream from journal where county = $1 and stream > $2 and seq <= $3 order by stream limit $4";
        let limit = Param::from(i64::try_from(PART).unwrap_or(i64::MAX));
        let params = [report.county.as_str().into(), Param::from(after.as_str()), Param::from(upto), limit];
        let names = store.query(sql, &params, &[ColType::Text]).await?;
        let names: Vec<&str> = names.iter().filter_map(|row| row.first()?.as_text()).collect();
        let Some(last) = names.last() else { break };
        part(store, upto, county, &names, report).await?;
        (*last).clone_into(&mut after);
    }
    strays(store, upto, report).await
}

async fn part(store: &Store, upto: i64, county: &County, names: &[&str], report: &mut Report<'_>) -> Result<(), StoreError> {
    let own: Cell = report.county.as_str().into();
    let own = || own.clone();
    let keys: Vec<Vec<Cell>> = names.iter().map(|name| vec![own(), Cell::from(*name)]).collect();
    let rows = store.rows_by(&JOURNAL, &["county", "stream"], &keys, "order by t.seq").await?;
    let mut streams: BTreeMap<BookingId, Vec<Record>> = BTreeMap::new();
    let mut places: Vec<Vec<Cell>> = Vec::new();
    // Every one of these was read once already, when the journal was folded.
    let records = rows.iter().filter_map(|version| Record::decode(version.row.get("payload")?.as_bytes()?).ok());
    for record in records.filter(|record| record.seq <= upto) {
        if let Stream::Booking(id) = record.stream.clone() {
            places.push(vec![own(), record.seq.into()]);
            streams.entry(id).or_default().push(record);
        }
    }
    let bookings: Vec<Vec<Cell>> = streams.keys().map(|id| vec![own(), Cell::from(id.as_str())]).collect();
    let mut stored = Vec::new();
    for table in tables() {
        // Postings are found by the records that made them; nothing leads from a booking to them.
        let (by, keys) = if table == &POSTINGS { ("seq", &places) } else { ("booking", &bookings) };
        let rows = store.rows_by(table, &["county", by], keys, "").await?;
        let recorded = |version: &Version| table.kind == Kind::Versioned || number(&version.row, "seq") <= upto;
        stored.extend(compare::as_of(upto, rows).filter(recorded));
    }

    let mut batch = Batch::new();
    for (id, records) in &streams {
        if !fold(&mut batch, county, records) {
            let row = Row::new(&BOOKINGS, vec![own(), Cell::from(id.as_str())], Vec::new());
            report.tell(compare::place(&row), "its stream gives two rows one key");
        }
    }
    compare::compare(compare::of_batch(&batch), stored, report);
    Ok(())
}

fn number(row: &Row, name: &str) -> i64 {
    row.get(name).and_then(Cell::as_int).unwrap_or(0)
}

/// Folds one stream, command by command, and adds the rows of its whole history. Whether that went well.
fn fold(batch: &mut Batch, county: &County, records: &[Record]) -> bool {
    let mut now: Option<Booking> = None;
    for command in records.chunk_by(|a, b| a.last_seq == b.last_seq) {
        let before = now.clone();
        for record in command {
            for event in &record.events {
                now = evolve::booking(now, record.seq, event);
            }
        }
        let (Some(after), Some(last)) = (&now, command.last()) else { continue };
        let events: Vec<&[Event]> = command.iter().map(|record| record.events.as_slice()).collect();
        let touched = state::Touched { before: before.as_ref(), after, events };
        if state::command(batch, Some(county), county, [touched], last.last_seq).is_err() {
            return false;
        }
    }
    true
}

/// Tells rows of bookings that no record speaks of.
pub(super) async fn strays(store: &Store, upto: i64, report: &mut Report<'_>) -> Result<(), StoreError> {
    let of_booking = "where t.county = $1 and not exists (select 1 from journal j where j.county = t.county \
                      and j.stream = 'b/' || t.booking) limit $2";
    let of_record = "where t.county = $1 and not exists (select 1 from journal j where j.county = t.county and j.seq = t.seq) \
                     limit $2";
    for table in tables() {
        let tail = if table == &POSTINGS { of_record } else { of_booking };
        let params = [report.county.as_str().into(), Param::from(STRAYS)];
        let rows: Vec<Version> = compare::as_of(upto, store.rows(table, tail, &params).await?).collect();
        compare::compare(Vec::new(), rows, report);
    }
    Ok(())
}
