//! What a report reads of the tables, as of one record: never too little, perhaps a little too much. The functions beside
//! this decide what counts.
//!
//! Names come in pages: pass the last one of a page to get the next. How much is read grows with what is reported, not
//! with the county's past.

use super::Query;
use crate::domain::claim::lines::Reach;
use crate::domain::ids::{AgreementId, BookingId, CountyId, HoldId};
use crate::domain::money::Cents;
use crate::domain::time::{DAY_US, Date, Instant, Span, Zone, day_number};
use crate::rows::{Cell, ColType};
use crate::store::{Param, Store, StoreError};

pub(super) fn days(query: &Query) -> (Param, Param) {
    (i64::from(day_number(query.start)).into(), i64::from(day_number(query.end)).into())
}

/// The days asked for as instants. Local days begin and end within a day of those of UTC, wherever the jail is.
fn around(query: &Query) -> (Instant, Instant) {
    (Zone::UTC.start_of(query.start).plus_us(-DAY_US), Zone::UTC.start_of(query.end).plus_us(DAY_US))
}

/// Bookings with custody after T0 that may touch the days asked for: what the cost report, cost lines and the
/// over-detention report read. Custody that has ended is found by its postings, custody that goes on by its T0.
///
/// # Errors
/// [`StoreError`] where the database cannot answer.
pub async fn with_custody(
    store: &Store,
    county: &CountyId,
    seq: i64,
    query: &Query,
    after: Option<&BookingId>,
    limit: u32,
) -> Result<Vec<BookingId>, StoreError> {
    let ((first, last), before) = (days(query), around(query).1.min(query.until));
    // Every id sorts after the empty word.
    let after = after.map_or("", BookingId::as_str);
    let params = [county.as_str().into(), seq.into(), first, last, before.into(), after.into(), i64::from(limit).into()];
    let text = if query.by_books { BOOKED } else { CUSTODY };
    bookings(&store.query(text, &params, &[ColType::Text]).await?)
}

/// Bookings whose custody after T0 goes on, from no later than an instant: no row says yet what it costs.
///
/// # Errors
/// [`StoreError`] where the database cannot answer.
pub async fn open(
    store: &Store,
    county: &CountyId,
    seq: i64,
    until: Instant,
    after: Option<&BookingId>,
    limit: u32,
) -> Result<Vec<BookingId>, StoreError> {
    let after = after.map_or("", BookingId::as_str);
    let params = [county.as_str().into(), seq.into(), until.into(), after.into(), i64::from(limit).into()];
    bookings(&store.query(OPEN, &params, &[ColType::Text]).await?)
}

/// Bookings in custody at some moment of a stretch, wherever.
///
/// # Errors
/// [`StoreError`] where the database cannot answer.
pub async fn in_custody(
    store: &Store,
    county: &CountyId,
    seq: i64,
    span: Span,
    after: Option<&BookingId>,
    limit: u32,
) -> Result<Vec<BookingId>, StoreError> {
    let after = after.map_or("", BookingId::as_str);
    let params = [county.as_str().into(), seq.into(), span.end.into(), span.start.into(), after.into(), i64::from(limit).into()];
    bookings(&store.query(IN_CUSTODY, &params, &[ColType::Text]).await?)
}

/// Bookings in custody at some moment of the days asked for, or with a request received on one of them.
///
/// # Errors
/// [`StoreError`] where the database cannot answer.
pub async fn of_jails(
    store: &Store,
    county: &CountyId,
    seq: i64,
    query: &Query,
    after: Option<&BookingId>,
    limit: u32,
) -> Result<Vec<BookingId>, StoreError> {
    let ((first, last), (from, end)) = (days(query), around(query));
    let after = after.map_or("", BookingId::as_str);
    let (end, limit) = (end.min(query.until.plus_us(1)), i64::from(limit));
    let params = [county.as_str().into(), seq.into(), end.into(), from.into(), first, last, after.into(), limit.into()];
    bookings(&store.query(OF_JAILS, &params, &[ColType::Text]).await?)
}

