//! Which bookings a report has to fold, asked of the tables: never too few, perhaps a few too many. The functions beside
//! this decide what counts.
//!
//! All answers are as of one record, in order of booking, in pages: pass the last booking of one page to get the next.

use super::Query;
use crate::domain::ids::{BookingId, CountyId};
use crate::domain::time::{DAY_US, Zone, day_number};
use crate::rows::{Cell, ColType};
use crate::store::{Store, StoreError};

/// Bookings with custody after T0 that may touch the days asked for: what the hold register, the cost report, cost lines
/// and the over-detention report read. Custody that has ended is found by its postings, custody that goes on by its T0.
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
    // Local days begin and end within a day of those of UTC, wherever the jail is.
    let start = Zone::UTC.start_of(query.start).plus_us(-DAY_US);
    let end = Zone::UTC.start_of(query.end).plus_us(DAY_US);
    let sql = "select distinct f.booking from (\
         select p.booking from postings p where p.county = $1 and p.seq <= $2 and p.start_at < $4 and p.end_at > $3 \
         union all \
         select b.booking from bookings b where b.county = $1 and b.from_seq <= $2 \
         and (b.to_seq is null or b.to_seq > $2) and b.t0 < $4) f \
         where f.booking > $5 order by f.booking limit $6";
    found(store, sql, county, seq, (start.micros(), end.micros()), after, limit).await
}

/// Bookings with a detainer received on the days asked for: what the decision report reads.
///
/// # Errors
/// [`StoreError`] where the database cannot answer.
pub async fn with_detainers(
    store: &Store,
    county: &CountyId,
    seq: i64,
    query: &Query,
    after: Option<&BookingId>,
    limit: u32,
) -> Result<Vec<BookingId>, StoreError> {
    let sql = "select distinct d.booking from detainers d where d.county = $1 and d.from_seq <= $2 \
         and (d.to_seq is null or d.to_seq > $2) and d.received_day >= $3 and d.received_day < $4 \
         and d.booking > $5 order by d.booking limit $6";
    let days = (i64::from(day_number(query.start)), i64::from(day_number(query.end)));
    found(store, sql, county, seq, days, after, limit).await
}

async fn found(
    store: &Store,
    sql: &'static str,
    county: &CountyId,
    seq: i64,
    (from, to): (i64, i64),
    after: Option<&BookingId>,
    limit: u32,
) -> Result<Vec<BookingId>, StoreError> {
    // Every id sorts after the empty word.
    let after = after.map_or_else(String::new, ToString::to_string);
    let county = county.to_string();
    let params = [county.as_str().into(), seq.into(), from.into(), to.into(), after.as_str().into(), i64::from(limit).into()];
    let rows = store.query(sql, &params, &[ColType::Text]).await?;
    Ok(rows.iter().filter_map(|row| row.first().and_then(Cell::as_text)).map(BookingId::trusted).collect())
}
