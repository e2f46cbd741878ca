//! What the ledger reads: bookings folded from their own records, counties from their rows, and which bookings a change
//! may concern.

use super::LedgerError;
use super::memory::{Era, Settle};
use crate::domain::booking::Booking;
use crate::domain::decide::Affected;
use crate::domain::evolve;
use crate::domain::ids::{BookingId, CountyId, SubjectId};
use crate::domain::time::{Instant, Span, day_number};
use crate::journal::record::{Record, Stream};
use crate::rows::tables::{BOOKINGS, BUDGETS, JOURNAL, SETTINGS};
use crate::rows::{Cell, ColType, Table, Version, state};
use crate::store::{Param, Store, StoreError, Tx};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Bookings whose records are in memory at the same time.
const CHUNK: usize = 256;
/// Records read by one statement.
const RECORDS: i64 = 1_000;

/// Where to read: inside a transaction, or beside all of them.
pub(super) enum Reader<'a> {
    Tx(&'a mut Tx),
    Store(&'a Store),
}

impl Reader<'_> {
    async fn rows_by(
        &mut self,
        table: &'static Table,
        by: &[&'static str],
        keys: &[Vec<Cell>],
        tail: &'static str,
    ) -> Result<Vec<Version>, StoreError> {
        match self {
            Self::Tx(tx) => tx.rows_by(table, by, keys, tail).await,
            Self::Store(store) => store.rows_by(table, by, keys, tail).await,
        }
    }

    async fn rows(&mut self, table: &'static Table, tail: &'static str, params: &[Param]) -> Result<Vec<Version>, StoreError> {
        match self {
            Self::Tx(tx) => tx.rows(table, tail, params).await,
            Self::Store(store) => store.rows(table, tail, params).await,
        }
    }

    async fn query(&mut self, sql: &'static str, params: &[Param], types: &[ColType]) -> Result<Vec<Vec<Cell>>, StoreError> {
        match self {
            Self::Tx(tx) => tx.query(sql, params, types).await,
            Self::Store(store) => store.query(sql, params, types).await,
        }
    }

    /// Bookings as they are after a sequence; those that are not there then are missing from the answer.
    pub async fn bookings(
        &mut self,
        county: &CountyId,
        ids: &[BookingId],
        seq: i64,
    ) -> Result<HashMap<BookingId, Arc<Booking>>, LedgerError> {
        let mut found = HashMap::with_capacity(ids.len());
        for chunk in ids.chunks(CHUNK) {
            let key = |id: &BookingId| vec![Cell::from(county.as_str()), Stream::Booking(id.clone()).key().into()];
            let keys: Vec<Vec<Cell>> = chunk.iter().map(key).collect();
            let rows = self.rows_by(&JOURNAL, &["county", "stream"], &keys, "order by t.stream, t.seq").await?;
            let mut at: Option<Booking> = None;
            for row in &rows {
                let record = record(&row.row)?;
                let Stream::Booking(id) = &record.stream else { continue };
                if at.as_ref().is_some_and(|booking| booking.id != *id) {
                    found.extend(at.take().map(|booking| (booking.id.clone(), Arc::new(booking))));
                }
                if record.seq <= seq {
                    for event in &record.events {
                        at = evolve::booking(at, record.seq, event);
                    }
                }
            }
            found.extend(at.map(|booking| (booking.id.clone(), Arc::new(booking))));
        }
        Ok(found)
    }

    /// Records after one and up to another, in order.
    pub async fn records(&mut self, county: &CountyId, after: i64, up_to: i64, limit: usize) -> Result<Vec<Record>, LedgerError> {
        let mut records = Vec::new();
        let mut after = after;
        while after < up_to && records.len() < limit {
            let size = i64::try_from(limit - records.len()).map_or(RECORDS, |left| left.min(RECORDS));
            let params = [Param::from(county.as_str()), Param::from(after), Param::from(up_to), Param::from(size)];
            let tail = "where t.county = $1 and t.seq > $2 and t.seq <= $3 order by t.seq limit $4";
            let rows = self.rows(&JOURNAL, tail, &params).await?;
            for row in &rows {
                records.push(record(&row.row)?);
            }
            match records.last() {
                Some(last) if !rows.is_empty() => after = last.seq,
                _ => break,
            }
        }
        Ok(records)
    }

    /// The records of some bookings after one and up to another, in order.
    pub async fn since(
        &mut self,
        county: &CountyId,
        ids: &[BookingId],
        after: i64,
        up_to: i64,
    ) -> Result<HashMap<BookingId, Vec<Record>>, LedgerError> {
        let mut found: HashMap<BookingId, Vec<Record>> = HashMap::new();
        for chunk in ids.chunks(CHUNK) {
            let key = |id: &BookingId| vec![Cell::from(county.as_str()), Stream::Booking(id.clone()).key().into()];
            let keys: Vec<Vec<Cell>> = chunk.iter().map(key).collect();
            for row in self.rows_by(&JOURNAL, &["county", "stream"], &keys, "order by t.stream, t.seq").await? {
                let seq = row.row.get("seq").and_then(Cell::as_int).unwrap_or(0);
                if after < seq && seq <= up_to {
                    let record = record(&row.row)?;
                    if let Stream::Booking(id) = &record.stream {
                        found.entry(id.clone()).or_default().push(record);
                    }
                }
            }
        }
        Ok(found)
    }

    /// The county's own records after one and up to another, in order.
    pub async fn own_since(&mut self, county: &CountyId, after: i64, up_to: i64) -> Result<Vec<Record>, LedgerError> {
        let params = [Param::from(county.as_str()), Param::from(Stream::County.key()), Param::from(after), Param::from(up_to)];
        let tail = "where t.county = $1 and t.stream = $2 and t.seq > $3 and t.seq <= $4 order by t.seq";
        let rows = self.rows(&JOURNAL, tail, &params).await?;
        rows.iter().map(|row| record(&row.row)).collect()
    }

    /// A county as it is after a sequence, from its rows, and from when to when it is so. Where an earlier state is
    /// known, only what came since is read.
    pub async fn county(&mut self, county: &CountyId, known: Option<&Era>, seq: i64) -> Result<Era, LedgerError> {
        // An era says how the county is up to the record before its end.
        let start = known.filter(|era| era.to <= seq).and_then(|era| Some((era.county.as_deref()?, era.to - 1)));
        let after = start.map_or(0, |(_, after)| after);
        let params = [Param::from(county.as_str()), Param::from(after), Param::from(seq)];
        let then = "where t.county = $1 and t.from_seq > $2 and t.from_seq <= $3 and (t.to_seq is null or t.to_seq > $3)";
        let settings = self.rows(&SETTINGS, then, &params).await?;
        let budgets = self.rows(&BUDGETS, then, &params).await?;
        // Whatever ends has a successor from the same record on.
        let sql = "select (select max(from_seq) from settings where county = $1 and from_seq <= $2), \
                   (select max(from_seq) from budgets where county = $1 and from_seq <= $2), \
                   (select min(from_seq) from settings where county = $1 and from_seq > $2), \
                   (select min(from_seq) from budgets where county = $1 and from_seq > $2)";
        let edges = self.query(sql, &[county.as_str().into(), seq.into()], &[ColType::Int; 4]).await?;
        let edge = |n: usize| edges.first().and_then(|row| row.get(n)?.as_int());
        let read = match start {
            Some((start, _)) => state::county_after(start.clone(), &settings, &budgets).map(Some),
            None => state::read_county(county, &settings, &budgets),
        };
        let state = read.map_err(|bad| LedgerError::BadSetting(Arc::new(bad)))?.map(Arc::new);
        let from = edge(0).max(edge(1)).unwrap_or(0);
        let to = [edge(2), edge(3)].into_iter().flatten().min().unwrap_or(i64::MAX);
        Ok(Era { from, to, county: state })
    }

    /// The bookings of subjects, by subject.
    pub async fn stays(
        &mut self,
        county: &CountyId,
        subjects: &BTreeSet<SubjectId>,
    ) -> Result<BTreeMap<SubjectId, Vec<BookingId>>, LedgerError> {
        let keys: Vec<Vec<Cell>> =
            subjects.iter().map(|subject| vec![Cell::from(county.as_str()), subject.as_str().into()]).collect();
        let mut stays: BTreeMap<SubjectId, Vec<BookingId>> =
            subjects.iter().map(|subject| (subject.clone(), Vec::new())).collect();
        for version in self.rows_by(&BOOKINGS, &["county", "subject"], &keys, "and t.to_seq is null").await? {
            let word = |name| version.row.get(name).and_then(Cell::as_text);
            let (Some(subject), Some(booking)) = (word("subject"), word("booking")) else { continue };
            if let Some(known) = stays.get_mut(&SubjectId::trusted(subject)) {
                known.push(BookingId::trusted(booking));
            }
        }
        Ok(stays)
    }

    /// Bookings that may have to follow a change: all that do, and some that do not.
    pub async fn may_follow(&mut self, county: &CountyId, affected: &Affected) -> Result<BTreeSet<BookingId>, LedgerError> {
        let mut found = BTreeSet::new();
        if affected.open_detainers {
            let sql = "select distinct d.booking from detainers d \
                       join bookings b on b.county = d.county and b.booking = d.booking and b.to_seq is null \
                       where d.county = $1 and d.to_seq is null and (d.closed_at is null or d.closed_at > $2) \
                       and (b.ended_at is null or b.ended_at > $2)";
            self.ids(&mut found, sql, &[county.as_str().into(), affected.since.into()]).await?;
        }
        if let Some((since, _)) = &affected.costs_since {
            // A day before it by UTC is before its start in any zone.
            let day = Instant::from_micros((i64::from(day_number(*since)) - 1) * crate::domain::time::DAY_US);
            let sql =
                "select booking from bookings where county = $1 and to_seq is null and gap_end is not null and gap_end > $2";
            self.ids(&mut found, sql, &[county.as_str().into(), day.into()]).await?;
        }
        Ok(found)
    }

    async fn ids(&mut self, into: &mut BTreeSet<BookingId>, sql: &'static str, params: &[Param]) -> Result<(), LedgerError> {
        let rows = self.query(sql, params, &[ColType::Text]).await?;
        into.extend(rows.iter().filter_map(|row| row.first()?.as_text()).map(BookingId::trusted));
        Ok(())
    }

    /// Bookings that may have a balance to settle.
    pub async fn unsettled(&mut self, county: &CountyId) -> Result<Settle, LedgerError> {
        let sql = "select booking, settle_at from bookings where county = $1 and to_seq is null and settle_at is not null";
        let mut settle = Settle::default();
        for row in self.query(sql, &[county.as_str().into()], &[ColType::Text, ColType::Int]).await? {
            if let [booking, at] = row.as_slice()
                && let (Some(booking), Some(at)) = (booking.as_text(), at.as_int())
            {
                settle.set(&BookingId::trusted(booking), Some(Instant::from_micros(at)));
            }
        }
        Ok(settle)
    }

    /// The last effective time of a decision in a span.
    pub async fn decided_in(&mut self, county: &CountyId, span: Span) -> Result<Option<Instant>, LedgerError> {
        let sql = "select max(effective_at) from decisions where county = $1 and effective_at >= $2 and effective_at < $3";
        let params = [Param::from(county.as_str()), span.start.into(), span.end.into()];
        let rows = self.query(sql, &params, &[ColType::Int]).await?;
        Ok(rows.first().and_then(|row| row.first()?.as_int()).map(Instant::from_micros))
    }
}

fn record(row: &crate::rows::Row) -> Result<Record, LedgerError> {
    let seq = row.get("seq").and_then(Cell::as_int).unwrap_or(0);
    let bytes = row.get("payload").and_then(Cell::as_bytes).unwrap_or_default();
    Record::decode(bytes).map_err(|error| LedgerError::Unreadable { seq, error })
}