/// Bookings in custody at an instant for which a request is open then.
///
/// # Errors
/// [`StoreError`] where the database cannot answer.
pub async fn with_request(
    store: &Store,
    county: &CountyId,
    seq: i64,
    at: Instant,
    after: Option<&BookingId>,
    limit: u32,
) -> Result<Vec<BookingId>, StoreError> {
    let after = after.map_or("", BookingId::as_str);
    let params = [county.as_str().into(), seq.into(), at.into(), after.into(), i64::from(limit).into()];
    bookings(&store.query(WITH_REQUEST, &params, &[ColType::Text]).await?)
}

/// Bookings that policies are compared by: those with custody after T0 that may touch the days asked for, and those with a
/// request that may have been open on one of them.
///
/// # Errors
/// [`StoreError`] where the database cannot answer.
pub async fn concerned(
    store: &Store,
    county: &CountyId,
    seq: i64,
    query: &Query,
    after: Option<&BookingId>,
    limit: u32,
) -> Result<Vec<BookingId>, StoreError> {
    let mut params = concerning(county, seq, query);
    params.extend([after.map_or("", BookingId::as_str).into(), i64::from(limit).into()]);
    bookings(&store.query(CONCERNED, &params, &[ColType::Text]).await?)
}

/// How many [`concerned`] names in all.
///
/// # Errors
/// [`StoreError`] where the database cannot answer.
pub async fn concerned_count(store: &Store, county: &CountyId, seq: i64, query: &Query) -> Result<i64, StoreError> {
    let rows = store.query(CONCERNED_COUNT, &concerning(county, seq, query), &[ColType::Int]).await?;
    Ok(rows.first().and_then(|row| row.first()?.as_int()).unwrap_or(0))
}

fn concerning(county: &CountyId, seq: i64, query: &Query) -> Vec<Param> {
    let ((first, last), (from, end)) = (days(query), around(query));
    vec![county.as_str().into(), seq.into(), first, last, end.min(query.until.plus_us(1)).into(), from.into()]
}

fn bookings(rows: &[Vec<Cell>]) -> Result<Vec<BookingId>, StoreError> {
    Ok(rows.iter().filter_map(|row| row.first().and_then(Cell::as_text)).map(BookingId::trusted).collect())
}

/// Bookings with postings of an agreement that a claim may take: by name, after one.
///
/// # Errors
/// [`StoreError`] where the database cannot answer.
pub async fn owed(
    store: &Store,
    county: &CountyId,
    agreement: &AgreementId,
    reach: &Reach,
    after: Option<&BookingId>,
    limit: u32,
) -> Result<Vec<BookingId>, StoreError> {
    let day = |date: Option<Date>, otherwise: i64| date.map_or(otherwise, |date| i64::from(day_number(date)));
    let params = [
        county.as_str().into(),
        agreement.as_str().into(),
        reach.through.into(),
        day(reach.end, i64::MAX).into(),
        reach.after.into(),
        day(reach.start, i64::MIN).into(),
        after.map_or("", BookingId::as_str).into(),
        i64::from(limit).into(),
    ];
    bookings(&store.query(OWED, &params, &[ColType::Text]).await?)
}

/// What the postings of each agreement come to, as of a record.
///
/// # Errors
/// [`StoreError`] where the database cannot answer.
pub async fn owed_in_all(store: &Store, county: &CountyId, seq: i64) -> Result<Vec<(AgreementId, Cents)>, StoreError> {
    let rows = store.query(OWED_IN_ALL, &[county.as_str().into(), seq.into()], &[ColType::Text, ColType::Int]).await?;
    let read = |row: &Vec<Cell>| Some((AgreementId::trusted(row.first()?.as_text()?), Cents::new(row.get(1)?.as_int()?)));
    Ok(rows.iter().filter_map(read).collect())
}

/// A hold as the register orders them: by start, booking and name.
pub type HoldKey = (Instant, BookingId, HoldId);

/// Holds that may have started on the days asked for, by start, booking and name.
///
/// # Errors
/// [`StoreError`] where the database cannot answer.
pub async fn holds(
    store: &Store,
    county: &CountyId,
    seq: i64,
    query: &Query,
    after: Option<&HoldKey>,
    limit: u32,
) -> Result<Vec<HoldKey>, StoreError> {
    let (first, last) = around(query);
    let (start, booking, hold) = after.map_or((Instant::MIN, "", ""), |(at, b, h)| (*at, b.as_str(), h.as_str()));
    let params = [
        county.as_str().into(),
        seq.into(),
        first.into(),
        last.min(query.until.plus_us(1)).into(),
        start.into(),
        booking.into(),
        hold.into(),
        i64::from(limit).into(),
    ];
    let rows = store.query(HOLDS, &params, &[ColType::Int, ColType::Text, ColType::Text]).await?;
    let read = |row: &Vec<Cell>| {
        let [start, booking, hold] = row.as_slice() else { return None };
        let start = Instant::from_micros(start.as_int()?);
        Some((start, BookingId::trusted(booking.as_text()?), HoldId::trusted(hold.as_text()?)))
    };
    Ok(rows.iter().filter_map(read).collect())
}

macro_rules! with_custody {
    ($day:literal) => {
        concat!(
            "select distinct f.booking from (\
     select p.booking from postings p where p.county = $1 and p.seq <= $2 and p.",
            $day,
            " >= $3 and p.",
            $day,
            " < $4 \
     union all \
     select b.booking from bookings b where b.county = $1 and b.from_seq <= $2 \
     and (b.to_seq is null or b.to_seq > $2) and b.t0 < $5) f \
     where f.booking > $6 order by f.booking limit $7"
        )
    };
}

const CUSTODY: &str = with_custody!("local_day");

const BOOKED: &str = with_custody!("accounted_day");

macro_rules! concerned {
    () => {
        "with f as (\
     select p.booking from postings p where p.county = $1 and p.seq <= $2 and p.local_day >= $3 and p.local_day < $4 \
     union \
     select b.booking from bookings b where b.county = $1 and b.from_seq <= $2 \
     and (b.to_seq is null or b.to_seq > $2) and b.t0 < $5 \
     union \
     select d.booking from detainers d join bookings b on b.county = d.county and b.booking = d.booking \
     and b.from_seq <= $2 and (b.to_seq is null or b.to_seq > $2) \
     where d.county = $1 and d.from_seq <= $2 and (d.to_seq is null or d.to_seq > $2) and d.received_at < $5 \
     and (d.received_at >= $6 or ((d.closed_at is null or d.closed_at > $6) and (b.ended_at is null or b.ended_at > $6))))"
    };
}

const CONCERNED: &str = concat!(concerned!(), " select f.booking from f where f.booking > $7 order by f.booking limit $8");

const CONCERNED_COUNT: &str = concat!(concerned!(), " select cast(count(*) as bigint) from f");

const OWED: &str = "select distinct p.booking from postings p where p.county = $1 and p.agreement = $2 and p.seq <= $3 \
     and p.local_day < $4 and (p.seq > $5 or p.local_day >= $6) and p.booking > $7 order by p.booking limit $8";

const OWED_IN_ALL: &str = "select p.agreement, cast(sum(p.covered_cents) as bigint) from postings p \
     where p.county = $1 and p.agreement is not null and p.seq <= $2 group by p.agreement order by p.agreement";

const IN_CUSTODY: &str = "select b.booking from bookings b where b.county = $1 and b.from_seq <= $2 \
     and (b.to_seq is null or b.to_seq > $2) and b.booked_at < $3 and (b.ended_at is null or b.ended_at > $4) \
     and b.booking > $5 order by b.booking limit $6";

const OF_JAILS: &str = "select f.booking from (\
     select b.booking from bookings b where b.county = $1 and b.from_seq <= $2 and (b.to_seq is null or b.to_seq > $2) \
     and b.booked_at < $3 and (b.ended_at is null or b.ended_at > $4) \
     union \
     select d.booking from detainers d where d.county = $1 and d.from_seq <= $2 and (d.to_seq is null or d.to_seq > $2) \
     and d.received_day >= $5 and d.received_day < $6 and d.received_at < $3) f \
     where f.booking > $7 order by f.booking limit $8";

const WITH_REQUEST: &str = "select distinct d.booking from detainers d \
     join bookings b on b.county = d.county and b.booking = d.booking and b.from_seq <= $2 \
     and (b.to_seq is null or b.to_seq > $2) \
     where d.county = $1 and d.from_seq <= $2 and (d.to_seq is null or d.to_seq > $2) and d.received_at <= $3 \
     and (d.closed_at is null or d.closed_at > $3) and b.booked_at <= $3 and (b.ended_at is null or b.ended_at > $3) \
     and d.booking > $4 order by d.booking limit $5";

const OPEN: &str = "select b.booking from bookings b where b.county = $1 and b.from_seq <= $2 \
     and (b.to_seq is null or b.to_seq > $2) and b.t0 <= $3 and b.booking > $4 order by b.booking limit $5";

const HOLDS: &str = "select h.started_at, h.booking, h.hold from holds h where h.county = $1 and h.from_seq <= $2 \
     and (h.to_seq is null or h.to_seq > $2) and h.voided = 0 and h.started_at >= $3 and h.started_at < $4 \
     and (h.started_at > $5 or (h.started_at = $5 and (h.booking > $6 or (h.booking = $6 and h.hold > $7)))) \
     order by h.started_at, h.booking, h.hold limit $8";

#[cfg(test)]
mod tests {
    use super::super::requests::{DECLINED, DUTIES, REQUESTS};
    use super::*;
    use crate::store::{Durability, Options};

    /// SQLite reads no more than a report is about: each text is led by the index that it was written for.
    #[tokio::test]
    async fn every_text_is_led_by_its_index() {
        let folder = tempfile::tempdir().expect("a folder");
        let options = Options { durability: Durability::Unsafe, ..Options::default() };
        let store = Store::open(&format!("sqlite://{}", folder.path().join("t.db").display()), options).await.expect("a store");
        let by = |table: &str, column: &str| {
            format!(
                "with k(k0,k1) as (values ('a','b'),('c','d')) select t.* from k cross join {table} t \
                 where t.county = k.k0 and t.{column} = k.k1"
            )
        };
        let cases = [
            (CUSTODY.to_owned(), vec!["postings_by_day", "bookings_by_t0"]),
            (BOOKED.to_owned(), vec!["postings_accounted", "bookings_by_t0"]),
            (OPEN.to_owned(), vec!["bookings_by_t0"]),
            (OWED.to_owned(), vec!["postings_owed"]),
            (OWED_IN_ALL.to_owned(), vec!["postings_owed"]),
            (HOLDS.to_owned(), vec!["holds_by_start"]),
            (IN_CUSTODY.to_owned(), vec!["autoindex_bookings"]),
            (OF_JAILS.to_owned(), vec!["bookings_by_time", "autoindex_detainers"]),
            (WITH_REQUEST.to_owned(), vec!["autoindex_detainers", "autoindex_bookings"]),
            (REQUESTS.to_owned(), vec!["autoindex_detainers", "autoindex_bookings", "postings_by_booking"]),
            (DECLINED.to_owned(), vec!["autoindex_detainers", "autoindex_bookings"]),
            (DUTIES.to_owned(), vec!["autoindex_detainers"]),
            (by("postings", "booking"), vec!["postings_by_booking"]),
            (by("journal", "stream"), vec!["journal_by_stream"]),
            (by("bookings", "subject") + " and t.to_seq is null", vec!["bookings_by_subject"]),
        ];
        let types = [ColType::Int, ColType::Int, ColType::Int, ColType::Text];
        for (text, indexes) in cases {
            let params: Vec<Param> = (1..=8).take_while(|n| text.contains(&format!("${n}"))).map(|_| 1_i64.into()).collect();
            let plan = store.query(format!("explain query plan {text}"), &params, &types).await.expect("a plan");
            let plan: Vec<&str> = plan.iter().filter_map(|row| row.get(3)?.as_text()).collect();
            for index in indexes {
                assert!(plan.iter().any(|step| step.contains(index)), "{index} does not lead {text}: {plan:?}");
            }
        }
    }
}
